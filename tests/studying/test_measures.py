"""Smallest widths, steps and regions: planted answers are recovered, and what is not known is an interval."""

import json
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import alike, make

from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.ground.results import load
from ntkverify.networks.ascent import ascend, on_sphere
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import outputs, residual
from ntkverify.studies import region, steps, table1
from ntkverify.studies import width as width_study
from ntkverify.studying.cells import linearised_steps, pairs_problem, spectrum, width
from ntkverify.studying.fits import joint
from ntkverify.studying.widths import ENOUGH, TOO_FEW, UNDECIDED, Trial, smallest_width


def planted(star: float, rng, seeds=40, delta=0.2, sharpness=6.0, plateau=1.0):
    """Trials whose success rate crosses 1 − δ at m = star."""
    shift = math.log((1 - delta) / delta) / sharpness

    def attempt(m):
        rate = plateau / (1 + math.exp(-sharpness * (math.log(m / star) + shift)))
        return Trial(m, int(rng.binomial(seeds, rate)), seeds, 1.0, delta)

    return attempt


def test_decisions_follow_the_interval():
    decisions = [Trial(2, successes, 40, 1.0, 0.2).decision for successes in (26, 27, 37, 38)]
    assert decisions == [TOO_FEW, UNDECIDED, UNDECIDED, ENOUGH]


@pytest.mark.parametrize("star", [3.0, 20.0, 300.0])
def test_the_bracket_holds_the_planted_width(star):
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        found = smallest_width(planted(star, rng), 6, 4096)
        assert found.high is not None
        inside += found.low < star * 1.05 and star <= found.high * 1.05 + 2
        assert all(trial.m % 2 == 0 for trial in found.trials)
    assert inside >= 90


def test_a_rate_that_stays_undecided_is_an_interval_and_one_that_fails_is_not_found():
    rng = np.random.default_rng(1)
    found = smallest_width(planted(20, rng, sharpness=0.7, seeds=40), 6, 10**5)
    assert found.high is not None
    assert not found.decided
    never = smallest_width(planted(20, rng, plateau=0.5), 6, 256)
    assert never.high is None
    assert max(trial.m for trial in never.trials) == 256
    sharp = smallest_width(planted(19, rng, sharpness=200), 6, 4096)
    assert sharp.decided
    assert sharp.high is not None
    assert sharp.low < 19 <= sharp.high


def made_up(a: float, b: float, rng, draws=5):
    """Cells of the width study whose m* follows 3 n^a λ^b, searched through noisy trials."""
    cells = []
    for n in (8, 12, 16):
        for angle in (0.4, 0.8, 1.2):
            for seed in range(draws):
                lam = angle**2 / n * math.exp(0.3 * rng.standard_normal())
                found = smallest_width(planted(3 * n**a * lam**b, rng), 4, 10**9)
                metrics = {"lambda": lam, "middle": math.sqrt(max(found.low, 2) * (found.high or 1))}
                metrics |= {"low": found.low, "high": found.high, "floor": 4, "ratio": 1.0, "log10_bound": 9.0}
                params = {"network": "softmax", "n": n, "separation": angle, "d_out": 2, "epsilon": 0.1}
                outcome = "decided" if found.decided else "interval"
                row = {
                    "params": params,
                    "seed": seed,
                    "outcome": outcome,
                    "metrics": metrics | {"implied_constant": 1.0},
                }
                cells.append(row)
    return cells


@pytest.mark.parametrize(("a", "b"), [(2.0, -2.0), (1.0, 0.0), (1.0, -1.0)])
@pytest.mark.slow
def test_a_planted_law_is_recovered_by_the_joint_fit(a, b):
    rng, covered = np.random.default_rng(2), 0
    cases = [made_up(a, b, rng) for _ in range(20)]
    for cells in cases:
        in_n, in_lambda = joint(cells, "middle", ("n", "lambda"), "softmax", (2.0, -2.0), "all")
        covered += (in_n["low"] <= a <= in_n["high"]) + (in_lambda["low"] <= b <= in_lambda["high"])
        assert abs(in_n["exponent"] - a) < 0.7
        assert abs(in_lambda["exponent"] - b) < 0.5
    assert covered >= 34  # of 40 intervals of 95%
    in_n, in_lambda = joint(cases[0], "middle", ("n", "lambda"), "softmax", (2.0, -2.0), "all")
    answer = width_study.answer(cases[0], width_study.fits(cases[0]))
    assert f"n^{in_n['exponent']:.2f}" in answer
    assert f"λ^{in_lambda['exponent']:.2f}" in answer


