"""Score matching: the truth is exact, every part of the error has a second route, samplers meet diffrax."""

import dataclasses
import itertools
import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import alike
from hypothesis import given, settings
from hypothesis import strategies as st
from mixtures import mixture_of
from scipy.stats import truncnorm

from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.diffusion import learned as measures
from ntkverify.diffusion import stages
from ntkverify.diffusion.laws import Laws
from ntkverify.diffusion.learned import lesson, population
from ntkverify.diffusion.levels import expected
from ntkverify.diffusion.regression import clipped, embedded, sample, seen
from ntkverify.diffusion.rows import levels
from ntkverify.diffusion.stopping import critical_time, held_out_time
from ntkverify.diffusion.walks import sampled
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import mean_interval
from ntkverify.ground.results import load
from ntkverify.networks.kernels.autodiff import autodiff
from ntkverify.networks.training import train, weights_at
from ntkverify.report.page import command
from ntkverify.report.pictures import images
from ntkverify.studies import diffusion
from ntkverify.truths.mixtures import (
    atoms,
    covariance,
    denoiser,
    differentiated_score,
    exact_score,
    gaussians,
    log_density,
    mean,
    total_variance,
)
from ntkverify.truths.process import check_times, noise, noised, score, signal, smallest_time, weight

TINY = diffusion.COMMON | {
    "network": "softmax", "n": 12, "m": 32, "radius": 0.8, "doublings": 6, "test": 16, "draws": 2, "sampled": 1,
    "paths": 40, "walk": 12, "task": "learn",
}  # fmt: skip


@pytest.fixture(scope="module")
def own():
    return lesson(TINY, population(TINY), 0)


@pytest.fixture(scope="module")
def laws(own):
    return Laws(own)


@pytest.fixture(scope="module")
def arrays(own):
    return stages.predictions(own)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(1, 2), (3, 3)]), st.floats(0.01, 6.0))
def test_three_routes_to_the_score_of_a_mixture_agree(seed, shape, time):
    """Component by component, through the denoiser, and by differentiating the log density."""
    mixture, rng = mixture_of(seed, *shape)
    x, t = jnp.asarray(3 * rng.standard_normal((4, shape[0]))), jnp.full(4, time)
    right = differentiated_score(mixture, t, x)
    size = float(jnp.abs(right).max()) + 1 / math.sqrt(float(noise(t)[0]))
    for other in (exact_score(mixture, t, x), score(t, x, denoiser(mixture, t, x))):
        assert float(jnp.abs(other - right).max()) <= 1e-10 * size
    for wrong in (score(t, x, denoiser(mixture, t, x) / signal(t)[:, None]), -right):
        assert float(jnp.abs(wrong - right).max()) > 1e-4 * size


def test_log_density_is_that_of_the_mixture_and_covariance_is_tweedies():
    mixture, rng = mixture_of(0, 2, 3)
    x, t = jnp.asarray(rng.standard_normal((5, 2))), jnp.full(5, 0.7)
    alpha, h = float(signal(t)[0]), float(noise(t)[0])
    for row in range(5):
        total = 0.0
        for k in range(3):
            axes = jnp.asarray(mixture.axes)[k]
            C = alpha**2 * (axes * mixture.variances[k][None]) @ axes.T + h * jnp.eye(2)
            away = x[row] - alpha * mixture.means[k]
            size = math.sqrt((2 * math.pi) ** 2 * float(jnp.linalg.det(C)))
            total += math.exp(float(mixture.log_weights[k]) - float(away @ jnp.linalg.solve(C, away)) / 2) / size
        assert float(log_density(mixture, t, x)[row]) == pytest.approx(math.log(total), rel=1e-12)
    bend = jax.vmap(jax.hessian(lambda x: log_density(mixture, t[:1], x[None])[0]))(x)
    assert jnp.allclose(covariance(mixture, t, x), h / alpha**2 * (jnp.eye(2)[None] + h * bend), atol=1e-12)


def test_one_gaussian_has_a_linear_denoiser_and_atoms_a_softmax_average():
    mixture = gaussians([1.0], [[0.5, -1.0]], [np.diag([0.3, 2.0])])
    x, t = jnp.asarray([[1.0, 2.0], [-3.0, 0.1]]), jnp.asarray([0.2, 1.5])
    alpha, h, s = signal(t)[:, None], noise(t)[:, None], jnp.asarray([[0.3, 2.0]])
    mu = jnp.asarray([[0.5, -1.0]])
    assert jnp.allclose(denoiser(mixture, t, x), mu + alpha * s / (alpha**2 * s + h) * (x - alpha * mu), atol=1e-13)
    points = jnp.asarray(np.random.default_rng(0).standard_normal((7, 2)))
    logits = (alpha * (x @ points.T) - alpha**2 * jnp.sum(points**2, axis=1)[None] / 2) / h
    assert jnp.allclose(denoiser(atoms(points), t, x), jax.nn.softmax(logits, axis=1) @ points, atol=1e-13)


