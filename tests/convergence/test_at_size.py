"""Large networks: what is bounded by norms contains what balls enclose, and eigenvalues lie where they are said to lie."""

import copy
import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from certified import joined, verdict
from conftest import make
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.arithmetic import balls, definite
from ntkverify.arithmetic.balls import U
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.checking import at_size, checker, functions, in_norms
from ntkverify.checking.certificate_file import Claimed
from ntkverify.checking.in_balls import ELEMENTWISE
from ntkverify.checking.neurons import NEURONS
from ntkverify.cli import main as cli
from ntkverify.convergence import bounded, following, later_starts, observed
from ntkverify.convergence import kept as keeping
from ntkverify.convergence.certificate import Launch, attempt, certificate
from ntkverify.convergence.gauss_newton import fitted
from ntkverify.ground.results import load
from ntkverify.ground.rounding import above, below
from ntkverify.networks.growth import constants
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise, widened
from ntkverify.networks.quantities import outputs

EXTREME = [0.0, -0.0, 32.0, -32.0, 64.0, -64.0, 1e-300, 700.0, -700.0, 1e5, -1e5]
LARGE = [name for name in catalogue.NETWORKS if bounded.covers(catalogue.network(name))]


def points():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=600) * size for size in (1e-9, 0.1, 1.0, 8.0, 60.0)] + [EXTREME])


def most(found, exact, wrong):
    """The largest error beside its bound."""
    wrong = np.broadcast_to(wrong, found.shape)
    gaps = [float(abs(arb(float(a)) - b)) for a, b in zip(found, exact, strict=True)]
    return max(gap / (bound + 1e-290) for gap, bound in zip(gaps, wrong, strict=True))


@pytest.mark.parametrize("name", functions.SHAPES)
def test_the_checkers_functions_are_as_near_as_they_say(name):
    u, before = points(), ctx.prec
    ctx.prec = 300
    try:
        exact = [[of(arb(float(x))) for x in u] for of in ELEMENTWISE[name]]
        value, slope, of_value, of_slope = functions.SHAPES[name].both(u)
        assert most(value, exact[0], of_value) <= 1
        assert most(slope, exact[1], of_slope) <= 1
        fine = np.linspace(-6, 6, 20001)
        steep = max(float(ELEMENTWISE[name][1](arb(float(x), 3e-4)).upper()) for x in fine)
        assert steep <= 1.001 * functions.SHAPES[name].steep
        assert np.abs(slope).max() <= functions.SHAPES[name].steep * (1 + 1e-12)
    finally:
        ctx.prec = before


def test_the_checkers_exponential_is_as_near_as_it_says():
    u, before = points(), ctx.prec
    near = u[u <= functions.FAR]
    ctx.prec = 300
    try:
        value, relative = functions.exponential(near)
        assert most(value, [arb(float(x)).exp() for x in near], value * relative) <= 1
    finally:
        ctx.prec = before
    assert np.all(np.isinf(functions.exponential(u[u > functions.FAR])[1]))


def in_arb(of: in_norms.Given, W):
    """z(w_r; x_i) and its gradient's inner part, of every sample and neuron."""
    neuron, columns = NEURONS.get(of.network), [[arb(float(w)) for w in column] for column in W.T]
    rows = [[arb(float(x)) for x in row] for row in of.X]
    if neuron is not None:
        return [[neuron.at(w, row, of.shape) for w in columns] for row in rows]
    return [[(sum((x * w for x, w in zip(row, w, strict=True)), arb(0)), [arb(1)]) for w in columns] for row in rows]


