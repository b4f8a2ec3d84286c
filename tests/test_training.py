"""Training: outcomes with their sentence, snapshots, and the same path whatever is batched."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import make

from ntkverify.network import initialise, loss
from ntkverify.nouns import Params
from ntkverify.quantities import pulled_back, residual
from ntkverify.training import CHUNK, CONVERGED, DIVERGED, UNFINISHED, descend, ordinary_step, theorem_step, train


def starts(problem, seeds):
    start = jax.vmap(lambda key: initialise(problem, key))(jax.random.split(jax.random.key(0), seeds))
    return start, jax.vmap(lambda params: ordinary_step(problem, params))(start)


@pytest.fixture(scope="module")
def problem():
    return make(n=4, d_in=8, m=64, sigma=0.5)


@pytest.mark.parametrize("network", ["softmax", "relu", "tanh"])
def test_descend_follows_the_gradient_of_the_loss(network):
    problem = make(network)
    params = initialise(problem, jax.random.key(1))
    slope = jax.grad(lambda W: loss(problem.activation, W, params.a, problem.X, problem.y))(params.W)
    assert jnp.allclose(descend(problem, params, 0.1).W, params.W - 0.1 * slope, atol=1e-12)


def test_batched_runs_agree_with_single_ones_and_stop_by_themselves(problem):
    start, eta = starts(problem, 5)
    eta = eta * jnp.asarray([1.0, 0.5, 0.02, 1.0, 0.7])  # they finish at different times
    together = train(problem, start, eta, target=1e-4, budget=4 * CHUNK)
    for index in range(5):
        one = jax.tree.map(lambda leaf, i=index: leaf[i : i + 1], start)
        alone = train(problem, one, eta[index : index + 1], target=1e-4, budget=4 * CHUNK)
        assert alone.steps[0] == together.steps[index]
        assert np.allclose(alone.last.W[0], together.last.W[index], atol=1e-10)
        last = together.losses[index, together.steps[index]]
        params = Params(together.last.W[index], together.last.a[index])
        assert np.isclose(float(jnp.sum(residual(problem, params) ** 2)), last)
    assert set(together.outcome) == {CONVERGED}


def test_snapshots_are_where_the_loss_first_falls(problem):
    start, eta = starts(problem, 2)
    run = train(problem, start, eta, target=1e-4, budget=CHUNK, levels=(1.0, 0.3, 0.01))
    for seed in range(2):
        for level, step, W in zip(run.levels, run.reached[seed], run.snapshots[seed], strict=True):
            held = np.flatnonzero(run.losses[seed] <= level * run.losses[seed, 0])
            assert held[0] <= step <= held[0] + 2
            now = float(jnp.sum(residual(problem, Params(W, start.a[seed])) ** 2))
            assert np.isclose(now, run.losses[seed, step])


def test_failure_is_an_outcome_with_a_sentence(problem):
    start, eta = starts(problem, 2)
    exponential = make("exponential", n=4, d_in=8, m=64, sigma=0.5)
    first, careful = starts(exponential, 2)
    wild = train(exponential, first, 50 * careful, target=1e-4, budget=CHUNK)
    assert set(wild.outcome) == {DIVERGED}
    assert "diverged" in wild.sentence(0)
    short = train(problem, start, eta, target=1e-12, budget=3)
    assert set(short.outcome) == {UNFINISHED}
    assert "budget of 3 steps" in short.sentence(0)
    nan = train(problem, start, eta * jnp.nan, target=1e-4, budget=CHUNK)
    assert set(nan.outcome) == {DIVERGED}


def test_a_network_that_starts_converged_takes_no_step(problem):
    start, eta = starts(problem, 2)
    run = train(problem, start, eta, target=1e3, budget=CHUNK)
    assert list(run.steps) == [0, 0]
    assert set(run.outcome) == {CONVERGED}


def test_any_optax_optimiser_trains(problem):
    start, _ = starts(problem, 2)
    with jax.numpy_dtype_promotion("standard"):  # optax counts steps in 32-bit integers
        run = train(problem, start, jnp.full(2, 1e-3), target=0.5, budget=8 * CHUNK, optimiser=optax.adam)
    assert set(run.outcome) == {CONVERGED}


def test_the_theorems_step_is_the_reconstructed_formula(problem):
    start, _ = starts(problem, 1)
    first = jax.tree.map(lambda leaf: leaf[0], start)
    nd = problem.n * problem.d_out
    B = max(10 * 0.5 * np.sqrt(np.log(nd / 0.1)), 1)
    from_theory = 0.1 / (problem.m * nd**2 * np.exp(16 * B))
    lam = float(theorem_step(problem, first)) / from_theory
    assert 0 < lam < 2


def test_the_sum_of_neurons_is_conserved(problem):
    start, eta = starts(problem, 2)
    run = train(problem, start, eta, target=1e-4, budget=CHUNK)
    assert np.allclose(jnp.sum(run.last.W, axis=2), jnp.sum(start.W, axis=2), atol=1e-12)
    step = pulled_back(problem, Params(start.W[0], start.a[0]), residual(problem, Params(start.W[0], start.a[0])))
    assert np.allclose(jnp.sum(step, axis=1), 0, atol=1e-11)
