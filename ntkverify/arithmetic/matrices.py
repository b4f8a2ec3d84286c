"""Rules for sums, extremes, products of matrices and eigenvalues."""

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