@pytest.mark.parametrize("sigma", [0.3, 2.0, 40.0, 4e3])
@pytest.mark.parametrize("name", ["softmax", "exponential", *functions.FUNCTIONS])
def test_what_the_checker_computes_lies_within_its_bounds(name, sigma):
    """At σ = 40 most shares of a softmax are below e⁻⁶⁴ of the largest, at 4000 most tokens' of a head."""
    problem = make(name, n=4, d_in=4, d_out=2, m=600, sigma=sigma, init="independent")
    net = initialise(problem, jax.random.key(1))
    W, a, d, m = np.array(net.W), np.asarray(net.a), 2, 600
    if name == "exponential":
        W *= min(1.0, 60 / np.abs(np.asarray(problem.X) @ W).max())
    claimed = dataclasses.replace(_claimed(problem, net, 0.0), network=name)
    of = in_norms.given(claimed)
    one, before = in_norms.look(of, W), ctx.prec
    ctx.prec = 400
    try:
        found = in_arb(of, W)
        values = [[z.exp() if name in in_norms.GROWING else z for z, _ in row] for row in found]
        if name in in_norms.NORMALISED:
            values = [[m * each / sum(row, arb(0)) for each in row] for row in values]
        for i, row in enumerate(values):
            for k in range(d):
                F = sum((each * int(sign) for each, sign in zip(row, a[k], strict=True)), arb(0))
                assert float(abs(F - arb(float(one.F[i, k])))) <= one.uncertain[i]
            for r, value in enumerate(row):
                scale = value if name in in_norms.GROWING else arb(1)
                exact = [scale * g for g in found[i][r][1]]
                gaps = [float(abs(g - arb(float(s)))) for g, s in zip(exact, one.slopes[i, :, r], strict=True)]
                assert math.hypot(*gaps) <= one.wrong[i, r]
    finally:
        ctx.prec = before
    assert np.all(one.uncertain <= 1e-7 * m * np.maximum(1, np.abs(one.F).max(axis=1)))


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_functions_whose_error_is_known_beforehand_are_as_near_as_that(name):
    u, before = points(), ctx.prec
    pair = following.pair(catalogue.two_layer(name))
    assert pair is not None
    ctx.prec = 300
    try:
        for found, of in zip(jax.jit(pair)(jnp.asarray(u)), ELEMENTWISE[name], strict=True):
            assert most(np.asarray(found), [of(arb(float(x))) for x in u], following.QUICK * U) <= 1
    finally:
        ctx.prec = before


def test_a_network_of_that_name_with_another_slope_is_not_taken_for_it():
    other = dataclasses.replace(catalogue.two_layer("tanh"), slope=lambda u: 0 * u)
    assert following.pair(other) is None
    twice = dataclasses.replace(catalogue.two_layer("exponential"), value=lambda u: 2 * jnp.exp(u))
    assert not bounded.covers(twice)
    assert bounded.covers(catalogue.two_layer("exponential"))
    assert bounded.covers(catalogue.two_layer("softmax-bias"))


def test_padding_changes_nothing():
    problem = make("softmax", n=3, d_in=4, d_out=2, m=40, sigma=1.0, init="independent")
    net = initialise(problem, jax.random.key(0))
    one, other = (bounded.seen(problem, each) for each in (net, widened(net, 64)))
    assert np.array_equal(one.F, other.F)
    assert np.array_equal(bounded.kernel(problem, net, one).mid, bounded.kernel(problem, widened(net, 64), other).mid)


@pytest.mark.parametrize("name", ["softmax", "softmax-heads"])
def test_padding_is_followed_nowhere(name):
    problem = make(name, n=3, d_in=4, d_out=2, m=40, sigma=1.0)
    net = initialise(problem, jax.random.key(0))
    one, other = (following.Follower(problem, each, 1e-3) for each in (net, widened(net, 64)))
    assert one.advance(4)
    assert other.advance(4)
    assert np.array_equal(one.W, other.W)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(-8, 2), st.sampled_from([0.0, 1e-9, 1e-3]))
def test_eigenvalues_lie_where_they_are_said_to_lie(seed, size, small, error):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = np.sort(10.0 ** rng.uniform(small, 2, size))
    H = np.asfortranarray((Q * values) @ Q.T)
    low, high = definite.spectrum(definite.Near(np.asfortranarray(np.tril(H)), error))
    away = 1e-12 * values[-1]
    assert low <= values[0] - error + away
    assert high >= values[-1] + error - away
    assert low >= values[0] * (1 - 1e-5) - 5 * error - 1e-11 * values[-1]
    assert high <= values[-1] * (1 + 1e-5) + 5 * error


def test_what_is_not_finite_has_no_eigenvalues():
    for bad in (math.nan, math.inf):
        H = np.asfortranarray([[1.0, 0.0], [bad, 1.0]])
        assert definite.spectrum(definite.Near(H, 0.0)) == (-math.inf, math.inf)
    assert definite.spectrum(definite.Near(np.asfortranarray(np.eye(2)), math.nan))[0] == -math.inf


