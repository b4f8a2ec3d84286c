"""Score matching on the line: the convex program, its second route, bounds that no network goes below, planted errors."""

import sys
from typing import cast

import cvxpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkverify.arithmetic.arb import enclosed
from ntkverify.diffusion import convex, dual
from ntkverify.diffusion.convex import columns, convex_score, fewest, optimum, places
from ntkverify.diffusion.denoising import Net, Task, drawn, noised, objective, output, task, trained
from ntkverify.diffusion.dual import PROVED, VIOLATED, certified, objective_between, respects
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import random_key
from ntkverify.truths.line import HALF, LINES, line

CASES = [("points", 16, 0.02, 0.5), ("mixture", 12, 0.002, 0.3), ("uniform", 20, 0.1, 1.0), ("mixture", 24, 0.5, 0.5)]


def case(data: str, n: int, beta: float, tau: float, seed: int = 0) -> Task:
    return noised(line(data), n, 2, tau, beta, seed)


def some_net(seed: int, m: int, size: float = 1.0) -> Net:
    rng = np.random.default_rng(seed)
    w, b, a = (jnp.asarray(size * rng.standard_normal(m)) for _ in range(3))
    return Net(w, b, a, jnp.asarray(rng.standard_normal()))


def combination(net: Net, z: np.ndarray) -> tuple[np.ndarray, float]:
    """(α, c) of Theorem 2: the network on the points z, written with the neurons of `places`."""
    kinks, signs = places(z)
    z = np.unique(z)
    alpha, c = np.zeros(len(kinks)), float(net.c)

    def put(kink, sign, much):
        nonlocal c
        if sign < 0 and kink == z[-1]:  # a constant less the first neuron
            c, kink, sign, much = c + much * (z[-1] - z[0]), z[0], 1.0, -much
        alpha[(kinks == kink) & (signs == sign)] += much

    for w, b, a in zip(*(np.asarray(each) for each in net[:3]), strict=True):
        if w == 0:
            c += a * max(b, 0)
            continue
        theta, sign, much = -b / w, np.sign(w), a * abs(w)
        edge, far = (z[0], z[-1]) if sign > 0 else (z[-1], z[0])
        if sign * (theta - edge) <= 0:
            put(edge, sign, much)
            c += much * sign * (edge - theta)
        elif sign * (theta - far) < 0:
            k = min(int(np.searchsorted(z, theta, side="right")) - 1, len(z) - 2)
            share = (theta - z[k]) / (z[k + 1] - z[k])
            for kink, weight in ((z[k], 1 - share), (z[k + 1], share)):
                if kink != far:  # that neuron is 0 on the points
                    put(kink, sign, weight * much)
    return alpha, c


points = st.lists(st.integers(-40, 40), min_size=2, max_size=9).filter(lambda z: len(set(z)) > 1)
numbers = st.integers(-24, 24)
neurons = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5)


@given(points, neurons)
@settings(max_examples=120, deadline=None)
def test_every_network_is_a_combination_of_the_dictionary_at_no_greater_cost(z, neurons):
    z = np.array(z) / 8
    w, b, a = (jnp.asarray(np.array(each) / 8) for each in zip(*neurons, strict=True))
    net = Net(w, b, a, jnp.asarray(0.5))
    alpha, c = combination(net, z)
    value = np.asarray(output(net, jnp.asarray(z)))
    np.testing.assert_allclose(columns(z, *places(z)) @ alpha + c, value, rtol=0, atol=1e-11)
    assert np.abs(alpha).sum() <= np.sum(np.abs(net.a * net.w)) * (1 + 1e-12) + 1e-12
    assert np.sum(np.abs(net.a * net.w)) <= np.sum(net.w**2 + net.a**2) / 2


