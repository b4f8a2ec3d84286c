"""Formulas in Arb's balls: every rounding enclosed, at any precision.

`enclosed(f, bits)(*args)` reads the floats of `args` as exact real numbers and returns, for each number that f computes,
a ball that contains what real arithmetic gives from them.  So lhs < rhs is proved at these floats when the balls lie apart,
refuted when they lie apart the other way, and undecided otherwise; nothing is taken for granted beyond Arb itself (Johansson
2017) and the interpreter.  Booleans are True, False, or None where the balls do not decide.
"""

import functools
from collections.abc import Callable
from contextlib import contextmanager

import flint
import jax
import mpmath
import numpy as np

from ntkverify.arithmetic import arrays, interpreter, matrices, rules
from ntkverify.arithmetic.contract import Arithmetic
from ntkverify.arithmetic.discrete import Discrete

BITS = 128
"""Precision of a certificate."""
FIFTY_DIGITS = 170
"""Bits of the independent check."""
REFINED = 20
"""Eigenvectors of matrices up to this size are computed to the working precision, larger ones in float64."""


@contextmanager
def precision(bits: int):
    """Arb's and mpmath's working precision inside the block."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        with mpmath.workprec(bits):
            yield
    finally:
        flint.ctx.prec = before


def enclosed(function: Callable, bits: int = BITS) -> Callable:
    """The function that returns balls (object arrays of `flint.arb`); Booleans and whole numbers known, or None."""

    @functools.wraps(function)
    def evaluated(*args):
        with precision(bits):
            return traced(ARB, function, args, lambda output: output)

    return evaluated


def traced(arithmetic: Arithmetic, function: Callable, args, finish: Callable):
    """The function's outputs in the arithmetic, as a tree like its own; `finish` makes results of numbers."""
    args = jax.tree.map(np.asarray, args)  # on whatever devices they lie
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    jaxpr = closed.jaxpr
    used = {id(atom) for atom in jaxpr.outvars}.union(*(map(id, equation.invars) for equation in jaxpr.eqns))
    inputs = [
        rules.read(arithmetic, np.asarray(leaf)) if id(atom) in used else None
        for atom, leaf in zip(jaxpr.invars, jax.tree.leaves(args), strict=True)
    ]
    outputs = interpreter.evaluate(arithmetic, closed, inputs)
    found = [words(output) if isinstance(output, Discrete) else finish(output) for output in outputs]
    return jax.tree.unflatten(jax.tree.structure(shape), found)


def words(x: Discrete) -> np.ndarray:
    """Known values as they are, None where there is doubt."""
    if x.sure:
        return np.asarray(x.low)
    low, high = np.broadcast_arrays(x.low, x.top)
    return each(lambda a, b: a if a == b else None, low, high)


def each(function: Callable, *parts) -> np.ndarray:
    """The function on each entry, as an object array of the broadcast shape."""
    result = np.empty(np.broadcast_shapes(*map(np.shape, parts)), object)
    return np.frompyfunc(function, len(parts), 1)(*parts, out=result) if result.size else result


def _nothing():
    return flint.arb("nan")


def _power_of_square(x):
    size = abs(x)
    return size * size


def _root(x):
    return (x.nonnegative_part() if x.upper() >= 0 else x).sqrt() if x.is_finite() else _nothing()


def _float_below(x) -> float:
    """A float that is certainly not above x, an exact ball."""
    near = float(x)
    return near if not flint.arb(near) > x else float(np.nextafter(near, -np.inf))


