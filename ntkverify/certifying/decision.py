"""A claim at one point, decided by enclosures: proved, refuted or undecided for exactly these floats."""

import math
import time
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from flint import arb

from ntkverify.arithmetic.arb import BITS, enclosed
from ntkverify.arithmetic.float64 import enclosed_in_float64
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import AT_START, IN_BALL, Point, Problem
from ntkverify.networks.setting import outside
from ntkverify.statements.claim import Claim

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"


@dataclass(frozen=True)
class Decision:
    """What the enclosures of both sides say at one point."""

    verdict: str
    """proved | refuted | undecided."""
    sentence: str
    low: float | None = None
    """log₁₀ of a lower bound on the largest small / large over the entries; None where it has none."""
    high: float | None = None
    """log₁₀ of an upper bound on it."""
    seconds: float = 0.0


LARGE = 30_000
"""Numbers n·d_out·m or (n·d_out)² from which float64 balls take the place of Arb's."""


def decide(claim: Claim, problem: Problem, point: Point, bits: int | None = None) -> Decision:
    """Evaluate the claim's own formulas in ball arithmetic of `bits` bits, every float of the problem and
    the point being read as an exact number, and compare the enclosures of the two sides.

    Without `bits`: `BITS`, or balls in float64 with proved constants where the problem is `LARGE`.
    """
    began = time.perf_counter()
    at = Point(point.base, point.base, point.probe, point.path) if claim.where == AT_START else point
    constants = {name: jnp.asarray(value, problem.X.dtype) for name, value in claim.constants.items()}
    nd = problem.n * problem.d_out
    large = bits is None and nd * max(nd, problem.m) > LARGE

    def balls(formula):
        return (enclosed_in_float64(formula) if large else enclosed(formula, bits or BITS))(problem, at, constants)

    if claim.where == IN_BALL and bool((at.moved.W == at.base.W).all()):
        return Decision(
            UNDECIDED, "W̃ equals W bit for bit: the ball is too small for its floats, and nothing is tested."
        )
    if reason := elsewhere(claim.statement.networks, problem.network):
        return Decision(UNDECIDED, reason)
    if claim.direction == "order":
        return Decision(UNDECIDED, "A rate is a statement about many widths; no point decides it.")
    try:
        applicable = _certainly(balls(claim.assumptions))
        if claim.beyond is not None:
            missed = balls(claim.beyond).item()
            applicable = False if missed > 0 else applicable if missed <= 0 else None
        if applicable is False:
            return Decision(UNDECIDED, "The assumptions are false at this point: the claim says nothing of it.")
        # In one formula, so that what the sides share is computed once.
        left, right = balls(lambda *asked: (claim.lhs(*asked), claim.rhs(*asked)))
    except UnknownOperation as error:
        return Decision(UNDECIDED, f"It cannot be enclosed: {error}.")
    left, right = np.broadcast_arrays(left, right)
    pairs = [(_ball(one), _ball(other)) for one, other in zip(left.ravel(), right.ravel(), strict=True)]
    if not pairs:
        return Decision(UNDECIDED, "The sides have no entries: nothing is said.")
    found = _equal(pairs) if claim.direction == "equality" else _ordered(pairs, claim.direction == "lower")
    if found.verdict == REFUTED and (excess := outside(problem, at, claim.where)) is not None:
        left = ", ".join(f"{what} by {by:.2g}" for what, by in excess.items())
        found = Decision(
            UNDECIDED, f"{found.sentence} But the point lies outside the setting: {left}.", found.low, found.high
        )
    if found.verdict == REFUTED and claim.only_confirmed:
        found = Decision(
            UNDECIDED, f"{found.sentence} It refutes nothing: {claim.only_confirmed}", found.low, found.high
        )
    if applicable is None and found.verdict != UNDECIDED:
        found = Decision(UNDECIDED, "The enclosures do not decide whether the assumptions hold.", found.low, found.high)
    return Decision(found.verdict, found.sentence, found.low, found.high, time.perf_counter() - began)


def _ball(number) -> arb:
    """A side's entry: whole numbers and Booleans are known exactly, or, where there is doubt, not at all."""
    if isinstance(number, arb):
        return number
    return arb("nan") if number is None else arb(int(number))


def _certainly(words) -> bool | None:
    found = [None if word is None else bool(word) for word in np.ravel(words)]
    return False if False in found else None if None in found else True


def _equal(pairs) -> Decision:
    """An equality can be refuted; enclosures of positive radius never prove it."""
    apart = [left - right for left, right in pairs]
    if any(not each.is_finite() for each in apart):
        return Decision(UNDECIDED, "A side has no finite enclosure.")
    if any(not each.contains(0) for each in apart):
        worst = max(float(each.abs_lower()) for each in apart)
        return Decision(REFUTED, f"The two sides differ by at least {worst:.3g}.")
    reach = max(_log10(each.abs_upper()) for each in apart)
    return Decision(UNDECIDED, f"The two sides agree to within 10^{reach:.0f}; enclosures cannot prove an equality.")


def _ordered(pairs, swapped: bool) -> Decision:
    pairs = [(right, left) if swapped else (left, right) for left, right in pairs]
    if any(not (small.is_finite() and large.is_finite()) for small, large in pairs):
        return Decision(UNDECIDED, "A side has no finite enclosure.")
    low, high = _bracket(pairs)
    if all(small <= large for small, large in pairs):
        return Decision(PROVED, "small ≤ large at every entry, every rounding enclosed.", low, high)
    broken = sum(bool(small > large) for small, large in pairs)
    if broken:
        return Decision(
            REFUTED, f"small > large at {broken} of {len(pairs)} entries, every rounding enclosed.", low, high
        )
    return Decision(UNDECIDED, "The enclosures of the two sides overlap.", low, high)


def _bracket(pairs) -> tuple[float | None, float | None]:
    """log₁₀ of bounds on the largest small / large; None where it may be infinite, or has no logarithm."""
    if any(not large > 0 and not small <= 0 for small, large in pairs):
        return None, None
    ratios = [small / large for small, large in pairs if large > 0]
    ends = ([_log10(getattr(ratio, end)()) for ratio in ratios] for end in ("lower", "upper"))
    low, high = (max(values, default=-math.inf) for values in ends)
    return low if math.isfinite(low) else None, high if math.isfinite(high) else None


def _log10(value) -> float:
    return float(value.log() / math.log(10)) if value > 0 else -math.inf