def test_without_one_of_its_neurons_the_dictionary_is_too_small():
    z = np.array([0.0, 1.0, 2.5, 3.0])
    kinks, signs = places(z)
    assert len(kinks) == 2 * 4 - 3
    D = columns(z, kinks, signs)
    for missing in range(len(kinks)):
        rest = np.delete(D, missing, axis=1)
        found = cvxpy.Variable(rest.shape[1]), cvxpy.Variable()
        program = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm1(found[0])), [rest @ found[0] + found[1] == D[:, missing]])
        program.solve(solver="CLARABEL")
        assert cast(float, program.value) > 1.01  # the neuron itself costs 1


def in_function_space(of: Task) -> float:
    """The second route: values s_1 … s_p at the points, whose cheapest network costs
    max{V, (V + |first slope + last slope|)/2}, V the total variation of the slope (docs/findings/convex-score.md); by OSQP."""
    z, where = np.unique(of.noisy, return_inverse=True)
    first, slopes = cvxpy.Variable(), cvxpy.Variable(len(z) - 1)
    s = first + (np.tri(len(z), len(z) - 1, -1) * np.diff(z)) @ slopes
    variation = cvxpy.norm1(cvxpy.diff(slopes))
    cost = cvxpy.maximum(variation, (variation + cvxpy.abs(slopes[0] + slopes[len(z) - 2])) / 2)
    n = len(of.noisy)
    program = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(s[where] - of.targets) / 2 + n * float(of.beta) * cost))
    program.solve(solver="OSQP", eps_abs=1e-8, eps_rel=1e-8, max_iter=1_000_000)
    return cast(float, program.value) / n


@pytest.mark.parametrize("of", [case(*each) for each in CASES], ids=[each[0] for each in CASES])
def test_the_optimum_is_that_of_another_program_and_solver(of):
    best = optimum(of)
    assert best.gap < 1e-10
    assert in_function_space(of) == pytest.approx(best.objective, rel=1e-6)
    assert best.neurons <= len(np.unique(of.noisy)) - 1
    np.testing.assert_allclose(np.abs(best.net.w), np.abs(best.net.a))
    assert float(objective(best.net, of)) == pytest.approx(best.objective, rel=1e-13)


@given(st.integers(0, 2**31), st.integers(0, 3), st.integers(1, 12), st.floats(1e-3, 10), st.floats(1e-6, 1e6))
@settings(max_examples=25, deadline=None)
def test_whatever_the_vector_no_network_is_below_its_bound(seed, which, m, size, scale):
    of = case(*CASES[which])
    least = certified(scale * np.random.default_rng(seed).standard_normal(len(of.noisy)), of)
    assert least <= optimum(of).objective
    assert respects(some_net(seed, m, size), of, least) == PROVED
    assert respects(some_net(seed, m, size), of, optimum(of).bound) == PROVED


@pytest.mark.parametrize("each", CASES, ids=[each[0] for each in CASES])
def test_trained_networks_do_not_go_below_the_bound(each):
    of = case(*each)
    best = optimum(of)
    start = jax.vmap(lambda key: drawn(key, of, 32))(jax.random.split(random_key(0), 4))
    nets = trained(start, of, jnp.asarray(0.03), 4000)
    if each == CASES[0]:  # where training succeeds
        gaps = np.asarray(jax.vmap(objective, in_axes=(0, None))(nets, of)) / best.bound - 1
        assert gaps.min() < 1e-6
    for place in range(4):
        assert respects(jax.tree.map(lambda leaf, place=place: leaf[place], nets), of, best.bound) == PROVED


def test_training_compiles_once():
    before = trained._cache_size()  # type: ignore[attr-defined]
    for data, beta, seed in (("points", 0.02, 0), ("uniform", 0.2, 1)):
        of = case(data, 9, beta, 0.5, seed)
        trained(
            jax.vmap(lambda key, of=of: drawn(key, of, 3))(jax.random.split(random_key(seed), 2)),
            of,
            jnp.asarray(0.01),
            3,
        )
    assert trained._cache_size() == before + 1  # type: ignore[attr-defined]


