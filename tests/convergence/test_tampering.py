"""Nothing but what is proved passes the checker: contents, numbers and texts that were changed."""

import copy
import dataclasses
import functools
import json
import math
import re

import jax
import numpy as np
import pytest
from certified import joined, proved, two_points, verdict, write
from conftest import make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntkverify.checking import at_size, certificate_file, checker
from ntkverify.checking.checker import check
from ntkverify.convergence import certificate as certificates
from ntkverify.convergence.certificate import attempt, certificate
from ntkverify.convergence.gauss_newton import fitted
from ntkverify.convergence.later_starts import launched
from ntkverify.ground.errors import BadInput
from ntkverify.networks import growth
from ntkverify.networks.network import initialise


@pytest.fixture(scope="module")
def good():
    return joined(certificate(proved(two_points()), {"made": "by a test"}))


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


# A bound may lie beyond the truth by about 10⁻⁵ of itself, for whoever finds it by other sums.
TAMPERED = {
    "a larger λ": set_to("bounds", "lambda", lambda x: x * (1 + 1e-4)),
    "a smaller norm": set_to("bounds", "norm", lambda x: x * (1 - 1e-4)),
    "a smaller ‖Y‖": set_to("bounds", "size", lambda x: x * (1 - 1e-12)),
    "a smaller B": set_to("bounds", "sharpness", lambda x: x * (1 - 1e-4)),
    "a smaller ν": set_to("bounds", "rate", lambda x: x * (1 - 1e-4)),
    "a smaller κ": set_to("bounds", "weight", lambda x: x * (1 - 1e-4)),
    "a smaller ‖x‖": set_to("bounds", "longest", lambda x: x * (1 - 1e-4)),
    "a negative λ": set_to("bounds", "lambda", lambda x: -x),
    "a larger p(s)": set_to("conclusions", "kept", lambda x: x * (1 + 1e-12)),
    "a negative p(s)": set_to("conclusions", "kept", lambda x: -x),
    "a smaller θ": set_to("conclusions", "theta", lambda x: x * (1 - 1e-9)),
    "more of the integral": set_to("conclusions", "spent", lambda x: x * (1 + 1e-9)),
    "a smaller P": set_to("conclusions", "reach", lambda x: x * (1 - 1e-9)),
    "a faster rate": set_to("conclusions", "contraction", lambda x: x * (1 + 1e-9)),
    "a larger step": set_to("numbers", "eta", lambda x: 2 * x),
    "a larger ball": set_to("numbers", "s", lambda x: 1.001 * x),
    "a much smaller ball": set_to("numbers", "s", lambda x: 0.5 * x),
    "more rounding": set_to("numbers", "omega", lambda x: 1e3 * x),
    "rounding beyond the ball": set_to("numbers", "omega", lambda x: 1e9),
    "a larger share": set_to("numbers", "keep", lambda x: x * (1 + 1e-6)),
    "a share of 1": set_to("numbers", "keep", lambda x: 1.0),
    "larger targets": set_to("floats", "y", lambda y: [[2 * v for v in row] for row in y]),
    "other inputs": set_to("floats", "X", lambda X: [X[0], [0.8, 0.6]]),
    "equal inputs": set_to("floats", "X", lambda X: [X[0], X[0]]),
    "one weight": set_to("floats", "W", 0, 0, lambda w: w + 1e-12),
    "weights swapped": swap_columns,
    "one sign": set_to("floats", "a", 0, 0, lambda sign: -sign),
    "no sign": set_to("floats", "a", 0, 0, lambda sign: 0.5),
    "no number": set_to("numbers", "eta", lambda x: "0.1"),
    "a shorter W": set_to("floats", "W", lambda W: W[:1]),
    "another network": set_to("network", lambda _: "exponential"),
    "no smooth network": set_to("network", lambda _: "relu"),
    "another start": set_to("start", lambda _: "uncoupled"),
    "a bound left out": lambda content: content["bounds"].pop("rate"),
    "a bound too many": lambda content: content["bounds"].update(more=1.0),
    "a key too many": lambda content: content.update(note="more"),
    "no origin": lambda content: content.pop("origin"),
    "an origin in a word": lambda content: content.update(origin="here"),
    "labels of norm 2": set_to("floats", "y", lambda y: [[2.0], [-2.0]]),
    "a row of zeros": set_to("floats", "X", lambda X: [X[0], [0.0, 0.0]]),
    "a sign of 0": set_to("floats", "a", 0, 0, lambda sign: 0.0),
    "a list of networks": set_to("network", lambda word: [word]),
    "no launch told": lambda content: content.update(launch=None),
    "the steps true": lambda content: content.update(launch={"steps": True}),
    "steps in floats": lambda content: content.update(launch={"steps": 5.0}),
    "steps without end": lambda content: content.update(launch={"steps": 10**4000}),
    "a launch of a launch": lambda content: content.update(launch={"steps": 1, "launch": {}}),
    "a launch that leads nowhere": lambda content: content.update(launch={"steps": 5}),
    "a point of no launch": lambda content: content["floats"].update(later=content["floats"]["W"]),
    "no arrays": lambda content: content.pop("arrays"),
    "arrays in a word": lambda content: content.update(lies={"shapes": "all"}),
    "an array left out": lambda content: content["floats"].pop("a"),
    "an array too many": lambda content: content["floats"].update(b=[[1.0]]),
    "arrays in another order": lambda content: content.update(floats=dict(reversed(content["floats"].items()))),
    "a number in bytes that is none": lambda content: content.update(bytes=lambda binary: b"\xff" * 8 + binary[8:]),
    "an infinite label": set_to("floats", "y", 0, 0, lambda y: math.inf),
    "a byte too few": lambda content: content.update(bytes=lambda binary: binary[:-1]),
    "eight bytes more": lambda content: content.update(bytes=lambda binary: binary + bytes(8)),
    "no bytes": lambda content: content.update(bytes=lambda binary: b""),
    "another digest of the bytes": lambda content: content.update(lies={"sha256": 64 * "0"}),
    "no digest of the bytes": lambda content: content.update(lies={"sha256": None}),
    **{
        f"the shape {shape}": lambda content, shape=shape: content.update(
            lies={"shapes": {"X": shape, "y": [2, 1], "W": [2, 24], "a": [1, 24]}}
        )
        for shape in (
            [1, 4],
            [4, 1],
            [2.0, 2],
            [True, 4],
            [-2, -2],
            [0, 4],
            [4],
            [2, 2, 1],
            4,
            None,
            "22",
            [2**40, 2],
            {"0": 2, "1": 2},
        )
    },
    "inputs beyond all squares": set_to("floats", "X", lambda X: [[1e300, 0.0], [0.0, 1e300]]),
    "inputs below all squares": set_to("floats", "X", lambda X: [[1e-300, 0.0], [0.0, 1e-300]]),
    "weights beyond all exponentials": set_to("floats", "W", lambda W: [[1.5e308] * len(row) for row in W]),
    "an empty launch": lambda content: content.update(launch={}),
    "a launch of no steps": lambda content: content.update(launch={"steps": 0}),
    "a launch that goes nowhere": lambda content: (
        content.update(launch={"steps": 5}),
        content["floats"].update(later=content["floats"]["W"]),
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_certificate_is_rejected_even_with_a_fitting_digest(name, good, tmp_path):
    assert verdict(good, tmp_path).accepted
    content = copy.deepcopy(good)
    TAMPERED[name](content)
    found = verdict(content, tmp_path)
    assert not found.accepted
    assert found.sentence


OF_HEADS = {
    name: change
    for name, change in TAMPERED.items()
    if name not in ("a smaller B", "a smaller ν", "a smaller κ", "other inputs", "a row of zeros")
} | {
    "a much smaller B": set_to("bounds", "sharpness", lambda x: x * 0.999),
    "tokens cut otherwise": set_to("shape", lambda shape: shape[::-1]),
    "no shape": lambda content: content.pop("shape"),
    "one token": set_to("shape", lambda shape: [1, math.prod(shape)]),
    "three axes of an input": set_to("shape", lambda shape: [1, *shape]),
    "more numbers than there are": set_to("shape", lambda shape: [2, 2]),
    "a shape of floats": set_to("shape", lambda shape: [float(length) for length in shape]),
    "a shape of words": set_to("shape", lambda shape: list(map(str, shape))),
    "a negative shape": set_to("shape", lambda shape: [-length for length in shape]),
    "no lengths": set_to("shape", lambda shape: []),
    "a convolution": set_to("network", lambda word: "patches"),
    "another query": set_to("floats", "X", 0, -1, lambda x: x + 1e-3),
}
"""Changes of a certificate for attention heads, whose ν and κ are 0, and whose B is above the checker's by a millionth."""


@pytest.mark.parametrize(("network", "shape"), [("attention", [400_000, 1]), ("patches", [700, 700])])
def test_inputs_whose_bounds_would_take_days_are_rejected_at_once(network, shape, heads, tmp_path):
    content, size = copy.deepcopy(heads) | {"network": network, "shape": shape}, math.prod(shape)
    p = 1 if network == "attention" else 9
    content["floats"] |= {"X": [[1.0] * size], "y": [[1.0]], "W": [[1.0, 1.0]] * p, "a": [[1.0, -1.0]]}
    found = verdict(content, tmp_path)
    assert not found.accepted
    assert "too large to be checked" in found.sentence


@pytest.fixture(scope="module")
def heads():
    problem = make("attention", n=2, d_out=1, m=512, sigma=2.0)
    return joined(certificate(proved(problem), {"made": "by a test"}))


@pytest.mark.parametrize("quick", [checker.QUICK, 0.0], ids=["in balls", "at size"])
@pytest.mark.parametrize("name", OF_HEADS)
def test_a_tampered_certificate_for_attention_is_rejected(name, quick, heads, tmp_path, monkeypatch):
    monkeypatch.setattr(checker, "QUICK", quick)
    assert verdict(heads, tmp_path).accepted
    content = copy.deepcopy(heads)
    OF_HEADS[name](content)
    found = verdict(content, tmp_path)
    assert not found.accepted
    assert found.sentence


@pytest.mark.parametrize("name", [*certificate_file.NUMBERS, *certificate_file.BOUNDS, *certificate_file.CONCLUSIONS])
def test_every_number_is_a_float_in_its_range(name, good, tmp_path):
    part = next(part for part in ("numbers", "bounds", "conclusions") if name in good[part])
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
        assert not (found.accepted and network.removesuffix("-bias") != good["network"])
        if value == LARGEST:
            assert not found.accepted
    for name in ("s", "eta"):
        content = copy.deepcopy(good) | {"network": network}
        content["numbers"][name] = value
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


def is_number(path):
    """Whether a test may put anything there: in the bytes of an array there can only be numbers."""
    return path[0] != "floats"


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
        said, sign = good["bounds"][name], -1 if name == "lambda" else 1
        assert -1e-14 * number <= sign * (said - number) <= 2e-5 * number + 1e-11, name


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_at_any_place_there_is_a_verdict(data, good, tmp_path):
    content = copy.deepcopy(good)
    for _ in range(data.draw(st.integers(1, 2))):
        path, inner = data.draw(st.sampled_from([path for path in places(content) if is_number(path)])), content
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(NASTY)))
    if (
        content.get("kind") != "convergence"
        or type(content.get("schema")) is not int
        or content["schema"] != certificate_file.SCHEMA
    ):
        with pytest.raises(BadInput, match="wanted"):
            verdict(content, tmp_path)
        return
    found = verdict(content, tmp_path)
    if found.accepted:  # smaller labels, larger bounds, another network that is as good: what is claimed is so
        true = numbers_at_start(content["floats"])
        assert content["bounds"]["lambda"] <= true.pop("lambda") * (1 + 1e-9)
        for name, number in true.items():
            assert content["bounds"][name] >= number - 1e-9


