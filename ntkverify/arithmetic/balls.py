"""Balls in float64: arrays of midpoints and radii, with proved bounds on every rounding.

A `Ball` (mid, rad) contains every real array x with |x − mid| ≤ rad, entry by entry.  Each operation
returns a ball that contains the results on all members.  What is taken for granted is IEEE arithmetic
rounded to nearest (+, −, ×, ÷, √, exact scaling by powers of two) and matrix products that are sums of
products in some order, fused or not; no elementary function of a library is trusted (`elementary.py`).

Constants.  u = 2⁻⁵³.  A computed sum of k products has error at most γ_k Σ|terms|, γ_k = k u/(1 − k u), in
any order (Higham 2002, §3.1).  Radii are sums and products of nonnegative numbers computed with at most
2²⁰ roundings each, so that multiplying by `UP` = 1 + 2⁻³⁰ makes them upper bounds; `TINY` covers underflow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ntkverify.arithmetic import elementary
from ntkverify.arithmetic.elementary import EXP, EXPM1, SECOND, exponentials, log_error

U = 2.0**-53
UP = 1 + 2.0**-30
TINY = 1e-290
LONGEST = 2**20
"""Terms that a sum may have."""
Reals = Any
"""A float64 array, or the scalar that NumPy makes of one without axes."""


@dataclass(frozen=True)
class Ball:
    """Midpoints and radii, two float64 arrays of one shape; a radius of ∞ says nothing."""

    mid: Reals
    rad: Reals

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mid.shape

    @property
    def upper(self) -> Reals:
        """Upper bounds on the members' entries."""
        return _up(self.mid, self.rad)

    @property
    def lower(self) -> Reals:
        """Lower bounds on the members' entries."""
        return -_up(-self.mid, self.rad)

    @property
    def size(self) -> Reals:
        """Upper bounds on |entry|."""
        return _up(np.abs(self.mid), self.rad)

    def each(self, move) -> "Ball":
        """A rearrangement, applied to midpoints and radii alike."""
        return Ball(move(self.mid), move(self.rad))

    @property
    def T(self) -> "Ball":
        return self.each(np.transpose)

    def __getitem__(self, index) -> "Ball":
        return self.each(lambda array: array[index])


def _up(a, b):
    """≥ a + b where b ≥ 0: the sum is rounded by at most u (|a| + b)."""
    return a + (b + 2 * U * (np.abs(a) + b) + TINY)


def exact(array) -> Ball:
    """Floats as themselves."""
    mid = np.asarray(array, np.float64)
    return Ball(mid, np.zeros_like(mid))


def between(low, high) -> Ball:
    """All numbers between two floats; nothing is said where one of them is not finite."""
    known = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
    same = low == high
    mid = np.where(same, low, low / 2 + high / 2)
    rad = ((high / 2 - low / 2) + 2 * U * np.maximum(np.abs(low), np.abs(high))) * UP + TINY
    return Ball(mid, np.where(known, np.where(same, 0.0, rad), np.inf))


def widened(a: Ball, by) -> Ball:
    """With every radius larger by at least `by`, which may be infinite."""
    rad = (a.rad + by) * UP
    return Ball(np.where(np.isfinite(rad), a.mid, 0.0), np.where(np.isnan(rad), np.inf, rad))


def _made(mid, rad) -> Ball:
    """A computed midpoint, rounded once, and the rest of the radius."""
    with np.errstate(over="ignore", invalid="ignore"):
        rad = (rad + U * np.abs(mid)) * UP + TINY
    known = np.isfinite(mid) & np.isfinite(rad)
    return Ball(np.where(known, mid, 0.0), np.where(known, rad, np.inf))


def add(a: Ball, b: Ball) -> Ball:
    """a + b."""
    return _made(a.mid + b.mid, a.rad + b.rad)


def subtract(a: Ball, b: Ball) -> Ball:
    """a − b."""
    return _made(a.mid - b.mid, a.rad + b.rad)


def multiply(a: Ball, b: Ball) -> Ball:
    """a b, entry by entry: |AB − ab| ≤ |a| r_b + r_a (|b| + r_b)."""
    with np.errstate(over="ignore", invalid="ignore"):  # 0 · ∞
        return _made(a.mid * b.mid, np.abs(a.mid) * b.rad + a.rad * (np.abs(b.mid) + b.rad))