def test_a_dual_vector_that_is_not_feasible_is_shrunk():
    """The residual of the optimum is on the edge of what is allowed: twice of it must cost."""
    of = case(*CASES[0])
    best = optimum(of)
    residual = of.targets - best.score(of.noisy)
    assert certified(residual, of) == pytest.approx(best.bound, rel=1e-9)
    assert certified(2 * residual, of) == pytest.approx(best.bound, rel=1e-9)  # back to the edge
    assert certified(residual / 2, of) < best.bound * (1 - 1e-3)
    bent = residual + 0.3 * np.sign(np.random.default_rng(0).standard_normal(len(residual)))
    assert certified(bent, of) < best.bound * (1 - 1e-3)


@pytest.fixture
def retraced():
    """Formulas are traced once for each shape; what is planted in them shall be seen, and forgotten afterwards."""
    yield jax.clear_caches
    jax.clear_caches()


@pytest.mark.parametrize("seen", ["none", "right"])
def test_a_bound_that_forgets_a_constraint_is_found_out(seen, monkeypatch, retraced):
    """Neurons that are not looked at: the bound of what is optimal without them lies above a network that has them."""
    of = task([0.0, 1.0, 2.0, 3.0, 4.0], [3.0, 0.5, 0.0, 0.0, 0.0], 0.05)
    net, whole = optimum(of).net, dual.correlations
    monkeypatch.setattr(dual, "correlations", lambda v, x: whole(v, x)[:1] * float(seen == "right"))
    rightward = [each[places(of.noisy)[1] > 0] for each in places(of.noisy)]
    monkeypatch.setattr(
        convex, "places", lambda noisy: rightward if seen == "right" else [each[:0] for each in rightward]
    )
    retraced()
    assert respects(net, of, optimum(of).bound) == VIOLATED


def test_enclosures_of_the_objective_agree_and_decide():
    of = case(*CASES[1])
    net = some_net(3, 9)
    low, high = objective_between(net, of)
    ball = enclosed(objective)(net, of).item()
    assert low <= float(ball) <= high
    assert high - low < 1e-12 * high
    middle = float(ball)
    assert respects(net, of, np.nextafter(middle, 0)) == PROVED  # inside the float64 ball, outside Arb's
    assert respects(net, of, np.nextafter(middle, np.inf)) == VIOLATED


@pytest.mark.parametrize("wrong", ["missing", "shifted"])
def test_a_wrong_dictionary_leaves_a_gap(wrong, monkeypatch):
    of = case(*CASES[0])
    kinks = optimum(of).net
    used = np.unique(np.asarray(-kinks.b / kinks.w))

    def broken(noisy):
        kinks, signs = places(noisy)
        if wrong == "shifted":
            return kinks + 0.1, signs
        keep = np.min(np.abs(kinks[:, None] - used), axis=1) > 1e-6
        return kinks[keep], signs[keep]

    monkeypatch.setattr(convex, "places", broken)
    assert optimum(of).gap > 1e-5


