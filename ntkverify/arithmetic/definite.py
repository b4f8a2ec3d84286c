"""How small and how large the eigenvalues of a large symmetric matrix are, from below and from above, in float64.

A `Near` is a matrix of floats and a bound on how far, in the Frobenius norm, the true one is from it.  Only lower halves are read.
With L any lower triangular floats,

    λ_min(H) ≥ s − ‖H − sI − LLᵀ‖,

and the right side is bounded with every rounding: a computed product of matrices errs by at most γ_k |L||Lᵀ| (Higham 2002,
§3.5), whose Frobenius norm is at most γ_k ‖L‖_F².  Neither the factor nor s has to be right.  What is taken for granted is what
`balls` takes for granted.  Work (5/3) N³; memory: the matrix, its factor, and a strip of `STRIP` columns.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, cholesky, get_blas_funcs
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from ntkverify.arithmetic.balls import TINY, UP, U

STRIP = 1024
DIRECT = 1500
"""Rows up to which all eigenvalues are computed."""
ROOM = 4.0
"""So many times the error is taken, so that whoever checks by other sums finds no less and no more."""
CLOSE = 1e-6
"""By how much the estimates are moved away from the spectrum, relative to the eigenvalue."""
SUMS = 1 + 1e-6
"""Covers the roundings of sums of up to 2³² nonnegative numbers: 2³² u < 5·10⁻⁷."""

FLOOR = 1e-145
"""Part of every `length`: a square below the smallest normal number may count as 0, and 2³² such take less than
√(2³² · 2.3·10⁻³⁰⁸) < 10⁻¹⁴⁸ from a root; `TINY` covers only what underflow takes from a sum."""


@dataclass(frozen=True)
class Near:
    """A symmetric matrix, of whose lower half floats are known, and a bound on the Frobenius norm of what they err by."""

    mid: np.ndarray
    """(N, N), in Fortran's order."""
    error: float


def gamma(terms: int) -> float:
    """γ_k of a sum of so many products, rounded up."""
    if terms > 2**30:
        raise ValueError(f"a sum of {terms} terms; at most {2**30} are covered")
    return terms * U / (1 - terms * U) * UP


def length(array, axis: int | tuple[int, ...] | None = None, xp: Any = np):
    """At least the Euclidean length, over some axes or of all numbers."""
    return xp.sqrt(xp.sum(array * array, axis=axis)) * SUMS + FLOOR


def bytes_needed(rows: int) -> int:
    """At the largest moment."""
    return 8 * rows * (2 * rows + 3 * STRIP)


def spectrum(H: Near) -> tuple[float, float]:
    """(a lower bound on λ_min, an upper bound on λ_max); (−∞, ∞) where nothing is found."""
    if not (np.isfinite(np.einsum("ij->", H.mid)) and math.isfinite(H.error)):
        return -math.inf, math.inf
    low, high = extremes(H.mid)
    if not (math.isfinite(low) and math.isfinite(high)):
        return -math.inf, math.inf
    away = 4 * len(H.mid) * U * abs(high) + TINY
    below, above = low - CLOSE * abs(low) - away, high + CLOSE * abs(high) + away
    return below + ROOM * _least(H, below, 1), above - ROOM * _least(H, above, -1)


def extremes(mid: np.ndarray) -> tuple[float, float]:
    """About λ_min and λ_max; nothing rests on them."""
    if len(mid) <= DIRECT:
        values = np.linalg.eigvalsh(mid)
        return float(values[0]), float(values[-1])
    (symv,) = get_blas_funcs(("symv",), (mid,))
    try:
        factor = cholesky(mid, lower=True, check_finite=False), True
        maps = (
            lambda v: cho_solve(factor, v, check_finite=False),
            lambda v: symv(1.0, mid, v.ravel(), lower=1),
        )
        inverse, top = (_largest(matvec, len(mid)) for matvec in maps)
        return 1 / inverse, top
    except (np.linalg.LinAlgError, ArpackError):
        return math.nan, math.nan


def _largest(matvec: Callable, rows: int) -> float:
    """About the largest eigenvalue of a symmetric map, by Lanczos."""
    of = LinearOperator((rows, rows), matvec=matvec, dtype=np.float64)  # type: ignore[call-arg]
    return float(eigsh(of, 1, which="LA", tol=1e-9, v0=np.ones(rows), return_eigenvectors=False)[0])  # type: ignore[arg-type]


def _least(H: Near, shift: float, sign: int) -> float:
    """A lower bound on λ_min of sign·(H − shift I), rounded down; −∞ where there is no factor."""
    size = len(H.mid)
    diagonal = np.arange(size)
    L = np.array(H.mid, order="F")
    L[diagonal, diagonal] -= shift
    if sign < 0:
        np.negative(L, out=L)
    try:
        L = cholesky(L, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return -math.inf
    rest = mass = 0.0
    for first in range(0, size, STRIP):
        last = min(first + STRIP, size)
        strip = np.array(H.mid[first:, first:last], order="F")
        own = np.arange(last - first)
        strip[own, own] -= shift
        strip *= sign
        strip -= L[first:, :last] @ L[first:last, :last].T
        square = np.tril(strip[: last - first], -1)
        rest += 2 * _squares(strip[last - first :]) + 2 * _squares(square) + _squares(strip[own, own])
        mass += _squares(L[first:, first:last])
    on_diagonal = length(H.mid[diagonal, diagonal]) + abs(shift) * math.sqrt(size)
    # The strip's subtraction errs by u of its result; the shift by u of |h| + |s|.
    unsure = ((math.sqrt(rest) + FLOOR) * (1 + 2 * U) + gamma(size) * mass + 2 * U * float(on_diagonal)) * SUMS
    return -((H.error + unsure) * SUMS + TINY)


def _squares(array: np.ndarray) -> float:
    """Σ of squares, up to `SUMS`."""
    flat = array.ravel(order="K")
    return float(flat @ flat)