def test_what_would_take_for_ever_is_refused_at_once(good, tmp_path, monkeypatch):
    many = copy.deepcopy(good)
    many["floats"] |= {"X": [[1.0, 0.0]] * 100_000, "y": [[1.0]] * 100_000}
    long = copy.deepcopy(good)
    wide = [[0.1] * 20_000] * 2
    long["floats"] |= {"W": wide, "a": [[1.0, -1.0] * 10_000]}
    long["launch"] = {"steps": certificate_file.LONGEST}
    long["floats"]["later"] = wide
    assert "too large" in verdict(many, tmp_path).sentence
    with monkeypatch.context() as patch:
        patch.setattr(at_size, "WORK", 1e12)  # 200,000 steps of 20,000 neurons would be less than an hour
        assert "too large" in verdict(long, tmp_path).sentence
    lost = copy.deepcopy(good)
    lost["launch"] = {"steps": certificate_file.LONGEST}
    lost["floats"]["later"] = good["floats"]["W"]
    lost["numbers"]["omega"] = 1e-60
    assert "distance" in verdict(lost, tmp_path).sentence


@pytest.mark.parametrize(
    "what", ["a key twice", "another form of a number", "spaces", "an infinity", "keys as escapes"]
)
def test_a_text_that_is_not_as_written_is_rejected(what, good, tmp_path):
    path = tmp_path / "c.json"
    write(good, path)
    text, eta = path.read_text(), json.dumps(good["numbers"]["eta"])
    changed = {
        "a key twice": text.replace('"eta": ', '"eta": 1e-9, "eta": '),
        "another form of a number": text.replace(eta, eta + "0"),
        "spaces": json.dumps(json.loads(text), indent=1),
        "an infinity": text.replace(eta, "1e999"),
        "keys as escapes": text.replace('"eta"', '"\\u0065ta"'),
    }[what]
    assert text != changed
    path.write_text(changed)
    assert "changed after it was written" in check(path).sentence


