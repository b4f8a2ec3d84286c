"""A network that fits the data, about as near to a start as one can be: the witness of Theorem 10.

Each step solves min ‖Δ‖ subject to F(W) − F_0 − Y + J(Δ − (W − W(0))) = 0, J at W, so that what it comes to is a nearest fit to
first order.  Plain floats: nothing that is proved rests on how it was found.  Work (nd)²m + (nd)³/3 a step.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.convergence.certificate import KEEP, THETA, Attempt, Launch, attempt, room, shift
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import constants
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import widened
from ntkverify.networks.nouns import TRAINED, Params, Problem
from ntkverify.networks.quantities import outputs, pulled_back

STEPS, ROWS = 10, 3000
"""Steps; rows of H beyond which no witness is looked for."""
SHARED, FEW = 4096, 256
"""Up to so many neurons one compiled program serves, where H has no more than so many rows."""
FITS, BESIDE = 1e-6, 0.4
"""A witness fits up to this share of ‖Y‖: what is left would be spent of the path.  Where the hypotheses fail by more than that without
one, none is looked for on the way."""


def attempted(
    problem: Problem, start: Params, keep: float = KEEP, theta: float = THETA, launch: Launch | None = None,
    eta: float | None = None,
) -> Attempt:  # fmt: skip
    """The attempt at a start, or, where that proves nothing, with a witness if it comes nearer then."""
    found = attempt(problem, start, keep, theta, launch, eta)
    if found.proved or problem.init == TRAINED or problem.n * problem.d_out > ROWS:
        return found
    padded, off, _ = nearest(*widely(problem, found.base), shift(problem, start))
    if not float(off) <= FITS * float(jnp.sqrt(jnp.sum(problem.y**2))):  # nor where it is not finite
        return found
    # NumPy compiles nothing for each width.
    net = Params(jnp.asarray(np.asarray(padded.W)[:, : start.W.shape[1]]), start.a)
    return max(found, attempt(problem, start, keep, theta, launch, eta, net), key=lambda each: each.closeness)


def room_beside(problem: Problem, start: Params, net: Params, size: float, keep: float, theta: float) -> float:
    """`room` with a witness near `net`, where ‖e‖ is `size`; `start` is W(0)."""
    if problem.n * problem.d_out > ROWS:
        return 0.0
    there, off, away = nearest(problem, net, shift(problem, start))
    k, spectrum = looked(problem, there)
    found = room(k, float(spectrum[0]), float(spectrum[-1]), size, keep, theta, float(away), float(off))
    return found if math.isfinite(found) else 0.0


def widely(problem: Problem, net: Params) -> tuple[Problem, Params]:
    """Padded to a width that many networks share, so that one compiled program serves them."""
    m, fewest = net.W.shape[1], SHARED if problem.n * problem.d_out <= FEW else SHARED // 16
    wide = max(fewest, 2 ** math.ceil(math.log2(m)))
    return dataclasses.replace(problem, m=wide), widened(net, wide)


@jax.jit
def looked(problem: Problem, net: Params):
    """The constants and the eigenvalues of H, in plain floats."""
    return constants(problem, net), jnp.linalg.eigvalsh(closed_form(problem, net))


@jax.jit
@full_precision
def nearest(problem: Problem, start: Params, shift: jax.Array):
    """(W*, ‖F(W*) − F_0 − Y‖, ‖W* − W‖)."""

    def at(moved):
        return Params(start.W + moved, start.a, start.live)

    def error(moved):
        return outputs(problem, at(moved)) - shift - problem.y

    def step(moved, _):
        e, along = jax.jvp(error, (moved,), (moved,))
        solved = jnp.linalg.solve(start.m * closed_form(problem, at(moved)), (along - e).ravel())
        return pulled_back(problem, at(moved), solved.reshape(e.shape)), None

    moved, _ = jax.lax.scan(step, jnp.zeros_like(start.W), None, length=STEPS)
    return at(moved), jnp.sqrt(jnp.sum(error(moved) ** 2)), jnp.sqrt(jnp.sum(moved**2))
