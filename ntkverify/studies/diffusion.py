"""What stands between a trained softmax network and the score of a diffusion model?

A network learns f*(t,x) = E[X_0 | X_t = x] by gradient descent on noisy labels X_0, at η = 1/(s_m λ_max(H(0))) from
a coupled start.  f* is known exactly, so its error splits over training into five parts
(`diffusion/stages.py`), and samplers run with the exact score beside the learned one.

Cells with task `predict` come first: what kernel gradient descent at infinite width is expected to reach
(`diffusion/levels.py`) is in the ledger before a label is drawn or a network trained.  That level is
mean + 2 standard deviations, which by Cantelli's inequality is reached with probability at least 0.8.

Said before measuring.  At a coupled start the kernel of a smooth network drifts like m⁻² and ReLU's, at
scale m^{-1/2}, like m^{-1/2} (the study `drift`); the coupling part is a squared difference of outputs, so
m⁻⁴ and m⁻¹.  Noise in the labels is what early stopping keeps out: with noisy labels the error rises
after the held-out best time, with clean labels it does not.
"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.diffusion import stages
from ntkverify.diffusion.distances import compared
from ntkverify.diffusion.levels import FORMULA, STANDARD_DEVIATIONS, expected
from ntkverify.diffusion.population import Population
from ntkverify.diffusion.process import check_times, noise, noised, signal
from ntkverify.diffusion.regression import clipped, embedded, sample
from ntkverify.diffusion.sampling import ODE, SDE, grid, of_mixture, of_network, probability_flow, reverse_sde
from ntkverify.diffusion.stages import PARTS, STAGES, Lesson
from ntkverify.diffusion.stopping import critical_time, held_out_time
from ntkverify.diffusion.truth import covariance, denoiser, drawn, exact_score, labels_bound
from ntkverify.errors import BadInput
from ntkverify.fits import exponent, shown
from ntkverify.kernels.infinite_width import sample_kernel
from ntkverify.network import initialise
from ntkverify.nouns import Dataset, Params, Problem
from ntkverify.numerics import hold_rate_interval, mean_interval
from ntkverify.problems import problem as make_problem
from ntkverify.quantities import THEOREM_WIDTH, theorem_width
from ntkverify.training import ordinary_step

TITLE = "Learning the score of a diffusion model: where does the error come from?"
COMMON = {
    "task": ("predict", "learn"), "data": "mixture", "network": ("softmax", "exponential", "relu"),
    "n": (128, 32, 64, 256), "m": (512, 64, 128, 2048), "radius": (2.0, 1.0), "d": 2, "components": 3, "earliest": 0.05,
    "horizon": 4.0, "sigma": 1.0, "doublings": 13, "test": 512, "draws": 6, "sampled": 2, "paths": 500, "walk": 100,
    "population": 1,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"n": (96, 24, 48), "m": (256, 32, 96), "doublings": 12, "test": 384, "draws": 3, "sampled": 1},
    "paper": COMMON,
}
DATA = {
    "mixture": {},
    "gaussian": {"components": 1, "draws": 8},
    "moons": {"components": 200},
    "swissroll": {"components": 200, "earliest": 0.02},
    "digits": {"components": 500, "d": 6, "doublings": 12},
}
"""What each population changes in a preset."""
ALONE = ("n", "m", "radius")
PREDICTED, LEARNED, SAMPLER_DIVERGED = "predicted", "learned", "sampler diverged"
DIVERGED, INCONSISTENT = "diverged", "inconsistent"
DONE = (PREDICTED, LEARNED)
RULE = "t-intervals over draws of data and network; all cells, none dropped"
LAW = {"softmax": -4.0, "exponential": -4.0, "relu": -1.0}
REACHED = 1 - 1 / (1 + STANDARD_DEVIATIONS**2)
"""Cantelli: a variable lies at most two standard deviations above its mean with at least this probability."""
BINS, SHOWN, ARROWS = 6, 200, 11
"""Bins of t; points of a picture; arrows along each side of a score field."""
NOISY, CLEAN = "noisy labels", "clean labels"


def bytes_needed(params: dict) -> int:
    """About the memory of one cell: kernels over all rows, G, the components at every row; checks the cell."""
    _check(params)
    rows, d = params["n"] + params["test"], params["d"]
    kernels = (rows * d) ** 2 + 4 * (params["n"] * d) ** 2
    networks = 4 * rows * params["m"] + 3 * (params["doublings"] + 1) * (d + 2) * params["m"]
    mixture = 8 * max(rows, params["paths"], 400) * params["components"] * d
    shape = params["components"] * d**2 if params["data"] in ("mixture", "gaussian") else 0
    return 8 * (kernels + networks + mixture + rows * d**2 + 4 * shape) + 2**29


def _check(params: dict) -> None:
    """`BadInput` for a cell that means nothing; sizes are judged by the population's file."""
    catalogue.choose("data set", params["data"], catalogue.POPULATIONS)
    catalogue.choose("task", params["task"], COMMON["task"])
    check_times(params["earliest"], params["horizon"])
    parts = params["components"] if params["data"] in ("mixture", "gaussian") else 2
    if params["n"] < max(parts, 2):
        raise BadInput(
            f"n = {params['n']} samples for {params['data']} with {parts} components",
            "at least as many samples as components, or some are never seen", f"--grid n={max(parts, 2)}",
        )  # fmt: skip
    if params["test"] < 2 or params["doublings"] > 24 or params["draws"] < params["sampled"]:
        raise BadInput(
            f"test = {params['test']}, doublings = {params['doublings']}, draws = {params['draws']}, sampled = {params['sampled']}",
            "test ≥ 2, doublings ≤ 24 and sampled ≤ draws", "the preset",
        )  # fmt: skip