def divide(a: Ball, b: Ball) -> Ball:
    """a / b: |A/B − a/b| ≤ (r_a + |a/b| r_b) / (|b| − r_b); nothing is said where r_b > |b|/2."""
    near = b.rad <= np.abs(b.mid) / 2
    by = np.where(near & (b.mid != 0), b.mid, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mid = a.mid / by
        least = np.abs(by) - np.where(near, b.rad, 0)
        rad = a.rad / least + np.abs(mid) * UP * (b.rad / least)  # no product underflows before it is divided
    return _made(mid, np.where(near & (b.mid != 0), rad, np.inf))


def root(a: Ball) -> Ball:
    """√a where the truth is ≥ 0, as far as the ball leaves that open: |√A − √a| ≤ r/√a for A ≥ 0."""
    mid = np.sqrt(np.maximum(a.mid, 0))
    clear = a.mid > a.rad
    far = np.sqrt(np.maximum(a.upper, 0))  # both roots lie in [0, far]
    rad = np.where(clear, a.rad / np.where(clear, mid, 1), far)
    return _made(mid, np.where(a.upper < 0, np.inf, rad))


def exp(a: Ball) -> Ball:
    """e^a: `elementary.exponentials`, and e^r − 1 ≤ r + r² within the ball, r ≤ 1."""
    value, *_ = exponentials(np.asarray(a.mid, np.float64), np)
    with np.errstate(over="ignore", invalid="ignore"):
        rad = value * (EXP * U + _spread(a.rad)) * UP
    return _made(np.where(np.isfinite(value), value, 0.0), np.where(np.isfinite(value), rad, np.inf))


def expm1(a: Ball) -> Ball:
    """e^a − 1; its slope on the ball is below e^a e^r."""
    exp, value, _ = exponentials(np.asarray(a.mid, np.float64), np)
    with np.errstate(over="ignore", invalid="ignore"):
        rad = (EXPM1 * U * np.abs(value) + exp * (1 + 8 * U) * _spread(a.rad)) * UP
    return _made(np.where(np.isfinite(value), value, 0.0), np.where(np.isfinite(value), rad, np.inf))


def second_order(a: Ball) -> Ball:
    """e^a − 1 − a: within the ball it changes by at most (|e^a − 1| + r)(e^r − 1)."""
    _, expm1, value = exponentials(np.asarray(a.mid, np.float64), np)
    with np.errstate(over="ignore", invalid="ignore"):
        rad = (SECOND * U * np.abs(value) + (np.abs(expm1) * (1 + 8 * U) + a.rad) * _spread(a.rad)) * UP
    return _made(np.where(np.isfinite(value), value, 0.0), np.where(np.isfinite(value), rad, np.inf))


def arctangent(a: Ball) -> Ball:
    """arctan a near 0; its slope is at most 1."""
    value = elementary.arctangent(np.asarray(a.mid, np.float64), np)
    return _made(np.where(np.isnan(value), np.inf, value), (elementary.ARCTAN * U * np.abs(value) + a.rad) * UP)


def gaussian_integral(a: Ball) -> Ball:
    """∫₀ᵃ e^{−t²} dt, whose slope is at most 1."""
    value, own = elementary.gaussian_integral(np.asarray(a.mid, np.float64), np)
    return _made(value, (own + a.rad) * UP)


def _spread(rad):
    """At least e^r − 1; ∞ for r > 1."""
    near = rad <= 1
    return np.where(near, np.where(near, rad, 0) * (1 + np.where(near, rad, 0)), np.inf)


def log(a: Ball) -> Ball:
    """log a, proved from the library's by `elementary.log_error`."""
    near = (a.mid >= 0.5) & (a.mid <= 2)
    with np.errstate(all="ignore"):
        return _logarithm(np.log(a.mid), a.mid, a.mid - 1, near, a)


def log1p(a: Ball) -> Ball:
    """log(1 + a), likewise."""
    near = (a.mid >= -0.5) & (a.mid <= 1)
    with np.errstate(all="ignore"):
        return _logarithm(np.log1p(a.mid), a.mid + 1, a.mid, near, a)


def _logarithm(y, v, past_one, near, a: Ball) -> Ball:
    y = np.where(np.isfinite(y), y, 0.0)
    own = np.where((past_one == 0) & (y == 0), 0.0, log_error(exponentials(y, np), v, past_one, near, U, np))
    nearest = v * (1 - 4 * U) - a.rad * UP
    carried = np.where(nearest > 0, a.rad / np.where(nearest > 0, nearest, 1.0), np.inf)
    return _made(y, np.where(a.rad > 0, own + carried * UP, np.where(v > 0, own, np.inf)))


def total(a: Ball, axis: int | Sequence[int] | None = None) -> Ball:
    """The sum over axes."""
    axes = tuple(range(a.mid.ndim)) if axis is None else tuple(np.atleast_1d(axis))
    terms = int(np.prod([a.shape[k] for k in axes]))
    return _made(a.mid.sum(axis=axes), a.rad.sum(axis=axes) + _gamma(terms) * np.abs(a.mid).sum(axis=axes))


def product(a: Ball, b: Ball) -> Ball:
    """The matrix product, (…, p, k) times (…, k, q): radius γ_k |a||b| + |a| r_b + r_a (|b| + r_b)."""
    with np.errstate(over="ignore", invalid="ignore"):
        size_a, size_b = np.abs(a.mid), np.abs(b.mid)
        rad = (_gamma(a.shape[-1]) * size_a) @ size_b
        if b.rad.any():
            rad = rad + size_a @ b.rad
        if a.rad.any():
            rad = rad + a.rad @ (size_b + b.rad)
        return _made(a.mid @ b.mid, rad)


def _gamma(terms: int) -> float:
    if terms > LONGEST:
        raise ValueError(f"a sum of {terms} terms; at most {LONGEST} are covered")
    return terms * U / (1 - terms * U)


def norm(a: Ball, axis: int | Sequence[int] | None = None) -> Reals:
    """Upper bounds on Euclidean norms over axes (all of them: the Frobenius norm)."""
    return root(total(multiply(exact(a.size), exact(a.size)), axis)).upper


def reach(a: Ball) -> float:
    """An upper bound on the operator norm of every member: the root of the largest row sum times the largest
    column sum of |entries|."""
    size = exact(a.size)
    rows, columns = (float(total(size, axis).upper.max(initial=0.0)) for axis in (1, 0))
    return math.sqrt(rows) * math.sqrt(columns) * UP + TINY


def smallest_eigenvalue(A: Ball, tries: int = 8) -> tuple[float, float]:
    """(low, high) around λ_min of every symmetric member of A; (−∞, ∞) if it is not finite.

    From below: A − sI = L Lᵀ + E for the computed Cholesky factor L, hence λ_min ≥ s − ‖E‖, E enclosed with every
    rounding; neither the factor nor s has to be right.  From above: the Rayleigh quotient of a computed vector.
    λ = 0 and repeated eigenvalues are no exception.
    """
    if not (np.isfinite(A.mid).all() and np.isfinite(A.rad).all()):
        return -math.inf, math.inf
    size = len(A.mid)
    values, vectors = np.linalg.eigh((A.mid + A.mid.T) / 2)
    v = exact(vectors[:, :1])
    quotient = divide(product(v.T, product(A, v)), product(v.T, v))
    below, low = max(size * U * float(np.abs(values).max()), TINY), -math.inf
    for _ in range(tries):
        low = max(low, _at_least(A, float(values[0]) - below))
        if low > values[0] - 4 * below:
            break
        below *= 4
    return low, float(quotient.upper[0, 0])


def largest_eigenvalue(A: Ball) -> float:
    """An upper bound on λ_max of every symmetric member of A."""
    return -smallest_eigenvalue(Ball(-A.mid, A.rad))[0]


def _at_least(A: Ball, s: float) -> float:
    """s − ‖A − sI − LLᵀ‖, or −∞ where there is no factor L."""
    shifted = subtract(A, exact(s * np.eye(len(A.mid))))
    try:
        L = exact(np.linalg.cholesky((shifted.mid + shifted.mid.T) / 2))
    except np.linalg.LinAlgError:
        return -math.inf
    gap = subtract(exact(np.asarray(s)), exact(np.asarray(reach(subtract(shifted, product(L, L.T))))))
    return float(gap.lower)