class _Arb(Arithmetic):
    """Object arrays of `flint.arb`; a ball that is not finite says nothing."""

    xp = np

    def exact(self, array):
        return each(lambda x: flint.arb(float(x)), np.asarray(array))

    def rounded(self, a, dtype):
        return a

    def between(self, low, high, dtype):
        def ball(x, y):
            return flint.arb(float(x)).union(flint.arb(float(y))) if np.isfinite(x) and np.isfinite(y) else _nothing()

        return each(ball, low, high)

    def ends(self, a):
        low = each(lambda x: _float_below(x.lower()) if x.is_finite() else -np.inf, a).astype(np.float64)
        high = each(lambda x: -_float_below(-x.upper()) if x.is_finite() else np.inf, a).astype(np.float64)
        return low, high

    def middle(self, a):
        return each(lambda x: float(x.mid()) if x.is_finite() else np.nan, a).astype(np.float64)

    def widened(self, a, by):
        return each(lambda x, r: x + flint.arb(0, float(r)) if r < np.inf else _nothing(), a, by)

    def possible(self, a, b):
        less = each(lambda x, y: not x >= y, a, b).astype(bool)
        greater = each(lambda x, y: not x <= y, a, b).astype(bool)
        return less, each(lambda x, y: not (x < y or x > y), a, b).astype(bool), greater

    def known(self, a):
        return each(lambda x: bool(x.is_finite()), a).astype(bool)

    def chosen(self, which, unsure, cases):
        def pick(which, unsure, *entries):
            if not unsure:
                return entries[int(which)]
            return (
                functools.reduce(lambda x, y: x.union(y), entries)
                if all(x.is_finite() for x in entries)
                else _nothing()
            )

        return each(pick, which, False if unsure is None else unsure, *cases)

    def moved(self, move: Callable, *parts):
        many, found = arrays.places(move, [part.shape for part in parts])
        flat = np.concatenate([part.ravel() for part in parts])
        moved = [arrays.taken(flat, index, _nothing()) for index in found]
        return moved if many else moved[0]

    def loop(self, step, carry: list, rows: list, length: int, reverse: bool):
        return arrays.loop(step, carry, rows, length, reverse, lambda part, place: np.asarray(part[place]), np.stack)

    def add(self, a, b):
        return each(lambda x, y: x + y, a, b)

    def subtract(self, a, b):
        return each(lambda x, y: x - y, a, b)

    def multiply(self, a, b):
        return each(lambda x, y: x * y, a, b)

    def square(self, a):
        return each(_power_of_square, a)

    def divide(self, a, b):
        return each(lambda x, y: x / y, a, b)

    def negative(self, a):
        return each(lambda x: -x, a)

    def absolute(self, a):
        return each(abs, a)

    def larger(self, a, b):
        return each(lambda x, y: x.max(y), a, b)

    def smaller(self, a, b):
        return each(lambda x, y: x.min(y), a, b)

    def root(self, a):
        return each(_root, a)

    def exp(self, a):
        return each(lambda x: x.exp(), a)

    def expm1(self, a):
        return each(lambda x: x.expm1(), a)

    def log(self, a):
        return each(lambda x: x.log(), a)

    def log1p(self, a):
        return each(lambda x: x.log1p(), a)

    def second_order(self, a):
        return each(lambda x: x.expm1() - x, a)

    def arctangent(self, a):
        return each(lambda x: x.atan(), a)

    def gaussian_integral(self, a):
        half = flint.arb.pi().sqrt() / 2
        return each(lambda x: half * x.erf(), a)

    def total(self, a, axes):
        return self._reduced(lambda x, y: x + y, a, axes, flint.arb(0))

    def largest(self, a, axes):
        return self._reduced(lambda x, y: x.max(y), a, axes)

    def smallest(self, a, axes):
        return self._reduced(lambda x, y: x.min(y), a, axes)

    def _reduced(self, function, a, axes, *start):
        kept = [axis for axis in range(a.ndim) if axis not in axes]
        rows = a.transpose(kept + list(axes)).reshape([a.shape[axis] for axis in kept] + [-1])
        result = np.empty(rows.shape[:-1], object)
        for index in np.ndindex(*rows.shape[:-1]):
            result[index] = functools.reduce(function, rows[index], *start)
        return result

    def sorted(self, a, axis):
        """The k-th smallest lies between the k-th smallest lower and the k-th smallest upper end."""

        def one(row):
            if not all(x.is_finite() for x in row):
                return each(lambda _: _nothing(), row)
            lows, highs = sorted(x.lower() for x in row), sorted(x.upper() for x in row)
            return each(lambda x, y: x.union(y), np.array(lows, object), np.array(highs, object))

        rows = np.moveaxis(a, axis, -1)
        result = np.empty(rows.shape, object)
        for index in np.ndindex(*rows.shape[:-1]):
            result[index] = one(rows[index])
        return np.moveaxis(result, -1, axis)

    def dot(self, a, b, dimensions):
        rows_of, columns_of, back = arrays.as_matrices(dimensions, a.shape, b.shape)
        rows, columns = rows_of(a), columns_of(b)
        result = np.empty((*rows.shape[:-1], columns.shape[-1]), object)
        for index in np.ndindex(*rows.shape[:-2]):
            product = flint.arb_mat(rows[index].tolist()) * flint.arb_mat(columns[index].tolist())
            result[index] = np.array(product.tolist(), object).reshape(result[index].shape)
        return back(result)

    def eigenvalues(self, a):
        return matrices.eigenvalues(self, a, self._eigenvectors(a))

    def _eigenvectors(self, a):
        vectors = np.empty(a.shape, object)
        for index in np.ndindex(*a.shape[:-2]):
            vectors[index] = self._vectors(a[index])
        return vectors

    def _vectors(self, A):
        middle = self.middle(A)
        if not np.isfinite(middle).all():
            return each(lambda _: _nothing(), np.empty(A.shape))
        if len(A) > REFINED:
            return self.exact(np.linalg.eigh((middle + middle.T) / 2)[1])
        digits = mpmath.mp.dps + 5
        symmetric = mpmath.matrix([[mpmath.mpf(entry.mid().str(digits, radius=False)) for entry in row] for row in A])
        _, vectors = mpmath.eigsy((symmetric + symmetric.T) / 2)
        return np.array(
            [[flint.arb(mpmath.nstr(vectors[i, j], digits)).mid() for j in range(len(A))] for i in range(len(A))],
            object,
        ).reshape(A.shape)


ARB = _Arb()