def _population(params: dict) -> Population:
    return catalogue.population(params["data"])(params["d"], params["components"], params["population"] - 1)


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data and the network."""
    of = _population(params)
    measure = _predict if params["task"] == "predict" else _learn
    return [measure(params, of, seed) for seed in range(params["draws"])]


def _lesson(params: dict, of: Population, seed: int) -> Lesson:
    """The regression of one draw; its labels are drawn with it and read by the task `learn` alone."""
    learn, test, net = jax.random.split(jax.random.fold_in(jax.random.key(seed), params["n"]), 3)
    span = (params["earliest"], params["horizon"])
    samples = sample(of.mixture, learn, params["n"], *span), sample(of.mixture, test, params["test"], *span)
    radius, scale = params["radius"] * math.sqrt(params["d"]), labels_bound(of.mixture, params["radius"])
    X = np.asarray(embedded(samples[0].t, samples[0].x, radius))
    dataset = Dataset(of.name, X, np.zeros((params["n"], params["d"])), of.origin)
    activation = catalogue.activation(params["network"])
    bare, _ = make_problem(dataset, activation, m=params["m"], sigma=params["sigma"])
    problem = dataclasses.replace(bare, y=samples[0].noisy / scale)
    start = initialise(problem, net)
    times = jnp.asarray(2 ** np.arange(params["doublings"] + 1))
    return Lesson(of.mixture, *samples, radius, scale, problem, start, ordinary_step(problem, start), times)


def _predict(params: dict, of: Population, seed: int) -> dict:
    """The level that is expected, its time, and the formula, from inputs alone."""
    lesson = _lesson(params, of, seed)
    n, times = params["n"], np.asarray(lesson.times)
    K, error = sample_kernel(dataclasses.replace(lesson.problem, X=lesson.X))
    K = np.asarray(K)
    noises = np.asarray(covariance(of.mixture, lesson.learn.t, lesson.learn.x))
    found = expected(K[:n, :n], K[n:, :n], np.asarray(lesson.learn.clean), np.asarray(lesson.test.clean), noises, times)
    best = int(np.argmin(found.mean))
    level = found.mean[best] + STANDARD_DEVIATIONS * found.deviation[best]
    kind = "exactly Gaussian label noise" if params["data"] == "gaussian" else "the deviation as if label noise were Gaussian"
    said = f"Expected at τ = {times[best]}: E‖f − f*‖² ≤ {level:.4g} = {FORMULA}; {kind}."
    metrics = {"level": level, "expected": found.mean[best], "deviation": found.deviation[best], "time": int(times[best])}
    return {
        "outcome": PREDICTED, "sentence": said, "note": "", "metrics": _plain(metrics | {"K_error": error}),
        "curves": {"mean": _list(found.mean), "bias": _list(found.bias), "deviation": _list(found.deviation)},
    }  # fmt: skip


def _learn(params: dict, of: Population, seed: int) -> dict:
    """Train, split the error, stop by each rule, sample."""
    lesson = _lesson(params, of, seed)
    n, times = params["n"], np.asarray(lesson.times)
    arrays = stages.predictions(lesson)
    if not np.isfinite(np.asarray(arrays[stages.NETWORK])).all():
        first = int(times[~np.isfinite(np.asarray(arrays[stages.NETWORK])).all(axis=(1, 2))][0])
        said = f"Training diverged: outputs were not finite by step {first} at η = {float(lesson.eta):.3g}."
        return {"outcome": DIVERGED, "sentence": said, "note": "", "metrics": {}}
    control = np.asarray(stages.trained_on_clean(lesson))[:, n:] * lesson.scale
    fitted, truth = np.asarray(arrays[stages.NETWORK])[:, n:], np.asarray(lesson.test.clean)
    wrong = np.mean(np.sum((control - truth[None]) ** 2, axis=2), axis=1)
    split, laws = stages.split(lesson, arrays), stages.discrepancies(lesson, arrays)
    half = params["test"] // 2  # the held-out labels stop, the other rows judge
    held, judged = np.asarray(lesson.test.noisy)[:half] / lesson.scale, slice(half, None)
    by_row = np.sum((lesson.scale * fitted - truth[None]) ** 2, axis=2)
    error, error_clean = by_row[:, judged].mean(axis=1), np.sum((control - truth[None]) ** 2, axis=2)[:, judged].mean(1)
    stop = held_out_time(fitted[:, :half], held)
    stop_clean = held_out_time(control[:, :half] / lesson.scale, np.asarray(lesson.test.clean)[:half] / lesson.scale)
    spectrum = np.linalg.eigvalsh(np.asarray(lesson.kernel))
    rule = critical_time(spectrum, _deviation(lesson), float(lesson.rate), times)
    measured = stages.score_error(lesson, jnp.asarray(fitted[stop]))
    broken = [f"{name} ({gap:.2g} > {allowed:.2g})" for name, (gap, allowed) in laws.items() if not gap <= allowed]
    gap, allowed = abs(measured - split.total[stop]), _identity_allowance(lesson, split.total[stop])
    if not gap <= allowed:
        broken.append(f"the score identity ({gap:.2g} > {allowed:.2g})")
    metrics = {
        "stop": times[stop], "rule": times[rule], "best": times[error.argmin()], "error": split.total[stop],
        "judged": error[stop], "judged_rule": error[rule], "judged_best": error.min(), "last": error[-1],
        "rise": error[-1] / error[stop], "rise_clean": error_clean[-1] / error_clean[stop_clean],
        "score_error": measured, "identity_gap": gap, "identity_allowed": allowed,
        "worst_law": max(each / most for each, most in laws.values()), "cross": split.cross[stop],
        "trivial": np.mean(np.sum(truth**2, axis=1)), "label_noise": float(jnp.mean(_traces(lesson))),
        "width_missed": _width_missed(lesson, spectrum[0], spectrum[-1]),
    } | _bounds(params, lesson)  # fmt: skip
    metrics |= {part: split.parts[place, stop] for place, part in enumerate(PARTS)}
    metrics |= {f"{part} at the end": split.parts[place, -1] for place, part in enumerate(PARTS)}
    row = {
        "outcome": INCONSISTENT if broken else LEARNED,
        "sentence": f"Broke its law: {', '.join(broken)}." if broken else f"Stopped at τ = {times[stop]} by the held-out set: E‖f − f*‖² = {split.total[stop]:.4g}.",
        "note": "", "metrics": _plain(metrics),
        "curves": {part: _list(split.parts[place]) for place, part in enumerate(PARTS)}
        | {"cross": _list(split.cross), "total": _list(split.total), "clean": _list(wrong), "by time": _by_time(params, lesson, by_row[stop])},
    }  # fmt: skip
    return _sampled(params, of, lesson, stop, seed, row) if seed < params["sampled"] else row


def _deviation(lesson: Lesson) -> float:
    """The standard deviation of a label's coordinate about f*, in label units."""
    return math.sqrt(float(jnp.mean(_traces(lesson))) / lesson.mixture.d) / lesson.scale


