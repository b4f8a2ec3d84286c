"""Networks of layers of norm at most 1: their kinks, and the theorem on what two segments cannot do."""

import functools
import itertools
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import random_key
from ntkverify.networks.lipschitz import training, zigzag
from ntkverify.networks.lipschitz.kinks import Layer, MaxMin, Segments, breaks, evaluate, norm_at_most_one, rational
from ntkverify.networks.lipschitz.training import ACTIVATIONS, SLOPES, drawn, layers, network, normalised


@functools.partial(jax.jit, static_argnames=("width", "depth"))
def _arrays(seed, fixed, free, width: int, depth: int):
    return network(drawn(jax.random.fold_in(random_key(0), seed), width, depth, 9.0), fixed, free)


def some_network(activation: str, width: int, depth: int, seed: int) -> list[Layer]:
    arrays = _arrays(seed, jnp.array(SLOPES[activation]), activation == "two-segment", width, depth)
    return layers(activation, jax.tree.map(np.asarray, arrays))


sizes = st.sampled_from([(4, 1), (6, 3)])
networks = st.tuples(st.sampled_from(ACTIVATIONS), sizes, st.integers(0, 10**6)).map(lambda g: (g[0], *g[1], g[2]))
seeds = st.integers(0, 10**9)


def at_four_points(layers: list[Layer], L: float) -> float:
    """The largest error at −L, −1, 1, L, of which the theorem's proof speaks alone."""
    x = np.array([-L, -1, 1, L])
    return float(np.abs(evaluate(layers, x) - zigzag.target(x)).max())


# Representation, in exact arithmetic.


def test_one_neuron_of_three_segments_is_the_target():
    layers = zigzag.n_network()
    assert all(norm_at_most_one(layer.W) for layer in layers)
    for L in (Fraction(2), Fraction(9), Fraction(10**9, 7)):
        assert zigzag.error(layers, L)[0] == 0  # at every kink of either, and straight between them
    moved = [Layer(layers[0].W, layers[0].b + Fraction(1, 10**30), layers[0].activation), layers[1]]
    assert 0 < zigzag.error(moved, Fraction(9))[0] <= Fraction(1, 10**30)


def test_two_folds_are_the_target_up_to_the_threshold_and_not_beyond():
    layers = zigzag.two_folds()
    assert all(norm_at_most_one(layer.W) for layer in layers)
    assert zigzag.error(layers, Fraction(zigzag.THRESHOLD))[0] == 0
    assert zigzag.error(layers, Fraction(zigzag.THRESHOLD) + Fraction(1, 100))[0] == Fraction(2, 100)


@pytest.mark.parametrize("L", [1.5, 3.0, 9.0, 40.0])
def test_the_bound_on_one_layer_is_attained(L):
    layers = zigzag.best_of_one_layer(L)
    assert float(zigzag.error(layers, L)[0]) == pytest.approx(float(zigzag.least_error(L, 1) or 0), rel=1e-12)
    for weights in (layers[0].W, layers[1].W):
        assert np.sum(weights**2) == pytest.approx(1)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7, 12, 40])
@pytest.mark.parametrize("L", [2.5, 9.0])
def test_folds_come_as_near_as_is_said(L, depth):
    layers = zigzag.fold_by_fold(L, depth)
    assert float(zigzag.error(layers, L)[0]) == pytest.approx((L - 1) * (1 - math.cos(math.pi / depth)) / 2, rel=1e-9)
    assert max(np.linalg.norm(layer.W, 2) for layer in layers) < 1 + 1e-14


# Kinks and norms.


@settings(max_examples=25, deadline=None)
@given(networks)
def test_between_its_breaks_a_network_is_straight(given):
    layers = some_network(*given)
    x = breaks(layers, -9.0, 9.0)
    assert (np.diff(x) >= 0).all()
    grid = np.linspace(-9, 9, 1001)
    np.testing.assert_allclose(np.interp(grid, x, evaluate(layers, x)), evaluate(layers, grid), rtol=0, atol=1e-12)


def test_breaks_are_exact_in_rational_arithmetic():
    layers = rational(some_network("maxmin", 4, 1, 3))
    x = breaks(layers, Fraction(-9), Fraction(9))
    F = evaluate(layers, x)
    middle = (x[1:] + x[:-1]) / 2
    assert len(x) > 2
    assert (evaluate(layers, middle) == (F[1:] + F[:-1]) / 2).all()


