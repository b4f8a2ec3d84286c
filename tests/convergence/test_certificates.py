"""Certificates of convergence: what is proved happens, the checker agrees, and nothing else passes it."""

import ast
import copy
import dataclasses
import inspect
import json
import math
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import make
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.cli.options import Realise
from ntkverify.convergence import certificate as certificates
from ntkverify.convergence import certificate_file, checker
from ntkverify.convergence import later_starts as launches
from ntkverify.convergence import realise as realising
from ntkverify.convergence.bracket import broken
from ntkverify.convergence.certificate import attempt, certificate
from ntkverify.convergence.certificate_file import digest
from ntkverify.convergence.checker import check
from ntkverify.convergence.later_starts import launched
from ntkverify.convergence.observed import envelope, observe
from ntkverify.convergence.realise import Options
from ntkverify.convergence.smallest_width import drawn, smallest_certified
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load, load_arrays
from ntkverify.networks import growth
from ntkverify.networks.network import initialise


def two_points(m=24, **options):
    """Two orthonormal inputs, one output."""
    problem = make(n=2, d_in=2, d_out=1, m=m, sigma=0.05, **options)
    return dataclasses.replace(problem, X=jax.numpy.eye(2), y=jax.numpy.asarray([[1.0], [-1.0]]))


def proved(problem, **options):
    found = attempt(problem, initialise(problem, jax.random.key(0)), **options)
    assert found.proved, found.sentence
    return found


def verdict(content, tmp_path, forged=True):
    """What the checker says of a content; `forged`: with a digest that fits."""
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(content | ({"digest": digest(content)} if forged else {})))
    return check(path)


@pytest.fixture(scope="module")
def good():
    return certificate(proved(two_points()), {"made": "by a test"})


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
    (tmp_path / "dumped.json").write_text(json.dumps(made))
    for path in (called / "certificate.json", tmp_path / "dumped.json"):
        assert check(path).accepted
    written = json.loads((typed / "certificate.json").read_text())
    for part in ("network", "init", "floats", "bounds", "conclusions"):
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
def test_every_smooth_network_is_certified_at_both_starts_and_later(network, init, tmp_path):
    problem = make(network, n=3, d_in=5, d_out=2, m=512, init=init, sigma=0.5)
    assert verdict(certificate(proved(problem), {}), tmp_path).accepted
    narrow = dataclasses.replace(problem, m=32)
    start = initialise(narrow, jax.random.key(0))
    assert not attempt(narrow, start).proved
    later = launched(narrow, start)
    assert later is not None
    assert later.launch is not None
    found = verdict(certificate(later, {}), tmp_path)
    assert found.accepted, found.sentence
    assert any("distance of exact gradient descent" in finding.what for finding in found.findings)


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


def set_to(*path):
    """A change of one place of the content to a value that depends on what is there."""
    *outer, last, change = path

    def tamper(content):
        inner = content
        for key in outer:
            inner = inner[key]
        inner[last] = change(inner[last])

    return tamper


def swap_columns(content):
    for row in content["floats"]["W"]:
        row[0], row[2] = row[2], row[0]
    content["floats"]["W"][0][1] += 1e-9