def populated(name):
    params = TINY | diffusion.DATA[name] | {"data": name}
    return population(params | {"components": min(params["components"], 60)})


@pytest.mark.parametrize("name", catalogue.POPULATIONS)
def test_populations_are_standardised(name):
    of = populated(name)
    assert of.origin
    assert jnp.allclose(mean(of.mixture), 0, atol=1e-12)
    assert float(total_variance(of.mixture)) == pytest.approx(of.mixture.d)


@pytest.mark.parametrize("name", ["mixture", "moons"])
def test_labels_are_unbiased_and_as_noisy_as_the_covariance_says(name):
    of = populated(name)
    found = sample(of.mixture, jax.random.key(0), 4000, 0.05, 4.0)
    gap = np.asarray(found.noisy - found.clean)
    assert np.abs(gap.mean(axis=0)).max() < 5 * gap.std() / math.sqrt(4000)
    traces = jnp.trace(covariance(of.mixture, found.t, found.x), axis1=1, axis2=2)
    assert float(jnp.mean(traces)) == pytest.approx(float(np.mean(np.sum(gap**2, axis=1))), rel=0.1)
    assert float(found.t.min()) >= 0.05
    assert float(found.t.max()) <= 4.0


def test_digits_are_pictures_again():
    of = population(TINY | {"data": "digits", "d": 64, "components": 50})
    image = of.centre + np.asarray(of.mixture.means[0]) @ of.basis
    assert image.min() > -1e-9
    assert image.max() < 16 + 1e-9
    assert np.allclose(image, np.round(image))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), st.floats(1e-6, 50.0), st.floats(0.01, 100.0))
def test_inputs_never_leave_the_unit_ball(point, time, radius):
    x = jnp.asarray([point])
    assert float(jnp.linalg.norm(embedded(jnp.asarray([time]), x, radius))) <= 1
    inside, out = clipped(x, radius)
    assert bool(out[0]) == (math.hypot(*point) > radius)
    assert float(jnp.linalg.norm(inside)) <= radius * (1 + 1e-12)


def test_what_clipped_inputs_teach_is_the_truncated_mean():
    """In one dimension E[X_0 | X_t > ρ] is known: f* is linear and X_t Gaussian."""
    mixture, t, rho = gaussians([1.0], [[0.0]], [[[1.5]]]), jnp.asarray([0.4, 0.4]), 0.7
    alpha, h = float(signal(t)[0]), float(noise(t)[0])
    spread = math.sqrt(alpha**2 * 1.5 + h)
    beyond = spread * float(np.asarray(truncnorm.mean(rho / spread, np.inf)))
    found = seen(mixture, t, jnp.asarray([[0.9], [0.3]]), rho)
    assert float(found[0, 0]) == pytest.approx(alpha * 1.5 / spread**2 * beyond, rel=1e-9)
    assert float(found[1, 0]) == pytest.approx(alpha * 1.5 / spread**2 * 0.3, rel=1e-12)


def test_weights_at_given_steps_are_those_of_train(own):
    times = jnp.asarray([1, 5, 40])
    found = weights_at(own.problem, own.start, own.eta, times)
    start = jax.tree.map(lambda leaf: leaf[None], own.start)
    run = train(own.problem, start, own.eta[None], target=0.0, budget=40)
    assert jnp.allclose(found[-1], run.last.W[0], atol=1e-12)
    assert not jnp.allclose(found[0], found[1])


@pytest.mark.slow
def test_every_stage_satisfies_its_law(own, laws, arrays):
    assert bool(clipped(own.x, own.radius)[1].any())
    for name, (gap, allowed) in laws.gaps(arrays).items():
        assert gap <= allowed, name
        assert allowed < 1e-3, name


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(stages.STAGES, 2)])
def test_mixing_up_two_stages_is_caught(own, laws, arrays, one, other):
    assert float(jnp.abs(arrays[one] - arrays[other]).max()) > 1e-6
    mixed = arrays | {one: arrays[other], other: arrays[one]}
    told = stages.split(own, mixed).total  # the telescoped sum itself may notice nothing
    broken = [name for name, (gap, allowed) in laws.gaps(mixed).items() if not gap <= allowed]
    assert broken
    assert set(broken) <= {one, other}
    if {one, other} <= set(stages.STAGES[1:-1]):
        assert told == pytest.approx(stages.split(own, arrays).total)


