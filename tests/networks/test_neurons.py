"""Neurons that are functions of their own: gradients, bounds that are never exceeded and are attained, and their limit."""

import dataclasses
import itertools
import math

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import SHAPES, make

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.networks import kinds
from ntkverify.networks.activations import attention, gelu, patches
from ntkverify.networks.degenerate import infinite_bound, why_zero
from ntkverify.networks.growth import constants, curvature_within
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.logits import bends_of, logits, outer, pulled, steeps_of
from ntkverify.networks.network import forward, initialise
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import rank_bound

OWN = [name for name in catalogue.NETWORKS if catalogue.two_layer(name).neuron is not None]
BOUNDED = [name for name in OWN if kinds.smooth(catalogue.two_layer(name))]
CUMULANT = 1 / (6 * math.sqrt(3))


def neuron_of(name):
    neuron = catalogue.two_layer(name).neuron
    assert neuron is not None
    return neuron, SHAPES.get(name, (4,))


def second(value, w, U, x):
    """∇²z[U, U]."""

    def slope(t):
        return jax.jvp(lambda s: value(w + s * U, x), (t,), (jnp.ones_like(t),))[1]

    zero = jnp.zeros(())
    return jax.jvp(slope, (zero,), (jnp.ones(()),))[1]


@pytest.mark.parametrize("name", OWN)
def test_the_gradient_is_inner_times_outer(name):
    problem = make(name, n=5, d_in=4, d_out=2, m=12, init="independent")
    net = initialise(problem, jax.random.key(0))
    c = jax.random.normal(jax.random.key(1), (5, 12))
    _, pull = jax.vjp(lambda W: logits(problem.activation, W, problem.X), net.W)
    (true,) = pull(c)
    np.testing.assert_allclose(pulled(problem.activation, net.W, problem.X, c), true, atol=1e-14)


@pytest.mark.parametrize("name", BOUNDED)
def test_no_second_derivative_exceeds_its_bound(name):
    """10⁵ points each: weights of all sizes, random directions, and those in which one token or patch stands out."""
    neuron, shape = neuron_of(name)
    bend, own, p, rng = neuron.bend, neuron.outer, neuron.size(shape), np.random.default_rng(0)
    assert bend is not None

    @jax.jit
    def ratio(w, U, x):
        h = jnp.ones(1) if own is None else own(x)
        bound = bend(x) * jnp.sum((U.reshape(-1, len(h)) @ h) ** 2)
        return jnp.abs(second(neuron.value, w, U, x)) / bound

    worst = 0.0
    for scale in (0.1, 1.0, 10.0, 100.0):
        w, U = (jnp.asarray(rng.standard_normal((25_000, p))) for _ in range(2))
        x = rng.standard_normal((25_000, *shape)) * rng.exponential(1, (25_000, shape[0], 1))
        worst = max(worst, float(jnp.max(jax.vmap(ratio)(scale * w, U, jnp.asarray(x)))))
    assert worst <= 1 + 1e-9
    assert worst > 0.2


STEEP = [name for name in OWN if (neuron := catalogue.two_layer(name).neuron) and neuron.steep]


@pytest.mark.parametrize("name", STEEP)
def test_no_gradient_exceeds_its_bound(name):
    """25,000 points at each size of weights; the gradient that autodiff finds."""
    neuron, shape = neuron_of(name)
    steep, own, p, rng = neuron.steep, neuron.outer, neuron.size(shape), np.random.default_rng(0)
    assert steep is not None

    @jax.jit
    def ratio(w, x):
        h = 1.0 if own is None else jnp.linalg.norm(own(x))
        return jnp.linalg.norm(jax.grad(neuron.value)(w, x)) / (steep(x) * h)

    for scale in (0.01, 1.0, 10.0, 100.0):
        w = jnp.asarray(scale * rng.standard_normal((25_000, p)))
        x = jnp.asarray(rng.standard_normal((25_000, *shape)) * rng.exponential(1, (25_000, shape[0], 1)))
        assert float(jnp.max(jax.vmap(ratio)(w, x))) <= 1 + 1e-9


def test_a_softmax_of_logits_that_bend_needs_their_bend():
    """Small tokens make g² smaller than b: without b the bound of Lemma 1 is exceeded."""
    problem = make("softmax-heads", n=1, d_out=1, m=2, init="independent", seed=3)
    problem = dataclasses.replace(problem, X=problem.X / 5)
    network, X = problem.activation, problem.X

    @jax.jit
    def ratio(key):
        keys = jax.random.split(key, 2)
        W, along = (jax.random.normal(k, (problem.p, 2), X.dtype) for k in keys)
        W, along = 50 * W, along / jnp.linalg.norm(along)
        net = Params(W, jnp.asarray([[1.0, -1.0]]))
        at = lambda t: forward(network, Params(W + t * along, net.a), X)[0, 0]  # noqa: E731
        bent = jnp.abs(jax.grad(jax.grad(at))(0.0))
        whole = curvature_within(constants(problem, net), jnp.zeros(()))
        g, b = steeps_of(network, X)[0] ** 2, bends_of(network, X)[0]
        return bent / whole, bent / (whole * g / (g + b))

    whole, without = (np.asarray(part).max() for part in jax.vmap(ratio)(jax.random.split(jax.random.key(0), 20_000)))
    assert whole <= 1
    assert without > 1