TAMPERED = {
    "a larger λ": set_to("bounds", "lambda", lambda x: x * (1 + 1e-9)),
    "a smaller norm": set_to("bounds", "norm", lambda x: x * (1 - 1e-9)),
    "a smaller ‖Y‖": set_to("bounds", "size", lambda x: x * (1 - 1e-12)),
    "a smaller B": set_to("bounds", "sharpness", lambda x: x * (1 - 1e-9)),
    "a smaller ν": set_to("bounds", "rate", lambda x: x * (1 - 1e-9)),
    "a smaller κ": set_to("bounds", "weight", lambda x: x * (1 - 1e-9)),
    "a smaller ‖x‖": set_to("bounds", "longest", lambda x: x * (1 - 1e-9)),
    "a negative λ": set_to("bounds", "lambda", lambda x: -x),
    "a larger p(s)": set_to("conclusions", "kept", lambda x: x * (1 + 1e-12)),
    "a negative p(s)": set_to("conclusions", "kept", lambda x: -x),
    "a smaller θ": set_to("conclusions", "theta", lambda x: x * (1 - 1e-9)),
    "more of the integral": set_to("conclusions", "spent", lambda x: x * (1 + 1e-9)),
    "a smaller P": set_to("conclusions", "reach", lambda x: x * (1 - 1e-9)),
    "a faster rate": set_to("conclusions", "contraction", lambda x: x * (1 + 1e-9)),
    "a larger step": set_to("floats", "eta", lambda x: 2 * x),
    "a larger ball": set_to("floats", "s", lambda x: 1.001 * x),
    "a much smaller ball": set_to("floats", "s", lambda x: 0.5 * x),
    "more rounding": set_to("floats", "omega", lambda x: 1e3 * x),
    "rounding beyond the ball": set_to("floats", "omega", lambda x: 1e9),
    "a larger share": set_to("floats", "keep", lambda x: x * (1 + 1e-6)),
    "a share of 1": set_to("floats", "keep", lambda x: 1.0),
    "larger targets": set_to("floats", "y", lambda y: [[2 * v for v in row] for row in y]),
    "other inputs": set_to("floats", "X", lambda X: [X[0], [0.8, 0.6]]),
    "equal inputs": set_to("floats", "X", lambda X: [X[0], X[0]]),
    "one weight": set_to("floats", "W", 0, 0, lambda w: w + 1e-12),
    "weights swapped": swap_columns,
    "one sign": set_to("floats", "a", 0, 0, lambda sign: -sign),
    "no sign": set_to("floats", "a", 0, 0, lambda sign: 0.5),
    "no number": set_to("floats", "eta", lambda x: "0.1"),
    "true for 1": set_to("floats", "a", 0, 0, lambda sign: True),
    "a shorter W": set_to("floats", "W", lambda W: W[:1]),
    "a ragged W": set_to("floats", "W", lambda W: [W[0], W[1][:-1]]),
    "another network": set_to("network", lambda _: "exponential"),
    "no smooth network": set_to("network", lambda _: "relu"),
    "another start": set_to("init", lambda _: "uncoupled"),
    "a bound left out": lambda content: content["bounds"].pop("rate"),
    "a bound too many": lambda content: content["bounds"].update(more=1.0),
    "a key too many": lambda content: content.update(note="more"),
    "no origin": lambda content: content.pop("origin"),
    "an origin in a word": lambda content: content.update(origin="here"),
    "labels of norm 2": set_to("floats", "y", lambda y: [[2.0], [-2.0]]),
    "a row of zeros": set_to("floats", "X", lambda X: [X[0], [0.0, 0.0]]),
    "no rows": set_to("floats", "X", lambda X: []),
    "rows without entries": set_to("floats", "y", lambda y: [[], []]),
    "no neurons": set_to("floats", "W", lambda W: [[], []]),
    "a sign of 0": set_to("floats", "a", 0, 0, lambda sign: 0.0),
    "a row for a matrix": set_to("floats", "X", lambda X: X[0]),
    "three axes": set_to("floats", "X", lambda X: [X, X]),
    "an object for a matrix": set_to("floats", "W", lambda W: {"0": W[0], "1": W[1]}),
    "a whole number in a matrix": set_to("floats", "X", 0, 0, lambda x: 1),
    "nothing in a matrix": set_to("floats", "W", 0, 0, lambda w: None),
    "a list of networks": set_to("network", lambda word: [word]),
    "no launch told": lambda content: content.update(launch=None),
    "the steps true": lambda content: content.update(launch={"steps": True, "W": content["floats"]["W"]}),
    "steps in floats": lambda content: content.update(launch={"steps": 5.0, "W": content["floats"]["W"]}),
    "steps without end": lambda content: content.update(launch={"steps": 10**4000, "W": content["floats"]["W"]}),
    "a launch of a launch": lambda content: content.update(
        launch={"steps": 1, "W": content["floats"]["W"], "launch": {}}
    ),
    "inputs beyond all squares": set_to("floats", "X", lambda X: [[1e300, 0.0], [0.0, 1e300]]),
    "inputs below all squares": set_to("floats", "X", lambda X: [[1e-300, 0.0], [0.0, 1e-300]]),
    "weights beyond all exponentials": set_to("floats", "W", lambda W: [[1.5e308] * len(row) for row in W]),
    "an empty launch": lambda content: content.update(launch={}),
    "a launch of no steps": lambda content: content.update(launch={"steps": 0, "W": content["floats"]["W"]}),
    "a launch that goes nowhere": lambda content: content.update(launch={"steps": 5, "W": content["floats"]["W"]}),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_certificate_is_rejected_even_with_a_fitting_digest(name, good, tmp_path):
    assert verdict(good, tmp_path).accepted
    content = copy.deepcopy(good)
    TAMPERED[name](content)
    found = verdict(content, tmp_path)
    assert not found.accepted
    assert found.sentence


@pytest.mark.parametrize(
    "name", [*certificate_file.FLOATS[4:], *certificate_file.BOUNDS, *certificate_file.CONCLUSIONS]
)
def test_every_number_is_a_float_in_its_range(name, good, tmp_path):
    part = next(part for part in ("floats", "bounds", "conclusions") if name in good[part])
    beyond = [
        -5e-324,
        certificate_file.BELOW.get(name, 1e308) * 1.0,
        *([] if name in certificate_file.MAY_VANISH else [0.0]),
    ]
    beyond = beyond if name in certificate_file.BELOW else [value for value in beyond if value != 1e308]
    for value in (*beyond, 1, True, "0.1", None, [0.1], 10**400, -(10**400)):
        content = copy.deepcopy(good)
        content[part][name] = value
        found = verdict(content, tmp_path)
        assert not found.accepted, value
        assert f"malformed: {name} is" in found.sentence


LARGEST, LEAST = 1.7976931348623157e308, 5e-324


@pytest.mark.parametrize("network", certificate_file.NETWORKS)
@pytest.mark.parametrize("value", [LARGEST, LEAST])
def test_extreme_numbers_are_rejected_with_a_sentence(network, value, good, tmp_path):
    """Bounds at the ends of the range of floats, one, two and all at a time, where a claim may hold or not: what is
    accepted is in every hypothesis."""
    for names in (
        *((name,) for name in certificate_file.BOUNDS),
        ("size", "norm"),
        ("weight", "rate"),
        certificate_file.BOUNDS,
    ):
        content = copy.deepcopy(good) | {"network": network}
        content["bounds"] |= dict.fromkeys(names, value)
        found = verdict(content, tmp_path)
        assert found.sentence
        assert not (found.accepted and network != good["network"])
        if value == LARGEST:
            assert not found.accepted
    for name in ("s", "eta"):
        content = copy.deepcopy(good) | {"network": network}
        content["floats"][name] = value
        assert not verdict(content, tmp_path).accepted


NASTY = [
    0.0,
    -0.0,
    -1.0,
    0.5,
    1.0,
    LARGEST,
    LEAST,
    1,
    10**4000,
    True,
    None,
    "1",
    "",
    [],
    [[]],
    [[1.0]],
    {},
    {"steps": 1},
]


def places(content, path=()):
    """Every place of a content, the whole one aside."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def numbers_at_start(floats):
    """The bounds of a certificate of a softmax network, to float64's precision and by another route."""
    X, y, W, a = (np.array(floats[name]) for name in ("X", "y", "W", "a"))
    m = W.shape[1]
    exps = np.exp(X @ W - (X @ W).max(axis=1, keepdims=True))
    q = m * exps / exps.sum(axis=1, keepdims=True)
    mean = q @ a.T / m
    J = np.einsum("ir,ikr,ic->ikrc", q, a - mean[:, :, None], X).reshape(y.size, -1)
    eigenvalues, lengths = np.linalg.eigvalsh(J @ J.T / m), np.linalg.norm(X, axis=1)
    curves = [np.linalg.eigvalsh(q[:, r, None] * (X @ X.T) ** 2 * q[:, r])[-1] for r in range(m)]
    return {
        "lambda": eigenvalues[0], "norm": eigenvalues[-1], "size": np.linalg.norm(y), "longest": lengths.max(),
        "mean": np.linalg.norm(mean, axis=1).max(), "weight": q.max(), "sharpness": max(curves) ** 0.5,
        "rate": (lengths * (1 + (q**2).sum(axis=1) / m**2) ** 0.5).max(),
    }  # fmt: skip


def test_the_numbers_at_start_are_found_again(good):
    for name, number in numbers_at_start(good["floats"]).items():
        assert good["bounds"][name] == pytest.approx(number, rel=1e-6, abs=1e-12)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_at_any_place_there_is_a_verdict(data, good, tmp_path):
    content = copy.deepcopy(good)
    for _ in range(data.draw(st.integers(1, 2))):
        path, inner = data.draw(st.sampled_from(list(places(content)))), content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(NASTY)))
    if content.get("kind") != "convergence" or type(content.get("schema")) is not int or content["schema"] != 1:
        with pytest.raises(BadInput, match="wanted"):
            verdict(content, tmp_path)
        return
    found = verdict(content, tmp_path)
    if found.accepted:  # smaller labels, larger bounds, another network that is as good: what is claimed is so
        true = numbers_at_start(content["floats"])
        assert content["bounds"]["lambda"] <= true.pop("lambda") * (1 + 1e-9)
        for name, number in true.items():
            assert content["bounds"][name] >= number - 1e-9


