"""Neurons that are functions z(w; x), as the checker reads them: in Arb's balls, apart from what made a certificate.

The gradient of z is inner ⊗ outer, and |∇²z(w; x)[U, U]| ≤ bend ‖U outer‖² for every w (docs/proofs/convergence.md, §8).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from flint import arb

Shape = tuple[int, ...]
PYTHON = 40


class Neuron(NamedTuple):
    """A network's neuron; x is a list of balls in C order."""

    size: Callable[[Shape], int]
    """p for inputs of this shape; 0 for a shape that it cannot read."""
    at: Callable
    """(w, x, shape) → (z, inner)."""
    outer: Callable
    """(x, shape) → a list."""
    bounds: Callable
    """(x, shape) → (b, g), ‖inner‖ ≤ g for every w."""
    work: Callable[[Shape], tuple[int, int, int]]
    """The length of inner, and about the operations that a value and a bound take, in units of those of a product of matrices of
    balls: one in Python counts as `PYTHON` of them."""


def _total(values):
    return sum(values, arb(0))


def _dot(one, other):
    return _total(p * q for p, q in zip(one, other, strict=True))


def _square(value):
    """FLINT's power has no value for a ball around 0."""
    return value * value


def _largest(values):
    values = iter(values)
    top = next(values)
    for value in values:
        top = top.max(value)
    return top


# An attention head: ⟨v, Σ_j S_j t_j⟩, S = softmax(t_jᵀ W q), q the last token, v = (1, …, 1)/√d_t.


def _tokens(x, shape):
    return [x[j * shape[1] : (j + 1) * shape[1]] for j in range(shape[0])]


def _brightness(token):
    return _total(token) / arb(len(token)).sqrt()


def _attention(w, x, shape):
    tokens, side = _tokens(x, shape), shape[1]
    asked = [_dot(w[k * side : (k + 1) * side], tokens[-1]) for k in range(side)]
    exps = [_dot(token, asked).exp() for token in tokens]
    mass = _total(exps)
    shares, seen = [each / mass for each in exps], [_brightness(token) for token in tokens]
    mean = _dot(shares, seen)
    tilted = [share * (each - mean) for share, each in zip(shares, seen, strict=True)]
    return mean, [_dot(tilted, [token[k] for token in tokens]) for k in range(side)]


def _attention_bounds(x, shape):
    """ρD²/(6√3) and ρD/4, ρ the range of ⟨v, t_j⟩ and D the largest distance of two tokens."""
    tokens = _tokens(x, shape)
    seen = [_brightness(token) for token in tokens]
    spread = (_largest(seen) + _largest(-each for each in seen)).nonnegative_part()
    apart = _largest(
        _total(_square(p - q) for p, q in zip(one, other, strict=True))
        for j, one in enumerate(tokens) for other in tokens[:j]
    ).nonnegative_part()  # fmt: skip
    return spread * apart / (6 * arb(3).sqrt()), spread * apart.sqrt() / 4


# The mean of tanh⟨w, x_p⟩ over the 3 × 3 patches of an image.

SIDE = 3


def _patches(x, shape):
    return [
        [x[(i + k) * shape[1] + j + l] for k in range(SIDE) for l in range(SIDE)]
        for i in range(shape[0] - SIDE + 1) for j in range(shape[1] - SIDE + 1)
    ]  # fmt: skip


def _pooled(w, x, shape):
    patches = _patches(x, shape)
    heights = [_dot(w, patch).tanh() for patch in patches]
    slopes = [1 - _square(height) for height in heights]
    count = len(patches)
    return _total(heights) / count, [_dot(slopes, [patch[k] for patch in patches]) / count for k in range(SIDE**2)]


def _pooled_bounds(x, shape):
    patches = _patches(x, shape)
    squares = _total(_square(_dot(one, other)) for one in patches for other in patches)
    bend = 4 / (3 * arb(3).sqrt()) * squares.nonnegative_part().sqrt() / len(patches)
    return bend, _total(_total(map(_square, patch)).nonnegative_part().sqrt() for patch in patches) / len(patches)


_HEAD = Neuron(
    lambda shape: shape[1] ** 2 if len(shape) == 2 and shape[0] > 1 else 0,
    _attention, lambda x, shape: _tokens(x, shape)[-1], _attention_bounds,
    lambda shape: (shape[1], PYTHON * 4 * shape[1] * (shape[0] + shape[1]), PYTHON * shape[0] ** 2 * (shape[1] + 2)),
)  # fmt: skip
NEURONS = {
    "attention": _HEAD,
    "softmax-heads": _HEAD,
    "patches": Neuron(
        lambda shape: SIDE**2 if len(shape) == 2 and min(shape) >= SIDE else 0,
        _pooled, lambda x, shape: [arb(1)], _pooled_bounds,
        lambda shape: (SIDE**2, PYTHON * 3 * SIDE**2 * math.prod(shape), PYTHON * SIDE**2 * math.prod(shape) ** 2),
    ),
}  # fmt: skip
"""Network → its neuron."""
