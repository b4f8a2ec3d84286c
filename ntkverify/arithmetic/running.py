"""Values with a bound on their rounding error, computed along with them, in JAX.

`with_error(f)(*args)` evaluates f once more operation by operation, each value v̂ carrying a bound e ≥ |v̂ − v|, v being what
real arithmetic gives from the same floats.  The rules are those of running error analysis (Higham 2002, §3.3): an operation adds
u|v̂|, a sum or product of k terms adds γ_k Σ|terms| (or a bound on that sum), an incoming error is carried on by the operation's
own derivative bound.  So the allowance of a claim is computed from the sums at hand, and nobody guesses a tolerance.

What is taken for granted of the device: +, −, × round to nearest, fused or not; sums and products of matrices are sums of
products in some order; ÷ and √ err by what `ALLOWANCE` says; results below the smallest normal number, `tiny`, may become 0.
`probe.py` tries that on the machine at hand.  No elementary function is taken for granted (`elementary.py`).

The compiler rewrites what it reads: quotients by a scalar into products with its reciprocal, quotients and roots into
one another, sums and products with two constants into one.  So constants, and operands and results of ÷ and √,
stand behind `optimization_barrier`.  Bounds are floats too: their own roundings are covered by `_SAFETY` at the end and by
`_MORE` where two of them are compared, and what underflows in them by a multiple of `tiny` in each operation.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ntkverify.arithmetic import elementary, interpreter, rules
from ntkverify.arithmetic.contract import Arithmetic
from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.subnormal import below_normal, is_below_normal
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.ground.numerics import gamma, unit_roundoff

_SAFETY, _MORE = 1.01, 1.01
ALLOWANCE = {("cpu", "float32"): (2.01, 1.0), ("cpu", "float64"): (2.01, 1.0)}
"""(platform, dtype) → errors of ÷ and √ in units of u; a quotient by a scalar is a · (1/b) on every platform."""
GENEROUS = (4.0, 4.0)
"""The same on platforms that are not in the table."""


class Bound(NamedTuple):
    """A value and a bound on its error, None where it is exact; ∞ or NaN where nothing is known."""

    value: jax.Array
    error: jax.Array | None = None

    @property
    def e(self) -> jax.Array:
        """The error as an array (zeros when exact)."""
        return jnp.zeros_like(self.value) if self.error is None else self.error


def with_error(function: Callable) -> Callable:
    """The function that returns (value, error bound) of `function`, pytrees alike.

    Its arguments count as exact.  The error of a Boolean or whole number says whether it is in doubt.  Where an
    argument holds a number below the smallest normal one, which devices take for 0, nothing is known.
    Works under `jit`, `vmap` and `lax.map`.
    """

    @functools.wraps(function)
    def evaluated(*args):
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
        leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(args)]
        outputs = interpreter.evaluate(RUNNING, closed, [_argument(leaf) for leaf in leaves])
        checked = map(below_normal, [*leaves, *map(jnp.asarray, closed.consts)])
        lost = functools.reduce(jnp.logical_or, checked, jnp.asarray(False))
        lost = _once(jnp.where(lost, jnp.inf, 0.0))
        tree = jax.tree.structure(shape)
        return (
            jax.tree.unflatten(tree, [out.low if isinstance(out, Discrete) else out.value for out in outputs]),
            jax.tree.unflatten(tree, [_told(out, lost) for out in outputs]),
        )

    return evaluated


def _argument(leaf: jax.Array):
    return Bound(leaf) if jnp.issubdtype(leaf.dtype, jnp.floating) else rules.read(RUNNING, leaf)


def _told(out, lost):
    if isinstance(out, Discrete):
        return (out.low != out.top) | (lost > 0)
    return _SAFETY * out.e + lost.astype(out.value.dtype)


def _fence(*arrays):
    found = lax.optimization_barrier(arrays)
    return found[0] if len(arrays) == 1 else found


def _once(value):
    """The value itself, divided by an opaque 1: the compiler counts a quotient as costly and does not repeat what led to it
    in each of its uses."""
    return value / _fence(jnp.ones_like(value))


def _tiny(dtype) -> float:
    return float(jnp.finfo(dtype).tiny)


def _made(value, error, zero, units: float = 1.0) -> Bound:
    """A computed value: its own rounding of `units` u, and what may have been flushed to zero, beside `error`.

    `zero` marks results that are exactly 0 because their operands say so.
    """
    u, tiny = unit_roundoff(value.dtype), _tiny(value.dtype)
    own = lax.select(
        *jnp.broadcast_arrays(zero, jnp.zeros_like(value), jnp.maximum(units * u * jnp.abs(value), 4 * tiny))
    )
    return Bound(value, own if error is None else own + error)


def _is_zero(a: Bound):
    """Exactly 0."""
    return (a.value == 0) if a.error is None else (a.value == 0) & (a.error == 0)


class _InDoubt(Exception):
    """A whole number that a loop carries turned out not to be known."""


class _Running(Arithmetic):
    """Running error bounds: the arithmetic that judges draws."""

    xp = jnp

    def exact(self, array) -> Bound:
        if is_below_normal(array):
            raise UnknownOperation("a constant below the smallest normal number")
        return Bound(_fence(jnp.asarray(array)))

    def rounded(self, a: Bound, dtype) -> Bound:
        if np.finfo(dtype).nmant >= np.finfo(a.value.dtype).nmant:
            return Bound(a.value.astype(dtype), None if a.error is None else a.error.astype(dtype))
        tiny = _tiny(dtype)
        value = a.value.astype(dtype)
        error = jnp.where(a.e > 0, a.e.astype(dtype) * (1 + 2 * unit_roundoff(dtype)) + 2 * tiny, 0).astype(dtype)
        return _made(value, error, a.value == 0)

    def between(self, low, high, dtype) -> Bound:
        low, high = _fence(*(jnp.asarray(end, dtype) for end in (low, high)))
        same = low == high
        middle = jnp.where(same, low, low / 2 + high / 2)
        u = unit_roundoff(dtype)
        half = (high / 2 - low / 2) * (1 + 4 * u) + 2 * u * jnp.abs(middle) + 4 * _tiny(dtype)
        known = jnp.isfinite(low) & jnp.isfinite(high)
        return Bound(jnp.where(known, middle, 0), jnp.where(known, jnp.where(same, 0, half), jnp.inf).astype(dtype))

    def ends(self, a: Bound):
        if a.error is None:
            return a.value, a.value
        u, tiny = unit_roundoff(a.value.dtype), _tiny(a.value.dtype)
        reach = a.error * _MORE
        reach = jnp.where(a.error > 0, reach + 2 * u * (jnp.abs(a.value) + reach) + 4 * tiny, 0)
        known = self.known(a)
        return jnp.where(known, a.value - reach, -jnp.inf), jnp.where(known, a.value + reach, jnp.inf)

    def middle(self, a: Bound):
        return a.value

    def widened(self, a: Bound, by) -> Bound:
        by = jnp.broadcast_to(jnp.asarray(by, a.value.dtype), a.value.shape)
        return Bound(a.value, by if a.error is None else a.error + by)

    def given(self, a: Bound) -> Bound:
        return Bound(_fence(a.value), jnp.where(self.known(a), 0, jnp.inf).astype(a.value.dtype))

    def possible(self, a: Bound, b: Bound):
        below, above = ~(a.value >= b.value), ~(a.value <= b.value)  # all three for NaN
        equal = ~((a.value < b.value) | (a.value > b.value))
        if a.error is None and b.error is None:
            return below, equal, above
        gap, error = a.value - b.value, (a.e + b.e) * _MORE
        exact = error == 0
        less = jnp.where(exact, below, ~(gap > error))
        greater = jnp.where(exact, above, ~(gap < -error))
        # Once, so that what picks a value and what picks its error cannot differ.
        return _fence(less, jnp.where(exact, equal, ~(jnp.abs(gap) > error)), greater)

    def known(self, a: Bound):
        finite = jnp.isfinite(a.value)
        return finite if a.error is None else finite & jnp.isfinite(a.error)

    def chosen(self, which, unsure, cases: list[Bound]) -> Bound:
        value = lax.select_n(which, *(case.value for case in cases))
        if unsure is None and all(case.error is None for case in cases):
            return Bound(value)
        error = lax.select_n(which, *(case.e for case in cases))
        if unsure is None:
            return Bound(value, error)
        lost = 4 * _tiny(value.dtype)
        apart = [jnp.where(case.value == value, 0, jnp.abs(case.value - value) + lost) for case in cases]
        spread = [(gap + case.e) * _MORE for gap, case in zip(apart, cases, strict=True)]
        return Bound(value, jnp.where(unsure, functools.reduce(jnp.maximum, spread), error))

    def moved(self, move: Callable, *parts: Bound):
        values = move(*(part.value for part in parts))
        many = isinstance(values, list | tuple)
        if all(part.error is None for part in parts):
            return list(map(Bound, values)) if many else Bound(values)
        errors = move(*(part.e for part in parts))
        return list(map(Bound, values, errors)) if many else Bound(values, errors)

    def loop(self, step, carry: list, rows: list, length: int, reverse: bool):
        """A carried whole number is known as long as the step leaves it so; where it does not, the loop is traced again
        with its doubt."""
        known = [isinstance(part, Discrete) and part.sure for part in carry]

        def dense(part, sure: bool):
            if isinstance(part, Discrete):
                return part if sure else Discrete(part.low, part.top)
            return Bound(part.value, part.e)

        def dense_step(carry, row):
            outputs, stacked = step(carry, row)
            for index, part in enumerate(outputs):
                if known[index] and not part.sure:
                    known[index] = False
                    raise _InDoubt
            return [dense(part, sure) for part, sure in zip(outputs, known, strict=True)], stacked

        while True:
            try:
                return lax.scan(dense_step, list(map(dense, carry, known)), rows, length=length, reverse=reverse)
            except _InDoubt:
                pass

    # One rounding each.

    def add(self, a: Bound, b: Bound) -> Bound:
        carried = None if a.error is None and b.error is None else a.e + b.e
        return _made(a.value + b.value, carried, a.value == -b.value)

    def subtract(self, a: Bound, b: Bound) -> Bound:
        carried = None if a.error is None and b.error is None else a.e + b.e
        return _made(a.value - b.value, carried, a.value == b.value)

    def multiply(self, a: Bound, b: Bound) -> Bound:
        error = None
        if a.error is not None:
            error = a.error * (jnp.abs(b.value) + b.e)
        if b.error is not None:
            error = (0 if error is None else error) + jnp.abs(a.value) * b.error
        return _made(a.value * b.value, error, _is_zero(a) | _is_zero(b))

    def square(self, a: Bound) -> Bound:
        error = None if a.error is None else a.error * (2 * jnp.abs(a.value) + a.error)
        return _made(a.value * a.value, error, _is_zero(a))

    def divide(self, a: Bound, b: Bound) -> Bound:
        """Also where it is computed as a · (1/b): 1/b is flushed to zero for the largest |b|."""
        dtype = a.value.dtype
        u, tiny = unit_roundoff(dtype), _tiny(dtype)
        top, bottom = _fence(*jnp.broadcast_arrays(a.value, b.value))
        value, size = _fence(top / bottom), jnp.abs(bottom)
        nearest = size if b.error is None else size - _MORE * b.error
        apart = nearest > 0
        error = jnp.maximum(allowance(dtype)[0] * u * jnp.abs(value), 4 * tiny)
        by = lax.select(apart, nearest, jnp.ones_like(nearest))
        if a.error is not None:
            error += a.error / by * (1 + 8 * u)
        if b.error is not None:  # b's relative error first: |a/b| times its error may underflow, as may a/b itself
            error += (jnp.abs(value) + 4 * tiny) * (b.error / by) * _MORE
        error = jnp.where(apart & (size <= 0.25 / tiny), error, jnp.inf)
        return Bound(value, _once(jnp.where(_is_zero(a) & apart, 0, error).astype(dtype)))

    def negative(self, a: Bound) -> Bound:
        return Bound(-a.value, a.error)

    def absolute(self, a: Bound) -> Bound:
        return Bound(jnp.abs(a.value), a.error)

    def larger(self, a: Bound, b: Bound) -> Bound:
        exact = a.error is None and b.error is None
        return Bound(jnp.maximum(a.value, b.value), None if exact else jnp.maximum(a.e, b.e))

    def smaller(self, a: Bound, b: Bound) -> Bound:
        exact = a.error is None and b.error is None
        return Bound(jnp.minimum(a.value, b.value), None if exact else jnp.maximum(a.e, b.e))

    def root(self, a: Bound) -> Bound:
        """|√A − √a| ≤ min(√r, r/√a) for A ≥ 0 within r of a."""
        dtype = a.value.dtype
        value = _fence(jnp.sqrt(_fence(jnp.maximum(a.value, 0))))
        error = jnp.where(a.value < 0, jnp.where(a.value + a.e * _MORE < 0, jnp.inf, 0), 0)
        if a.error is not None:
            wide = jnp.sqrt(a.error) * _MORE
            error += jnp.where(value > 0, jnp.minimum(wide, a.error / jnp.where(value > 0, value, 1) * _MORE), wide)
        return _made(value, error.astype(dtype), _is_zero(a), allowance(dtype)[1])

    # Functions.

    def exp(self, a: Bound) -> Bound:
        value = _once(elementary.exponentials(a.value, jnp)[0])
        return self._certain(value, value * _growth(a.e), elementary.EXP)

    def expm1(self, a: Bound) -> Bound:
        value = _once(elementary.exponentials(a.value, jnp)[1])
        carried = (value + 1 + 8 * unit_roundoff(value.dtype)) * _growth(a.e)
        return self._certain(value, carried, elementary.EXPM1, _is_zero(a))

    def second_order(self, a: Bound) -> Bound:
        """At a + δ it differs by at most (|e^a − 1| + |δ|)(e^|δ| − 1)."""
        _, slope, value = map(_once, elementary.exponentials(a.value, jnp))
        carried = (jnp.abs(slope) * (1 + 8 * unit_roundoff(value.dtype)) + a.e) * _growth(a.e)
        return self._certain(value, carried, elementary.SECOND, _is_zero(a))

    def arctangent(self, a: Bound) -> Bound:
        """Its slope is at most 1."""
        return self._certain(_once(elementary.arctangent(a.value, jnp)), a.e * _MORE, elementary.ARCTAN, _is_zero(a))

    def gaussian_integral(self, a: Bound) -> Bound:
        """Its slope is at most 1."""
        value, own = map(_once, elementary.gaussian_integral(a.value, jnp))
        return self._certain(value, (own + a.e) * _MORE, 1.0, _is_zero(a))

    def _certain(self, value, carried, units: float, zero: Any = False) -> Bound:
        found = _made(value, carried.astype(value.dtype), jnp.asarray(zero), units)
        return Bound(value, jnp.where(jnp.isfinite(value), found.e, jnp.inf))

    def log(self, a: Bound) -> Bound:
        v, near = a.value, (a.value >= 0.5) & (a.value <= 2)
        y = jnp.log(v)
        return self._logarithm(y, v, v - 1, near, a.error, v)

    def log1p(self, a: Bound) -> Bound:
        v, near = a.value + 1, (a.value >= -0.5) & (a.value <= 1)
        return self._logarithm(jnp.log1p(a.value), v, a.value, near, a.error, v)

    def _logarithm(self, y, v, past_one, near, error, at) -> Bound:
        u = unit_roundoff(y.dtype)
        y = _fence(y)
        of_y = tuple(map(_once, elementary.exponentials(y, jnp)))
        own = elementary.log_error(of_y, v, past_one, near, u, jnp) + 4 * _tiny(y.dtype)
        own = jnp.where(past_one == 0, jnp.where(y == 0, 0, own), own)  # log 1 = 0
        if error is None:
            return Bound(y, own.astype(y.dtype))
        nearest = at * (1 - 4 * u) - error * _MORE
        carried = jnp.where(nearest > 0, error * _MORE / jnp.where(nearest > 0, nearest, 1), jnp.inf)
        return Bound(y, (own + carried).astype(y.dtype))

    # Sums.

    def total(self, a: Bound, axes: tuple[int, ...]) -> Bound:
        value, terms = jnp.sum(a.value, axes), math.prod(a.value.shape[axis] for axis in axes)
        g, size = gamma(max(terms - 1, 0), value.dtype), jnp.sum(jnp.abs(a.value), axes)
        error = g * (1 + g) * size + jnp.where(size > 0, 4 * terms * _tiny(value.dtype), 0)
        if a.error is not None:
            error += (1 + g) * jnp.sum(a.error, axes)
        return Bound(value, error.astype(value.dtype))

    def largest(self, a: Bound, axes: tuple[int, ...]) -> Bound:
        return Bound(jnp.max(a.value, axes), None if a.error is None else jnp.max(a.error, axes))

    def smallest(self, a: Bound, axes: tuple[int, ...]) -> Bound:
        return Bound(jnp.min(a.value, axes), None if a.error is None else jnp.max(a.error, axes))

    def sorted(self, a: Bound, axis: int) -> Bound:
        value = jnp.sort(a.value, axis)
        if a.error is None:
            return Bound(value)
        return Bound(value, jnp.broadcast_to(jnp.max(a.error, axis, keepdims=True), value.shape))

    def dot(self, a: Bound, b: Bound, dimensions) -> Bound:
        """Σ|terms| ≤ ‖row of a‖ ‖column of b‖ (Cauchy–Schwarz): the bound costs no second product."""
        (of_a, of_b), _ = dimensions

        def run(x, y):
            return lax.dot_general(x, y, dimensions, precision=lax.Precision.HIGHEST)

        value, terms = run(a.value, b.value), math.prod(a.value.shape[axis] for axis in of_a)
        g, (length_a, some_a), (length_b, some_b) = gamma(terms, value.dtype), _length(a, of_a), _length(b, of_b)
        error_b = g * length_b if b.error is None else g * length_b + _length(Bound(b.error), of_b)[0]
        error = run(length_a, error_b)
        if a.error is not None:
            error += run(_length(Bound(a.error), of_a)[0], length_b + error_b)
        # What k products, and the products of lengths, lose when they underflow.
        flushed = run(some_a, some_b * (8 * (terms + 1) * _tiny(value.dtype)))
        return Bound(value, error * (1 + 4 * g) + flushed)

    def eigenvalues(self, a: Bound) -> Bound:
        """The theorem of `matrices.eigenvalues` in norms alone, which compiles ten times faster.

        With Q the computed vectors, ‖A‖ and ‖Q‖ Frobenius norms: fl(AQ) errs by γ_n‖A‖‖Q‖, its product with Qᵀ by
        γ_n‖Q‖‖fl(AQ)‖, fl(QᵀQ) by γ_n‖Q‖²; so ε ≤ ‖fl(QᵀQ) − I‖ + γ_n‖Q‖², and the eigenvalues of QᵀAQ are the d_k within
        r = ‖fl(QᵀAQ) − diag d‖ + (1 + ε)γ_n‖A‖‖Q‖ + γ_n‖Q‖‖fl(AQ)‖.  The error of A itself moves them by at most ‖E‖.
        """
        A, n = a.value, a.value.shape[-1]
        g = gamma(n, A.dtype)
        d, Q = jnp.linalg.eigh(A)
        turned, half = jnp.swapaxes(Q, -1, -2), _matmul(A, Q)
        long_A, long_Q, long_half = map(_norm, (A, Q, half))
        eye = jnp.broadcast_to(jnp.eye(n, dtype=A.dtype), A.shape)
        off = _norm(_matmul(turned, Q) - eye) + g * long_Q * long_Q
        far = (
            _norm(_matmul(turned, half) - d[..., None] * eye) + (1 + off) * g * long_A * long_Q + g * long_Q * long_half
        )
        far = far if a.error is None else far + (1 - off) * _norm(a.error)
        known = (off < 0.5) & jnp.all(d[..., 1:] >= d[..., :-1], -1)
        grown = jnp.where(known, _MORE / (1 - off), jnp.inf)
        return Bound(d, grown[..., None] * (far[..., None] + jnp.abs(d) * off[..., None]))


def _matmul(x, y):
    return jnp.matmul(x, y, precision=lax.Precision.HIGHEST)


def _norm(x):
    """At least the Frobenius norm of each matrix; ∞ where squares overflow."""
    terms = x.shape[-1] * x.shape[-2]
    return jnp.sqrt(jnp.sum(x * x, (-2, -1)) + terms * _tiny(x.dtype)) * (1 + gamma(terms, x.dtype))


def allowance(dtype) -> tuple[float, float]:
    return ALLOWANCE.get((jax.default_backend(), jnp.dtype(dtype).name), GENEROUS)


def _growth(e):
    """At least exp(e) − 1: cheaper, and infinite where no digit of exp(x ± e) is left."""
    return jnp.where(e <= 1, e * (1 + e), jnp.inf)


def _length(a: Bound, axes):
    """(at least the Euclidean length along `axes`, 1 where an entry is or may be different from 0), kept as axes of size 1.

    Scaled, so that no square underflows; ∞ where the scale's reciprocal might be flushed to zero.
    """
    size = jnp.abs(a.value)
    top = jnp.max(size, axes, keepdims=True, initial=0)
    scale = jnp.where(top > 0, top, 1)
    length = top * jnp.sqrt(jnp.sum((size / scale) ** 2, axes, keepdims=True))
    some = top if a.error is None else jnp.maximum(top, jnp.max(a.error, axes, keepdims=True, initial=0))
    return jnp.where(top <= 0.25 / _tiny(size.dtype), length, jnp.inf), (some > 0).astype(size.dtype)


RUNNING = _Running()