def test_what_would_take_for_ever_is_refused_at_once(good, tmp_path):
    many = copy.deepcopy(good)
    many["floats"] |= {"X": [[1.0, 0.0]] * 20_000, "y": [[1.0]] * 20_000}
    long = copy.deepcopy(good)
    wide = [[0.1] * 20_000] * 2
    long["floats"] |= {"W": wide, "a": [[1.0, -1.0] * 10_000]}
    long["launch"] = {"steps": certificate_file.LONGEST, "W": wide}
    for content in (many, long):
        assert "too large" in verdict(content, tmp_path).sentence
    lost = copy.deepcopy(good)
    lost["launch"] = {"steps": certificate_file.LONGEST, "W": good["floats"]["W"]}
    lost["floats"]["omega"] = 1e-60
    assert "distance" in verdict(lost, tmp_path).sentence


@pytest.mark.parametrize(
    "what", ["a key twice", "another form of a number", "spaces", "an infinity", "keys as escapes"]
)
def test_a_text_that_is_not_as_written_is_rejected(what, good, tmp_path):
    eta = json.dumps(good["floats"]["eta"])
    text = {
        "a key twice": json.dumps(good).replace('"eta": ', '"eta": 1e-9, "eta": '),
        "another form of a number": json.dumps(good).replace(eta, eta + "0"),
        "spaces": json.dumps(good, indent=1),
        "an infinity": json.dumps(good).replace(eta, "1e999"),
        "keys as escapes": json.dumps(good).replace('"eta"', '"\\u0065ta"'),
    }[what]
    assert text != json.dumps(good)
    path = tmp_path / "c.json"
    path.write_text(text)
    assert "changed after it was written" in check(path).sentence