def _traces(lesson: Lesson):
    return jnp.trace(covariance(lesson.mixture, lesson.learn.t, lesson.learn.x), axis1=1, axis2=2)


def _identity_allowance(lesson: Lesson, total: float) -> float:
    """Rounding of the weighted score error: of two averages, seen through 1/α by the cancellation in x + h s."""
    near = 4 * stages.averaging_error(lesson) / float(jnp.min(signal(lesson.test.t)))
    return 2 * math.sqrt(total) * near + near**2


def _width_missed(lesson: Lesson, smallest: float, largest: float) -> float | None:
    """log₁₀ of the factor by which the score theorem's width, n³d³ (reconstructed), is missed; None where λ is
    below rounding, and the width infinite for all that is known."""
    if smallest <= 2 * len(lesson.kernel) * np.finfo(float).eps * largest:
        return None
    constants = {name: jnp.asarray(value) for name, value in (THEOREM_WIDTH | {"samples_power": 3.0}).items()}
    return float(theorem_width(lesson.problem, lesson.start, constants)) - math.log10(lesson.problem.m)


def _bounds(params: dict, lesson: Lesson) -> dict:
    """How often ‖x‖ ≤ ρ and ‖y‖ ≤ 1 fail, at the declared radius and at others."""
    x, size = np.asarray(lesson.x), math.sqrt(params["d"])
    shares = {f"beyond {r:g}√d": float(np.mean(np.linalg.norm(x, axis=1) > r * size)) for r in (1.0, 1.5, 2.0, 2.5, 3.0)}
    labels = np.linalg.norm(np.asarray(lesson.learn.noisy), axis=1) / lesson.scale
    return shares | {
        "clipped": float(np.mean(np.asarray(clipped(lesson.x, lesson.radius)[1]))),
        "long labels": float(np.mean(labels > 1 + 1e-12)),
    }


