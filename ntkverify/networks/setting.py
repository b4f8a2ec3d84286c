"""What the theory assumes of floats, in exact arithmetic: floats are dyadic rationals, and nothing here rounds."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpz_mat
from jax.typing import ArrayLike

from ntkverify.networks.nouns import AT_START, COUPLED, IN_BALL, Model, Point, Problem

FEW, LARGEST = 4, 256
"""Samples, in multiples of the rank that there can be, that usually have it; the side up to which deficient ranks are
computed."""


def rank(X: ArrayLike) -> int:
    """The rank of a matrix of floats, exactly; of one that has more than `LARGEST` different rows and columns, their
    number, a bound from above.

    Zeros and repetitions left out, rank A = rank AᵀA over the rationals, and AᵀA is small where one side of A is.
    """
    A = np.asarray(X, np.float64) + 0.0  # one zero
    for _ in range(2):
        A = np.unique(A[A.any(axis=1)], axis=0).T
    A = A if A.shape[0] >= A.shape[1] else A.T
    full = A.shape[1]
    if not 0 < full <= LARGEST:
        return full
    some = A[:: max(1, len(A) // (FEW * full))]
    return full if len(some) < len(A) and _rank(some) == full else _rank(A)


def _rank(A: np.ndarray) -> int:
    whole = fmpz_mat(_integers(A)[0])
    return (whole.transpose() * whole).rank()


def _integers(A: np.ndarray) -> tuple[list[list[int]], int]:
    """Integers and an exponent: the entries of A are the integers times that power of two."""
    mantissas, exponents = np.frexp(np.asarray(A, np.float64))
    digits, exponents = np.ldexp(mantissas, 53).astype(np.int64), exponents - 53
    lowest = int(exponents[digits != 0].min(initial=0))
    rows = [
        [int(digit) << int(shift) if digit else 0 for digit, shift in zip(row, along, strict=True)]
        for row, along in zip(digits, exponents - lowest, strict=True)
    ]
    return rows, lowest


def excess(rows: ArrayLike, others: ArrayLike | None = None, radius: float = 1.0) -> np.ndarray:
    """By how much the squared length of each row (of its difference from the other's, where given) exceeds radius²:
    0 where it does not, in exact arithmetic, otherwise a bound from above that no more than two roundings separate
    from the truth.

    Float64 tells the rows that are inside by more than its rounding; the rest is integers.
    """
    A = np.asarray(rows, np.float64)
    B = np.zeros_like(A) if others is None else np.asarray(others, np.float64)
    found = np.zeros(len(A))
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.sum((A - B) ** 2, axis=1)
        # γ of d_in + 3 roundings, and 2^-1074 for each square that underflows.
        slack = (A.shape[1] + 4) * 2.0**-52
        limit = min(radius * radius * (1 - 2.0**-50), 2.0**1023)
        near = np.flatnonzero(~(squares * (1 + slack) + A.shape[1] * 2.0**-1000 <= limit))
    for row in near:
        found[row] = _exceeds(A[row], B[row], radius)
    return found


def _exceeds(a: np.ndarray, b: np.ndarray, radius: float) -> float:
    both = np.stack([a, b])
    if not np.isfinite(both).all():
        return math.inf
    (plus, minus), lowest = _integers(both)
    square = sum((p - q) ** 2 for p, q in zip(plus, minus, strict=True)) * Fraction(2) ** (2 * lowest)
    over = square - Fraction(radius) ** 2
    try:
        return math.nextafter(float(over), math.inf) if over > 0 else 0.0
    except OverflowError:
        return math.inf


def inside(rows: np.ndarray) -> np.ndarray:
    """The rows, those that a few roundings left longer than 1 made shorter, ulp by ulp in each entry, until they are
    not."""
    rows = rows.copy()
    long = np.flatnonzero(excess(rows))
    while len(long):
        rows[long] = np.nextafter(rows[long], np.zeros((), rows.dtype))
        long = long[excess(rows[long]) > 0]
    return rows


def _unpaired(problem: Problem, W: np.ndarray, a: np.ndarray):
    """How far the neurons are from pairs that share w and have opposite a, or a model from its copy."""
    if isinstance(problem.network, Model):
        one, other = np.split(W[0], 2)
        return np.max(np.abs(one - other))
    if len(W) % 2:
        return math.inf
    return max(np.max(np.abs(W[::2] - W[1::2])), np.max(np.abs(a[::2] + a[1::2])))


def outside(problem: Problem, point: Point, where: str = IN_BALL) -> dict[str, float] | None:
    """By how much the problem and the point leave what is assumed of them, in exact arithmetic: what is assumed → the
    largest excess, a bound from above; None where they do not leave it.

    `where` is the claim's: in the ball W̃ lies within R of W; at a coupled start the pairs share w with opposite signs.
    """
    base, moved = (np.asarray(net.W, np.float64).T for net in (point.base, point.moved))
    amounts: dict[str, Any] = {"‖x_i‖² ≤ 1": excess(problem.X), "‖y_i‖² ≤ 1": excess(problem.y)}
    if where == IN_BALL:
        amounts["‖w̃_r − w_r‖² ≤ R²"] = excess(moved, base, float(problem.radius))
    if where == AT_START and problem.init == COUPLED:
        amounts["neurons in pairs"] = _unpaired(problem, base, np.asarray(point.base.a, np.float64).T)
    found = {what: float(np.max(amount)) for what, amount in amounts.items()}
    return {what: amount for what, amount in found.items() if not amount <= 0} or None