def test_what_the_sentence_promises_is_rounded_to_the_safe_side(good, tmp_path):
    said = verdict(good, tmp_path).sentence
    rate, away = (float(word) for word in re.findall(r"1 − (\S+)\)\^τ.*within (\S+) of", said)[0])
    assert 0 < rate <= good["conclusions"]["contraction"] < 1.00001 * rate
    assert good["floats"]["s"] <= away < 1.00001 * good["floats"]["s"]


def test_a_neuron_that_underflows_is_no_way_around_the_quotients(tmp_path):
    """exp(−800) = 0 in floats: Collatz's vector has no entry there to divide by, and the bound must not lose it."""
    good = certificate(proved(two_points(m=64, network="exponential")), {})
    for pair in ((0, 1), range(64)):
        content = copy.deepcopy(good)
        for row in content["floats"]["W"]:
            for r in pair:
                row[r] = -800.0
        found = verdict(content, tmp_path)
        assert found.findings[7].what == "B ≤ sharpness"
        assert math.isfinite(found.findings[7].found)


def test_one_changed_digit_anywhere_is_rejected(good, tmp_path):
    text = json.dumps(good)
    places = [k for k, letter in enumerate(text) if letter.isdigit()]
    for k in np.random.default_rng(0).choice(places, 60, replace=False):
        path = tmp_path / "digit.json"
        path.write_text(text[:k] + str((int(text[k]) + 1) % 10) + text[k + 1 :])
        assert not accepted(path), k