def test_many_rows_take_the_other_way_to_the_same_eigenvalues(monkeypatch):
    rng = np.random.default_rng(0)
    G = rng.normal(size=(60, 200))
    H = definite.Near(np.asfortranarray(G @ G.T), 1e-9)
    direct = definite.spectrum(H)
    monkeypatch.setattr(definite, "DIRECT", 10)
    monkeypatch.setattr(definite, "STRIP", 7)
    assert definite.spectrum(H) == pytest.approx(direct, rel=1e-6)


@pytest.mark.parametrize("name", LARGE)
def test_norms_contain_what_balls_enclose(name):
    problem = make(name, n=5, d_in=4, d_out=3, m=1100, sigma=2.0)
    net = initialise(problem, jax.random.key(0))
    found = bounded.seen(problem, net)
    F = in_balls(outputs)(problem, net)
    assert np.all(np.abs(found.F - F.mid) <= found.uncertain[:, None])
    k = bounded.constants(problem, found)
    for what, ball in dataclasses.asdict(in_balls(constants)(problem, net)).items():
        if isinstance(ball, dict):
            assert ball["mid"] <= getattr(k, what) <= ball["mid"] * (1 + 1e-4) + 1e-10, what
    H = bounded.kernel(problem, net, found)
    slow = in_balls(closed_form)(problem, net)
    mid = slow.mid.reshape(5, 3, 5, 3).transpose(1, 0, 3, 2).reshape(15, 15)
    assert np.linalg.norm(np.tril(H.mid - mid)) <= H.error
    assert H.error <= (2e-10 if name in functions.FUNCTIONS else 1e-11) * float(balls.largest_eigenvalue(slow))
    assert definite.spectrum(H) == pytest.approx(
        (balls.smallest_eigenvalue(slow)[0], balls.largest_eigenvalue(slow)), rel=1e-5
    )


