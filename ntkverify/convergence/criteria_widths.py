"""The smallest width at which each criterion's hypothesis is met, with every rounding enclosed, along one draw of neurons."""

import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.float64 import in_balls
from ntkverify.convergence.smallest_width import drawn
from ntkverify.networks.criteria import CRITERIA, start
from ntkverify.networks.nouns import COUPLED, Params, Problem

RATIO = 1.1
"""Widths that are looked at, one to the next."""


def smallest_by_criterion(problem: Problem, seed: int, widest: int) -> dict[str, int | None]:
    """Criterion → the smallest of the widths `RATIO`^k up to `widest` at which it is met, if it is met from there on; None: at none."""
    even = 2 if problem.init == COUPLED else 1
    at = drawn(problem, seed, widest)
    top = round(np.log(widest / (2 * even)) / np.log(RATIO))
    ladder = sorted({min(even * max(1, round(2 * RATIO**k)), widest // even * even) for k in range(top + 1)})

    @functools.cache
    def met(m: int) -> dict[str, bool]:
        return dict(zip(CRITERIA, margins(*at(float(problem.sigma), m)) >= 1, strict=True))

    return {name: first(ladder, lambda m, name=name: met(m)[name]) for name in CRITERIA}


def margins(problem: Problem, net: Params) -> np.ndarray:
    """By which factor the hypothesis of each of `CRITERIA` is met, from below; −∞ where nothing is known."""

    def every(problem, net):
        found = start(problem, net)
        return jnp.stack([read(found).margin for read in CRITERIA.values()])

    lower = np.asarray(in_balls(every)(problem, net).lower)
    return np.where(np.isfinite(lower), lower, -np.inf)


def first(ladder: list[int], met: Callable[[int], bool]) -> int | None:
    """By halving, which takes it for granted that what is met at a width is met at larger ones."""
    low, high = -1, len(ladder) - 1
    if not met(ladder[high]):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if met(ladder[middle]) else (middle, high)
    return ladder[high]
