"""What is measured on one draw of data and network: the level expected, and the error that is learned.

Every function takes the parameters of a study's cell, as a dict; `draw` is the number of the draw.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.diffusion.laws import Laws, averaging_error
from ntkverify.diffusion.lesson import Lesson, Regression
from ntkverify.diffusion.levels import FORMULA, STANDARD_DEVIATIONS, expected
from ntkverify.diffusion.regression import Pairs, clipped, embedded, resample, sample
from ntkverify.diffusion.stages import NETWORK, NOISY, PARTS, predictions, score_error, split, trained_on_clean
from ntkverify.diffusion.stopping import critical_time, held_out_time
from ntkverify.ground.numerics import random_key
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Dataset, Problem
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.quantities import THEOREM_WIDTH, theorem_width
from ntkverify.networks.step_sizes import ordinary_step
from ntkverify.networks.training import EXPLODED
from ntkverify.truths.mixtures import covariance, labels_bound
from ntkverify.truths.population import Population
from ntkverify.truths.process import signal

PREDICTED, LEARNED, DIVERGED, INCONSISTENT = "predicted", "learned", "diverged", "inconsistent"
BINS = 6
"""Bins of log t."""
RADII = (1.0, 1.5, 2.0, 2.5, 3.0)
"""Radii, in units of √d, at which the share of X_t beyond is counted."""
SIZES = {
    "mixture": {"d": 2, "components": 3},
    "gaussian": {"d": 2, "components": 1},
    "moons": {"d": 2, "components": 200},
    "swissroll": {"d": 2, "components": 200},
    "digits": {"d": 6, "components": 500},
}
"""Of each population, where nobody says otherwise."""


def bytes_needed(params: dict) -> int:
    """About the memory of one draw: kernels over all rows, G, the components at every row."""
    rows, d, k = params["n"] + params["test"], params["d"], params["components"]
    kernels = (rows * d) ** 2 + 4 * (params["n"] * d) ** 2
    networks = 4 * rows * params["m"] + 3 * (params["doublings"] + 1) * (d + 2) * params["m"]
    covariances = k * d**2 if params["data"] in ("mixture", "gaussian") else 0
    mixture = 8 * max(rows, params.get("paths", 0), 400) * k * d + 8 * covariances
    return 8 * (kernels + networks + mixture + rows * d**2) + 2**29


def population(params: dict) -> Population:
    """What the cell learns; the same for every draw."""
    return catalogue.population(params["data"])(params["d"], params["components"], params["population"] - 1)


def lesson(params: dict, of: Population, draw: int) -> Lesson:
    """The regression of one draw; its labels are drawn with it and read by `learn` alone."""
    learn, test, net = _keys(params, draw)
    span = (params["earliest"], params["horizon"])
    samples = sample(of.mixture, learn, params["n"], *span), sample(of.mixture, test, params["test"], *span)
    bare = _regression(params, *samples, labels_bound(of.mixture, params["radius"]), of.name, of.origin, net)
    return Lesson(**vars(bare), mixture=of.mixture)


def regression(params: dict, rows: np.ndarray, held_out: np.ndarray, draw: int) -> Regression:
    """The same from rows to learn from and rows held out, (N, d) each, of a population that nobody knows."""
    learn, test, net = _keys(params, draw)
    span = (params["earliest"], params["horizon"])
    pairs = (
        resample(jnp.asarray(rows), learn, params["n"], *span),
        resample(jnp.asarray(held_out), test, params["test"], *span),
    )
    scale = float(np.linalg.norm(rows, axis=1).max())
    return _regression(params, *pairs, scale, "samples", "samples given by the caller", net)


def _keys(params: dict, draw: int):
    return jax.random.split(jax.random.fold_in(random_key(draw), params["n"]), 3)


def _regression(params: dict, learn: Pairs, test: Pairs, scale: float, name: str, origin: str, key) -> Regression:
    radius = params["radius"] * math.sqrt(params["d"])
    X = np.asarray(embedded(learn.t, learn.x, radius))
    dataset = Dataset(name, X, np.zeros((params["n"], params["d"])), origin)
    bare, _ = make_problem(dataset, catalogue.network(params["network"]), m=params["m"], sigma=params["sigma"])
    problem = dataclasses.replace(bare, y=learn.noisy / scale)
    start, eta = _start(problem, key)
    times = [2**power for power in range(params["doublings"] + 1)]
    last = params.get("steps", times[-1])  # a study's cell ends at a power of two
    return Regression(learn, test, radius, scale, problem, start, eta, jnp.asarray(times + [last] * (last > times[-1])))


@jax.jit
def _start(problem: Problem, key):
    start = initialise(problem, key)
    return start, ordinary_step(problem, start)


def predict(params: dict, of: Population, draw: int) -> dict:
    """The level that is expected, its time and the formula, from the inputs alone."""
    own = lesson(params, of, draw)
    n, times = params["n"], np.asarray(own.times)
    K, error = jax.jit(sample_kernel)(dataclasses.replace(own.problem, X=own.X))
    K, noises = np.asarray(K), np.asarray(covariance(of.mixture, own.learn.t, own.learn.x))
    found = expected(K[:n, :n], K[n:, :n], np.asarray(own.learn.clean), np.asarray(own.test.clean), noises, times)
    best = int(np.argmin(found.mean))
    level = found.mean[best] + STANDARD_DEVIATIONS * found.deviation[best]
    kind = "label noise is Gaussian" if of.mixture.k == 1 else "the deviation is that of Gaussian label noise"
    metrics = {"level": level, "expected": found.mean[best], "deviation": found.deviation[best], "time": times[best]}
    return {
        "outcome": PREDICTED, "sentence": f"Expected at τ = {times[best]}: E‖f − f*‖² ≤ {level:.4g} = {FORMULA}; {kind}.",
        "note": "", "metrics": plain(metrics | {"K_error": error}),
        "curves": {name: listed(getattr(found, name)) for name in ("mean", "bias", "deviation")},
    }  # fmt: skip


def learn(params: dict, own: Lesson) -> dict:
    """Train, split the error, hold every stage to its law, stop by each rule."""
    n, times = params["n"], np.asarray(own.times)
    arrays = predictions(own)
    if said := diverged(own, arrays):
        return {"outcome": DIVERGED, "sentence": said, "note": "", "metrics": {}}
    error, laws = split(own, arrays), Laws(own).gaps(arrays)
    truth = np.asarray(own.test.clean)
    fitted, stop = stopped(own, arrays)
    control = own.scale * np.asarray(trained_on_clean(own))[:, n:]
    by_row, by_row_clean = (np.sum((each - truth[None]) ** 2, axis=2) for each in (fitted, control))
    half = params["test"] // 2  # the first half's labels stop, the other rows judge
    judged, judged_clean = by_row[:, half:].mean(axis=1), by_row_clean[:, half:].mean(axis=1)
    stop_clean = held_out_time(control[:, :half], truth[:half])
    spectrum = np.linalg.eigvalsh(np.asarray(own.kernel))
    noise = float(jnp.mean(jnp.trace(covariance(own.mixture, own.learn.t, own.learn.x), axis1=1, axis2=2)))
    rule = critical_time(spectrum, math.sqrt(noise / own.mixture.d) / own.scale, float(own.rate), times)
    measured = score_error(own, jnp.asarray(fitted[stop] / own.scale))
    gap, allowed = abs(measured - error.total[stop]), _identity_allowance(own, error.total[stop])
    broken = [
        name for name, (each, most) in (laws | {"the score identity": (gap, allowed)}).items() if not each <= most
    ]
    metrics = {
        "stop": times[stop], "rule": times[rule], "best": times[judged.argmin()], "error": error.total[stop],
        "judged": judged[stop], "judged_rule": judged[rule], "judged_best": judged.min(), "last": judged[-1],
        "rise": judged[-1] / judged[stop], "rise_clean": judged_clean[-1] / judged_clean[stop_clean],
        "identity": gap / allowed, "worst_law": max(each / most for each, most in laws.values()),
        "cross": error.cross[stop], "bias": error.bias[stop], "trivial": np.mean(np.sum(truth**2, axis=1)),
        "label_noise": noise, "width_missed": _width_missed(own, spectrum),
    }  # fmt: skip
    metrics |= _bounds(params, own) | {part: error.parts[place, stop] for place, part in enumerate(PARTS)}
    metrics |= {f"{part} at the end": error.parts[place, -1] for place, part in enumerate(PARTS)}
    curves = {part: error.parts[place] for place, part in enumerate(PARTS)}
    curves |= {
        "cross": error.cross,
        "bias": error.bias,
        "total": error.total,
        "judged": judged,
        "clean": by_row_clean.mean(axis=1),
    }
    said = f"Stopped at τ = {times[stop]} by the held-out set: E‖f − f*‖² = {error.total[stop]:.4g}."
    return {
        "outcome": INCONSISTENT if broken else LEARNED, "note": "", "metrics": plain(metrics),
        "sentence": f"Broke its law: {', '.join(broken)}." if broken else said,
        "curves": {name: listed(each) for name, each in curves.items()} | {"by time": _by_time(params, own, by_row[stop])},
    }  # fmt: skip


def diverged(own: Regression, arrays: dict) -> str:
    """The sentence of a training that diverged; empty if none did."""
    n, times = own.problem.n, np.asarray(own.times)
    ends = [jnp.sum((arrays[name][:, :n] - own.problem.y[None]) ** 2, axis=(1, 2)) for name in (NETWORK, NOISY)]
    losses, first = np.asarray(jnp.maximum(*ends)), float(jnp.sum(own.problem.y**2))
    if not (lost := ~(losses <= EXPLODED * first)).any():
        return ""
    return f"Training diverged: ‖F − Y‖² was {losses[lost][0]:.3g} at step {times[lost][0]}; η = {float(own.eta):.3g} is too large."


def stopped(own: Regression, arrays: dict) -> tuple[np.ndarray, int]:
    """Predictions at the test rows in the units of X_0, (times, rows, d), and the place at which the first half of these
    rows, their noisy labels alone, stops."""
    fitted, noisy = own.scale * np.asarray(arrays[NETWORK])[:, own.problem.n :], np.asarray(own.test.noisy)
    half = len(noisy) // 2
    return fitted, held_out_time(fitted[:, :half], noisy[:half])


def _identity_allowance(own: Lesson, total: float) -> float:
    """Rounding of the weighted score error: of two averages, seen through 1/α by the cancellation in x + h s."""
    near = 4 * averaging_error(own) / float(jnp.min(signal(own.test.t)))
    return 2 * math.sqrt(total) * near + near**2


def _width_missed(own: Lesson, spectrum: np.ndarray) -> float | None:
    """log₁₀ of the factor by which the score theorem's width, n³d³ (reconstructed), is missed; None where λ is
    below rounding, and the width infinite for all that is known."""
    if spectrum[0] <= 2 * len(spectrum) * np.finfo(float).eps * spectrum[-1]:
        return None
    constants = {name: jnp.asarray(value) for name, value in (THEOREM_WIDTH | {"samples_power": 3.0}).items()}
    return float(theorem_width(own.problem, own.start, constants)) - math.log10(own.problem.m)


def _bounds(params: dict, own: Lesson) -> dict:
    """How often ‖x‖ ≤ ρ and ‖y‖ ≤ 1 fail, at the declared radius and at others."""
    lengths = np.linalg.norm(np.asarray(own.x), axis=1) / math.sqrt(params["d"])
    labels = np.linalg.norm(np.asarray(own.learn.noisy), axis=1) / own.scale
    shares = {"clipped": np.mean(np.asarray(clipped(own.x, own.radius)[1])), "long labels": np.mean(labels > 1 + 1e-12)}
    return shares | {f"beyond {r:g}√d": np.mean(lengths > r) for r in RADII}


def _by_time(params: dict, own: Lesson, by_row: np.ndarray) -> list:
    """Mean error in bins of log t, null where a bin is empty."""
    edges = np.geomspace(params["earliest"], params["horizon"], BINS + 1)
    place = np.clip(np.searchsorted(edges, np.asarray(own.test.t)) - 1, 0, BINS - 1)
    return [float(by_row[place == index].mean()) if (place == index).any() else None for index in range(BINS)]


def plain(metrics: dict) -> dict:
    """Numbers as JSON has them: null where there is none or it is not finite."""
    found = {name: None if value is None else float(value) for name, value in metrics.items()}
    return {name: value if value is not None and math.isfinite(value) else None for name, value in found.items()}


def listed(values) -> list:
    """A curve, six digits kept."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in np.asarray(values).tolist()]