@settings(max_examples=25, deadline=None)
@given(networks)
def test_networks_are_1_lipschitz(given):
    layers = some_network(*given)
    assert all(norm_at_most_one(layer.W) for layer in layers)
    x = np.unique(np.concatenate([breaks(layers, -9.0, 9.0), np.linspace(-9, 9, 101)]))
    assert (np.abs(np.diff(evaluate(layers, x))) <= np.diff(x) + 1e-13).all()


@settings(max_examples=50, deadline=None)
@given(seeds, st.sampled_from([(1, 5), (5, 1), (7, 3), (4, 4)]), st.floats(-8, 8))
def test_the_norm_that_is_proved_is_a_bound(seed, shape, log_scale):
    W = np.random.default_rng(seed).standard_normal(shape) * 10.0**log_scale
    inside = np.asarray(jax.jit(normalised)(jnp.asarray(W)))
    assert norm_at_most_one(inside)
    assert np.linalg.norm(inside, 2) > 0.3  # and not by making it small
    if norm_at_most_one(W):
        assert np.linalg.norm(W, 2) <= 1 + 1e-12


def test_a_norm_above_one_is_detected():
    W = np.asarray(normalised(jnp.asarray(np.random.default_rng(0).standard_normal((4, 4)))))
    assert norm_at_most_one(W)
    assert not norm_at_most_one(W * (1 + 1e-9))
    assert not norm_at_most_one(np.nextafter(np.ones((1, 1)), 2))
    assert norm_at_most_one(np.ones((1, 1)))


def test_arrays_and_layers_are_one_network():
    for activation in ACTIVATIONS:
        arrays = _arrays(5, jnp.array(SLOPES[activation]), activation == "two-segment", 6, 3)
        x = np.linspace(-9, 9, 301)
        there = training.output(arrays, activation == "maxmin", jnp.asarray(x))
        here = evaluate(layers(activation, jax.tree.map(np.asarray, arrays)), x)
        np.testing.assert_allclose(here, np.asarray(there), rtol=0, atol=1e-13)


def test_maxmin_is_a_fold_between_rotations():
    """So that the theorem speaks of it."""
    Z = np.random.default_rng(0).standard_normal((50, 6))
    turn = np.kron(np.eye(3), np.array([[1, 1], [1, -1]]) / math.sqrt(2))
    fold = Segments(np.zeros((6, 2)), np.tile([[1.0, 1, 1], [-1, 1, 1]], (3, 1)))
    np.testing.assert_allclose(fold(Z @ turn) @ turn, MaxMin()(Z), rtol=0, atol=1e-14)


# The theorem.


@settings(max_examples=60, deadline=None)
@given(networks, st.sampled_from((3.5, 5.0, 9.0, 21.0)))
def test_no_drawn_network_is_below_the_bound(given, L):
    activation, _, depth, _ = given
    if activation != "n":
        bound = zigzag.least_error(L, depth)
        assert bound is not None
        assert at_four_points(some_network(*given), L) >= bound


def deviation(points: np.ndarray) -> float:
    """T of four points (4, n), and the lengths of the three chords."""
    u, v, w = np.diff(points, axis=0)
    return float(u @ v + v @ w)


def step(points: np.ndarray, kinks: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    D = points - kinks
    return np.where(D < 0, left * D, right * D)


def four_points(rng, U: float) -> tuple[np.ndarray, ...]:
    """Four points with chords U, 2, U, near the folded zigzag or anywhere, and a layer that often bends at one of them."""
    n = int(rng.integers(1, 5))
    along, near = rng.standard_normal(n), 10.0 ** rng.uniform(-4, 1)
    u, v, w = (sign * along + near * rng.standard_normal(n) for sign in (1, -1, 1))
    chords = [length * each / np.linalg.norm(each) for length, each in zip((U, 2, U), (u, v, w), strict=True)]
    points = np.cumsum([np.zeros(n), *chords], axis=0)
    low, high = points.min(axis=0), points.max(axis=0)
    kinks = np.where(rng.random(n) < 0.6, points[rng.integers(4, size=n), np.arange(n)], rng.uniform(low, high))
    slopes = (-np.ones(n), np.ones(n)) if rng.random() < 0.5 else (rng.uniform(-1, 1, n), rng.uniform(-1, 1, n))
    return points, kinks, *slopes


@pytest.mark.parametrize("L", [3.2, 5.0, 9.0, 30.0])
def test_lemma_1_holds_of_drawn_layers(L):
    """T before ≤ G T after + what the chords lose."""
    rng, U, V = np.random.default_rng(0), L - 1, 2.0
    gamma = V / U
    for s in (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)):
        G, c_u, c_v = (float(each) for each in zigzag.constants(Fraction(L), s))
        for _ in range(4000):
            points, *layer = four_points(rng, U)
            after = step(points, *layer)
            lost = np.sum(np.diff(points, axis=0) ** 2, axis=1) - np.sum(np.diff(after, axis=0) ** 2, axis=1)
            before, behind = (2 * U * V + deviation(each) for each in (points, after))
            allowed = G * behind + gamma * c_u * (lost[0] + lost[2]) + 2 * c_v / gamma * lost[1]
            assert before <= allowed + 1e-11 * U**2