@pytest.mark.parametrize(
    ("name", "init"),
    [
        *((name, init) for name in ("tanh", "sigmoid", "gelu", "softmax", "exponential") for init in ("coupled", "independent")),
        *((name, "independent") for name in functions.FUNCTIONS),
    ],
)  # fmt: skip
def test_the_fast_way_stays_as_near_as_it_says_to_the_enclosed_one(name, init):
    problem = make(name, n=4, d_in=4, d_out=2, m=64, sigma=0.7, init=init)
    start = initialise(problem, jax.random.key(0))
    eta, steps = 0.02 / problem.m, 48
    slow = later_starts.followed(problem, start, eta, steps)
    assert slow is not None
    fast = following.Follower(problem, start, eta)
    for _ in range(steps // 16):
        assert fast.advance(16)
    assert fast.drift < 1e-9
    assert np.linalg.norm(np.asarray(slow.at.W) - np.asarray(fast.W)) <= slow.drift + fast.drift
    claimed = _claimed(problem, start, eta)
    own = at_size.Follower(claimed, in_norms.given(claimed))
    for _ in range(steps):
        own.step()
    assert own.drift < 1e-9
    assert np.linalg.norm(np.asarray(slow.at.W) - own.W) <= slow.drift + own.drift
    assert own.away == pytest.approx(fast.away, rel=1e-4)


def _claimed(problem, start, eta):
    floats = {"X": problem.X, "y": problem.y, "W": start.W, "a": start.a}
    arrays = {name: np.asarray(array) for name, array in floats.items()}
    return Claimed(
        problem.network.name, problem.init, arrays, {"eta": eta}, {}, {}, 1, arrays["W"], arrays["W"], {},
        problem.network.shape or (problem.d_in,),
    )  # fmt: skip


@pytest.mark.parametrize("name", [*functions.SHAPES, "exponential", "softmax", *functions.FUNCTIONS])
def test_both_checkers_accept_a_later_start(name, tmp_path, monkeypatch):
    """In balls heads take minutes, and have a short launch of their own."""
    problem = make(name, n=3, d_in=5, d_out=2, m=64, init="independent", sigma=0.7)
    start = initialise(problem, jax.random.key(0))
    found = following.launched(problem, start, 0.5, 0.1, 4096)
    assert found is not None, attempt(problem, start).sentence
    content = joined(certificate(found, {}))
    if name not in functions.FUNCTIONS:
        assert verdict(content, tmp_path).accepted
    monkeypatch.setattr(checker, "QUICK", 0.0)
    said = verdict(content, tmp_path)
    assert said.accepted, said.sentence
    content["numbers"]["eta"] *= 1.001
    assert not verdict(content, tmp_path).accepted


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("name", ["attention", "softmax-heads"])
def test_honest_bounds_of_wide_and_long_tokens_are_accepted(name, scale):
    """Two opposite tokens of 32 numbers: there the checker's sums are longest beside the producer's."""
    rng = np.random.default_rng(0)
    tokens = np.array([1.0, -1.0])[:, None] * (1 + 0.3 * rng.normal(size=(2, 2, 32)))
    X = tokens / np.linalg.norm(tokens, axis=(1, 2), keepdims=True)
    arrays = nv.problem((X, np.array([[1.0], [-1.0]])), name, m=64, sigma=1 / scale**2, init="independent")
    problem = dataclasses.replace(arrays, X=arrays.X * scale)
    net = initialise(problem, jax.random.key(0))
    made = bounded.seen(problem, net)
    problem = dataclasses.replace(problem, y=jnp.asarray(made.F))  # ‖e‖ is what rounding leaves
    k = bounded.constants(problem, made)
    of = in_norms.given(_claimed(problem, net, 0.0))
    one = in_norms.look(of, np.asarray(net.W))
    assert in_norms.off(one, np.asarray(problem.y), None)[1] <= bounded.error(problem, made)[1]
    assert in_norms.kernel(of, one)[1] <= 4 * bounded.kernel(problem, net, made).error
    for mine, theirs in zip((k.mean, k.weight, k.rate), in_norms.growth(of, one), strict=True):
        assert theirs <= mine
    assert in_norms.sharpness(of, one) <= k.sharpness


@pytest.mark.slow
@pytest.mark.parametrize(("name", "m"), [("attention", 512), ("softmax-heads", 2048), ("patches", 64)])
def test_both_checkers_accept_a_short_launch_of_heads(name, m, tmp_path, monkeypatch):
    problem = make(name, n=2, d_out=1, m=m, sigma=2.0, init="independent")
    start = initialise(problem, jax.random.key(0))
    way = following.Follower(problem, start, 0.01 / m)
    assert way.advance(2)
    there = Launch(way.step, dataclasses.replace(start, W=way.W), way.drift)
    found = attempt(problem, start, launch=there, eta=0.01 / m)
    assert found.proved, found.sentence
    content = joined(certificate(found, {}))
    for quick in (checker.QUICK, 0.0):
        monkeypatch.setattr(checker, "QUICK", quick)
        said = verdict(content, tmp_path)
        assert said.accepted, said.sentence
        assert any("distance of exact gradient descent" in finding.what for finding in said.findings)
        moved = copy.deepcopy(content)
        moved["floats"]["later"][0][0] += 1.0
        fails = [finding.what for finding in verdict(moved, tmp_path).findings if not finding.holds]
        assert any("distance of exact gradient descent" in what for what in fails)


@pytest.mark.slow
def test_both_checkers_accept_a_long_launch(tmp_path, monkeypatch):
    """Four thousand steps of twelve neurons: the checker knows its functions less well than the producer."""
    problem = make("exponential", n=3, d_in=4, d_out=1, m=12, init="independent", sigma=1.0, seed=394, spread=0.2)
    found = following.launched(problem, initialise(problem, jax.random.key(857)))
    assert found is not None
    assert found.launch is not None
    assert found.launch.drift > 1e-6
    for quick in (2e9, 0.0):
        monkeypatch.setattr(checker, "QUICK", quick)
        said = verdict(joined(certificate(found, {})), tmp_path)
        assert said.accepted, said.sentence


@pytest.mark.parametrize("network", ["tanh", "softmax", "exponential", "erf", *functions.FUNCTIONS])
def test_a_trained_network_is_certified_and_is_near_one_that_fits_exactly(network, tmp_path, monkeypatch):
    problem = make(network, n=4, d_in=5, d_out=2, m=512, sigma=0.5)
    net = fitted(problem, initialise(problem, jax.random.key(0)))
    made = nv.certify_convergence(problem, net, tmp_path / "r")
    assert made.results["kind"] == "trained"
    assert made.results["distance"] < 1e-5
    assert all(row["holds"] for row in made.results["observations"])
    for quick in (2e9, 0.0):
        monkeypatch.setattr(checker, "QUICK", quick)
        said = checker.check(tmp_path / "r" / "certificate.json")
        assert said.accepted, said.sentence
    far = dataclasses.replace(net, W=net.W + jax.random.normal(jax.random.key(1), net.W.shape))
    with pytest.raises(nv.BadInput, match="‖e‖ of at most"):
        nv.certify_convergence(problem, far)


def test_the_command_line_trains_certifies_and_takes_weights_back(tmp_path, capsys):
    words = ["realise", "--data", "sphere", "--n", "4", "--d-in", "4", "--network", "tanh"]
    assert cli.main([*words, "--train", "--out", str(tmp_path / "r")]) == 0
    assert load(tmp_path / "r")["kind"] == "trained"
    shapes = load(tmp_path / "r")
    floats = np.fromfile(tmp_path / "r" / "certificate.bin")
    n, d_in, d, m = 4, 4, shapes["problems"][0]["d_out"], shapes["m"]
    W = floats[n * (d_in + d) :][: d_in * m].reshape(d_in, m)
    a = floats[-d * m :].reshape(d, m)
    np.savez(tmp_path / "weights.npz", W=W, a=a)
    assert cli.main([*words, "--from", str(tmp_path / "weights.npz"), "--out", str(tmp_path / "again")]) == 0
    assert load(tmp_path / "again")["bounds"] == shapes["bounds"]
    capsys.readouterr()
    for arrays, said in (
        ({"W": W}, "without a"), ({"W": W, "a": a / 2}, "±1"), ({"W": W[:, 1:], "a": a}, "neurons"),
        ({"W": W[1:], "a": a}, "for these data"), ({"W": W * math.nan, "a": a}, "NaN"), ({"W": W * 1j, "a": a}, "real numbers"),
    ):  # fmt: skip
        np.savez(tmp_path / "wrong.npz", **arrays)  # type: ignore[arg-type]
        assert cli.main([*words, "--from", str(tmp_path / "wrong.npz"), "--out", str(tmp_path / "no")]) == 2
        assert said in capsys.readouterr().err
    (tmp_path / "text.npz").write_text("weights")
    assert cli.main([*words, "--from", str(tmp_path / "text.npz")]) == 2
    assert cli.main([*words, "--from", str(tmp_path / "none.npz")]) == 2
    assert cli.main([*words, "--train", "--follow", "16"]) == 2


@pytest.mark.slow
def test_the_script_for_devices_runs_here(tmp_path):
    script = Path(nv.__file__).parent.parent / "benchmarks" / "certify_on_device.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "c"), "32"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "accepted" in done.stdout
    assert checker.check(tmp_path / "c" / "certificate.json").accepted


def forged(tmp_path, arrays, bounds, numbers, steps=0, **words):
    """A certificate of n = m = 1 in which only the bounds lie; every conclusion is computed from them."""
    b = {"longest": 1.0, "mean": 0.0, "weight": 0.0, "rate": 0.0, **bounds}
    bend = b["sharpness"] * (1 + 1e-9)
    root, reach = math.sqrt(b["lambda"]), math.sqrt(b["norm"]) + bend * numbers["s"]
    kept, theta = (
        root - bend * numbers["s"],
        numbers["eta"] * (reach**2 + bend * (b["size"] + reach * numbers["omega"])) / 2,
    )
    spent = (1 - theta) * (root * (numbers["s"] - numbers["omega"]) - bend * numbers["s"] ** 2 / 2)
    conclusions = {
        "kept": kept * (1 - 1e-9), "theta": theta * (1 + 1e-9), "spent": spent * (1 - 1e-8), "reach": reach * (1 + 1e-9),
        "contraction": (1 - theta) * numbers["eta"] * kept**2 * (1 - 1e-6),
    }  # fmt: skip
    content = {
        "schema": 2, "kind": "convergence", "arrays": {}, "numbers": {"keep": 0.1, **numbers}, "bounds": b, "conclusions": conclusions,
        "origin": {}, "digest": "", "floats": arrays, **words, **({"launch": {"steps": steps}} if steps else {}),
    }  # fmt: skip
    return verdict(content, tmp_path)


@pytest.mark.parametrize("quick", [2e9, 0.0], ids=["in balls", "at size"])
def test_squares_that_underflow_prove_nothing(quick, tmp_path, monkeypatch):
    """‖(10⁻¹⁶⁵)‖ is not 0 because (10⁻¹⁶⁵)² is."""
    monkeypatch.setattr(checker, "QUICK", quick)
    one = [[1.0]]
    at = {"X": one, "y": [[-1e-165]], "W": [[0.0]], "a": one}
    swish = {"lambda": 0.25 * (1 - 1e-8), "norm": 0.25 * (1 + 1e-8), "sharpness": 0.5 * (1 + 1e-8)}
    numbers = {"s": 1e-100, "eta": 0.01, "omega": 0.0}
    for size, good in ((4e-280, False), (1e-140, True)):
        found = forged(tmp_path, at, {**swish, "size": size}, numbers, network="swish", start="trained")
        assert found.accepted is good, found.sentence
    tanh = {"lambda": 1 - 1e-8, "norm": 1 + 1e-8, "sharpness": 0.76980036 * (1 + 1e-8), "size": 0.1 * (1 + 1e-4)}
    far = {"X": one, "y": [[0.1]], "W": [[0.0]], "a": one, "later": [[1e-163]]}
    for omega, good in ((1e-211, False), (1e-12, True)):
        numbers = {"s": 0.2, "eta": 1e-200, "omega": omega}
        found = forged(tmp_path, far, tanh, numbers, 1, network="tanh", start="independent")
        assert found.accepted is good, found.sentence


def test_lengths_of_tiny_numbers_are_no_shorter_than_they_are():
    for size in (1e-100, 1e-150, 1e-163, 1e-200, 0.0):
        array = np.full((1, 10**5), size)
        truth = size * math.sqrt(10**5)
        for found in (definite.length(array), definite.length(jnp.asarray(array), xp=jnp), in_norms.norm(array)):
            assert float(found) >= truth * (1 - 1e-9)


def test_small_inputs_are_checked_in_floats_as_in_balls(tmp_path, monkeypatch):
    problem = make("tanh", n=2, d_in=3, d_out=1, m=64, sigma=1.0)
    problem = dataclasses.replace(problem, X=problem.X * 1e-5, y=problem.y * 1e-6)
    net = fitted(problem, initialise(problem, jax.random.key(0)))
    found = attempt(dataclasses.replace(problem, init="trained"), net)
    assert found.proved, found.sentence
    for quick in (2e9, 0.0):
        monkeypatch.setattr(checker, "QUICK", quick)
        said = verdict(joined(certificate(found, {})), tmp_path)
        assert said.accepted, said.sentence


def test_following_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "SECONDS", 0.0)
    problem = make("tanh", n=3, d_in=5, d_out=2, m=16, init="independent", sigma=0.7)
    start = initialise(problem, jax.random.key(0))
    whole, steps = following.launched(problem, start, 0.5, 0.1, 4096), []

    def stop(what, done, total):
        if done >= 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        following.launched(problem, start, 0.5, 0.1, 4096, stop, keeping.Kept.of(tmp_path))
    again = following.launched(
        problem, start, 0.5, 0.1, 4096, lambda what, done, total: steps.append(done), keeping.Kept.of(tmp_path)
    )
    assert whole is not None
    assert again is not None
    assert whole.launch is not None
    assert again.launch is not None
    assert steps[0] == 48  # 32 steps were kept
    assert (again.launch.steps, again.launch.drift) == (whole.launch.steps, whole.launch.drift)
    assert np.array_equal(again.launch.at.W, whole.launch.at.W)
    assert again.conclusions == whole.conclusions