def _by_time(params: dict, lesson: Lesson, by_row: np.ndarray) -> list:
    """Mean error in bins of log t, null where a bin is empty."""
    edges = np.geomspace(params["earliest"], params["horizon"], BINS + 1)
    place = np.clip(np.searchsorted(edges, np.asarray(lesson.test.t)) - 1, 0, BINS - 1)
    return [float(by_row[place == index].mean()) if (place == index).any() else None for index in range(BINS)]


def _sampled(params: dict, of: Population, lesson: Lesson, stop: int, seed: int, row: dict) -> dict:
    """The row with samples by both equations, their distances to the truth, and pictures."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), 1), 4)
    count, dtype = params["paths"], lesson.x.dtype

    def at(t, key):
        pair = jax.random.split(key)
        return noised(
            jnp.full(count, t, dtype), drawn(of.mixture, pair[0], count), jax.random.normal(pair[1], (count, of.mixture.d))
        )

    times, start = grid(params["earliest"], params["horizon"], params["walk"]), at(params["horizon"], keys[0])
    truth = np.asarray(at(params["earliest"], keys[1]))
    net = dataclasses.replace(lesson.start, W=lesson.weights[stop])
    scores = {"exact": of_mixture(of.mixture), "learned": of_network(lesson.problem.activation, net, lesson.radius, lesson.scale)}  # fmt: skip
    walks = {
        (kind, name): reverse_sde(score, start, times, keys[2]) if kind == SDE else probability_flow(score, start, times[::2])
        for kind in (SDE, ODE) for name, score in scores.items()
    }  # fmt: skip
    metrics, said = dict(row["metrics"]), row["sentence"]
    for kind in (SDE, ODE):
        lost = next((walk for walk in (walks[kind, "exact"], walks[kind, "learned"]) if walk.diverged), None)
        if lost:
            row |= {"outcome": SAMPLER_DIVERGED, "sentence": f"{said} {kind}: {lost.sentence}"}
            continue
        for name, found in compared(walks[kind, "learned"].last, walks[kind, "exact"].last, truth, seed).items():
            metrics |= {f"{kind}, {name}: {key}": value for key, value in dataclasses.asdict(found).items()}
    pictures = {} if seed else _pictures(params, of, lesson, net, scores, walks, truth)
    return row | {"metrics": _plain(metrics), "pictures": pictures}


def _pictures(params: dict, of: Population, lesson: Lesson, net: Params, scores, walks, truth) -> dict:
    """Points of each sample, a score field in the first two coordinates, and digits, rounded for their size."""
    clouds = {"truth": truth} | {f"{kind}, {name}": walk.last for (kind, name), walk in walks.items()}
    pictures: dict = {"clouds": {name: np.round(each[:SHOWN, :2], 3).tolist() for name, each in clouds.items()}}
    side, t = np.linspace(-2, 2, ARROWS), 0.3
    if params["d"] >= 2:
        x = np.zeros((ARROWS**2, params["d"]))
        x[:, :2] = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        both = (jnp.full(len(x), t), jnp.asarray(x))
        pictures["field"] = {"t": t, "x": np.round(x[:, :2], 3).tolist()} | {
            name: np.round(np.asarray(score(*both))[:, :2], 3).tolist() for name, score in scores.items()
        }
    if len(of.centre):
        count, when = 10, jnp.full(10, params["earliest"])
        ends = {"truth": truth, "exact": walks[SDE, "exact"].last, "learned": walks[SDE, "learned"].last}
        pictures["images"] = {}
        for name, each in ends.items():
            x = jnp.asarray(each[:count])
            score = scores["exact"] if name == "truth" else scores[name]
            clean = (x + noise(when)[:, None] * score(when, x)) / signal(when)[:, None]
            pictures["images"][name] = np.round(of.centre + np.asarray(clean) @ of.basis, 2).tolist()
    return pictures


def _plain(metrics: dict) -> dict:
    """Numbers as JSON has them: null where not finite."""
    found = {name: float(value) for name, value in metrics.items() if value is not None}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def _list(values) -> list:
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in np.asarray(values).tolist()]


def _learned(cells: list[dict], **where) -> list[dict]:
    """The cells in which a network was trained, with these parameters."""
    own = [cell for cell in cells if cell["outcome"] in (LEARNED, SAMPLER_DIVERGED, INCONSISTENT)]
    return [cell for cell in own if all(cell["params"][name] == value for name, value in where.items())]


def _first(cells: list[dict]) -> dict:
    """The values that the axes have where they do not vary."""
    return {name: cells[0]["params"][name] for name in ALONE} if cells else {}


def _networks(cells: list[dict]) -> list[str]:
    return list(dict.fromkeys(cell["params"]["network"] for cell in cells))


QUANTITIES = (
    ("m", "coupling at the end", "coupling"),
    ("n", "label mismatch", "label mismatch at the held-out stop"),
    ("n", "stop", "held-out stopping time"),
    ("n", "error", "error at the held-out stop"),
)
"""(axis, metric, in words) of the exponents."""


def fits(cells: list[dict]) -> list[dict]:
    """How coupling falls with m; how label mismatch, stopping time and error move with n."""
    found, first = [], _first(cells)
    for network in _networks(cells):
        for axis, metric, words in QUANTITIES:
            fixed = {name: value for name, value in first.items() if name != axis}
            own = _learned(cells, network=network, **fixed)
            law = LAW.get(network) if axis == "m" else None
            found.append(exponent(own, metric, axis, f"{network}, {words}", law, RULE))
    return found


def _mean(values) -> tuple[float, float, float] | None:
    """(mean, low, high) by Student's t; geometric where all are positive.  None for fewer than two."""
    values = [value for value in values if value is not None]
    if len(values) < 2:
        return None
    if min(values) > 0:
        logs = mean_interval(np.log(values))
        return tuple(math.exp(min(each, 700.0)) for each in logs)  # type: ignore[return-value]
    return mean_interval(values)


