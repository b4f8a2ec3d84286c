"""Balls in float64: arrays of midpoints and radii, with proved bounds on every rounding.

A `Ball` (mid, rad) contains every real array x with |x − mid| ≤ rad, entry by entry.  Each operation
returns a ball that contains the results on all members.  What is taken for granted is IEEE arithmetic
rounded to nearest (+, −, ×, ÷, √, exact scaling by powers of two) and matrix products that are sums of
products in some order, fused or not; no elementary function of a library is trusted.

Constants.  u = 2⁻⁵³.  A computed sum of k products has error at most γ_k Σ|terms|, γ_k = k u/(1 − k u), in
any order (Higham 2002, §3.1).  Radii are sums and products of nonnegative numbers computed with at most
2²⁰ roundings each, so that multiplying by `UP` = 1 + 2⁻³⁰ makes them upper bounds; `TINY` covers underflow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

U = 2.0**-53
UP = 1 + 2.0**-30
TINY = 1e-290
LONGEST = 2**20
"""Terms that a sum may have."""
Reals = Any
"""A float64 array, or the scalar that NumPy makes of one without axes."""
_TERMS = 16
"""Terms of the series of e^t."""


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
        rad = (a.rad + np.abs(mid) * UP * b.rad) / (np.abs(by) - np.where(near, b.rad, 0))
    return _made(mid, np.where(near & (b.mid != 0), rad, np.inf))


def root(a: Ball) -> Ball:
    """√a where the truth is ≥ 0, as far as the ball leaves that open: |√A − √a| ≤ r/√a for A ≥ 0."""
    mid = np.sqrt(np.maximum(a.mid, 0))
    clear = a.mid > a.rad
    far = np.sqrt(np.maximum(a.upper, 0))  # both roots lie in [0, far]
    rad = np.where(clear, a.rad / np.where(clear, mid, 1), far)
    return _made(mid, np.where(a.upper < 0, np.inf, rad))


def exp(a: Ball) -> Ball:
    """e^a.  The series of e^t with t = a/2^s, |t| ≤ 1/2, squared s times.

    Horner's p_k = 1 + (t/k) p_{k+1}, three roundings a stage, has absolute error e_k ≤
    |t/k| (e_{k+1} + 2.01 u p_{k+1}) + u p_k: e_2 ≤ 2.4 u, e_1 ≤ 4.2 u, at most 7 u relative to e^t ≥ 0.606; the
    terms left out are below 2⁻¹⁷/17! < u/100.  A squaring doubles the relative error and adds u: after s of them
    at most 2^s · 8 u + higher orders, below 2^s · 10 u for s ≤ 11.  Within the ball e^{r} − 1 ≤ r + r², r ≤ 1.
    """
    x = a.mid
    fits = (np.abs(x) <= 700) & (a.rad <= 1)
    x = np.where(fits, x, 0.0)
    largest = float(np.abs(x).max()) if x.size else 0.0
    halvings = max(0, math.ceil(math.log2(largest)) + 1) if largest > 0.5 else 0
    t = x * 2.0**-halvings
    value = np.ones_like(t)
    for k in range(_TERMS, 0, -1):
        value = 1 + (t / k) * value
    for _ in range(halvings):
        value = value * value
    spread = np.where(fits, a.rad, 0.0)
    rad = value * ((10 * 2.0**halvings * U) + spread * (1 + spread) * UP) * UP
    return _made(value, np.where(fits, rad, np.inf))


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
    return math.sqrt(rows * columns * UP) * UP


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


def eigenvalues(A: Ball) -> Ball:
    """Balls around the eigenvalues, ascending, of every symmetric member of A.

    λ_k(QᵀAQ) = θ_k λ_k(A) with |θ_k − 1| ≤ ‖QᵀQ − I‖ < 1 (Ostrowski 1959), |λ_k(D + E) − d_k| ≤ ‖E‖ (Weyl).
    """
    size = len(A.mid)
    nothing = Ball(np.zeros(size), np.full(size, np.inf))
    if not (np.isfinite(A.mid).all() and np.isfinite(A.rad).all()):
        return nothing
    Q = exact(np.linalg.eigh((A.mid + A.mid.T) / 2)[1])
    tilted = product(Q.T, product(A, Q))
    epsilon = reach(subtract(product(Q.T, Q), exact(np.eye(size))))
    if not epsilon < 0.5:
        return nothing
    values = np.diag(tilted.mid)
    error = reach(subtract(tilted, exact(np.diag(values))))
    return divide(Ball(np.sort(values), np.full(size, error)), Ball(np.ones(size), np.full(size, epsilon)))