def test_heads_under_a_softmax_lose_no_column():
    """Of linear logits Σ_r G_r = 0 makes one block depend on the others; heads give each block a factor of its own."""
    problem = make("softmax-heads", n=24, d_out=1, m=2, init="independent")
    net = initialise(problem, jax.random.key(1))
    net = Params(net.W, jnp.asarray([[1.0, -1.0]]))
    J = jax.jacrev(lambda W: forward(problem.network, Params(W, net.a), problem.X)[:, 0])(net.W)
    values = np.linalg.svd(np.asarray(J).reshape(24, -1), compute_uv=False)
    rank = int((values > 1e-9 * values[0]).sum())
    assert problem.p < rank <= rank_bound(problem, 2)


def test_two_tokens_attain_the_bounds_of_attention():
    """Tokens ±t with t along v: at S_1 = ½ the gradient's, at (3 − √3)/6 the second derivative's."""
    d, t = 3, jnp.ones(3) / math.sqrt(3)
    tokens = jnp.stack([-t, t])  # the query is t itself: scores differ by tᵀWt − (−t)ᵀWt
    U = jnp.outer(t, t).ravel() / 2  # the difference of scores moves at rate 1
    spread, diameter = 2.0, 2.0

    def at(odds):
        w = math.log(odds) * U
        return w, float(jnp.sum(attention.inner(w, tokens) * t))

    w, slope = at(1.0)
    assert abs(slope) == pytest.approx(spread * diameter / 4, rel=1e-12)
    share = (3 - math.sqrt(3)) / 6
    w, _ = at(share / (1 - share))
    bound = float(attention.bend(tokens)) * float(jnp.sum((U.reshape(d, d) @ tokens[-1]) ** 2))
    assert abs(float(second(attention.value, w, U, tokens))) == pytest.approx(bound, rel=1e-12)
    assert bound == pytest.approx(spread * CUMULANT, rel=1e-12)


@pytest.mark.parametrize(("order", "most"), [(2, CUMULANT), (3, 1 / 8)])
@pytest.mark.slow
def test_cumulants_are_at_most_what_two_tokens_attain(order, most):
    """The third and the fourth, of up to five points of [0, 1]², all the corners among them: 2·10⁵ distributions, then ascent
    from the best."""
    rng = np.random.default_rng(0)
    s, y = rng.integers(0, 2, (2, 200_000, 5)).astype(float)
    inner = rng.random((2, 200_000, 5))
    some = rng.random((200_000, 5)) < 0.3
    s, y = np.where(some, inner[0], s), np.where(some, inner[1], y)
    logit = 3 * rng.standard_normal((200_000, 5))

    def cumulant(logit, s, y):
        S = jax.nn.softmax(logit)
        s, y = s - S @ s, y - S @ y
        square = 3 * jnp.sum(S * s * y) * jnp.sum(S * y**2) if order == 3 else 0
        return jnp.abs(jnp.sum(S * s * y**order) - square)

    found = np.asarray(jax.vmap(cumulant)(jnp.asarray(logit), jnp.asarray(s), jnp.asarray(y)))
    assert found.max() <= most * (1 + 1e-12)
    best = np.argsort(found)[-50:]

    def climb(state):
        def step(state, _):
            slopes = jax.grad(lambda each: cumulant(*each))(state)
            moved = [part + 2.0 * slope for part, slope in zip(state, slopes, strict=True)]
            return (moved[0], jnp.clip(moved[1], 0, 1), jnp.clip(moved[2], 0, 1)), None

        return cumulant(*jax.lax.scan(step, state, None, length=2000)[0])

    climbed = np.asarray(jax.vmap(climb)(tuple(jnp.asarray(each[best]) for each in (logit, s, y))))
    assert climbed.max() <= most * (1 + 1e-12)
    assert climbed.max() >= 0.99 * most


def test_the_hessian_of_a_head_is_lipschitz_with_its_constant():
    """A head of two equally likely tokens attains ρD³‖q‖³/8 along q's direction, and no random head exceeds its own."""

    def third(w, U, tokens):
        along = lambda t: attention.value(w + t * U, tokens)  # noqa: E731
        return jax.grad(jax.grad(jax.grad(along)))(0.0)

    tokens = jnp.asarray([[0.5, 0.0], [-0.5, 0.0]])
    d, seen = 2, attention._seen(tokens)
    spread, diameter, q = float(jnp.ptp(seen)), 1.0, float(jnp.linalg.norm(tokens[-1]))
    U = jnp.outer(tokens[0], tokens[-1]).ravel() / (0.5 * q)
    assert abs(float(third(jnp.zeros(d * d), U, tokens))) == pytest.approx(spread * diameter**3 * q**3 / 8, rel=1e-12)

    def share(key):
        tokens, w, U = (
            jax.random.normal(k, shape) for k, shape in zip(jax.random.split(key, 3), ((3, 2), (4,), (4,)), strict=True)
        )
        apart = jnp.max(jnp.sum((tokens[:, None] - tokens[None]) ** 2, axis=-1)) ** 1.5
        bound = jnp.ptp(attention._seen(tokens)) * apart * jnp.sum((U.reshape(2, 2) @ tokens[-1]) ** 2) ** 1.5 / 8
        return jnp.abs(third(w, U, tokens)) / bound

    found = jax.jit(jax.vmap(share))(jax.random.split(jax.random.key(0), 100_000))
    assert 0.3 < found.max() <= 1 + 1e-9