def test_the_split_adds_up_to_the_weighted_score_error(own, arrays):
    found = stages.split(own, arrays)
    for place in (0, 3, 6):
        fitted = arrays[stages.NETWORK][place, own.problem.n :]
        assert stages.score_error(own, fitted) == pytest.approx(found.total[place], rel=1e-10)
        s = score(own.test.t, own.test.x, fitted)  # the label scale forgotten
        away = s - exact_score(own.mixture, own.test.t, own.test.x)
        assert float(jnp.mean(weight(own.test.t) * jnp.sum(away**2, axis=1))) != pytest.approx(
            found.total[place], rel=0.01
        )
    assert found.parts.shape == (len(stages.PARTS), 7)
    assert (found.parts >= 0).all()


@pytest.mark.slow
def test_the_kernel_of_a_lesson_is_that_of_automatic_differentiation(own):
    assert jnp.allclose(own.kernel, autodiff(own.problem, own.start), atol=1e-12)
    every = autodiff(dataclasses.replace(own.problem, X=own.X), own.start)
    assert jnp.allclose(own.across, every[: own.kernel.shape[0]], atol=1e-12)


@pytest.mark.slow
def test_the_expected_error_is_that_of_drawn_labels():
    """One Gaussian, so that label noise is Gaussian: mean and deviation against 4,000 draws of the labels."""
    params = TINY | {"data": "gaussian", "components": 1, "n": 10, "test": 20, "radius": 2.0}
    own = lesson(params, population(params), 0)
    rng, n, times = np.random.default_rng(0), 10, np.array([1, 16])
    X = np.asarray(own.X)
    K = (X @ X.T) * np.exp(X @ X.T)
    noises = np.asarray(covariance(own.mixture, own.learn.t, own.learn.x))
    learn, test = np.asarray(own.learn.clean), np.asarray(own.test.clean)
    found = expected(K[:n, :n], K[n:, :n], learn, test, noises, times)
    roots = np.linalg.cholesky(noises)
    errors = np.zeros((4000, 2))
    rate = 1 / np.linalg.eigvalsh(K[:n, :n])[-1]
    y = learn[None] + np.einsum("iab,sib->sia", roots, rng.standard_normal((4000, n, 2)))
    c = np.zeros_like(y)
    for step in range(1, 17):
        c = c + rate * (y - np.einsum("ij,sja->sia", K[:n, :n], c))
        if step in times:
            away = np.einsum("ij,sja->sia", K[n:, :n], c) - test[None]
            errors[:, list(times).index(step)] = np.mean(np.sum(away**2, axis=2), axis=1)
    assert errors.mean(axis=0) == pytest.approx(found.mean, rel=0.02)
    assert errors.std(axis=0) == pytest.approx(found.deviation, rel=0.06)
    assert (found.bias < found.mean).all()


def test_stopping_rules():
    values, times = 100 * np.exp(-np.arange(50.0)), 2 ** np.arange(14)
    places = [critical_time(values, deviation, 1 / 100, times) for deviation in (0.01, 0.1, 1.0)]
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1]
    fitted = np.array([0.0, 1.0, 1.9, 4.0]).reshape(4, 1, 1) * np.ones((1, 5, 2))
    assert held_out_time(fitted, 2 * np.ones((5, 2))) == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: gaussians([1.0], [[0.0, 0.0]], [np.diag([1.0, 0.0])]), "degenerate"),
        (lambda: gaussians([1.0], [[0.0, 0.0]], [np.array([[1.0, 0.5], [0.0, 1.0]])]), "not symmetric"),
        (lambda: gaussians([0.5, 0.6], np.zeros((2, 1)), np.ones((2, 1, 1))), "sum to 1"),
        (lambda: gaussians([1.0], [[np.nan]], [[[1.0]]]), "not finite"),
        (lambda: check_times(0.0, 4.0), r"times in \(0, T\]"),
        (lambda: check_times(5.0, 4.0), r"times in \(0, T\]"),
        (lambda: check_times(1e-20, 4.0), "smallest usable t"),
        (lambda: check_times(1e-15, 4.0), "smallest usable t"),
        (lambda: check_times(1e-8, 4.0, "float32"), "smallest usable t"),
        (lambda: check_times(0.1, 1e5), "α_T² is 0"),
        (lambda: check_times(0.1, 800.0), "α_T² is 0"),
    ],
)
def test_what_has_no_score_is_refused(make, said):
    with pytest.raises(BadInput, match=said):
        make()