def test_what_the_sentence_promises_is_rounded_to_the_safe_side(good, tmp_path):
    said = verdict(good, tmp_path).sentence
    rate, away = (float(word) for word in re.findall(r"1 − (\S+)\)\^τ.*within (\S+) of", said)[0])
    assert 0 < rate <= good["conclusions"]["contraction"] < 1.00001 * rate
    assert good["numbers"]["s"] <= away < 1.00001 * good["numbers"]["s"]


def test_a_neuron_that_underflows_is_no_way_around_the_quotients(tmp_path):
    """exp(−800) = 0 in floats: Collatz's vector has no entry there to divide by, and the bound must not lose it."""
    good = joined(certificate(proved(two_points(m=64, network="exponential")), {}))
    for pair in ((0, 1), range(64)):
        content = copy.deepcopy(good)
        for row in content["floats"]["W"]:
            for r in pair:
                row[r] = -800.0
        found = verdict(content, tmp_path)
        assert found.findings[7].what == "B ≤ sharpness"
        assert math.isfinite(found.findings[7].small)


def test_one_changed_digit_or_byte_anywhere_is_rejected(good, tmp_path):
    path, rng = tmp_path / "digit.json", np.random.default_rng(0)
    write(good, path)
    text, binary = path.read_text(), path.with_suffix(".bin").read_bytes()
    assert accepted(path)
    places = [k for k, letter in enumerate(text) if letter.isdigit()]
    for k in rng.choice(places, 60, replace=False):
        path.write_text(text[:k] + str((int(text[k]) + 1) % 10) + text[k + 1 :])
        assert not accepted(path), k
    path.write_text(text)
    for k in rng.choice(len(binary), 60, replace=False):
        path.with_suffix(".bin").write_bytes(binary[:k] + bytes([binary[k] ^ 1]) + binary[k + 1 :])
        assert not accepted(path), k
    path.with_suffix(".bin").unlink()
    with pytest.raises(BadInput, match="copying both files"):
        check(path)


