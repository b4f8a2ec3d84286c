"""Rules for sums, extremes, products of matrices and eigenvalues."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import primitives as core

from ntkverify.arithmetic.contract import Arithmetic, Number
from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.rules import all_discrete, exactly, on, place, read
from ntkverify.arithmetic.unknown import UnknownOperation

# Sums, extremes, products of matrices.


def _reduction(name: str):
    def rule(arith, equation, a):
        if isinstance(a, Discrete):
            return exactly(arith, equation, a)
        shape = equation.invars[0].aval.shape
        if name != "total" and 0 in [shape[axis] for axis in equation.params["axes"]]:
            raise UnknownOperation(f"the extreme of no numbers{place(equation)}")
        return getattr(arith, name)(a, tuple(map(int, equation.params["axes"])))

    return rule


on(lax.reduce_sum_p)(_reduction("total"))
on(lax.reduce_max_p)(_reduction("largest"))
on(lax.reduce_min_p)(_reduction("smallest"))


@on(lax.sort_p)
def _sort(arith, equation, a, *others):
    if others:
        raise UnknownOperation(f"sorting several arrays by one{place(equation)}")
    if isinstance(a, Discrete):
        return exactly(arith, equation, a)
    return arith.sorted(a, equation.params["dimension"])


@on(lax.cumsum_p)
def _cumulative_sum(arith, equation, a):
    """A product with the triangle of ones."""
    if isinstance(a, Discrete):
        return exactly(arith, equation, a)
    axis, dtype = equation.params["axis"], equation.outvars[0].aval.dtype
    length = equation.invars[0].aval.shape[axis]
    ones = np.tril(np.ones((length, length), dtype))
    triangle = arith.exact(arith.xp.asarray(ones.T if equation.params["reverse"] else ones))
    found = arith.dot(triangle, a, (((1,), (axis,)), ((), ())))
    return arith.moved(lambda array: jnp.moveaxis(jnp.asarray(array), 0, axis), found)


@on(lax.iota_p)
def _iota(arith, equation):
    found = equation.primitive.bind(**equation.params)
    return read(arith, found if arith.xp is jnp else np.asarray(found))


@on(lax.dot_general_p)
def _dot(arith, equation, a, b):
    if all_discrete((a, b)):
        return exactly(arith, equation, a, b)
    if isinstance(a, Discrete) or isinstance(b, Discrete):
        raise UnknownOperation(f"a product of matrices of different kinds{place(equation)}")
    return arith.dot(a, b, equation.params["dimension_numbers"])


@on(lax.conv_general_dilated_p)
def _convolution(arith, equation, a, b):
    """A matrix product of the windows of `a` with the kernels `b`, both with their spatial axes last."""
    if isinstance(a, Discrete) or isinstance(b, Discrete):
        raise UnknownOperation(f"a convolution of whole numbers{place(equation)}")
    params, result = equation.params, equation.outvars[0].aval
    if 0 in result.shape or 0 in equation.invars[0].aval.shape or 0 in equation.invars[1].aval.shape:
        return arith.exact(arith.xp.zeros(result.shape, result.dtype))
    a, b = (arith.rounded(each, result.dtype) for each in (a, b))
    of_a, of_b, of_out = params["dimension_numbers"]
    zero = arith.exact(arith.xp.zeros((), result.dtype))
    a, b = (arith.moved(lambda array, to=to: array.transpose(to), each) for each, to in ((a, of_a), (b, of_b)))
    # Padding, which may be negative, and holes in the kernels and between the entries of a.
    holes = [(0, 0, hole - 1) for hole in params["rhs_dilation"]]
    b = arith.moved(lambda array, by: lax.pad(array, by, [(0, 0, 0)] * 2 + holes), b, zero)
    edges = [(*edge, hole - 1) for edge, hole in zip(params["padding"], params["lhs_dilation"], strict=True)]
    a = arith.moved(lambda array, by: lax.pad(array, by, [(0, 0, 0)] * 2 + edges), a, zero)
    spatial = arith.middle(b).shape[2:]
    a = windows(arith, a, spatial, params["window_strides"])
    # Groups of channels, or of the batch, each with kernels of its own, as an axis in front.
    groups, batches = params["feature_group_count"], params["batch_group_count"]
    axis, count = (1, groups) if batches == 1 else (0, batches)
    a = arith.moved(lambda array: _grouped(array, axis, count), a)
    b = arith.moved(lambda array: _grouped(array, 0, count), b)
    rank = len(spatial)
    terms = tuple(range(3 + rank, 3 + 2 * rank))
    found = arith.dot(a, b, (((2, *terms), (2, *range(3, 3 + rank))), ((0,), (0,))))  # group, batch, place, output
    back = np.argsort(of_out)

    def ordered(array):
        array = jnp.moveaxis(array, (0, -1), (1, 2))  # batch, group, output, place
        batch, groups, outputs, *places = array.shape
        return array.reshape(batch, groups * outputs, *places).transpose(back)

    return arith.moved(lambda array: ordered(jnp.asarray(array)), found)


def _grouped(array, axis: int, count: int):
    """The axis split into `count` groups, which come first."""
    shape = (*array.shape[:axis], count, array.shape[axis] // count, *array.shape[axis + 1 :])
    return jnp.moveaxis(jnp.asarray(array).reshape(shape), axis, 0)


def windows(arith, a: Number, sizes, strides) -> Number:
    """(…, spatial axes) → (…, places, entries of the window): every window of these sizes, as far apart as `strides` say."""
    lead = len(arith.middle(a).shape) - len(sizes)
    last = arith.middle(a).shape[lead:]

    def cut(array):
        array = jnp.asarray(array)
        for axis, (length, size, stride) in enumerate(zip(last, sizes, strides, strict=True)):
            begins = np.arange(0, length - size + 1, stride)
            array = jnp.take(array, begins[:, None] + np.arange(size)[None], axis=lead + 2 * axis)
        places = [lead + 2 * axis for axis in range(len(sizes))]
        return array.transpose([*range(lead), *places, *(axis + 1 for axis in places)])

    return arith.moved(cut, a)


def _plain_windows(equation, a) -> tuple:
    """What a rule for windows needs to know, where it has one."""
    params = equation.params
    if isinstance(a, Discrete) or any(hole != 1 for hole in params["window_dilation"]):
        raise UnknownOperation(f"{equation.primitive.name!r} of whole numbers, or with holes{place(equation)}")
    edges = [(*edge, hole - 1) for edge, hole in zip(params["padding"], params["base_dilation"], strict=True)]
    return params["window_dimensions"], params["window_strides"], edges


@on(lax.reduce_window_sum_p)
def _window_sum(arith, equation, a):
    """Padded by zeros."""
    sizes, strides, edges = _plain_windows(equation, a)
    zero = arith.exact(arith.xp.zeros((), equation.outvars[0].aval.dtype))
    a = arith.moved(lambda array, by: lax.pad(array, by, edges), a, zero)
    return arith.total(windows(arith, a, sizes, strides), tuple(range(len(sizes), 2 * len(sizes))))


@on(lax.reduce_window_max_p)
def _window_max(arith, equation, a):
    """Of what lies in each window; padding, which is −∞, is left out, and a window of nothing else is refused."""
    sizes, strides, edges = _plain_windows(equation, a)
    shape = arith.middle(a).shape
    with jax.ensure_compile_time_eval():
        places = jnp.arange(int(np.prod(shape, dtype=int))).reshape(shape)
        padded = np.asarray(lax.pad(places, jnp.asarray(-1, places.dtype), edges))
    for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        begins = np.arange(0, padded.shape[2 * axis] - size + 1, stride)
        padded = np.take(padded, begins[:, None] + np.arange(size)[None], axis=2 * axis)
    rank = len(sizes)
    padded = padded.transpose([*range(0, 2 * rank, 2), *range(1, 2 * rank, 2)]).reshape(*padded.shape[::2], -1)
    some = padded.max(axis=-1, keepdims=True, initial=-1)
    if padded.size == 0 or (some < 0).any():
        raise UnknownOperation(f"the largest of no numbers{place(equation)}")
    chosen = np.where(padded < 0, some, padded)
    return arith.largest(arith.moved(lambda array: jnp.asarray(array).reshape(-1)[chosen], a), (rank,))


MOST = 2**22
"""Entries of the matrix as which a scattered sum is computed."""


@on(lax.scatter_add_p)
def _scattered_sum(arith, equation, a, places, updates):
    """a plus a product of the updates with zeros and ones."""
    if isinstance(a, Discrete) or not places.sure:
        raise UnknownOperation(f"a scattered sum of whole numbers, or to places in doubt{place(equation)}")
    here, new = (arith.middle(each).shape for each in (a, updates))
    size, count = int(np.prod(here, dtype=int)), int(np.prod(new, dtype=int))
    if size * count > MOST:
        raise UnknownOperation(f"a scattered sum of {count} numbers into {size}{place(equation)}")
    dtype = equation.outvars[0].aval.dtype
    where = jnp.asarray(places.low)
    units = jnp.eye(count, dtype=dtype).reshape(count, *new)
    ones = jax.vmap(lambda unit: equation.primitive.bind(jnp.zeros(here, dtype), where, unit, **equation.params))(units)
    matrix = arith.exact(arith.xp.asarray(ones.reshape(count, size)))
    flat = arith.moved(lambda array: array.reshape(-1), updates)
    added = arith.dot(flat, matrix, (((0,), (0,)), ((), ())))
    return arith.add(a, arith.moved(lambda array: array.reshape(here), added))


def product(arith: Arithmetic, a: Number, b: Number, rank: int) -> Number:
    """The matrix product (…, p, k) (…, k, q) of arrays with `rank` axes."""
    batch = tuple(range(rank - 2))
    return arith.dot(a, b, (((rank - 1,), (rank - 2,)), (batch, batch)))


@on(core.eigh_p)
def _eigh(arith, equation, a):
    if equation.params.get("subset_by_index") is not None:
        raise UnknownOperation(f"some of the eigenvalues{place(equation)}")
    values = arith.eigenvalues(_symmetric(arith, a, equation.params["lower"]))
    vectors = arith.widened(a, arith.xp.full(arith.middle(a).shape, np.inf, equation.outvars[0].aval.dtype))
    return [vectors, values]


@on(core.svd_p)
def _singular_values(arith, equation, a):
    """The roots of the eigenvalues of the smaller of AAᵀ and AᵀA, the largest first."""
    if equation.params["compute_uv"] or equation.params.get("subset_by_index") is not None:
        raise UnknownOperation(f"singular vectors{place(equation)}")
    shape = arith.middle(a).shape
    rank = len(shape)
    turned = arith.moved(lambda array: jnp.swapaxes(jnp.asarray(array), -1, -2), a)
    pair = (a, turned) if shape[-2] <= shape[-1] else (turned, a)
    roots = arith.root(arith.eigenvalues(product(arith, *pair, rank)))
    return [arith.moved(lambda array: jnp.asarray(array)[..., ::-1], roots)]


def _symmetric(arith, a: Number, lower: bool) -> Number:
    """The symmetric matrix of which the routine reads one half."""
    shape = arith.middle(a).shape
    keep = (np.tril if lower else np.triu)(np.ones(shape, bool))
    turned = arith.moved(lambda array: jnp.swapaxes(jnp.asarray(array), -1, -2), a)
    return arith.chosen(arith.xp.asarray(keep), None, [turned, a])


def eigenvalues(arith: Arithmetic, a: Number, Q: Number) -> Number:
    """Enclosures of the eigenvalues, ascending, of every symmetric member of a (…, n, n).

    For any Q with ‖QᵀQ − I‖ ≤ ε < 1, λ_k(QᵀAQ) = θ_k λ_k(A) with |θ_k − 1| ≤ ε (Ostrowski 1959), and
    |λ_k(D + E) − d_k| ≤ ‖E‖_F (Weyl).  Q, exact numbers, comes from an ordinary routine and need not be right; λ = 0 and repeated
    eigenvalues are no exception.
    """
    xp, shape, dtype = arith.xp, arith.middle(a).shape, arith.middle(a).dtype
    rank, size = len(shape), shape[-1]
    turned = arith.moved(lambda array: jnp.swapaxes(jnp.asarray(array), -1, -2), Q)
    tilted = product(arith, turned, product(arith, a, Q, rank), rank)
    diagonal = arith.moved(lambda array: jnp.diagonal(jnp.asarray(array), axis1=-2, axis2=-1), tilted)
    eye = xp.broadcast_to(xp.eye(size, dtype=dtype), shape)
    far = _frobenius(arith, arith.chosen(eye > 0, None, [tilted, arith.exact(xp.zeros_like(eye))]))
    off = _frobenius(arith, arith.subtract(product(arith, turned, Q, rank), arith.exact(eye)))
    values = arith.widened(arith.sorted(diagonal, rank - 2), xp.broadcast_to(far[..., None], shape[:-1]))
    near = xp.broadcast_to(xp.where(off < 0.5, off, xp.inf)[..., None], shape[:-1]).astype(dtype)
    return arith.divide(values, arith.widened(arith.exact(xp.ones(shape[:-1], dtype)), near))


def _frobenius(arith, a: Number):
    """Upper bounds on the Frobenius norms of matrices, as floats."""
    rank = len(arith.middle(a).shape)
    return arith.ends(arith.root(arith.total(arith.square(a), (rank - 2, rank - 1))))[1]