def test_collinear_n_and_lambda_give_no_joint_fit():
    cells = [
        {"params": {"n": n}, "metrics": {"lambda": 1.0 / n, "middle": float(n)}, "seed": seed}
        for n in (4, 8, 16, 32) for seed in (0, 1)
    ]  # fmt: skip
    assert {fit["exponent"] for fit in joint(cells, "middle", ("n", "lambda"), "", (2.0, -2.0), "")} == {None}


def test_linearised_steps_are_those_of_the_linear_recursion():
    rng = np.random.default_rng(0)
    rates, weights = rng.uniform(0.01, 1.9, 8), rng.uniform(0, 1, 8)
    loss = [float(np.sum(weights * (1 - rates) ** (2 * t))) for t in range(4000)]
    for target in (1.0, 1e-2, 1e-6):
        assert linearised_steps(rates, weights, target) == next(t for t, value in enumerate(loss) if value <= target)
    tiny = linearised_steps(1e-100 * rates, weights, 1e-2)
    assert tiny == pytest.approx(1e100 * linearised_steps(1e-6 * rates, weights, 1e-2) * 1e-6, rel=1e-4)
    assert linearised_steps(np.array([0.5, 2.5]), np.ones(2), 1e-2) == math.inf
    assert linearised_steps(np.array([0.5, 0.0]), np.ones(2), 1e-2) == math.inf


def test_pairs_set_the_smallest_eigenvalue():
    base = {"network": "softmax", "n": 8, "d_in": 16, "d_out": 1, "sigma": 1.0}
    found = [spectrum(pairs_problem(base | {"separation": angle}, 0))[0] for angle in (0.1, 0.3, 0.9)]
    assert found[0] * 5 < found[1] < found[2] / 3
    X = np.asarray(pairs_problem(base | {"separation": 0.3}, 0).X)
    assert np.allclose(np.sum(X[:4] * X[4:], axis=1), math.cos(0.3))


def test_a_width_whose_bound_is_infinite_or_beyond_the_budget_says_so():
    base = {"network": "softmax", "n": 8, "d_in": 4, "d_out": 1, "sigma": 1.0, "separation": 1e-12, "seeds": 4}
    base |= {"delta": 0.2, "epsilon": 0.1, "most": 64, "budget": 1000}
    assert "infinite" in width(base, 0)["note"]
    assert "more than the budget" in width(base | {"separation": 0.01}, 0)["sentence"]


@pytest.mark.slow
def test_ascent_stays_in_the_ball_and_beats_random_points():
    problem = make(n=4, d_in=6, m=64, sigma=0.5)
    start, R = initialise(problem, jax.random.key(0)), 0.1
    H = closed_form(problem, start)

    def change(W):
        return jnp.sum((closed_form(problem, Params(W, start.a)) - H) ** 2)

    first = on_sphere(jax.random.normal(jax.random.key(1), start.W.shape), R)
    best, where = ascend(change, jax.grad(change), start.W, R, first, 20)
    assert jnp.isclose(change(where), best)
    assert jnp.all(jnp.sqrt(jnp.sum((where - start.W) ** 2, axis=0)) <= R * (1 + 1e-12))
    points = jax.random.normal(jax.random.key(2), (200, *start.W.shape))
    assert best > 2 * jnp.max(jax.vmap(lambda d: change(start.W + on_sphere(d, R)))(points))


def test_the_fitting_radius_fits_the_linearised_network():
    problem = make(n=4, d_in=6, m=64, sigma=0.5)
    start = initialise(problem, jax.random.key(0))
    R = region.fitting_radius(problem, start, closed_form(problem, start))
    e = residual(problem, start)
    _, change = jax.jvp(lambda W: outputs(problem, Params(W, start.a)), (start.W,), (jnp.ones_like(start.W),))
    assert change.shape == e.shape
    assert 0 < R < 1


