"""Later starts: gradient descent followed from W(0) for K steps with every rounding enclosed, then certified.

Theorem 7 of docs/proofs/convergence.md.  The points Ŵ(k) are floats; each step is enclosed in float64 balls,
and d_k bounds how far exact gradient descent is from them.  Most of the error is gone at Ŵ(K), so the hypotheses
hold there at widths where at W(0) they do not.
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic import balls
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.convergence.certificate import KEEP, THETA, Attempt, Launch, attempt, error, limits, room
from ntkverify.convergence.kept import Kept, name_of
from ntkverify.convergence.witness import BESIDE, attempted, room_beside
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import Constants, constants, curvature_within
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quantities import pulled_back

LOOKS = 16
"""Steps between two looks at whether the hypotheses hold."""
CLEAR = 1.02
"""By how much they shall hold in plain floats before they are proved."""


@jax.jit
@full_precision
def _look(problem: Problem, start: Params, W, eta):
    """The step from W and what Theorem 7 asks of it."""
    net = Params(W, start.a)
    e, H = error(problem, start, net), closed_form(problem, net)
    return (
        W - eta * pulled_back(problem, net, e),
        jnp.sqrt(jnp.sum(e**2)),
        jnp.sqrt(jnp.sum(H**2)),
        constants(problem, net),
    )


@jax.jit
def _grown(k: Constants, frobenius, size, eta, d):
    """(η(P² + C E), 1 + ηCE) within d."""
    C = curvature_within(k, d)
    P = jnp.sqrt(k.m * frobenius) + C * d
    E = size + P * d
    return eta * (P**2 + C * E), 1 + eta * C * E


def followed(
    problem: Problem, start: Params, eta: float, steps: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None, kept: Kept | None = None,
) -> Launch | None:  # fmt: skip
    """K steps of Theorem 7, from the last one that was kept; None where a hypothesis fails on the way."""
    kept = Kept() if kept is None else kept
    name = name_of("balls", problem, start, eta)
    first, W, d, _ = kept.before(name, start.W, steps)
    W = jnp.asarray(W)
    for step in range(first, steps):
        after, size, frobenius, k = in_balls(_look)(problem, start, W, jnp.asarray(eta))
        upper = [np.asarray(ball.upper) for ball in (frobenius, size)]
        fast, grown = in_balls(_grown)(limits(k, problem), *upper, np.asarray(eta), np.asarray(d))
        if not fast.upper <= 2:
            return None
        rounded = balls.norm(balls.exact(after.rad))
        d = float(balls.add(balls.multiply(grown, balls.exact(np.asarray(d))), balls.exact(rounded)).upper)
        W = jnp.asarray(after.mid)
        kept.reached(name, step + 1, W, d)
        heard(f"m = {problem.m}: following gradient descent", step + 1, steps)
    return Launch(steps, Params(W, start.a), d)


@functools.partial(jax.jit, static_argnames=("length",))
@full_precision
def _run(problem: Problem, start: Params, W, eta, length: int = LOOKS):
    def step(W, _):
        net = Params(W, start.a)
        return W - eta * pulled_back(problem, net, error(problem, start, net)), None

    W, _ = jax.lax.scan(step, W, None, length=length)
    net = Params(W, start.a)
    e = error(problem, start, net)
    return W, jnp.sqrt(jnp.sum(e**2)), jnp.linalg.eigvalsh(closed_form(problem, net)), constants(problem, net)


def launched(
    problem: Problem, start: Params, keep: float = KEEP, theta: float = THETA, most: int = 4096,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None, kept: Kept | None = None, beside: bool = True,
) -> Attempt | None:  # fmt: skip
    """The earliest start, a multiple of `LOOKS` steps, at which everything is proved; None if there is none within
    `most` steps."""
    kept = Kept() if kept is None else kept
    name = name_of("balls", problem, start, keep, theta, most)
    if name in kept.failed:
        return None
    W, size, spectrum, k = _run(problem, start, start.W, 0.0)
    # The ball's P² is at most (2 − √keep)² times m‖H‖ at its centre.
    eta = (
        2
        * theta
        / ((2 - math.sqrt(keep)) ** 2 * problem.m * float(spectrum[-1]) + float(curvature_within(k, 0.0)) * float(size))
    )
    for looked in range(most // LOOKS):
        W, size, spectrum, k = _run(problem, start, W, eta)
        heard(f"m = {problem.m}, ‖e‖ = {float(size):.3g}", looked, most // LOOKS)
        if not math.isfinite(float(size)):
            break
        found = room(k, float(spectrum[0]), float(spectrum[-1]), float(size), keep, theta)
        near = beside and found >= BESIDE
        if found < CLEAR and not (
            near and room_beside(problem, start, Params(W, start.a), float(size), keep, theta) >= CLEAR
        ):
            continue
        launch = followed(problem, start, eta, (looked + 1) * LOOKS, heard, kept)
        if launch is None:
            break
        found = (attempted if beside else attempt)(problem, start, keep, theta, launch, eta)
        if found.proved:
            return found
    kept.gave_up(name)
    return None
