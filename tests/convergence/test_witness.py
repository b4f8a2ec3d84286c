"""Certificates with a witness (Theorem 10): they ask for fewer neurons, what they say happens, and nothing else passes the checker."""

import copy
import dataclasses

import jax
import numpy as np
import pytest
from certified import joined, verdict
from conftest import make

from ntkverify.checking import checker
from ntkverify.convergence import bounded, later_starts
from ntkverify.convergence.certificate import attempt, certificate, shift
from ntkverify.convergence.observed import envelope, observe
from ntkverify.convergence.smallest_width import smallest_certified
from ntkverify.convergence.witness import attempted, nearest
from ntkverify.ground.errors import BadInput
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import TRAINED

CASES = (
    ("softmax", "coupled"),
    ("softmax", "independent"),
    ("exponential", "independent"),
    ("tanh", "independent"),
    ("gelu", "coupled"),
    ("attention", "coupled"),
)


def strong(network="softmax", init="coupled", m=256, sigma=0.5, seed=0):
    """A problem whose targets lie along the strongest eigenvector, which is learned on a short way; its start."""
    problem = make(network, n=3, d_in=5, d_out=2, m=m, init=init, sigma=sigma, seed=seed)
    start = initialise(problem, jax.random.key(seed))
    _, vectors = np.linalg.eigh(np.asarray(closed_form(problem, start)))
    return dataclasses.replace(problem, y=jax.numpy.asarray(vectors[:, -1].reshape(problem.y.shape))), start


def narrow(network, init, seed=0):
    """The first width, of 16, 32, …, at which a witness certifies, and what it certifies."""
    for m in 2 ** np.arange(9 if network == "attention" else 4, 14):
        problem, start = strong(network, init, int(m), 2.0 if network == "attention" else 0.5, seed)
        found = attempted(problem, start)
        if found.proved:
            return found, attempt(problem, start)
    raise AssertionError("no width up to 8192")


@pytest.mark.slow
@pytest.mark.parametrize(("network", "init"), CASES)
def test_a_witness_certifies_where_the_start_alone_does_not(network, init, tmp_path, monkeypatch):
    found, plain = narrow(network, init)
    assert found.witness is not None
    assert not plain.proved
    content = joined(certificate(found, {}))
    said = verdict(content, tmp_path)
    assert said.accepted, said.sentence
    assert "that fits the data up to" in said.sentence
    if bounded.covers(found.problem.network):
        monkeypatch.setattr(checker, "QUICK", 0.0)
        said = verdict(content, tmp_path)
        assert said.accepted, said.sentence


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("network", ["softmax", "tanh"])
def test_what_is_proved_with_a_witness_happens(network, seed):
    found, _ = narrow(network, "coupled", seed)
    seen = observe(found, 1e-4, 480)
    assert np.all(seen.errors <= envelope(found, seen))
    assert np.all(seen.distances <= found.s)
    assert found.witness is not None
    assert seen.distances[0] <= found.witness.away
    assert np.all(seen.smallest >= found.conclusions["kept"] ** 2 / found.problem.m)


def test_the_start_as_its_own_witness_says_what_the_start_says():
    problem, start = strong(m=512)
    plain, own = attempt(problem, start), attempt(problem, start, witness=start)
    assert own.witness is not None
    assert (own.witness.away, own.conclusions) == (0.0, plain.conclusions)
    assert own.need == pytest.approx(plain.need, rel=1e-12)


def test_a_witness_that_lies_beyond_the_ball_proves_nothing():
    problem, start = strong(m=64)
    far = dataclasses.replace(start, W=start.W + 10.0)
    found = attempt(problem, start, witness=far)
    assert not found.proved
    assert "inside the ball" in found.sentence


@pytest.mark.slow
def test_fewer_neurons_are_certified_and_a_later_start_may_have_a_witness(tmp_path):
    problem, _ = strong(m=2)
    found = smallest_certified(problem, 0, 4096, (0.5,))
    assert found.proved
    assert found.witness is not None
    assert not attempt(found.problem, found.start).proved
    later = smallest_certified(problem, 0, 256, (0.5,), follow=64)
    assert later.proved
    assert later.problem.m < found.problem.m
    assert verdict(joined(certificate(later, {})), tmp_path).accepted


@pytest.fixture(scope="module")
def good():
    return joined(certificate(narrow("tanh", "independent")[0], {}))


def moved(content, name, by):
    floats = {**content["floats"], name: (np.array(content["floats"][name]) + by).tolist()}
    return {**content, "floats": floats}


def said(content, name, change):
    return {**content, "witness": {**content["witness"], name: change(content["witness"][name])}}


