"""The verb `realise`: find the smallest width that is certified, train there, and look at every hypothesis.

What is proved is said by `certificates`; what is observed here is the float run: its error beside the
certified envelope with its rounding allowance, its path beside the certified radius, λ_min(H(W(τ)))
beside what the ball keeps, and from below the radius at which a search breaks λ/2.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic import balls
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.arithmetic.running import with_error
from ntkverify.convergence.certificate import KEEP, THETA, Attempt, attempt, certificate, room, shift
from ntkverify.convergence.later_starts import launched
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import full_precision, random_key
from ntkverify.ground.results import save_arrays, write
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.growth import constants
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import COUPLED, Params, Problem
from ntkverify.networks.quantities import pulled_back, residual

SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
"""Standard deviations among which the best is chosen."""
SAMPLED, WORTHWHILE, MOST = 4096, 1.5, 3
"""Neurons that a prediction looks at; how far beyond the best prediction a σ is still tried; how many are."""
RESOLUTION = 1.03
"""The smallest width is found up to this factor."""
CERTIFICATE, SHOWN = "certificate.json", 400
CHUNK = 16
"""Steps of a run that are compiled together; λ_min is looked at between chunks."""


def drawn(problem: Problem, seed: int, widest: int) -> Callable[[float, int], tuple[Problem, Params]]:
    """(σ, m) → the problem and its network: the first m neurons of one draw of `widest` neurons at σ = 1."""
    unit = dataclasses.replace(problem, m=widest, sigma=jnp.ones((), problem.X.dtype))
    net = initialise(unit, random_key(seed))

    def at(sigma: float, m: int) -> tuple[Problem, Params]:
        own = dataclasses.replace(problem, m=m, sigma=jnp.asarray(sigma, problem.X.dtype))
        return own, Params(sigma * net.W[:, :m], net.a[:, :m])

    return at


def predicted(problem: Problem, net: Params, sigma: float, widest: int, keep: float, theta: float) -> float:
    """About the width that will be certified at σ, from the kernel and the constants of a few neurons; ∞ beyond
    `widest`."""
    few, spectrum = _sampled(problem, Params(sigma * net.W, net.a))
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


@jax.jit
def _sampled(problem: Problem, net: Params):
    return constants(problem, net), jnp.linalg.eigvalsh(closed_form(problem, net))


def smallest_certified(
    problem: Problem, seed: int, widest: int, sigmas: Sequence[float] = SIGMAS, keep: float = KEEP, theta: float = THETA,
    follow: int = 0, heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Attempt:  # fmt: skip
    """The certified network of smallest width over the σ, up to `RESOLUTION`; if there is none up to `widest`, the
    attempt that came nearest.

    The σ are taken in the order of the widths that are predicted.  At the first, widths grow from below the
    predicted one until one is certified, then the bracket is halved; another σ is followed only where it
    certifies a smaller width than the best.  With `follow`, starts after up to so many followed steps count too; only
    the σ of the best prediction is taken then, from the rank floor up.
    """
    even = 2 if problem.init == COUPLED else 1
    at = drawn(problem, seed, widest)
    net = at(1.0, min(SAMPLED, widest))[1]
    guesses = {sigma: predicted(problem, net, sigma, widest, keep, theta) for sigma in sigmas}
    order = sorted(sigmas, key=lambda sigma: guesses[sigma])
    order = [sigma for sigma in order if guesses[sigma] <= WORTHWHILE * guesses[order[0]]][:MOST]
    floor = 2 * problem.n * problem.d_out / max(problem.rank, 1)
    best, nearest = None, None
    if follow:
        order = order[:1]

    def certify(sigma: float, m: float) -> Attempt:
        whole = min(max(even, even * round(m / even)), widest // even * even)
        heard(
            f"σ = {sigma:g}, m = {whole}" + (f", best {best.problem.m}" if best else ""), order.index(sigma), len(order)
        )
        return certified(*at(sigma, whole), keep, theta, follow, heard)

    for sigma in order:
        first = floor if follow else min(guesses[sigma], widest) / 1.5
        found = certify(sigma, best.problem.m / RESOLUTION - even if best else first)
        low = 1.0 if found.proved else float(found.problem.m)
        while best is None and not found.proved and found.problem.m < widest // even * even:
            low = float(found.problem.m)
            found = certify(sigma, max(1.25 * low, low + even))
        nearest = _nearer(nearest, found)
        if not found.proved or (best and found.problem.m >= best.problem.m):
            continue
        best, step = found, 1.25
        while low < best.problem.m / RESOLUTION - even:
            aim = math.sqrt(low * best.problem.m) if low > 1 else best.problem.m / step - even
            middle = certify(sigma, aim)
            if middle.problem.m >= best.problem.m:
                break
            best, low = (middle, low) if middle.proved else (best, float(middle.problem.m))
            if low == 1 and middle.problem.m <= even:
                break
            step *= 1.25
    return best or nearest  # type: ignore[return-value]


def certified(
    problem: Problem, start: Params, keep: float, theta: float, follow: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Attempt:  # fmt: skip
    """The attempt at W(0), or, where that proves nothing, at a later start within `follow` steps."""
    found = attempt(problem, start, keep, theta)
    return found if found.proved or not follow else launched(problem, start, keep, theta, follow, heard) or found


def _nearer(one: Attempt | None, other: Attempt) -> Attempt:
    return other if one is None or _closeness(other) >= _closeness(one) else one


def _closeness(found: Attempt) -> float:
    return min((have / need if need > 0 else math.copysign(math.inf, have)) for have, need in found.margins.values())


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
    """‖W(τ) − W(0)‖ over all neurons."""
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
def _chunk(problem: Problem, origin: Params, start: Params, eta, W, length: int):
    less = shift(problem, origin)

    def step(W):
        net = Params(W, start.a)
        e = residual(problem, net) - less
        return W - eta * pulled_back(problem, net, e), jnp.sqrt(jnp.sum(e**2))

    def one(W, _):
        (after, size), (moved, uncertain) = with_error(step)(W)
        row = size, uncertain, jnp.sqrt(jnp.sum((after - W) ** 2)), jnp.sqrt(jnp.sum((W - start.W) ** 2)), jnp.sqrt(jnp.sum(moved**2))  # fmt: skip
        return after, row

    smallest = jnp.linalg.eigvalsh(closed_form(problem, Params(W, start.a)))[0]
    W, rows = jax.lax.scan(one, W, None, length=length)
    return W, rows, smallest


def observe(
    found: Attempt,
    accuracy: float,
    budget: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Observed:
    """Run gradient descent in floats from the centre of the ball until ‖e‖² is `accuracy` times what it is there, at
    most `budget` steps."""
    problem, start = found.problem, found.base
    target = math.sqrt(accuracy) * found.bounds["size"]
    W, rows, times, smallest = start.W, [], [], []
    while len(rows) * CHUNK <= budget:
        heard(
            f"training, ‖e‖ = {rows[-1][0][-1]:.3g} of {target:.3g}" if rows else "training", len(rows) * CHUNK, budget
        )
        W, chunk, least = _chunk(problem, found.start, start, found.eta, W, CHUNK)
        times.append(len(rows) * CHUNK)
        smallest.append(float(least))
        rows.append([np.asarray(part) for part in chunk])
        if not rows[-1][0][-1] > target:
            break
    size, uncertain, moved, away, rounding = (np.concatenate(part) for part in zip(*rows, strict=True))
    end = int(np.argmax(size <= target)) if (size <= target).any() else len(size) - 1

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
    at = 1 + int(np.argmax(seen.errors[1:] / bound[1:]))
    inside = seen.times <= seen.steps
    kept = found.conclusions["kept"] ** 2 / found.problem.m
    rows = [
        (f"‖e‖ at step {at}, where it comes nearest to its envelope", float(seen.errors[at]), float(bound[at]), "≤"),
        ("length of the path, within the certified radius", float(seen.lengths[-1]), found.s, "≤"),
        ("distance from the start, within the certified radius", float(seen.distances.max()), found.s, "≤"),
        ("roundings of all steps, within the allowance", float(seen.rounding[-1]), found.omega, "≤"),
        ("λ_min(H(W(τ))), above what the ball keeps", float(seen.smallest[inside].min()), kept, "≥"),
    ]
    return [
        {"what": what, "seen": have, "proved": need, "holds": have <= need if sign == "≤" else have >= need}
        for what, have, need, sign in rows
    ]


@functools.partial(jax.jit, static_argnames=("steps",))
@full_precision
def _least(problem: Problem, start: Params, radius, key, before, steps: int = 24):
    """(smallest λ_min found on the sphere of this radius, where): steepest descent from three starts, one of them in the
    direction `before` that was worst at another radius."""

    def quotient(W, v):
        return v @ closed_form(problem, Params(W, start.a)) @ v

    def descend(W):
        def step(state, _):
            W, best, where = state
            values, vectors = jnp.linalg.eigh(closed_form(problem, Params(W, start.a)))
            better = values[0] < best
            best, where = jnp.where(better, values[0], best), jnp.where(better, W, where)
            slope = jax.grad(quotient)(W, vectors[:, 0])
            size = jnp.sqrt(jnp.sum(slope**2))
            return (start.W - radius * slope / jnp.where(size > 0, size, 1), best, where), None

        (_, best, where), _ = jax.lax.scan(step, (W, jnp.inf * radius, W), None, length=steps)
        return best, where

    wander = jax.random.normal(key, start.W.shape, start.W.dtype)
    # The whole move spent on one neuron, where the lemmas are sharp.
    logits = jnp.max(problem.X @ start.W, axis=0)
    lone = jnp.where(jnp.arange(start.W.shape[1])[None] == jnp.argmax(logits), problem.X[:1].T, 0)
    starts = jnp.stack([start.W + radius * d / jnp.sqrt(jnp.sum(d**2)) for d in (wander, lone, before)])
    best, where = jax.lax.map(descend, starts)
    least = jnp.argmin(best)
    return best[least], where[least]


def broken(found: Attempt, seed: int, most: float = 64.0) -> tuple[float, Params] | None:
    """(the smallest radius at which a search finds λ_min < keep · λ, the point), confirmed in balls; None if none is
    found up to `most` times the certified radius.

    The search begins inside the certified ball, so that it could contradict the certificate.
    """
    problem, start, line = found.problem, found.base, found.keep * found.bounds["lambda"]
    low, radius, where = 0.0, found.s / 4, None
    before = jnp.ones_like(start.W)
    while where is None and radius <= most * found.s:
        least, W = _least(problem, start, radius, random_key(seed), before)
        before = W - start.W
        if float(least) < line:
            where = W
        else:
            low, radius = radius, 1.5 * radius
    if where is None:
        return None
    for _ in range(8):
        middle = (low + radius) / 2
        least, W = _least(problem, start, middle, random_key(seed), where - start.W)
        low, radius, where = (low, middle, W) if float(least) < line else (middle, radius, where)
    point = Params(where, start.a)
    top = balls.smallest_eigenvalue(in_balls(lambda net: closed_form(problem, net))(point))[1]
    away = float(balls.norm(balls.subtract(balls.exact(point.W), balls.exact(start.W))))
    return (away, point) if top < line else None


def impossible(found: Attempt, widest: int) -> BadInput:
    """Why no width was certified."""
    return BadInput(
        f"no width up to {widest} is certified; nearest is m = {found.problem.m}, σ = {float(found.problem.sigma):g}: {found.sentence}",
        "a width at which every hypothesis holds", "a larger --max-width, a smaller --keep, or inputs that lie further apart",
    )  # fmt: skip


def realise(
    problem: Problem, folder: Path, *, sigmas: Sequence[float], m: int | None, widest: int, keep: float, theta: float,
    accuracy: float, budget: int, follow: int, seed: int, origin: dict,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict:  # fmt: skip
    """Certify, train, look: writes certificate.json and arrays.npz into the folder and returns the rest of results.json.

    Raises `BadInput` where no width is certified; after Ctrl-C during training the certificate is kept and
    `complete` is False.
    """
    if problem.activation.bend == math.inf:
        raise BadInput(
            f"--network {problem.activation.name}", "an activation with a second derivative", "--network softmax"
        )
    if reason := infinite_bound(problem):
        raise BadInput("data with λ = 0", reason, "other data, or fewer samples")
    if m is None:
        found = smallest_certified(problem, seed, widest, sigmas, keep, theta, follow, heard)
    else:
        at = drawn(problem, seed, m)
        found = max((certified(*at(sigma, m), keep, theta, follow, heard) for sigma in sigmas), key=_closeness)
    if not found.proved:
        raise impossible(found, m or widest)
    write(folder / CERTIFICATE, json.dumps(certificate(found, origin)) + "\n")
    rows, bracket, steps, complete = [], None, None, True
    try:
        seen = observe(found, accuracy, budget, heard)
        rows, steps = observations(found, seen), seen.steps
        save_arrays(folder, _series(found, seen))
        heard("searching where λ_min falls below the kept share", 0, 1)
        bracket = _bracket(found, seed)
    except KeyboardInterrupt:
        complete = False
    margins = [{"what": what, "have": have, "need": need} for what, (have, need) in found.margins.items()]
    return {
        "complete": complete, "proved": found.proved, "sentence": found.sentence, "certificate": CERTIFICATE,
        "m": found.problem.m, "sigma": float(found.problem.sigma), "eta": found.eta, "radius": found.s, "keep": keep,
        "bounds": dict(found.bounds), "conclusions": dict(found.conclusions), "margins": margins, "observations": rows,
        "followed": 0 if found.launch is None else found.launch.steps, "steps": steps, "bracket": bracket,
    }  # fmt: skip


def _series(found: Attempt, seen: Observed) -> dict[str, np.ndarray]:
    """What the figures show, at most `SHOWN` steps of the run."""
    steps = np.unique(np.linspace(0, seen.steps, SHOWN).astype(int))
    inside = seen.times <= seen.steps
    before = 0 if found.launch is None else found.launch.steps
    return {
        "steps": before + steps, "error": seen.errors[steps], "envelope": envelope(found, seen)[steps], "length": seen.lengths[steps],
        "distance": seen.distances[steps], "times": before + seen.times[inside], "smallest": seen.smallest[inside],
    }  # fmt: skip


def _bracket(found: Attempt, seed: int) -> dict:
    """[certified, found by search]: the radius over all neurons at which λ_min falls below the kept share of λ."""
    low = broken(found, seed)
    return {
        "kind": "region", "proved": found.s, "found": low and low[0], "radius": found.s,
        "method": "proved by the growth of the Jacobian; found by steepest descent on λ_min, confirmed in float64 balls",
        "counterexample": None,
    }  # fmt: skip


def bytes_needed(n: int, d_in: int, d_out: int, m: int) -> int:
    """About what certifying and training at width m take at the largest moment."""
    return 2**29 + 8 * (24 * (n + d_in + d_out) * m + 40 * (n * d_out) ** 2)