def turned(chord: np.ndarray, normal: np.ndarray) -> np.ndarray:
    return chord - 2 * (chord @ normal) * normal


def test_lemma_1_is_not_true_of_a_small_factor():
    """A fold near the zigzag multiplies T by nine at L = 9: G may not be eight."""
    U, V, worst = 8.0, 2.0, 0.0
    for small in np.linspace(1e-3, 2e-2, 20):
        w = U * np.array([-math.cos(0.01), math.sin(0.01)])
        end = np.array([V, 0.0]) + w
        tau = math.atan2(end[1], end[0])  # the fold's line passes through the last point
        normal = np.array([math.sin(tau), -math.cos(tau)])
        after = U * np.array([-math.cos(small), -math.sin(small)])  # beyond the axis
        before, v = turned(after, normal), np.array([V, 0.0])
        points = np.cumsum([-before, before, v, w], axis=0)
        D = points @ np.stack([normal, [normal[1], -normal[0]]], axis=1)
        folded = step(D, np.zeros(2), np.array([-1.0, 1.0]), np.ones(2))
        np.testing.assert_allclose(np.diff(folded, axis=0)[1:], np.diff(D, axis=0)[1:], atol=1e-12)
        worst = max(worst, (2 * U * V + deviation(D)) / (2 * U * V + deviation(folded)))
    assert 8 < worst < float(zigzag.constants(Fraction(9), Fraction(1, 16))[0])


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_lemma_2_holds_of_drawn_layers(seed):
    """The first layer sees a line; behind it T is at least 2UV, less what v lost."""
    rng, V = np.random.default_rng(seed), 2.0
    U = float(rng.uniform(2, 30))
    n = int(rng.integers(1, 5))
    along = rng.standard_normal(n)
    along /= max(1.0, np.linalg.norm(along)) * rng.uniform(1, 1.3)
    points = np.array([0, U, U + V, 2 * U + V])[:, None] * along
    kinks = rng.uniform(points.min(axis=0), points.max(axis=0))
    after = step(points, kinks, *np.clip(rng.uniform(-2, 2, (2, n)), -1, 1))  # slopes of ±1 among them
    lost = float(np.sum(np.diff(points, axis=0)[1] ** 2) - np.sum(np.diff(after, axis=0)[1] ** 2))
    assert 2 * U * V + deviation(after) >= 2 * U * V - U / (2 * V) * lost - 1e-10


def test_the_bound_falls_with_depth_and_is_positive():
    for L in (3.01, 9.0, 1000.0):
        found = [zigzag.least_error(L, depth) for depth in range(1, 8)]
        assert all(value is not None and value > 0 for value in found)
        assert all(a > b for a, b in itertools.pairwise(found) if a is not None and b is not None)
    assert all(isinstance(zigzag.least_error(9.0, depth), Fraction) for depth in (1, 2))


def test_where_the_theorem_says_nothing_it_says_why():
    assert zigzag.least_error(3.0, 2) is None
    assert "two folds" in zigzag.refusal(3.0, 2)
    assert zigzag.least_error(1.0, 1) is None
    assert "straight" in zigzag.refusal(0.5, 1)
    assert zigzag.least_error(3.0, 1) == Fraction(2, 3)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: training.check("maxmin", 3, 1), "width=4"),
        (lambda: training.check("absolute", 0, 1), "at least one neuron"),
        (lambda: training.check("absolute", 2, 0), "at least one layer"),
        (lambda: training.check("relu6", 2, 1), "one of absolute"),
        (lambda: zigzag.least_error(9.0, 0), "at least one layer"),
        (lambda: zigzag.least_error(-1.0, 1), "above 0"),
        (lambda: zigzag.least_error(math.inf, 1), "finite"),
    ],
)
def test_bad_input_is_told(call, told):
    with pytest.raises(BadInput, match=told):
        call()