def _span(values) -> str:
    found = _mean(values)
    return "{:.3g} [{:.3g}, {:.3g}]".format(*found) if found else "–"


def _metric(cells: list[dict], name: str) -> list:
    return [cell["metrics"][name] for cell in cells if cell["metrics"].get(name) is not None]


def levels(cells: list[dict]) -> list[dict]:
    """Each predicted level beside what was learned at its time: one row a network, over all n, draws and the
    first m and radius."""
    rows, first = [], _first(cells)
    fixed = {name: value for name, value in first.items() if name != "n"}
    for network in _networks(cells):
        said = {
            (cell["params"]["n"], cell["seed"]): cell["metrics"]
            for cell in cells
            if cell["outcome"] == PREDICTED and cell["params"]["network"] == network
            and all(cell["params"][name] == value for name, value in fixed.items())
        }  # fmt: skip
        pairs = []
        for cell in _learned(cells, network=network, **fixed):
            if (own := said.get((cell["params"]["n"], cell["seed"]))) is not None:
                pairs.append((own, cell["curves"]["total"][int(own["time"]).bit_length() - 1]))
        if pairs:
            reached = sum(error <= own["level"] for own, error in pairs)
            low, high = hold_rate_interval(reached, len(pairs))
            rows.append(
                {"network": network, "reached": reached, "draws": len(pairs), "low": low, "high": high}
                | {"verdict": "holds" if low >= REACHED else "violated" if high < REACHED else "undecided"}
                | {"ratio": [error / own["expected"] for own, error in pairs]}
            )
    return rows