def test_the_bend_of_gelu_is_enclosed():
    """sup|φ''| over [0, 6] in balls, piece by piece; beyond, sech² g ≤ 4e^{−2g} leaves less than 10⁻⁵."""
    arb, rate, cube = flint.arb, flint.arb(gelu.RATE), flint.arb(gelu.CUBE)

    def bent(u):
        g, slope, bow = rate * (u + cube * u * u * u), rate * (1 + 3 * cube * u * u), 6 * rate * cube * u
        t = g.tanh()
        return (1 - t * t) * (slope + u * (bow - 2 * t * slope * slope) / 2)

    def at_most(low, high, bound, depth=0):
        found = abs(bent(arb((low + high) / 2, (high - low) / 2)))
        if found <= bound:
            return True
        if depth > 40:
            return False
        middle = (low + high) / 2
        return at_most(low, middle, bound, depth + 1) and at_most(middle, high, bound, depth + 1)

    most = arb(catalogue.two_layer("gelu").bend)
    near = 2.0**-18
    assert abs(bent(arb(0, near))) <= most
    assert at_most(near, 6.0, most)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.slow
def test_the_interval_of_the_limit_holds_what_many_more_draws_find(name):
    problem = make(name, n=4, d_in=4, d_out=1, m=40_000, sigma=0.8, init="independent")
    K, error = sample_kernel(problem)
    drawn = [closed_form(problem, initialise(problem, jax.random.key(seed))) for seed in range(16)]
    mean, spread = np.mean(drawn, axis=0), np.std(drawn, axis=0, ddof=1) / 4
    assert float(error) < 0.05
    assert np.all(np.abs(mean - K) <= float(error) * np.abs(K).max() + 4 * spread)


def test_sequences_that_permute_tokens_before_the_last_are_the_same_to_attention():
    rng = np.random.default_rng(0)
    T = rng.standard_normal((3, 4, 3))
    T[1] = T[0][[2, 0, 1, 3]]
    question = nv.problem((T, np.eye(3)), "attention", m=64)
    H = nv.kernel(question, nv.draw(question, jax.random.key(0)))
    assert np.linalg.eigvalsh(H)[0] <= 1e-14 * np.linalg.eigvalsh(H)[-1]
    assert "inputs 0 and 1 differ, and attention sees no difference" in why_zero(question)
    assert "inputs 0 and 1 differ" in infinite_bound(question)
    with pytest.raises(nv.BadInput, match="sees no difference"):
        nv.realise(question)


@pytest.mark.parametrize(
    ("data", "network", "said"),
    [
        ("sphere", "attention", "tokens"),
        ("digits", "patches", "images of at least 3"),
        ((np.ones((2, 1, 4)), np.ones((2, 1))), "attention", "at least two"),
        ((np.ones((2, 2, 2, 2)), np.ones((2, 1))), "attention", "tokens"),
        ((np.ones((2, 2, 9)), np.ones((2, 1))), "patches", "images"),
    ],
)
def test_inputs_that_a_network_cannot_read_are_refused(data, network, said):
    with pytest.raises(nv.BadInput, match=said):
        nv.problem(data, network, m=8)


def test_digits_come_as_rows_and_as_patches():
    plain, rows, tiles = (nv.problem(name, "tanh", m=8, n=4) for name in ("digits", "digits-rows", "digits-patches"))
    np.testing.assert_array_equal(plain.X, rows.X)
    image = np.asarray(plain.X[0]).reshape(8, 8)
    for token, (i, j) in enumerate(itertools.product(range(4), range(4))):
        np.testing.assert_array_equal(tiles.X[0].reshape(16, 2, 2)[token], image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2])


def test_bounds_of_inputs_and_outer_parts_fit_the_inputs():
    problem = make("patches", n=3, m=4)
    assert bends_of(problem.activation, problem.X).shape == (3,)
    assert outer(problem.activation, problem.X).shape == (3, 1)
    assert patches.size((3, 3)) == 9


def test_a_bias_is_a_constant_input():
    question = nv.problem("sphere", "softmax-bias", m=8, n=3, d_in=2, d_out=1)
    assert question.X.shape == (3, 3)
    np.testing.assert_allclose(question.X[:, 2], 1 / math.sqrt(2), rtol=1e-12)


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.slow
def test_a_search_finds_no_point_beyond_the_bounds(name):
    """Also where a neuron has more or fewer weights than an input has numbers."""
    problem = make(name, n=2, d_out=1, m=8, radius=0.5)
    assert problem.p != problem.d_in
    found = nv.falsify("curvature", problem, budget=1.0)
    assert 0.1 < found.ratio <= 1 + 1e-9