@given(st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_fewest_keeps_the_fit_and_the_cost(seed):
    """Where the cost cannot fall, as at an optimum, it stays; p different inputs leave at most p − 1 columns."""
    rng = np.random.default_rng(seed)
    z = np.sort(rng.standard_normal(6))
    D = columns(z, *places(z))
    D = D - D.mean(axis=0)
    alpha = rng.standard_normal(D.shape[1]) * (rng.uniform(size=D.shape[1]) < 0.8)
    found = fewest(D, alpha)
    np.testing.assert_allclose(D @ found, D @ alpha, atol=1e-8)
    assert np.count_nonzero(found) <= 5
    assert np.abs(found).sum() <= np.abs(alpha).sum() * (1 + 1e-9)


@pytest.mark.parametrize(
    "of",
    [
        task([0.0, 1.0], [1.0, -1.0], 0.1), task([0.0, 1.0, 1.0, 0.0, 2.0], [1.0, -1.0, 3.0, 2.0, 0.0], 0.01),
        task([0.0, 1.0, 2.0], [1.0, 1.0, 1.0], 0.1), task([1e6, 1e6 + 1, 1e6 + 3], [1e-3, -1e-3, 1e-4], 1e-6),
        task([-1e-5, 1e-5, 3e-5], [1e4, -1e4, 2e4], 0.3), task([0.0, 1.0, 2.0], [1.0, -1.0, 0.5], 1e3),
    ],
    ids=["two", "repeated", "constant", "far", "steep", "heavy"],
)  # fmt: skip
def test_extremes_are_solved(of):
    best = optimum(of)
    assert best.objective - best.bound <= 1e-9 * np.mean(of.targets**2)
    assert best.neurons <= len(np.unique(of.noisy)) - 1


def test_the_score_is_a_function():
    of = case(*CASES[0])
    found = convex_score(of.noisy, of.targets, 0.02)
    assert found.score([-1.0, 0.0, 1.0]).shape == (3,)
    fit = np.mean((found.score(of.noisy) - of.targets) ** 2) / 2
    assert fit + 0.02 * np.sum(np.abs(found.net.a * found.net.w)) == pytest.approx(found.objective, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0.0], [1.0], 0.1), "n = 1"), (([1.0, 1.0], [0.0, 1.0], 0.1), "all equal 1"), (([0.0, 1.0], [0.0, 1.0], 0.0), "beta = 0"),
        (([0.0, 1.0], [0.0, 1.0], -1.0), "beta = -1"), (([0.0, 1.0], [0.0], 0.1), "shape"),
        (([0.0, np.nan], [0.0, 1.0], 0.1), "not finite"), (([0.0, 1.0], [0.0, 1.0], np.nan), "beta = nan"),
    ],
)  # fmt: skip
def test_malformed_input_is_named(arguments, said):
    with pytest.raises(BadInput, match=said):
        convex_score(*arguments)


def test_noise_of_no_size_is_named():
    for tau in (0.0, -1.0):
        with pytest.raises(BadInput, match="tau"):
            noised(line("points"), 4, 1, tau, 0.1, 0)
    with pytest.raises(BadInput, match="'points'"):
        line("point")


@pytest.mark.parametrize("package", ["cvxpy", "clarabel"])
def test_a_missing_package_is_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadInput, match=rf"without {package}.*ntkverify\[convex\]"):
        optimum(case(*CASES[0]))


@pytest.mark.parametrize("tau", [0.2, 1.0])
def test_scores_on_the_line_are_exact(tau):
    """Tweedie's formula, (E[X | X̃ = x] − x)/τ², by sums of its own."""
    x = np.linspace(-4, 4, 41)
    np.testing.assert_allclose(line("points").score(tau, x), (np.tanh(x / tau**2) - x) / tau**2, atol=1e-11)
    nodes, weights = np.polynomial.legendre.leggauss(400)
    near = weights * np.exp(-((x[:, None] - HALF * nodes) ** 2) / (2 * tau**2))
    expected = (near @ (HALF * nodes) / near.sum(axis=1) - x) / tau**2
    np.testing.assert_allclose(line("uniform").score(tau, x), expected, atol=1e-7)
    p, mu, v = np.array([0.3, 0.3, 0.4]), np.array([-1.5, 0.3, 1.4]), np.array([0.05, 0.02, 0.1]) + tau**2
    near = p * np.exp(-((x[:, None] - mu) ** 2) / (2 * v)) / np.sqrt(v)
    expected = np.sum(near * (mu - x[:, None]) / v, axis=1) / near.sum(axis=1)
    np.testing.assert_allclose(line("mixture").score(tau, x), expected, atol=1e-11)
    assert np.isfinite(line("uniform").score(0.05, np.linspace(-9, 9, 9))).all()


@pytest.mark.parametrize("name", LINES)
def test_draws_are_repeated_by_their_seed(name):
    first, again = (line(name).draw(3, 2000) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2000,)
    assert not np.array_equal(first, line(name).draw(4, 2000))