def accepted(path) -> bool:
    try:
        return check(path).accepted
    except BadInput:  # the schema's own digit, or a number that is none any more
        return False


LATER = {
    "the point": set_to("launch", "W", 0, 0, lambda w: w + 1e-3),
    "the steps": set_to("launch", "steps", lambda k: k - 1),
    "the step size": set_to("floats", "eta", lambda x: x * (1 - 1e-3)),
    "the error there": set_to("bounds", "size", lambda x: x * (1 - 1e-6)),
    "no rounding allowed": set_to("floats", "omega", lambda x: 0.0),
    "no launch": lambda content: content.pop("launch"),
}


@pytest.mark.parametrize("name", LATER)
def test_a_tampered_later_start_is_rejected(name, tmp_path):
    problem = two_points(m=8)
    later = launched(problem, initialise(problem, jax.random.key(0)))
    assert later is not None
    content = certificate(later, {})
    assert verdict(content, tmp_path).accepted
    LATER[name](content)
    assert not verdict(content, tmp_path).accepted


WEAKENED = {
    "√d dropped, and a factor": ("amplitude", lambda k, s: 0.9 * growth_amplitude(k, s)),
    "no growth in the ball": ("stretch", lambda k, t: t),
    "half of the integral's loss": ("twice_stretched", lambda k, s: growth_twice(k, s) / 2),
    "no curvature": ("curvature_within", lambda k, s: 0 * s),
}
growth_amplitude, growth_twice = growth.amplitude, growth.twice_stretched


@pytest.mark.parametrize("name", WEAKENED)
def test_a_certificate_from_a_weakened_lemma_is_rejected(name, tmp_path, monkeypatch):
    where, formula = WEAKENED[name]
    monkeypatch.setattr(growth, where, formula)
    weak = jax.jit(lambda *args: growth.hypotheses(*args))
    monkeypatch.setattr(certificates, "hypotheses", lambda *args: growth.hypotheses(*args))
    monkeypatch.setattr(certificates, "_computed", weak)
    found = verdict(certificate(proved(two_points()), {}), tmp_path)
    assert not found.accepted
    assert "not so" in found.sentence


def test_a_step_size_that_loses_the_path_is_refused():
    problem = two_points(m=8)
    assert launches.followed(problem, initialise(problem, jax.random.key(0)), 10.0, 3) is None


def test_the_checker_shares_no_code_with_the_producer():
    """It and the file's format, the part of it that the producer writes by, import nothing else of the project."""
    imported = {
        name
        for module in (checker, certificate_file)
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
    assert own == {certificate_file.__name__, "ntkverify.ground.errors"}
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
    again = attempt(*at(float(found.problem.sigma), found.problem.m))
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
    smooth = {name for name in catalogue.ACTIVATIONS if catalogue.activation(name).bend != math.inf}
    assert smooth == set(certificate_file.NETWORKS)
    assert smooth - {"softmax"} == set(checker.ELEMENTWISE)
    assert smooth - {"softmax", "exponential"} == set(checker.BOUNDED)
