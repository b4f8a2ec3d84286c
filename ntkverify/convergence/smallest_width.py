"""The smallest width, and the σ, at which convergence is certified, along one draw of many neurons.

A network of width m takes the first m neurons of the draw.  λ and B of a prefix are random, so the smallest certified
width is that of a draw.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np

from ntkverify.convergence import bounded, following, later_starts
from ntkverify.convergence.certificate import KEEP, THETA, Attempt, attempt, room
from ntkverify.convergence.kept import Kept
from ntkverify.convergence.witness import attempted, looked, room_beside, widely
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import random_key
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import COUPLED, Network, Params, Problem

SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Standard deviations among which the best is chosen."""
LARGE_SIGMAS = (5.0, 20.0, 60.0)
"""And, for neurons that are functions: their bounds hold for every w, so that σ costs nothing."""
SAMPLED, WORTHWHILE, MOST = 4096, 1.5, 3
"""Neurons that a prediction looks at; how far beyond the best prediction a σ is still tried; how many are."""
RESOLUTION = 1.03
"""The smallest width is found up to this factor."""


def drawn(problem: Problem, seed: int, widest: int) -> Callable[[float, int], tuple[Problem, Params]]:
    """(σ, m) → the problem and its network: the first m neurons of one draw of `widest` neurons at σ = 1."""
    unit = dataclasses.replace(problem, m=widest, sigma=jnp.ones((), problem.X.dtype))
    net = initialise(unit, random_key(seed))
    W, a = np.asarray(net.W), np.asarray(net.a)  # cut by NumPy, which compiles nothing for each width

    def at(sigma: float, m: int) -> tuple[Problem, Params]:
        own = dataclasses.replace(problem, m=m, sigma=jnp.asarray(sigma, problem.X.dtype))
        return own, Params(jnp.asarray(sigma * W[:, :m]), jnp.asarray(a[:, :m]))

    return at


def predicted(problem: Problem, net: Params, sigma: float, widest: int, keep: float, theta: float) -> float:
    """About the width that will be certified at σ, from the kernel and the constants of a few neurons; ∞ beyond
    `widest`."""
    few, spectrum = looked(*widely(problem, Params(sigma * net.W, net.a)))
    size = float(jnp.sqrt(jnp.sum(problem.y**2)))
    low, high = 1.0, 2.0 * widest

    def enough(m: float) -> bool:
        return room(dataclasses.replace(few, m=m), float(spectrum[0]), float(spectrum[-1]), size, keep, theta) >= 1

    if not enough(high):
        return math.inf
    while high > 1.05 * low:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def smallest_certified(
    problem: Problem, seed: int, widest: int, sigmas: Sequence[float] = SIGMAS, keep: float = KEEP, theta: float = THETA,
    follow: int = 0, heard: Callable[[str, int, int], None] = lambda what, done, total: None, kept: Kept | None = None,
    beside: bool = True,
) -> Attempt:  # fmt: skip
    """The certified network of smallest width over the σ, up to `RESOLUTION`; if there is none up to `widest`, the
    attempt that came nearest.

    The σ are taken in the order of the widths that are predicted, another one only where it promises a smaller width than the
    best.  At W(0) the width is found in plain floats and proved at the end.  With `follow`, starts after up to so many followed
    steps count too; only the σ of the best prediction is taken then, from the rank floor up, and every width is tried in full.
    λ and B of the first m neurons are those of a draw: a width is the smallest of which the next smaller one on the way failed.
    `beside`: whether witnesses are looked for.
    """
    even = 2 if problem.init == COUPLED else 1
    top = widest // even * even
    at = drawn(problem, seed, widest)
    net = at(1.0, min(SAMPLED, widest))[1]
    guesses = {sigma: predicted(problem, net, sigma, widest, keep, theta) for sigma in sigmas}
    order = sorted(sigmas, key=lambda sigma: guesses[sigma])
    order = [sigma for sigma in order if guesses[sigma] <= WORTHWHILE * guesses[order[0]]][: 1 if follow else MOST]
    tried: dict[tuple[float, int], Attempt] = {}
    best, nearest = None, None

    def proved(sigma: float, m: int) -> bool:
        if (sigma, m) not in tried:
            said = f"σ = {sigma:g}, m = {m}" + (f", best {best.problem.m}" if best else "")
            heard(said, order.index(sigma), len(order))
            tried[sigma, m] = certified(*at(sigma, m), keep, theta, follow, heard, kept, beside)
        return tried[sigma, m].proved

    def promising(sigma: float, m: int) -> bool:
        return _room(*at(sigma, m), keep, theta, beside) >= 1

    for sigma in order:
        most = _even(best.problem.m / RESOLUTION - even, even) if best else top
        if follow:
            floor = 2 * problem.n * problem.d_out / max(problem.rank, 1)
            m = _smallest(lambda m, sigma=sigma: proved(sigma, m), floor, even, most)
        else:
            m = _smallest(lambda m, sigma=sigma: promising(sigma, m), min(guesses[sigma], most) / 1.5, even, most)
            while not proved(sigma, m) and m < most and promising(sigma, m):  # rounding stood between
                m = min(max(_even(m * RESOLUTION, even), m + even), most)
        proved(sigma, m)
        found = tried[sigma, m]
        nearest = _nearer(nearest, found)
        if found.proved and (best is None or found.problem.m < best.problem.m):
            best = found
    return best or nearest  # type: ignore[return-value]