def verdicts(cells: list[dict]) -> list[list[str]]:
    """What the study checks beside the claims of the catalogue: [statement, verdict, evidence]."""
    own, first = _learned(cells), _first(cells)
    if not own:
        return []
    worst, count = max(_metric(own, "worst_law")), len(own)
    broken = sum(cell["outcome"] == INCONSISTENT for cell in own)
    gap = max(cell["metrics"]["identity_gap"] / cell["metrics"]["identity_allowed"] for cell in own)
    rows = [
        ["each stage satisfies a law of its own", "violated" if worst > 1 else "holds", f"{broken} of {count} draws broke one; largest gap over allowance {worst:.2g}"],
        ["weighted score error = E‖f_W − f*‖² = sum of parts + cross terms", "violated" if gap > 1 else "holds", f"largest gap over rounding allowance {gap:.2g} on {count} draws; the score by differentiating log p_t"],
    ]  # fmt: skip
    for row in levels(cells):
        said = f"{row['reached']} of {row['draws']} draws, rate in [{row['low']:.2f}, {row['high']:.2f}]; learned / expected {_span(row['ratio'])}"
        rows.append([f"{row['network']}: reaches the level predicted before training with probability ≥ {REACHED:g}", row["verdict"], said])  # fmt: skip
    for network in _networks(own):
        at = _learned(cells, network=network, **first)
        noisy, clean = _mean(_metric(at, "rise")), _mean(_metric(at, "rise_clean"))
        if noisy and clean:
            verdict = "holds" if noisy[1] > 1 else "violated" if noisy[2] < 1 else "undecided"
            said = "error at the end over error at the held-out stop {:.3g} [{:.3g}, {:.3g}]; with clean labels {:.3g} [{:.3g}, {:.3g}]".format(*noisy, *clean)
            rows.append([f"{network}: noisy labels need early stopping", verdict, said])
    return rows


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Verdicts; the parts at the stop; stopping rules; exponents; bounds of the inputs; sampling."""
    own, first = _learned(cells), _first(cells)
    if not own:
        return []
    base = {network: _learned(cells, network=network, **first) for network in _networks(own)}
    at = ", ".join(f"{name} = {value:g}" for name, value in first.items())
    parts = [
        [network, *(_span(_metric(rows, part)) for part in (*PARTS, "cross", "error"))] for network, rows in base.items()
    ]  # fmt: skip
    stops = [
        [network, *(f"{np.median(_metric(rows, name)):.0f}" for name in ("stop", "rule", "best"))]
        + [_span([cell["metrics"][name] / cell["metrics"]["judged_best"] for cell in rows]) for name in ("judged", "judged_rule", "last")]
        for network, rows in base.items() if rows
    ]  # fmt: skip
    exponents = [[f["group"], f["x"], shown(f), "" if f["predicted"] is None else f"{f['predicted']:g}"] for f in fits]
    return [
        {"name": "what holds", "columns": ["statement", "verdict", "evidence"], "rows": verdicts(cells),
         "note": "Level: " + FORMULA + "; Cantelli's inequality gives the probability. The identity is also a claim of the catalogue, score-regression."},
        {"name": f"parts of the error at the held-out stop, {at}", "columns": ["network", *PARTS, "cross terms", "total"], "rows": parts,
         "note": "Mean squared differences over test rows, in units where E‖X_0‖² = d; geometric means with 95% t-intervals over draws (arithmetic for cross terms). Early stopping is measured against the limit τ → ∞, and approximation of that limit against the truth: where the limit is poor both are large and cancel in the cross terms."},
        {"name": "stopping", "columns": ["network", "held-out τ", "theory τ", "best τ", "error held-out / best", "error theory / best", "error at the end / best"], "rows": stops,
         "note": "Medians of τ; ratios on rows that no rule saw. Theory: local Rademacher complexity (Raskutti, Wainwright and Yu 2014) with the label noise known and norm 1, its constants being upper bounds."},
        {"name": "exponents", "columns": ["quantity", "of", "measured", "said before"], "rows": exponents},
        _bounds_table(own, first), *_sampling_tables(base),
    ]  # fmt: skip


def _bounds_table(own: list[dict], first: dict) -> dict:
    rows = []
    for radius in dict.fromkeys(cell["params"]["radius"] for cell in own):
        at = [c for c in own if c["params"]["radius"] == radius and all(c["params"][k] == v for k, v in first.items() if k != "radius")]
        shares = [f"{np.mean(_metric(at, name)):.2%}" for name in ("clipped", "long labels")]
        rows.append([f"{radius:g}√d", *shares, _span(_metric(at, "clipping")) if max(_metric(at, "clipping")) > 1e-20 else "0"])
    beyond = {name: np.mean(_metric(own, name)) for name in own[0]["metrics"] if name.startswith("beyond")}
    missed = _metric(own, "width_missed")
    needed = f"a factor 10^{min(missed):.0f} and more" if missed else "an infinite factor (λ(H(0)) is below rounding)"
    note = (
        "‖x̂‖ ≤ 1 holds after clipping, never surely before: of all X_t, "
        + ", ".join(f"{share:.2%} lie {name}" for name, share in beyond.items())
        + f". Labels are kept beyond the bound. The width that the score theorem assumes, c λ⁻² n³d³ e^(18B) log²(nd/δ) "
        f"(reconstructed, a parameter), is missed by {needed}."
    )
    return {"name": "do inputs and labels stay within the bounds", "columns": ["ρ", "inputs clipped", "labels with ‖y‖ > 1", "clipping part of the error"], "rows": rows, "note": note}  # fmt: skip


def _sampling_tables(base: dict) -> list[dict]:
    rows = []
    for network, cells in base.items():
        for kind in (SDE, ODE):
            for name in ("sliced Wasserstein", "MMD²"):
                for cell in cells:
                    found = {key: cell["metrics"].get(f"{kind}, {name}: {key}") for key in ("distance", "floor", "excess", "low", "high")}
                    if found["excess"] is not None:
                        excess = "{excess:.3g} [{low:.3g}, {high:.3g}]".format(**found)
                        word = "worse than exact" if found["low"] > 0 else "not told from exact"
                        rows.append([network, kind, name, str(cell["seed"]), f"{found['distance']:.3g}", f"{found['floor']:.3g}", excess, word])  # fmt: skip
    columns = ["network", "sampler", "distance", "draw", "learned", "exact (floor)", "excess, 95% bootstrap", ""]
    note = "Samples at the earliest t against fresh X_t; the floor is what the exact score reaches with the same sampler, start and noise."
    return [{"name": "samples", "columns": columns, "rows": rows, "note": note}] if rows else []


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Parts over training, stopping, the axes, errors over t, samples, fields, digits."""
    own, first = _learned(cells), _first(cells)
    if not own:
        return []
    base = [cell for cell in own if all(cell["params"][name] == value for name, value in first.items())]
    curves = {"kind": "curves", "series": "network", "x": "m"}
    fixed = {axis: {name: value for name, value in first.items() if name != axis} for axis in ("m", "n")}
    found = [
        {"kind": "lines", "name": "parts-over-training", "xlabel": "steps τ", "ylabel": "mean squared error", "rows": _over_training(base, (*PARTS, "total")),
         "bold": "total", "marks": _marks(base), "floor": 1e-4,
         "caption": "The five parts of the error over training and their measured total; bands: 95% t-intervals over draws. Dotted: the held-out stop; dashed: the rule from theory (medians). Parts below 10⁻⁴ of the largest are cut off. The parts do not add up to the total: cross terms do the rest."},
        {"kind": "lines", "name": "stopping", "xlabel": "steps τ", "ylabel": "E‖f_W − f*‖²", "rows": _labels_over_training(base) + _expected_over_training(cells, first), "marks": _marks(base), "floor": 1e-3,
         "caption": "Why noisy labels need early stopping: the same networks on noisy and on clean labels, and the error that kernel gradient descent at infinite width was expected to have, written before training. Bands: 95% t-intervals over draws."},
        curves | {"name": "coupling-against-m", "xlabel": "width m", "y": "coupling at the end", "ylabel": "coupling part at the end", "where": fixed["m"],
                  "references": [{"label": "m⁻⁴, said before (smooth)", "exponent": -4}, {"label": "m⁻¹, said before (ReLU)", "exponent": -1}],
                  "caption": "The network against kernel gradient descent on the same labels, at the last step. Median and range over draws; dashed lines through the first network's first point."},
        curves | {"name": "label-mismatch-against-n", "x": "n", "xlabel": "samples n", "y": "label mismatch", "ylabel": "label mismatch at the held-out stop", "where": fixed["n"], "references": [],
                  "caption": "What noise in the labels costs at the held-out stop. Median and range over draws."},
        curves | {"name": "stop-against-n", "x": "n", "xlabel": "samples n", "y": "stop", "ylabel": "held-out stopping time τ", "where": fixed["n"], "references": [],
                  "caption": "Held-out stopping time, a power of two. Median and range over draws."},
        {"kind": "lines", "name": "error-over-time", "xlabel": "diffusion time t", "ylabel": "weighted score error, E‖f_W − f*‖²", "rows": _over_time(base), "marks": [],
         "caption": "Where along the diffusion the error sits, at the held-out stop: bins of log t. Bands: 95% t-intervals over draws."},
    ]  # fmt: skip
    excess = [
        {"label": f"{cell['params']['network']}, {kind}, draw {cell['seed']}"} | {key: cell["metrics"][f"{kind}, sliced Wasserstein: {name}"] for key, name in (("value", "excess"), ("low", "low"), ("high", "high"))}
        for cell in base for kind in (SDE, ODE) if cell["metrics"].get(f"{kind}, sliced Wasserstein: excess") is not None
    ]  # fmt: skip
    found.append(
        {"kind": "forest", "name": "sampling-excess", "rows": excess, "log": False, "zero": True, "xlabel": "sliced Wasserstein distance beyond that of the exact score",
         "predicted": "", "caption": "How much farther from the truth the learned score's samples are than the exact score's; 95% bootstrap intervals."}
    )  # fmt: skip
    drawn = {cell["params"]["network"]: cell["pictures"] for cell in base if cell.get("pictures")}
    return found + _picture_figures(drawn)


