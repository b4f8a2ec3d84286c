"""What the two arithmetics on NumPy arrays share: numbers in other places, loops, matrix products with any axes."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.unknown import UnknownOperation


def places(move: Callable, sizes: list[tuple[int, ...]]) -> tuple[bool, list[np.ndarray]]:
    """(whether `move` returns several arrays, for each: where in the flattened operands its entries come from, −1 for none).

    JAX itself moves the numbers of the places about, so that nothing of it is written twice.
    """
    indices, begin = [], 0
    for shape in sizes:
        count = int(np.prod(shape, dtype=np.int64))
        indices.append(jnp.asarray(np.arange(begin, begin + count, dtype=np.int32).reshape(shape)))
        begin += count
    found = move(*indices)
    many = isinstance(found, list | tuple)
    return many, [np.where((index := np.asarray(each)) < begin, index, -1) for each in (found if many else [found])]


def taken(flat: np.ndarray, index: np.ndarray, missing) -> np.ndarray:
    """The entries at the places; `missing` where there is none."""
    padded = np.append(flat, np.array([missing], flat.dtype))
    return padded[np.where(index < 0, flat.size, index).ravel()].reshape(index.shape)


def loop(step: Callable, carry: list, rows: list, length: int, reverse: bool, at: Callable, stack: Callable):
    """`Arithmetic.loop` in Python: `at(number, place)` is a row, `stack(numbers)` puts rows together."""
    if not length:
        raise UnknownOperation("a loop of no steps")
    order = list(range(length))
    stacked = []
    for place in reversed(order) if reverse else order:
        carry, row = step(carry, [_row(part, place, at) for part in rows])
        stacked.append(row)
    if reverse:
        stacked.reverse()
    return carry, [_stacked(list(part), stack) for part in zip(*stacked, strict=True)]


def _row(part, place: int, at: Callable):
    if not isinstance(part, Discrete):
        return at(part, place)
    return Discrete(*(None if end is None else end[place] for end in part))


def _stacked(parts: list, stack: Callable):
    if not isinstance(parts[0], Discrete):
        return stack(parts)
    sure = all(part.sure for part in parts)
    return Discrete(np.stack([part.low for part in parts]), None if sure else np.stack([part.top for part in parts]))


def as_matrices(dimensions, shape_a, shape_b):
    """(a → (…, p, k), b → (…, k, q), product → its axes): rearrangements of arrays that make `dot_general` a matrix product."""
    (of_a, of_b), (batch_a, batch_b) = dimensions
    free_a = [axis for axis in range(len(shape_a)) if axis not in (*of_a, *batch_a)]
    free_b = [axis for axis in range(len(shape_b)) if axis not in (*of_b, *batch_b)]
    batch, left = [shape_a[axis] for axis in batch_a], [shape_a[axis] for axis in free_a]
    right, terms = [shape_b[axis] for axis in free_b], int(np.prod([shape_a[axis] for axis in of_a]))
    rows, columns = int(np.prod(left, dtype=int)), int(np.prod(right, dtype=int))
    return (
        lambda array: array.transpose([*batch_a, *free_a, *of_a]).reshape(*batch, rows, terms),
        lambda array: array.transpose([*batch_b, *of_b, *free_b]).reshape(*batch, terms, columns),
        lambda array: array.reshape((*batch, *left, *right)),
    )