@pytest.mark.slow
def test_output_scale_alone_separates_relu_from_relu_sum():
    options = {"data": "sphere", "n": 4, "d_in": 6, "d_out": 1, "sigma": 0.5, "m": 64, "seeds": 2, "steps": 3}
    one, other = (
        region.evaluate(options | {"network": name, "reach": 1.0})[0]["metrics"] for name in ("relu", "relu-sum")
    )
    assert one["lambda"] == pytest.approx(other["lambda"])
    assert one["fit"] == pytest.approx(8 * other["fit"])  # √m


def test_answers_of_region_and_table_follow_from_the_rows():
    params = {"network": "softmax", "n": 8, "separation": 0.8}
    cells = []
    for network, kept in (("softmax", 0.3), ("exponential", 0.6), ("relu", 0.1), ("relu-sum", 0.7)):
        for reach in (1.0, 10.0):
            for seed in range(3):
                value = (0.9 if reach == 1 else kept) + 0.001 * seed
                metrics = {"kept": value, "fit": 0.1, "R": 0.1 * reach, "change": 0.1}
                cells.append(
                    {
                        "params": params | {"network": network, "reach": reach},
                        "seed": seed,
                        "outcome": "searched",
                        "metrics": metrics,
                    }
                )
    found = region.fits(cells)
    said = region.answer(cells, found)
    assert "exponential not crossed in the grid" in said
    assert "Normalisation (exponential to softmax) changes it by cannot" in said.replace(
        "by cannot be compared", "by cannot"
    )
    rows = [
        {"params": params | {"network": network}, "seed": seed, "outcome": "interval",
         "metrics": {"middle": middle * (1 + 0.01 * seed), "low": 2, "high": 20, "steps": count * (1 + 0.01 * seed)}}
        for network, middle, count in (("softmax", 10.0, 100.0), ("relu", 11.0, 900.0)) for seed in range(3)
    ]  # fmt: skip
    said = table1.answer(rows, [])
    assert "softmax / relu 0.91" in said
    assert "neurons: almost the same" in said
    assert "steps: fewer" in said
    assert "Nothing to compare" in table1.answer(rows[:3], [])