def accepted(path) -> bool:
    try:
        return check(path).accepted
    except BadInput:  # the schema's own digit, or a number that is none any more
        return False


LATER = {
    "the point": set_to("floats", "later", 0, 0, lambda w: w + 1e-3),
    "the steps": set_to("launch", "steps", lambda k: k - 1),
    "the step size": set_to("numbers", "eta", lambda x: x * (1 - 1e-3)),
    "the error there": set_to("bounds", "size", lambda x: x * (1 - 1e-4)),
    "no rounding allowed": set_to("numbers", "omega", lambda x: 0.0),
    "no launch": lambda content: content.pop("launch"),
}


@pytest.mark.parametrize("name", LATER)
def test_a_tampered_later_start_is_rejected(name, tmp_path):
    problem = two_points(m=8)
    later = launched(problem, initialise(problem, jax.random.key(0)))
    assert later is not None
    content = joined(certificate(later, {}))
    assert verdict(content, tmp_path).accepted
    LATER[name](content)
    assert not verdict(content, tmp_path).accepted


AT_TRAINED = {
    "drawn in pairs": set_to("start", lambda _: "coupled"),
    "drawn apart": set_to("start", lambda _: "independent"),
    "one weight": set_to("floats", "W", 0, 0, lambda w: w + 1e-3),
    "one sign": set_to("floats", "a", 0, 0, lambda sign: -sign),
    "one label": set_to("floats", "y", 0, 0, lambda y: y + 1e-3),
    "one pixel": set_to("floats", "X", 0, 0, lambda x: x + 1e-3),
    "a smaller error": set_to("bounds", "size", lambda x: x / 1e3),
    "a larger λ": set_to("bounds", "lambda", lambda x: x * 1.01),
    "a smaller norm": set_to("bounds", "norm", lambda x: x * 0.99),
    "a smaller B": set_to("bounds", "sharpness", lambda x: x * (1 - 1e-4)),
    "a smaller ‖x‖": set_to("bounds", "longest", lambda x: x * (1 - 1e-5)),
    "a larger p(s)": set_to("conclusions", "kept", lambda x: x * (1 + 1e-9)),
    "more of the integral": set_to("conclusions", "spent", lambda x: x * (1 + 1e-9)),
    "a smaller P": set_to("conclusions", "reach", lambda x: x * (1 - 1e-9)),
    "a smaller θ": set_to("conclusions", "theta", lambda x: x * (1 - 1e-9)),
    "a faster rate": set_to("conclusions", "contraction", lambda x: x * (1 + 1e-9)),
    "a larger step": set_to("numbers", "eta", lambda x: 2 * x),
    "a larger ball": set_to("numbers", "s", lambda x: 1.001 * x),
    "another network": set_to("network", lambda _: "sigmoid"),
    "a network that needs more time": set_to("network", lambda _: "gelu"),
}
OF_SOFTMAX = {
    "a smaller f": set_to("bounds", "mean", lambda x: x * (1 - 1e-4)),
    "no f": set_to("bounds", "mean", lambda x: 0.0),
    "a smaller κ": set_to("bounds", "weight", lambda x: x * (1 - 1e-4)),
    "a smaller ν": set_to("bounds", "rate", lambda x: x * (1 - 1e-4)),
    "no growth": set_to("bounds", "rate", lambda x: 0.0),
    "without its mean": set_to("network", lambda _: "exponential"),
}
AT_TRAINED_BY = [(network, name) for network in ("tanh", "softmax") for name in AT_TRAINED] + [
    ("softmax", name) for name in OF_SOFTMAX
]


@functools.cache
def trained(network):
    problem = two_points(m=64, network=network)
    net = fitted(problem, initialise(problem, jax.random.key(0)))
    found = attempt(dataclasses.replace(problem, init="trained"), net)
    assert found.proved
    return joined(certificate(found, {}))


@pytest.mark.parametrize("quick", [2e9, 0.0], ids=["in balls", "at size"])
@pytest.mark.parametrize(("network", "name"), AT_TRAINED_BY)
def test_a_tampered_trained_start_is_rejected_by_both_arithmetics(network, name, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(checker, "QUICK", quick)
    assert verdict(trained(network), tmp_path).accepted
    content = copy.deepcopy(trained(network))
    (AT_TRAINED | OF_SOFTMAX)[name](content)
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
    found = verdict(joined(certificate(proved(two_points()), {})), tmp_path)
    assert not found.accepted
    assert "not so" in found.sentence
