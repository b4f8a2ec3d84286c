"""Certificates of convergence: what is proved happens, the checker agrees, and nothing else passes it."""

import ast
import dataclasses
import inspect
import json
import math
from pathlib import Path

import jax
import numpy as np
import pytest
from certified import joined, proved, two_points, verdict
from conftest import make
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.checking import at_size, certificate_file, checker, functions, in_balls, in_norms, neurons, theorem
from ntkverify.checking.checker import check
from ntkverify.checking.neurons import NEURONS
from ntkverify.cli import main as cli
from ntkverify.cli.options import Realise
from ntkverify.convergence import later_starts as launches
from ntkverify.convergence import realise as realising
from ntkverify.convergence.bracket import broken
from ntkverify.convergence.certificate import attempt, certificate
from ntkverify.convergence.observed import envelope, observations, observe
from ntkverify.convergence.realise import Options
from ntkverify.convergence.smallest_width import drawn, later, smallest_certified
from ntkverify.convergence.witness import attempted
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load, load_arrays
from ntkverify.networks import kinds
from ntkverify.networks.network import initialise

CHECKER = (checker, in_balls, in_norms, at_size, functions, theorem, certificate_file, neurons)


@pytest.mark.slow
def test_two_points_are_realised_and_checked(tmp_path, capsys):
    out = tmp_path / "r"
    assert cli.main(["realise", "--data", "orthonormal", "--out", str(out)]) == 0
    assert cli.main(["check", str(out / "certificate.json")]) == 0
    assert "accepted" in capsys.readouterr().out
    results = load(out)
    assert results["complete"]
    assert results["proved"]
    assert results["m"] <= 200
    assert all(row["holds"] for row in results["observations"])
    bracket = results["bracket"]
    assert bracket["found"] is None or bracket["proved"] < bracket["found"]
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "http-equiv" not in page
    assert cli.main(["report", str(out)]) == 0


def test_the_library_realises_as_the_command_line_does(tmp_path):
    typed, called = tmp_path / "typed", tmp_path / "called"
    assert cli.main(["realise", "--data", "orthonormal", "--m", "32", "--sigma", "0.05", "--out", str(typed)]) == 0
    problem = nv.problem("orthonormal")
    made = nv.realise(problem, called, m=32, sigma=0.05)
    made.save(tmp_path / "dumped.json")
    for path in (called / "certificate.json", tmp_path / "dumped.json"):
        assert check(path).accepted
    written = json.loads((typed / "certificate.json").read_text())
    for part in ("network", "start", "numbers", "arrays", "bounds", "conclusions"):
        assert made[part] == written[part]
    assert set(made["origin"]) == set(written["origin"])
    mine, theirs = load(called), load(typed)
    assert mine == made.results
    assert list(mine) == list(theirs)
    for key in set(mine) - {"config", "problems"}:
        assert mine[key] == theirs[key]
    assert list(mine["problems"][0]) == list(theirs["problems"][0])
    assert {name: array.tolist() for name, array in load_arrays(called).items()} == {
        name: array.tolist() for name, array in load_arrays(typed).items()
    }
    assert cli.main(["report", str(called)]) == 0
    assert "Repeat with" not in (called / "report.html").read_text()
    assert {each.name for each in called.iterdir()} == {each.name for each in typed.iterdir()}
    with pytest.raises(BadInput, match="another configuration"):
        nv.realise(problem, called, m=34, sigma=0.05)