@pytest.mark.parametrize(
    ("name", "grid"),
    [
        ("width", ["network=softmax", "n=4,6,8", "separation=1.2", "draws=2", "seeds=20", "d_in=4", "d_out=1"]),
        ("steps", ["network=softmax,relu", "n=4", "separation=1.2", "draws=2", "rule=ordinary,theorem", "m=64", "d_in=4", "d_out=1"]),
        ("region", ["network=softmax,relu", "n=4", "d_in=6", "d_out=1", "m=64", "seeds=2", "steps=4", "reach=1,30,1000"]),
        ("table1", ["network=softmax,relu", "n=4", "d_in=4", "d_out=1", "draws=2", "seeds=20", "m=64"]),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_each_study_runs_and_reports(name, grid, tmp_path, capsys):
    assert cli.main(["study", name, "--out", str(tmp_path), "--grid", *grid]) == 0
    results = load(tmp_path)
    assert results["complete"]
    page = (tmp_path / "report.html").read_text()
    assert results["answer"].split(".")[0].replace("'", "&#39;")[:60] in page
    assert page.count("<svg") == len(list((tmp_path / "figures").glob("*.svg"))) >= 1
    assert steps.TITLE
    capsys.readouterr()


DOCS = Path(__file__).parents[2] / "docs"


def test_one_unit_of_the_last_digit_is_alike_and_two_are_not():
    assert alike(["0.63 [0.55, 0.72] neurons", {"a": 1.5}], ["0.64 [0.55, 0.71] neurons", {"a": 1.5}])
    assert not alike("0.63 [0.55, 0.72] neurons", "0.65 [0.55, 0.72] neurons")
    assert not alike("12 neurons", "12 steps")


@pytest.mark.parametrize(
    "name",
    ["drift", "width", "steps", "region", "table1", "frontier", "width-large", "steps-large", "table1-large", "frontier-large", "frontier-quick", "separation", "expressivity", "convex"],
)  # fmt: skip
def test_committed_results_say_what_their_rows_say(name):
    """Fits, tables and answer of every committed study follow from its cells, and the finding quotes them."""
    results = json.loads((DOCS / "results" / name / "results.json").read_text())
    study, _, preset = name.partition("-")
    module = catalogue.study(study, preset or "paper")
    assert results["complete"]
    assert results["preset"] == (preset or "paper")
    fits = module.fits(results["cells"])
    assert fits == [pytest.approx(fit) for fit in results["fits"]]
    assert alike(module.tables(results["cells"], fits), results["tables"])
    assert alike(module.answer(results["cells"], fits), results["answer"])
    drawn = {figure["name"] for figure in results["figures"]}
    assert drawn >= {path.stem for path in (DOCS / "results" / name).glob("*.svg")}
    if name != "drift":
        of = {
            "frontier": "certificates.md", "frontier-quick": "criteria.md", "frontier-large": "certificates.md",
            "separation": "separation.md", "expressivity": "n-activation.md", "convex": "convex-score.md",
        }  # fmt: skip
        finding = of.get(name, "neurons-and-steps.md")
        assert results["answer"] in (DOCS / "findings" / finding).read_text()


def test_the_finding_quotes_the_tables():
    finding = (DOCS / "findings" / "neurons-and-steps.md").read_text()
    rows = {
        name: json.loads((DOCS / "results" / name / "results.json").read_text())["tables"][0]["rows"]
        for name in ("width", "region")
    }
    large = json.loads((DOCS / "results" / "width-large" / "results.json").read_text())["tables"][0]["rows"]
    shown = [row for row in rows["width"] if "joint" in row[1] or row[1] == "d_out"] + rows["region"]
    shown += [row for row in large if "joint" in row[1]]
    assert all("| " + " | ".join(row) + " |" in finding for row in shown)
    cells = json.loads((DOCS / "results" / "width" / "results.json").read_text())["cells"]
    below = next(cell for cell in cells if cell["id"] == "softmax-16-0.4-2-0.1-4")
    assert below["metrics"]["floor"] == 11
    assert "8: 19/40" in below["sentence"]
    assert "10: 26/40" in below["sentence"]


def test_the_finding_on_separation_quotes_the_table():
    finding = (DOCS / "findings" / "separation.md").read_text()
    rows = json.loads((DOCS / "results" / "separation" / "results.json").read_text())["tables"][0]["rows"]
    shown = [row for row in rows if row[0] in ("softmax", "relu", "tanh")]
    assert len(shown) == 48
    assert all("| " + " | ".join(row) + " |" in finding for row in shown)


def test_the_finding_on_criteria_quotes_the_table():
    finding = (DOCS / "findings" / "criteria.md").read_text()
    tables = json.loads((DOCS / "results" / "frontier-quick" / "results.json").read_text())["tables"]
    (rows,) = (table["rows"] for table in tables if table["name"] == "certified width by criterion")
    assert len(rows) >= 6
    assert all("| " + " | ".join(row) + " |" in finding for row in rows)


def test_the_finding_on_n_activations_quotes_the_table():
    finding = (DOCS / "findings" / "n-activation.md").read_text()
    rows = json.loads((DOCS / "results" / "expressivity" / "results.json").read_text())["tables"][0]["rows"]
    assert rows
    assert all("| " + " | ".join(row) + " |" in finding for row in rows)


def test_the_finding_on_certificates_quotes_the_tables():
    finding = (DOCS / "findings" / "certificates.md").read_text()
    tables = json.loads((DOCS / "results" / "frontier" / "results.json").read_text())["tables"]
    rows = [row for table in tables[:2] for row in table["rows"]]
    assert rows
    digits = json.loads((DOCS / "results" / "frontier-digits" / "results.json").read_text())
    assert digits["answer"] in finding
    assert all("| " + " | ".join(row) + " |" in finding for row in rows)
    for fit in json.loads((DOCS / "results" / "frontier-large" / "results.json").read_text())["fits"]:
        assert f"| {fit['group']} | n^{fit['exponent']:.2f} [{fit['low']:.2f}, {fit['high']:.2f}] |" in finding
    widths = (DOCS / "results" / "certified-widths.md").read_text()
    assert all(line in widths for line in finding.splitlines() if line.startswith("| two orthonormal points"))
    brackets = (DOCS / "results" / "region-brackets.md").read_text()
    assert re.search(r"^0 of (3\d\d) brackets crossed", brackets, re.MULTILINE)


def test_every_figure_that_the_questions_name_is_there():
    for name in re.findall(r"\((results/[^)]+)\)", (DOCS / "questions.md").read_text()):
        assert (DOCS / name).exists(), name