def _smallest(enough: Callable[[int], bool], first: float, even: int, most: int) -> int:
    """A width that is enough while the one that is `RESOLUTION` smaller is not, found from `first` by steps of a quarter and then by
    halving; `most` where none up to there is enough."""
    low, high = 0, min(_even(first, even), most)
    while not enough(high):
        if high == most:
            return most
        low, high = high, min(max(_even(1.25 * high, even), high + even), most)
    step = 1.25
    while low < high / RESOLUTION - even:
        middle = _even(math.sqrt(low * high) if low else high / step - even, even)
        if middle >= high:
            break
        low, high = (low, middle) if enough(middle) else (middle, high)
        if not low and middle <= even:
            break
        step *= 1.25
    return high


def _even(m: float, even: int) -> int:
    return max(even, even * round(m / even))


def _room(problem: Problem, net: Params, keep: float, theta: float, beside: bool) -> float:
    """`room`, with a witness where it is not enough without, in floats."""
    problem, net = widely(problem, net)
    k, spectrum = looked(problem, net)
    size = float(jnp.sqrt(jnp.sum(problem.y**2)))
    found = room(k, float(spectrum[0]), float(spectrum[-1]), size, keep, theta)
    if found >= 1 or not beside:
        return found
    return max(found, room_beside(problem, net, net, size, keep, theta))


def certified(
    problem: Problem, start: Params, keep: float, theta: float, follow: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None, kept: Kept | None = None, beside: bool = True,
) -> Attempt:  # fmt: skip
    """The attempt at W(0), or, where that proves nothing, with a witness, or at a later start within `follow` steps."""
    found = (attempted if beside else attempt)(problem, start, keep, theta)
    if found.proved or not follow:
        return found
    return later(problem.network).launched(problem, start, keep, theta, follow, heard, kept, beside) or found


def later(network: Network):
    """The module by whose `launched` such a network is followed."""
    return following if bounded.covers(network) else later_starts


def _nearer(one: Attempt | None, other: Attempt) -> Attempt:
    return other if one is None or other.closeness >= one.closeness else one


def impossible(found: Attempt, widest: int) -> BadInput:
    """Why no width was certified."""
    return BadInput(
        f"no width up to {widest} is certified; nearest is m = {found.problem.m}, σ = {float(found.problem.sigma):g}: {found.sentence}",
        "a width at which every hypothesis holds", "a larger --max-width, a smaller --keep, or inputs that lie further apart",
    )  # fmt: skip


def bytes_needed(n: int, d_in: int, d_out: int, m: int) -> int:
    """About what certifying and training at width m take at the largest moment."""
    return 2**29 + 8 * (24 * (n + d_in + d_out) * m + 40 * (n * d_out) ** 2)
