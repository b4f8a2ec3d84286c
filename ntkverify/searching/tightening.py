"""How small may a bound's constants be?  The smallest values that the search leaves standing.

What is left standing is not proved: a better search may refute it, so each value is a lower bound on
the smallest true one, and says how much of the printed constant no point found needs.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import Problem
from ntkverify.searching.climbing import OUTSIDE, height
from ntkverify.searching.falsifying import Found, falsify
from ntkverify.statements.claim import Claim

HALVINGS, SEARCHES = 40, 4
"""Bisections between 0 and the printed value; searches at the value that the points found leave standing."""
FACTOR = "factor"
"""The name of the constant that every bound has: a factor on its larger side."""


def tightest(claim: Claim, problem: Problem, found: Found, budget: float, seed: int = 0) -> list[dict]:
    """For the factor on the larger side and for each constant of the claim on which that side depends, the
    smallest value that the search leaves standing, beside the printed one, and by how many orders of
    magnitude (log₁₀) the bound shrinks.  `budget` are the seconds of search for each constant.

    Empty where the search found no point with a finite ratio above 0.  Where it is above 1, the factor alone is
    told, and a bound that has to grow shrinks by less than nothing.
    """
    if not 0 < found.ratio < math.inf:
        return []
    rows = [_row(FACTOR, 1.0, found.ratio, math.log10(1 / found.ratio))]
    for name, printed in claim.constants.items() if found.ratio <= 1 else ():
        if _matters(claim, problem, found, name):
            standing, places = _smallest(claim, problem, found, name, budget, seed)
            rows.append(_row(name, printed, standing, _shrinks(claim, problem, places, name, standing)))
    return rows


def _row(name: str, printed: float, standing: float, orders: float | None) -> dict:
    return {"constant": name, "printed": printed, "standing": standing, "orders": orders and round(orders, 9) + 0.0}


def _smallest(claim: Claim, problem: Problem, found: Found, name: str, budget: float, seed: int):
    """(the smallest value between 0 and the printed one at which no place found exceeds 1, the places)."""
    places, standing = [found.places], 0.0
    for attempt in range(SEARCHES):
        standing = _bisected(claim, problem, places, name)
        more = falsify(
            claim, problem, budget / SEARCHES, seed + 1 + attempt, changed={name: standing}, known=places[-1]
        )
        places.append(more.places)
        if more.ratio <= 1:
            break
    return _bisected(claim, problem, places, name), places


def _bisected(claim: Claim, problem: Problem, places: list, name: str) -> float:
    """The smallest value at which no place exceeds 1, taken to be the only change between 0 and the printed value."""
    low, high = 0.0, claim.constants[name]
    if _worst(claim, problem, places, name, low) <= 1:
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _worst(claim, problem, places, name, middle) <= 1 else (middle, high)
    return high


def _worst(claim: Claim, problem: Problem, places: list, name: str, value: float) -> float:
    constants = _constants(claim, problem, name, value)
    return max(float(_highest(claim, problem, group, constants)) for group in places)


def _constants(claim: Claim, problem: Problem, name: str, value: float) -> dict:
    return {key: jnp.asarray(each, problem.X.dtype) for key, each in {**claim.constants, name: value}.items()}


@functools.partial(jax.jit, static_argnames=("claim",))
@full_precision
def _highest(claim: Claim, problem: Problem, places, constants):
    return jnp.max(jax.lax.map(lambda place: height(claim, problem, place, constants), places))


def _matters(claim: Claim, problem: Problem, found: Found, name: str) -> bool:
    """Whether small / large is larger when the constant is 0, the assumptions left aside."""
    free = dataclasses.replace(claim, assumptions=_everywhere, inside=())
    none, printed = (_worst(free, problem, [found.places], name, value) for value in (0.0, claim.constants[name]))
    return none > printed > OUTSIDE


def _everywhere(problem, point, constants):
    return jnp.asarray(True)


def _shrinks(claim: Claim, problem: Problem, places: list, name: str, standing: float) -> float | None:
    """log₁₀ of the ratio at the standing value over that at the printed one, at the points found."""
    free = dataclasses.replace(claim, assumptions=_everywhere, inside=())
    tight, printed = (_worst(free, problem, places, name, value) for value in (standing, claim.constants[name]))
    return math.log10(tight / printed) if printed > 0 and 0 < tight < math.inf else None