def _picture_figures(drawn: dict) -> list[dict]:
    found: list[dict] = []
    if drawn:
        name, first = next(iter(drawn.items()))
        panels = [{"title": title.replace("learned", name), "points": points} for title, points in first["clouds"].items()]
        panels += [{"title": title.replace("learned", other), "points": each["clouds"][title]}
                   for other, each in drawn.items() if other != name for title in each["clouds"] if "learned" in title]  # fmt: skip
        found.append({"kind": "clouds", "name": "samples", "panels": panels, "caption": "Samples at the earliest t, first two coordinates: fresh data, the exact score's, the learned scores'."})  # fmt: skip
        if "field" in first:
            field = first["field"]
            panels = [{"title": "exact score", "x": field["x"], "v": field["exact"]}]
            panels += [{"title": f"{other}, learned", "x": each["field"]["x"], "v": each["field"]["learned"]} for other, each in drawn.items()]
            found.append({"kind": "field", "name": "score-field", "panels": panels, "caption": f"The score at t = {field['t']:g} in the plane of the first two coordinates, the others 0."})  # fmt: skip
        if "images" in first:
            rows = [{"label": label, "images": first["images"][key]} for label, key in (("data, denoised", "truth"), ("exact score", "exact"))]
            rows += [{"label": other, "images": each["images"]["learned"]} for other, each in drawn.items()]
            found.append({"kind": "images", "name": "digits", "side": 8, "rows": rows, "caption": "Digits from the reverse SDE, denoised once at its end, in the principal components kept; above: data at the earliest t, denoised."})  # fmt: skip
    return found


