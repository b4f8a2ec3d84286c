"""`verify --certify`: points are decided, verdicts say of what, and counterexamples are files that `check` confirms."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import pytest
from conftest import make, numbers_of

from ntkverify import catalogue
from ntkverify.certifying import at_points as certifying
from ntkverify.certifying.decision import PROVED, REFUTED, Decision, decide
from ntkverify.certifying.pointfile import load_point, save_point
from ntkverify.cli import main as cli
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load
from ntkverify.judging.draws import chunks
from ntkverify.verifying import certification

SMALL = ["--data", "sphere", "--n", "3", "--d-in", "3", "--d-out", "1", "--m", "8", "--seeds", "40"]
CERTIFY = [*SMALL, "--certify", "--certify-seconds", "0.1"]


def form_of(name: str, form: str = "derived"):
    return next(each for each in catalogue.claims(name) if each.form == form)


def rows(folder):
    return {(row["id"], row["form"]): row for row in load(folder)["claims"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certified")
    names = ["zero-output", "kappa-bound", "projection-bound", "gradient-bound", "neuron-sum"]
    assert cli.main(["verify", *names, *CERTIFY, "--out", str(folder)]) == 0
    return folder


def test_what_holds_and_is_proved_at_every_point_is_proved(run):
    found = rows(run)
    for key in (("projection-bound", "derived"), ("gradient-bound", "derived"), ("gradient-bound", "reconstructed")):
        row = found[key]
        assert row["verdict"] == "proved"
        assert "exactly 4 points (the worst of 3 draws and the worst that a search found)" in row["sentence"]
        bracket = row["bracket"]
        assert (bracket["kind"], bracket["proved"], bracket["counterexample"]) == ("point", True, None)
        assert bracket["points"] == {"proved": 4, "refuted": 0, "undecided": 0}
        assert row["log10_ratio"]["worst"] - 1e-9 <= bracket["found"] <= bracket["above"] + 1e-12 <= 1e-9


@pytest.mark.parametrize("name", ["zero-output", "neuron-sum"])
def test_an_equality_is_never_proved(run, name):
    """At the start and along training."""
    row = rows(run)[name, "derived"]
    assert row["verdict"] == "holds"
    assert row["bracket"]["points"] == {"proved": 0, "refuted": 0, "undecided": 3}
    assert "Of 3 points (the worst of 3 draws)" in row["sentence"]
    assert "cannot prove an equality" in row["sentence"]


def test_points_prove_nothing_of_a_rate(run):
    row = rows(run)["kappa-bound", "derived"]
    assert row["verdict"] == "holds"
    assert row["bracket"]["points"]["proved"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (("gradient-bound", "--network", "relu"), "not applicable"),
        (("zero-output", "--init", "independent"), "vacuous"),
    ],
)
def test_what_was_not_tested_has_no_bracket(words, verdict, tmp_path):
    assert cli.main(["verify", *words, *CERTIFY, "--out", str(tmp_path)]) == 0
    assert {(row["verdict"], row["bracket"]) for row in load(tmp_path)["claims"]} == {(verdict, None)}


def test_the_certificates_are_a_figure_with_its_data(run):
    page = (run / "report.html").read_text()
    assert (run / "figures" / "certificates.svg").read_text() in page
    lines = (run / "figures" / "certificates.csv").read_text().splitlines()
    kinds = {line.split(",")[2] for line in lines[1:]} | {line.split('"')[1] for line in lines if '"' in line}
    assert {"draw", "enclosed", "found, proved"} <= kinds
    assert cli.main(["report", str(run)]) == 0
    assert (run / "report.html").read_text() == page
    assert numbers_of(run) == set()


def test_without_certify_nothing_is_certified(tmp_path):
    assert cli.main(["verify", "projection-bound", *SMALL, "--out", str(tmp_path)]) == 0
    results = load(tmp_path)
    assert [(row["verdict"], row["bracket"]) for row in results["claims"]] == [("holds", None)]
    assert "certify" not in results["config"]
    assert not (tmp_path / "figures" / "certificates.svg").exists()


@pytest.mark.slow
def test_a_falsehood_that_draws_do_not_see_is_violated_by_the_search(tmp_path, monkeypatch, capsys):
    form = form_of("output-bound")
    false = dataclasses.replace(form, rhs=lambda p, q, c: 0.8 * form.rhs(p, q, c))
    monkeypatch.setattr(catalogue, "claims", lambda name: (false,))
    assert cli.main(["verify", "output-bound", *SMALL, "--out", str(tmp_path / "drawn")]) == 0
    assert cli.main(["verify", "output-bound", *CERTIFY, "--out", str(tmp_path / "searched")]) == 1
    row = rows(tmp_path / "searched")["output-bound", "derived"]
    assert row["verdict"] == "violated"
    assert row["bracket"]["points"]["refuted"] == 1
    assert row["bracket"]["found"] > 0
    file = tmp_path / "searched" / row["bracket"]["counterexample"]
    assert cli.main(["check", str(file)]) == 1
    monkeypatch.undo()
    assert cli.main(["check", str(file)]) == 0
    capsys.readouterr()


def test_a_point_refutes_only_what_is_certain(monkeypatch):
    """A form that holds with a probability may fail at a point, unless its assumptions are the event."""
    form = form_of("exponents")
    refuted = Decision(REFUTED, "small > large.", 0.1, 0.1)
    row = {"verdict": "holds", "sentence": "Held.", "bracket": None}
    certification.put(row, certifying.Certificate(form, [refuted]), None)
    assert row["verdict"] == "holds"
    assert "no point refutes it" in row["sentence"]
    certification.put(row, certifying.Certificate(form_of("gradient-bound", "reconstructed"), [refuted]), None)
    assert row["verdict"] == "violated"


def test_one_undecided_point_is_not_proved():
    found = certifying.Certificate(form_of("gradient-bound"), [Decision(PROVED, ""), Decision("undecided", "Why.")])
    row = {"verdict": "holds", "sentence": "Held.", "bracket": None}
    certification.put(row, found, None)
    assert row["verdict"] == "holds"
    assert "1 proved, 1 undecided. Why." in row["sentence"]


def test_sides_without_entries_prove_nothing_and_whole_numbers_are_numbers():
    problem = make(n=2, d_in=2, d_out=1, m=4)
    _, points = next(chunks(problem, 1, 0))
    point = jax.tree.map(lambda leaf: leaf[0, 0], points)

    def decided(lhs, rhs):
        form = dataclasses.replace(form_of("kernel-entries"), lhs=lambda p, q, c: lhs(p), rhs=lambda p, q, c: rhs(p))
        return decide(form, problem, point).verdict

    assert decided(lambda p: p.X[:0, 0] + 5, lambda p: jnp.zeros(())) == "undecided"
    assert decided(lambda p: jnp.asarray(2), lambda p: jnp.asarray(3)) == PROVED
    assert decided(lambda p: jnp.asarray(3), lambda p: jnp.asarray(2)) == REFUTED
    assert decided(lambda p: p.X @ p.X.T > 0, lambda p: jnp.asarray(1)) == PROVED


@pytest.mark.parametrize("shape", [[2, 4], [-1, 4], [12], [1, 12], []])
def test_a_point_of_attention_keeps_the_shape_of_its_inputs(shape, tmp_path):
    problem, form = make("attention", n=2, d_out=1, m=4), form_of("curvature")
    _, points = next(chunks(problem, 1, 0))
    point = jax.tree.map(lambda leaf: leaf[0, 0], points)
    save_point(tmp_path / "point.npz", form, problem, point, {})
    _, again, _, _ = load_point(tmp_path / "point.npz")
    assert again.network == problem.network
    odd = dataclasses.replace(problem, network=dataclasses.replace(problem.network, shape=tuple(shape)))
    save_point(tmp_path / "odd.npz", form, odd, point, {})
    with pytest.raises(BadInput):
        load_point(tmp_path / "odd.npz")


def test_what_is_too_large_is_undecided_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(certifying, "LARGEST", 10)
    assert cli.main(["verify", "projection-bound", *CERTIFY, "--out", str(tmp_path)]) == 0
    (row,) = load(tmp_path)["claims"]
    assert row["verdict"] == "holds"
    assert "a smaller --m or --n" in row["sentence"]


def test_an_interruption_keeps_what_was_certified(tmp_path, monkeypatch):
    right, calls = certification.certified, []

    def certified(*args):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return right(*args)

    monkeypatch.setattr(certification, "certified", certified)
    assert cli.main(["verify", "gradient-bound", *CERTIFY, "--out", str(tmp_path)]) == 130
    results = load(tmp_path)
    assert results["complete"] is False
    assert [row["verdict"] for row in results["claims"]] == ["proved", "holds"]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_seconds_that_are_none_are_refused(seconds, capsys):
    assert cli.main(["verify", *SMALL, "--certify", "--certify-seconds", seconds]) == 2
    assert "a number of seconds" in capsys.readouterr().err


def test_results_hold_only_finite_numbers(run):
    json.loads((run / "results.json").read_text(), parse_constant=pytest.fail)


def test_a_scale_that_is_no_float_refutes_no_identity(tmp_path):
    """1/√32, rounded by Python, once was taken for exact: m s² was not 1, and a true identity "violated"."""
    words = [
        "--network",
        "relu",
        "--n",
        "3",
        "--d-in",
        "3",
        "--d-out",
        "2",
        "--m",
        "32",
        "--data",
        "sphere",
        "--seeds",
        "20",
    ]
    certify = ["--certify", "--certify-seconds", "0", "--out", str(tmp_path)]
    assert cli.main(["verify", "kernel-factorisation", *words, *certify]) == 0
    assert [row["verdict"] for row in load(tmp_path)["claims"]] == ["holds"]