TAMPERED = {
    "a nearer witness": lambda c: said(c, "away", lambda x: x * 0.999),
    "a witness at no distance": lambda c: said(c, "away", lambda x: 0.0),
    "a better fit": lambda c: said(c, "off", lambda x: 1e-30),
    "a perfect fit": lambda c: said(c, "off", lambda x: 0.0),
    "a distance that is no float": lambda c: said(c, "away", lambda x: 1),
    "a distance below 0": lambda c: said(c, "away", lambda x: -x),
    "another witness": lambda c: moved(c, "witness", 1e-3),
    "the start for a witness": lambda c: {**c, "floats": {**c["floats"], "witness": c["floats"]["W"]}},
    "a start that has moved": lambda c: moved(c, "W", 1e-3),
    "no word of the witness": lambda c: {key: value for key, value in c.items() if key != "witness"},
    "no array of the witness": lambda c: {**c, "floats": {k: v for k, v in c["floats"].items() if k != "witness"}},
    "a witness that is null": lambda c: {**c, "witness": None},
    "one number too many": lambda c: {**c, "witness": {**c["witness"], "more": 0.0}},
    "a witness of another shape": lambda c: {**c, "floats": {**c["floats"], "witness": c["floats"]["witness"][:-1]}},
    "a witness that is infinite": lambda c: moved(c, "witness", np.inf),
    "a ball that the steps begin outside of": lambda c: {**c, "numbers": {**c["numbers"], "s": c["witness"]["away"]}},
}


@pytest.mark.parametrize("quick", [2e9, 0.0], ids=["balls", "floats"])
@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_witness_is_rejected_by_both_arithmetics(name, quick, good, tmp_path, monkeypatch):
    monkeypatch.setattr(checker, "QUICK", quick)
    assert not verdict(TAMPERED[name](copy.deepcopy(good)), tmp_path).accepted


@pytest.mark.parametrize("quick", [2e9, 0.0], ids=["balls", "floats"])
def test_what_was_tampered_with_is_accepted_untouched(quick, good, tmp_path, monkeypatch):
    monkeypatch.setattr(checker, "QUICK", quick)
    assert verdict(good, tmp_path).accepted


def test_a_witness_has_the_shape_and_the_signs_of_the_start():
    problem, start = strong(m=512)
    with pytest.raises(BadInput, match="that of the start"):
        attempt(problem, start, witness=dataclasses.replace(start, W=start.W[:, :1]))
    other = attempt(problem, start, witness=dataclasses.replace(start, a=-start.a))
    assert other.conclusions == attempt(problem, start, witness=start).conclusions


def test_a_witness_beside_a_trained_network_promises_no_more_than_is_known(tmp_path):
    problem, start = strong("tanh", m=256)
    problem = dataclasses.replace(problem, init=TRAINED)
    net, _, _ = nearest(problem, start, jax.numpy.zeros_like(problem.y))
    found = attempt(problem, start, witness=net)
    assert found.proved
    assert "of a network that lies" in found.sentence
    assert found.largest == 0
    said = verdict(joined(certificate(found, {})), tmp_path)
    assert said.accepted
    assert "away from these floats" in said.sentence


def test_a_later_start_of_a_trained_network_is_what_distances_are_from(tmp_path):
    """The sentence once named the floats that the steps began from, which were further away."""
    problem = dataclasses.replace(make("tanh", n=3, d_in=5, d_out=2, m=256, sigma=0.5), init=TRAINED)
    start = initialise(problem, jax.random.key(0))
    found = later_starts.launched(problem, start, 0.9)
    assert found is not None
    said = verdict(joined(certificate(found, {})), tmp_path)
    assert said.accepted, said.sentence
    assert "of there over all neurons" in said.sentence


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_what_rounding_leaves_of_a_fit_is_checked_in_floats_too(sigma, tmp_path, monkeypatch):
    """The outputs of an independent start err twice, at W* and at W(0)."""
    problem, start = strong("tanh", "independent", 64, sigma)
    net, _, _ = nearest(problem, start, shift(problem, start))
    found = attempt(problem, start, witness=net)
    assert found.proved, found.sentence
    monkeypatch.setattr(checker, "QUICK", 0.0)
    said = verdict(joined(certificate(found, {})), tmp_path)
    assert said.accepted, said.sentence


def test_both_arithmetics_know_the_same_bend_of_gelu(tmp_path, monkeypatch):
    """Orthonormal inputs hide nothing of it."""
    problem = make("gelu", n=2, d_in=2, d_out=1, m=256, sigma=0.5)
    problem = dataclasses.replace(problem, X=jax.numpy.eye(2))
    found = attempt(problem, initialise(problem, jax.random.key(0)))
    assert found.proved, found.sentence
    monkeypatch.setattr(checker, "QUICK", 0.0)
    said = verdict(joined(certificate(found, {})), tmp_path)
    assert said.accepted, said.sentence


def test_the_distance_of_weights_of_32_bits_is_no_shorter_than_it_is():
    problem, start = strong("tanh", m=512)
    start = dataclasses.replace(start, W=start.W.astype("float32"))
    moved = dataclasses.replace(start, W=start.W + jax.numpy.float32(1e-4))
    found = attempt(problem, start, witness=moved)
    assert found.witness is not None
    assert found.witness.away >= np.linalg.norm(np.asarray(moved.W, np.float64) - np.asarray(start.W, np.float64))