def _band(groups: dict) -> list[dict]:
    """One record for each (panel, series, x) with the mean and its interval."""
    rows = []
    for (panel, series, x), values in groups.items():
        if (found := _mean(values)) is not None:
            rows.append({"panel": panel, "series": series, "x": x} | dict(zip(("value", "low", "high"), found, strict=True)))
    return rows  # fmt: skip


def _grouped(cells: list[dict], series: dict) -> list[dict]:
    """`series` names curves: curve → how the figure calls it; x is the step."""
    groups: dict[tuple, list] = {}
    for cell in cells:
        for curve, name in series.items():
            for place, value in enumerate(cell["curves"][curve]):
                groups.setdefault((cell["params"]["network"], name, 2**place), []).append(value)
    return _band(groups)


def _over_training(base: list[dict], names) -> list[dict]:
    return _grouped(base, {name: name for name in names})


def _labels_over_training(base: list[dict]) -> list[dict]:
    return _grouped(base, {"total": NOISY, "clean": CLEAN})


def _expected_over_training(cells: list[dict], first: dict) -> list[dict]:
    said = [cell for cell in cells if cell["outcome"] == PREDICTED and all(cell["params"][k] == v for k, v in first.items())]
    return _grouped(said, {"mean": "noisy labels, expected"})


def _over_time(base: list[dict]) -> list[dict]:
    groups: dict[tuple, list] = {}
    for cell in base:
        edges = np.geomspace(cell["params"]["earliest"], cell["params"]["horizon"], BINS + 1)
        for place, value in enumerate(cell["curves"]["by time"]):
            middle = float(np.sqrt(edges[place] * edges[place + 1]))
            groups.setdefault(("", cell["params"]["network"], middle), []).append(value)
    return _band(groups)


def _marks(base: list[dict]) -> list[dict]:
    """Median stopping times of each network, drawn as vertical lines."""
    found = []
    for network in _networks(base):
        own = [cell for cell in base if cell["params"]["network"] == network]
        for name, style in (("stop", "dotted"), ("rule", "dashed")):
            found.append({"panel": network, "x": float(np.median(_metric(own, name))), "style": style})
    return found


def answer(cells: list[dict], fits: list[dict]) -> str:
    """Which part dominates, whether stopping matters, what the level said, how the samples are."""
    own, first = _learned(cells), _first(cells)
    if not own:
        return "No network has been trained yet."
    said = []
    for network in _networks(own):
        rows = _learned(cells, network=network, **first)
        if not rows:
            continue
        sizes = {part: float(np.median(_metric(rows, part))) for part in PARTS}
        error, trivial = np.median(_metric(rows, "error")), np.median(_metric(rows, "trivial"))
        largest = max(("coupling", "label mismatch", "clipping"), key=lambda part: sizes[part])
        said.append(
            f"{network} reaches E‖f − f*‖² = {_span(_metric(rows, 'error'))}, {error / trivial:.0%} of what the constant 0 has; "
            f"coupling {sizes['coupling']:.2g}, label mismatch {sizes['label mismatch']:.2g}, clipping {sizes['clipping']:.2g} ({largest} is the largest of these), "
            f"training to the end instead of stopping multiplies the error by {_span(_metric(rows, 'rise'))}"
        )
    where = ", ".join(f"{name} = {value:g}" for name, value in first.items())
    levelled = "; ".join(f"{row['network']} {row['reached']} of {row['draws']}" for row in levels(cells))
    coupled = "; ".join(f"{fit['group'].split(',')[0]} m^{shown(fit)}" for fit in fits if fit["x"] == "m" and fit["exponent"] is not None)
    return (
        f"At {where}, stopped by a held-out set: {'. '.join(said)}. The coupling part falls as {coupled or 'no fit'}. "
        f"The level written before training was reached by {levelled or 'nothing to compare'}."
    )
