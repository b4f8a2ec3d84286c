"""How many neurons does it take?  The smallest width at which gradient descent succeeds.

A network succeeds when ‖F − Y‖² ≤ ε within the budget of steps.  At each width `seeds` networks are
drawn, and the Clopper–Pearson interval of the success rate says enough (low ≥ 1 − δ), too few
(high < 1 − δ) or undecided.  Rule of the search: from the rank floor up by half as much again until
a width is enough, down until one is too few, then the middle (in log m) of what is still open, until
the gaps next to both ends of the bracket are below `RESOLUTION` or a single pair of neurons.  It takes for granted that more
neurons do not hurt; a width that is too few above one that is enough is reported as such.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.numerics import hold_rate_interval, random_key
from ntkverify.networks.network import initialise, narrowed
from ntkverify.networks.nouns import COUPLED, Model, Params, Problem
from ntkverify.networks.problems import at_width
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import CONVERGED, train

ENOUGH, TOO_FEW, UNDECIDED = "enough", "too few", "undecided"
RESOLUTION = 1.2
NARROWEST = 16
"""Widths up to this one share a compiled program; above, those up to each power of two."""


@dataclass(frozen=True)
class Trial:
    """What `seeds` networks of one width did."""

    m: int
    successes: int
    seeds: int
    steps: float
    """Median steps to the target over the networks that reached it; NaN if none did."""
    delta: float

    @property
    def decision(self) -> str:
        """enough | too few | undecided."""
        low, high = hold_rate_interval(self.successes, self.seeds)
        return ENOUGH if low >= 1 - self.delta else TOO_FEW if high < 1 - self.delta else UNDECIDED


@dataclass(frozen=True)
class Search:
    """The trials, and the bracket that they leave: m* > `low` (0: any) and m* ≤ `high` (None: not found)."""

    trials: tuple[Trial, ...]

    @property
    def high(self) -> int | None:
        """The smallest width that is enough, all larger ones tried being enough too."""
        above = None
        for trial in reversed(self.trials):
            if trial.decision != ENOUGH:
                break
            above = trial.m
        return above

    @property
    def low(self) -> int:
        """The largest width below `high` that is too few."""
        top = self.high or math.inf
        return max((t.m for t in self.trials if t.decision == TOO_FEW and t.m < top), default=0)

    @property
    def decided(self) -> bool:
        """Whether the bracket is as narrow as the search makes it: no width in it is undecided."""
        return self.high is not None and not _open(self.low, self.high)


def _open(below: int, above: int) -> bool:
    return above > max(RESOLUTION * below, below + 2)


@jax.jit
def draw(problem: Problem, keys, m) -> Params:
    """Networks of width m, padded to the problem's own."""
    return jax.vmap(lambda key: narrowed(initialise(problem, key), m))(keys)


@jax.jit
def _draw(problem: Problem, keys) -> Params:
    return jax.vmap(lambda key: initialise(problem, key))(keys)


def drawn(problem: Problem, m: int, keys) -> Params:
    """Networks of width m, padded to the problem's own; a model has that width."""
    if isinstance(problem.network, Model):
        return _draw(problem, keys)
    return draw(problem, keys, jnp.asarray(m, problem.X.dtype))


def wide_enough(problem: Problem, m: int) -> Problem:
    """The problem of which networks of width m are drawn: padded, or, of a model, at that width."""
    return at_width(problem, m) if isinstance(problem.network, Model) else padded(problem, m)


def padded(problem: Problem, m: int) -> Problem:
    """The problem at the width that networks of width m are padded to."""
    return replace(problem, m=max(NARROWEST, 1 << (m - 1).bit_length()))


def trial(problem: Problem, m: int, *, target: float, budget: int, delta: float, seeds: int, seed: int) -> Trial:
    """Train `seeds` networks of width m at η = 1/(s_m λ_max(H(0)))."""
    wide = wide_enough(problem, m)
    start = drawn(wide, m, jax.random.split(random_key(seed), seeds))
    run = train(wide, start, ordinary_steps(wide, start), target=target, budget=budget)
    won = np.array([outcome == CONVERGED for outcome in run.outcome])
    return Trial(m, int(won.sum()), seeds, float(np.median(run.steps[won])) if won.any() else math.nan, delta)


def smallest_width(attempt: Callable[[int], Trial], floor: int, most: int, init: str = COUPLED) -> Search:
    """Search from `floor` for the smallest width that is enough, none above `most`; see the module's rule."""
    even = 2 if init == COUPLED else 1
    known: dict[int, Trial] = {}

    def decide(m: int) -> str:
        if m not in known:
            known[m] = attempt(m)
        return known[m].decision

    m = max(even, -(-floor // even) * even)
    while decide(m) != ENOUGH and m < most:
        m = min(most, even * math.ceil(1.5 * m / even))
    down = min(known)
    while known[down].decision != TOO_FEW and down > even:
        down = max(even, even * math.floor(down / 1.5 / even))
        decide(down)
    while True:
        found = Search(tuple(known[m] for m in sorted(known)))
        if found.high is None:
            return found
        inside = [m for m in sorted(known) if found.low <= m <= found.high]
        ends = dict.fromkeys(itertools.pairwise(inside))  # what lies between undecided widths stays so
        gaps = [(a, b) for a, b in ends if (a == found.low or b == found.high) and a > 0 and _open(a, b)]
        middles = [even * round(math.sqrt(max(a, 1) * b) / even) for a, b in gaps]
        fresh = [m for m, (a, b) in zip(middles, gaps, strict=True) if a < m < b and m not in known]
        if not fresh:
            return found
        decide(fresh[-1])