SMOOTH = gaussians([1.0], [[0.6, -0.3]], [np.diag([0.3, 0.5])])


def test_at_the_smallest_usable_time_half_of_the_digits_are_left():
    """A score read off the denoiser, against balls of 60 digits; at t = 1e-15 it has none where p_0 is smooth."""
    least = smallest_time("float64")
    for mixture, t, most in ((SMOOTH, least, 1e-7), (atoms(SMOOTH.means), least, 1e-7), (SMOOTH, 1e-15, math.inf)):
        x = noised(jnp.asarray([t]), SMOOTH.means + 0.7, jnp.asarray([[0.9, -1.1]]))
        right = score_in_balls(mixture, t, np.asarray(x)[0])
        through, exact = (
            np.linalg.norm(np.asarray(each)[0] - right) / np.linalg.norm(right)
            for each in (
                score(jnp.asarray([t]), x, denoiser(mixture, jnp.asarray([t]), x)),
                exact_score(mixture, jnp.asarray([t]), x),
            )
        )
        assert through <= most
        assert exact <= 1e-12
    assert through > 1e-2  # at t = 1e-15, which is refused


def score_in_balls(mixture, t, x):
    """∇log p_t(x), components along coordinate axes, from the definition in balls of 60 digits."""
    with flint.ctx.workdps(60):
        alpha = (-flint.arb(t) / 2).exp()
        h, logs, pulls = 1 - alpha**2, [], []
        for k in range(mixture.k):
            spread = [alpha**2 * flint.arb(float(v)) + h for v in np.broadcast_to(mixture.variances[k], x.shape)]
            away = [flint.arb(float(a)) - alpha * flint.arb(float(b)) for a, b in zip(x, mixture.means[k], strict=True)]
            pulls.append([-r / v for r, v in zip(away, spread, strict=True)])
            terms = [r**2 / v + v.log() for r, v in zip(away, spread, strict=True)]
            logs.append(flint.arb(float(mixture.log_weights[k])) - sum(terms, flint.arb(0)) / 2)
        top = max(logs, key=float)
        shares = [(each - top).exp() for each in logs]
        total = sum(shares, flint.arb(0))
        return np.array([float(sum((s * p[i] for s, p in zip(shares, pulls, strict=True)), flint.arb(0)) / total) for i in range(len(x))])  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drift", "--data", "moons"], "a study of its own data"),
        (["width", "--data", "mixture"], "a study of its own data"),
        (["diffusion", "--data", "moon"], "'moons'"),
        (["diffusion", "--grid", "data=digts"], "'digits'"),
        (["diffusion", "--grid", "n=2"], "at least as many samples as components"),
        (["diffusion", "--grid", "earliest=1e-20"], "smallest usable t"),
        (["diffusion", "--grid", "earliest=9"], "(0, T]"),
        (["diffusion", "--grid", "d=100000"], "memory is estimated"),
        (["diffusion", "--data", "moons", "--grid", "d=3"], "d = 3 for moons"),
        (["diffusion", "--data", "digits", "--grid", "d=65"], "d = 65 for digits"),
        (["diffusion", "--data", "gaussian", "--grid", "components=2"], "components = 2 for gaussian"),
        (["diffusion", "--grid", "sampled=9"], "sampled = 9"),
        (["diffusion", "--grid", "task=learn,dream"], "one of predict, learn"),
    ],
)
def test_what_the_study_cannot_do_is_refused(words, said, capsys, tmp_path):
    assert cli.main(["study", *words, "--out", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_study_runs_resumes_and_wrote_its_levels_first(tmp_path, capsys, monkeypatch):
    small = [
        f"{name}={TINY[name]}"
        for name in ("network", "n", "m", "radius", "doublings", "test", "draws", "sampled", "paths", "walk")
    ]
    words = ["study", "diffusion", "--data", "mixture", "--out", str(tmp_path), "--grid", *small]
    assert cli.main(words) == 0
    results = load(tmp_path)
    assert results["complete"]
    assert [cell["outcome"] for cell in results["cells"]] == ["predicted"] * 2 + ["learned"] * 2
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        tasks = [json.loads(row)["task"] for (row,) in connection.execute("SELECT params FROM cells ORDER BY rowid")]
    assert tasks == ["predict", "learn"]
    assert "standard deviations over label noise" in results["cells"][0]["sentence"]
    assert not any("pictures" in cell for cell in results["cells"])
    page = (tmp_path / "report.html").read_text()
    names = {figure["name"] for figure in results["figures"]}
    assert names == {"samples", "score-field", "parts-over-training", "stopping", "error-over-time", "sampling-excess"}
    assert page.count("<figure>") == len(list((tmp_path / "figures").glob("*.csv"))) == len(names)
    monkeypatch.setattr(diffusion, "evaluate", None)
    assert cli.main(words) == 0
    assert load(tmp_path)["answer"] == results["answer"]
    capsys.readouterr()


def test_digits_are_drawn():
    rows = [{"label": "data", "images": np.zeros((2, 64)).tolist()}]
    drawing = images({}, {"name": "digits", "side": 8, "rows": rows, "caption": ""})
    assert drawing is not None
    assert drawing.svg.count("<image") == 2
    assert drawing.csv.count("\n") == 129


def test_training_or_sampling_that_diverges_is_an_outcome(own):
    lost = measures.learn(TINY, dataclasses.replace(own, eta=jnp.asarray(1e3)))
    assert lost["outcome"] == "diverged"
    assert "Training diverged" in lost["sentence"]
    row = {"outcome": "learned", "sentence": "Stopped.", "metrics": {"stop": 4.0}}
    walked = sampled(TINY, population(TINY), dataclasses.replace(own, scale=1e9), row, 0, pictures=False)
    assert walked["outcome"] == "sampler diverged"
    assert "The sampler diverged: 40 of 40 paths" in walked["sentence"]


@pytest.mark.parametrize(
    "wrong", [lambda t, x, f: -score(t, x, f), lambda t, x, f: score(t, x, f / signal(t)[:, None])], ids=["sign", "α_t"]
)
def test_a_wrong_score_is_refuted_by_the_study(own, monkeypatch, wrong):
    """The identity that the study checks at every stop; the claim score-regression has the same twins."""

    def error(own, fitted):
        t, x = own.test.t, own.test.x
        away = wrong(t, x, own.scale * fitted) - differentiated_score(own.mixture, t, x)
        return float(jnp.mean(weight(t) * jnp.sum(away**2, axis=1)))

    assert measures.learn(TINY, own)["outcome"] == "learned"
    monkeypatch.setattr(measures, "score_error", error)
    row = measures.learn(TINY, own)
    assert row["outcome"] == "inconsistent"
    assert "the score identity" in row["sentence"]


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "name",
    [
        "diffusion",
        "diffusion-gaussian",
        "diffusion-level",
        "diffusion-moons",
        "diffusion-swissroll",
        "diffusion-digits",
        "diffusion-digits-wide",
    ],
)
def test_committed_results_say_what_their_rows_say(name):
    """Fits, tables, figures and answer follow from the cells, and the finding quotes answer and verdicts."""
    results = json.loads((DOCS / "results" / name / "results.json").read_text())
    assert results["complete"]
    fits = diffusion.fits(results["cells"])
    assert fits == [pytest.approx(fit) for fit in results["fits"]]
    assert alike(diffusion.tables(results["cells"], fits), results["tables"])
    assert alike(diffusion.answer(results["cells"], fits), results["answer"])
    drawn = {figure["name"] for figure in results["figures"]}
    assert drawn >= {path.stem for path in (DOCS / "results" / name).glob("*.svg")} > set()
    finding = (DOCS / "findings" / "diffusion.md").read_text()
    assert results["answer"] in finding
    assert command(results) in finding
    holding, *_ = results["tables"]
    assert all("| " + " | ".join(row) + " |" in finding for row in holding["rows"])


def test_one_gaussian_reaches_the_level_that_was_written_before_training():
    for name, draws in (("diffusion-gaussian", 24), ("diffusion-level", 180)):
        cells = json.loads((DOCS / "results" / name / "results.json").read_text())["cells"]
        for row in levels(cells):
            assert row["verdict"] == "holds" if draws > 24 else row["verdict"] != "violated"
            assert row["draws"] == draws
            middle, low, high = mean_interval(np.log(row["ratio"]))
            assert low < 0.1
            assert abs(middle) < 0.2, high  # within a factor 1.2 of what was expected