def test_an_interruption_keeps_the_certificate_and_what_was_seen(tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    words = ["realise", "--data", "orthonormal", "--m", "32", "--sigma", "0.05", "--out"]
    monkeypatch.setattr(realising, "bracket", interrupt)
    assert cli.main([*words, str(tmp_path / "late")]) == 130
    assert "the certificate is kept" in capsys.readouterr().err
    monkeypatch.setattr(realising, "observe", interrupt)
    assert cli.main([*words, str(tmp_path / "early")]) == 130
    for name, seen in (("late", 5), ("early", 0)):
        assert check(tmp_path / name / "certificate.json").accepted
        results = load(tmp_path / name)
        assert (results["complete"], results["proved"], results["bracket"]) == (False, True, None)
        assert len(results["observations"]) == seen
        assert bool(load_arrays(tmp_path / name)) == bool(seen)
        assert "interrupted" in (tmp_path / name / "report.html").read_text()


def test_the_library_and_the_command_line_take_the_same_options():
    typed = {field.name: field.default for field in dataclasses.fields(Realise)}
    called = {name: each.default for name, each in inspect.signature(nv.realise).parameters.items()}
    del called["problem"], called["folder"]
    assert set(called) == {field.name for field in dataclasses.fields(Options)}
    assert called == {name: typed[name] for name in called}


@pytest.mark.parametrize(
    "wrong", [{"m": 3}, {"m": 2.0}, {"sigma": -1}, {"budget": 1}, {"accuracy": 1}, {"keep": 0}, {"folder": 3}]
)
def test_what_the_library_cannot_realise_is_refused(wrong):
    with pytest.raises(BadInput, match="wanted"):
        nv.realise(nv.problem("orthonormal"), **wrong)


@pytest.mark.parametrize("init", ["coupled", "independent"])
@pytest.mark.parametrize("network", certificate_file.NETWORKS)
@pytest.mark.slow
def test_every_smooth_network_is_certified_at_both_starts_and_later(network, init, tmp_path, monkeypatch):
    """In balls where that takes no more than a second or so."""
    monkeypatch.setattr(checker, "QUICK", 3e7)
    special = {"attention": (2048, 512, 2.0), "softmax-heads": (8192, 2048, 1.0), "patches": (512, 32, 1.0)}
    m, few, sigma = special.get(network, (512, 32, 0.5))
    problem = make(network, n=3, d_in=5, d_out=2, m=m, init=init, sigma=sigma)
    assert verdict(joined(certificate(proved(problem), {})), tmp_path).accepted
    narrow = dataclasses.replace(problem, m=few)
    start = initialise(narrow, jax.random.key(0))
    assert not attempt(narrow, start).proved
    there = later(narrow.network).launched(narrow, start)
    assert there is not None
    assert there.launch is not None
    found = verdict(joined(certificate(there, {})), tmp_path)
    assert found.accepted, found.sentence
    assert any("distance of exact gradient descent" in finding.what for finding in found.findings)


def test_a_run_is_looked_at_as_far_as_its_roundings_are_allowed():
    """Beyond, nothing is proved of it, so nothing is violated."""
    found = proved(two_points())
    whole = observe(found, 1e-4, 320)
    allowed = float(whole.rounding[5])
    seen = observe(dataclasses.replace(found, omega=allowed), 1e-4, 320)
    assert seen.steps == 5 < whole.steps
    assert all(row["holds"] for row in observations(found, seen))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([0.05, 0.3, 0.7]),
    st.sampled_from([0.05, 0.5, 0.9]),
    st.sampled_from([0.1, 0.5]),
)
@pytest.mark.slow
def test_what_is_proved_happens(seed, sigma, theta, keep):
    problem = make(n=3, d_in=4, d_out=1, m=256, seed=seed, sigma=sigma)
    found = attempt(problem, initialise(problem, jax.random.key(seed)), keep, theta)
    assume(found.proved)
    seen = observe(found, 1e-4, 320)
    assert np.all(seen.errors <= envelope(found, seen))
    assert seen.lengths[-1] <= found.s
    assert np.all(seen.smallest >= found.conclusions["kept"] ** 2 / problem.m)


def test_a_step_size_that_loses_the_path_is_refused():
    problem = two_points(m=8)
    assert launches.followed(problem, initialise(problem, jax.random.key(0)), 10.0, 3) is None