@pytest.mark.parametrize("network", ["relu", "relu-sum", "gated"])
def test_a_trained_network_without_a_bound_on_its_bends_is_refused(network):
    problem = make(network, n=2, d_in=3, d_out=1, m=16)
    with pytest.raises(nv.BadInput, match="second derivative"):
        nv.certify_convergence(problem, initialise(problem, jax.random.key(0)))


def test_the_page_of_a_trained_network_says_no_more_than_is_known(tmp_path, monkeypatch):
    problem = make("tanh", n=3, d_in=4, d_out=1, m=256)
    net = fitted(problem, initialise(problem, jax.random.key(0)))
    monkeypatch.setattr(observed, "NUMBERS", 0)
    nv.certify_convergence(problem, net, tmp_path / "r")
    assert load(tmp_path / "r")["sigma"] is None
    assert cli.main(["report", str(tmp_path / "r")]) == 0
    page = (tmp_path / "r" / "report.html").read_text()
    assert "σ =" not in page
    assert "Observed is one" not in page
    assert "No run was made" in page


@given(st.floats(1e-300, 1e300), st.integers(1, 9))
def test_bounds_in_few_digits_stay_bounds(number, digits):
    low, high = float(below(number, digits)), float(above(number, digits))
    assert low <= number <= high
    assert high - low <= 10.0 ** (1 - digits) * 1.01 * high
