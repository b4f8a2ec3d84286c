"""A run of gradient descent in floats from a certified start, looked at beside everything that was proved of it.

Its error beside the certified envelope with its rounding allowance, its path beside the certified radius, λ_min(H(W(τ)))
beside what the ball keeps.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.running import with_error
from ntkverify.convergence.certificate import Attempt, shift
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quantities import pulled_back, residual

CHUNK = 16
"""Steps of a run that are compiled together; λ_min is looked at between chunks."""
NUMBERS, WORK, SPECTRA = 6 * 10**6, 3 * 10**10, 1500
"""n m of the largest run, whose bounds take fifty times the memory; n m (d_in + d_out) τ of the longest, about ten minutes;
rows of H up to which its eigenvalues are looked at."""
SHOWN = 400
"""Steps of a run that figures show, at most."""


@dataclass(frozen=True)
class Observed:
    """A float run from a certified start, one entry a step 0..T (λ_min: one a chunk)."""

    errors: np.ndarray
    """‖F − Y‖, with the shift of an independent start."""
    uncertain: np.ndarray
    """Bounds on the rounding errors of `errors`."""
    lengths: np.ndarray
    """Length of the path over all neurons."""
    distances: np.ndarray
    """‖W(τ) − W‖ over all neurons, W the centre of the ball."""
    rounding: np.ndarray
    """Σ of bounds on the roundings of the steps before."""
    times: np.ndarray
    smallest: np.ndarray
    """λ_min(H(W)) at `times`."""

    @property
    def steps(self) -> int:
        return len(self.errors) - 1


@functools.partial(jax.jit, static_argnames=("length",))
@full_precision
def _chunk(problem: Problem, origin: Params, centre: Params, eta, W, length: int):
    less = shift(problem, origin)

    def step(W):
        net = Params(W, centre.a)
        e = residual(problem, net) - less
        return W - eta * pulled_back(problem, net, e), jnp.sqrt(jnp.sum(e**2))

    def one(W, _):
        (after, size), (moved, uncertain) = with_error(step)(W)
        row = size, uncertain, jnp.sqrt(jnp.sum((after - W) ** 2)), jnp.sqrt(jnp.sum((W - centre.W) ** 2)), jnp.sqrt(jnp.sum(moved**2))  # fmt: skip
        return after, row

    rows = problem.n * problem.d_out
    smallest = jnp.nan
    if rows <= SPECTRA:
        smallest = jnp.linalg.eigvalsh(closed_form(problem, Params(W, centre.a)))[0]
    W, rows = jax.lax.scan(one, W, None, length=length)
    return W, rows, smallest


def observable(found: Attempt) -> bool:
    """Whether a run with bounds on its roundings fits into memory."""
    return found.problem.n * found.problem.m <= NUMBERS


def observe(
    found: Attempt,
    accuracy: float,
    budget: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Observed:
    """Run gradient descent in floats from where the certified steps begin until ‖e‖² is `accuracy` times what it is there, at
    most `budget` steps, and `WORK`, and as long as its roundings are within the allowance, since nothing is proved of it beyond; a
    trained network, whose error is what rounding leaves, for a few."""
    problem, start = found.problem, found.base
    budget = min(budget, max(CHUNK, WORK // (problem.n * problem.m * (problem.d_in + problem.d_out))))
    target = math.sqrt(accuracy) * found.bounds["size"]
    if found.kind == "trained":
        budget, target = CHUNK, 0.0
    W, rows, times, smallest = start.W, [], [], []
    while len(rows) * CHUNK <= budget:
        heard(
            f"training, ‖e‖ = {rows[-1][0][-1]:.3g} of {target:.3g}" if rows else "training", len(rows) * CHUNK, budget
        )
        W, chunk, least = _chunk(problem, found.start, found.centre, found.eta, W, CHUNK)
        times.append(len(rows) * CHUNK)
        smallest.append(float(least))
        rows.append([np.asarray(part) for part in chunk])
        if not rows[-1][0][-1] > target or not sum(float(row[-1].sum()) for row in rows) <= found.omega:
            break
    size, uncertain, moved, away, rounding = (np.concatenate(part) for part in zip(*rows, strict=True))
    end = int(np.argmax(size <= target)) if (size <= target).any() else len(size) - 1
    end = min(end, int(np.sum(np.cumsum(rounding) <= found.omega)))

    def before(steps):
        return np.concatenate([[0], np.cumsum(steps)])[: end + 1]

    return Observed(
        size[: end + 1],
        uncertain[: end + 1],
        before(moved),
        away[: end + 1],
        before(rounding),
        np.array(times),
        np.array(smallest),
    )


def envelope(found: Attempt, seen: Observed) -> np.ndarray:
    """The certified bound on ‖e(τ)‖ for the float run: Proposition 6, and the rounding of the error itself."""
    steps = np.arange(len(seen.errors))
    decay = np.exp(steps * math.log1p(-found.conclusions["contraction"]))
    return decay * found.bounds["size"] + found.conclusions["reach"] * seen.rounding + seen.uncertain


def observations(found: Attempt, seen: Observed) -> list[dict]:
    """What was seen beside what was proved: rows {what, seen, proved, holds}, worst over the run."""
    bound = envelope(found, seen)
    at = int(np.argmax(seen.errors / np.maximum(bound, 1e-300)))
    inside = seen.times <= seen.steps
    kept = found.conclusions["kept"] ** 2 / found.problem.m
    rows = [
        (f"‖e‖ at step {at}, where it comes nearest to its envelope", float(seen.errors[at]), float(bound[at]), "≤"),
        ("length of the path, within the certified radius", float(seen.lengths[-1]), found.s, "≤"),
        (
            f"distance from {'the start' if found.witness is None else 'the witness'}, within the certified radius",
            float(seen.distances.max()),
            found.s,
            "≤",
        ),
        ("roundings of all steps, within the allowance", float(seen.rounding[-1]), found.omega, "≤"),
        ("λ_min(H(W(τ))), above what the ball keeps", float(seen.smallest[inside].min()), kept, "≥"),
    ]
    if found.witness is not None:  # the ball is around it, and nothing is said of the length of the path
        del rows[1]
    rows = [row for row in rows if not math.isnan(row[1])]
    return [
        {"what": what, "seen": have, "proved": need, "holds": have <= need if sign == "≤" else have >= need}
        for what, have, need, sign in rows
    ]


def series(found: Attempt, seen: Observed) -> dict[str, np.ndarray]:
    """What the figures show, at most `SHOWN` steps of the run."""
    steps = np.unique(np.linspace(0, seen.steps, SHOWN).astype(int))
    inside = seen.times <= seen.steps
    before = 0 if found.launch is None else found.launch.steps
    shown = {
        "steps": before + steps, "error": seen.errors[steps], "envelope": envelope(found, seen)[steps],
        "distance": seen.distances[steps],
    }  # fmt: skip
    if found.witness is None:  # beside one nothing is said of the length of the path
        shown["length"] = seen.lengths[steps]
    if np.isnan(seen.smallest).any():
        return shown
    return shown | {"times": before + seen.times[inside], "smallest": seen.smallest[inside]}