def test_the_checker_shares_no_code_with_the_producer():
    """It and the file's format, the part of it that the producer writes by, import nothing else of the project."""
    imported = {
        name
        for module in CHECKER
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8")))
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    own = {name for name in imported if name and name.startswith("ntkverify")}
    assert own <= {*(module.__name__ for module in CHECKER), "ntkverify.checking", "ntkverify.ground.errors"}
    assert not {name for name in imported if name and name.startswith("jax")}


@pytest.mark.slow
def test_search_never_breaks_what_is_proved():
    """A few here; benchmarks/region_brackets.py runs three hundred."""
    for seed in range(6):
        problem = make(n=3, d_in=3, d_out=2, m=16, seed=seed, sigma=0.5, init="independent")
        found = attempt(problem, initialise(problem, jax.random.key(seed)))
        if found.s > 0:
            below = broken(found, seed)
            assert below is None or below[0] >= found.s


@pytest.mark.slow
def test_the_smallest_width_is_certified_and_a_prefix_of_one_draw():
    problem = make(n=3, d_in=3, d_out=1, m=2)
    found = smallest_certified(problem, 0, 4096, (0.5, 1.0))
    assert found.proved
    at = drawn(problem, 0, 4096)
    again = attempted(*at(float(found.problem.sigma), found.problem.m))
    assert again.conclusions == found.conclusions
    assert np.array_equal(at(1.0, 64)[1].W, at(1.0, 128)[1].W[:, :64])
    later = smallest_certified(problem, 0, 4096, (float(found.problem.sigma),), follow=128)
    assert later.problem.m < found.problem.m / 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--keep", "0"], "strictly between"),
        (["--theta", "1"], "strictly between"),
        (["--accuracy", "nan"], "strictly between"),
        (["--follow", "-1"], "at least 0"),
        (["--max-width", "1"], "at least 2"),
        (["--network", "relu"], "second derivative"),
        (["--sigma", "-1"], "at least 0"),
        (["--m", "3"], "even"),
        (["--n", "3", "--d-in", "2"], "at most --d-in"),
        (["--m", "4"], "short"),
        (["--data", "sphere", "--n", "8", "--d-in", "4", "--d-out", "4", "--max-width", "64"], "short"),
        (["--data", "TWICE"], "λ = 0"),
        (["--data", "sphere", "--max-width", "10000000000"], "memory"),
    ],
)
@pytest.mark.slow
def test_bad_input_is_refused_with_what_fails(words, said, tmp_path, capsys):
    if "TWICE" in words:
        np.savez(tmp_path / "twice.npz", X=np.ones((2, 3)) / 2, y=np.ones((2, 1)))
        words = ["--data", str(tmp_path / "twice.npz")]
    assert cli.main(["realise", *words, "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"kind": "convergence"}',
        '{"kind": "convergence", "schema": 1, "x": NaN}',
        '{"kind": "convergence", "schema": true}',
        '{"kind": "convergence", "schema": 1.0}',
        '{"kind": ["convergence"], "schema": 1}',
        '{"kind": "convergence", "schema": 1' + 5000 * "0" + "}",
        "[" * 100_000,
        *(f'{{"kind": "convergence", "schema": 1, "x": {"[" * depth}{"]" * depth}}}' for depth in (17, 900, 100_000)),
        '{"kind": "other", "schema": 1}',
    ],
)
def test_what_is_no_certificate_is_refused(text, tmp_path, capsys):
    (tmp_path / "c.json").write_text(text)
    assert cli.main(["check", str(tmp_path / "c.json")]) == 2
    assert "wanted" in capsys.readouterr().err


def test_a_failed_attempt_says_by_how_much():
    problem = make(n=4, d_in=4, d_out=2, m=16)
    found = attempt(problem, initialise(problem, jax.random.key(0)))
    assert not found.proved
    assert "short" in found.sentence
    assert math.isfinite(found.bounds["lambda"])
    with pytest.raises(ValueError, match="proves nothing"):
        certificate(found, {})


def test_the_checker_knows_every_smooth_network_of_the_register():
    """Each by its own formulas: one that it does not know raises, and is not taken for another."""
    smooth = {name for name in catalogue.NETWORKS if kinds.smooth(catalogue.two_layer(name))}
    assert smooth == set(certificate_file.NETWORKS)
    elementwise = smooth - {"softmax", "softmax-bias"} - set(NEURONS)
    assert elementwise == set(in_balls.ELEMENTWISE)
    assert elementwise - {"exponential"} == set(in_balls.BOUNDED)
    assert smooth & {name for name in catalogue.NETWORKS if catalogue.two_layer(name).neuron} == set(NEURONS)
