"""Training: outcomes with their sentence, snapshots, and the same path whatever is batched."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import make

import ntkverify as nv
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.losses import logistic
from ntkverify.networks.network import forward, initialise, loss, narrowed
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import outputs, pulled_back, residual, step_terms
from ntkverify.networks.step_sizes import ordinary_step, theorem_step
from ntkverify.networks.training import CHUNK, CONVERGED, DIVERGED, UNFINISHED, descend, train


def starts(problem, seeds):
    start = jax.vmap(lambda key: initialise(problem, key))(jax.random.split(jax.random.key(0), seeds))
    return start, jax.vmap(lambda params: ordinary_step(problem, params))(start)


@pytest.fixture(scope="module")
def problem():
    return make(n=4, d_in=8, m=64, sigma=0.5)


@pytest.mark.parametrize("network", ["softmax", "relu", "tanh"])
@pytest.mark.slow
def test_descend_follows_the_gradient_of_the_loss(network):
    problem = make(network)
    params = initialise(problem, jax.random.key(1))
    slope = jax.grad(lambda W: loss(problem.network, Params(W, params.a), problem.X, problem.y))(params.W)
    assert jnp.allclose(descend(problem, params, 0.1).W, params.W - 0.1 * slope, atol=1e-12)


@pytest.mark.slow
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


def test_one_batch_and_one_by_one_agree_and_compute_what_is_asked_for(problem):
    start, eta = starts(problem, 5)
    eta = eta * jnp.asarray([1.0, 0.5, 0.02, 1e3, 0.7])  # they finish at different times, one diverges
    options = {"target": 1e-4, "budget": 3 * CHUNK + 7}
    batch, single = (train(problem, start, eta, **options, together=each, levels=(1.0, 0.1)) for each in (True, False))
    assert batch.outcome == single.outcome
    assert list(batch.steps) == list(single.steps)
    assert np.allclose(batch.losses, single.losses, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert np.array_equal(batch.reached, single.reached)
    assert np.allclose(batch.snapshots, single.snapshots, atol=1e-10)
    assert batch.movement.shape == (5, 0)
    plain = train(problem, start, eta, **options, movement=True)
    assert plain.snapshots.shape[1] == 0
    assert np.array_equal(np.isnan(plain.movement), np.isnan(plain.losses))
    assert list(plain.movement[:, 0]) == [0] * 5
    seed = 2
    far = np.sqrt(np.max(np.sum((plain.last.W[seed] - start.W[seed]) ** 2, axis=0)))
    assert np.isclose(plain.movement[seed, plain.steps[seed]], far)


@pytest.mark.parametrize("network", ["softmax", "relu", "tanh"])
@pytest.mark.slow
def test_padding_changes_nothing_but_the_shape(network):
    """Widths 6 and 300 (more than one block) inside 512 train as they do by themselves."""
    wide = make(network, n=4, d_in=8, m=512, sigma=0.5)
    start, _ = starts(wide, 2)
    for m in (6, 300):
        alone = dataclasses.replace(wide, m=m)
        small, padded = Params(start.W[..., :m], start.a[..., :m]), jax.vmap(lambda p, m=m: narrowed(p, m))(start)
        for seed in range(2):
            one, other = (jax.tree.map(lambda leaf, seed=seed: leaf[seed], each) for each in (small, padded))
            assert jnp.allclose(closed_form(alone, one), closed_form(wide, other), rtol=1e-12, atol=1e-14)
        runs = [
            train(problem, params, jnp.full(2, 0.1 / m), target=1e-9, budget=CHUNK)
            for problem, params in ((alone, small), (wide, padded))
        ]
        assert np.allclose(runs[0].losses, runs[1].losses, rtol=1e-9, equal_nan=True)
        assert np.allclose(runs[1].last.W[..., m:], 0)
        assert np.allclose(runs[0].last.W, runs[1].last.W[..., :m], atol=1e-12)


@pytest.mark.parametrize("init", ["coupled", "independent"])
def test_the_loss_identity_holds_along_whole_trajectories(init):
    """C_0 + ... + C_3 is what each step changes ‖e‖² by, to 1e-9 of their sizes, at every step of a whole run."""
    problem = make(n=4, d_in=8, m=64, sigma=0.5, init=init)
    start, eta = starts(problem, 1)
    params, eta = jax.tree.map(lambda leaf: leaf[0], start), eta[0]
    target = 1e-4 * float(jnp.sum(residual(problem, params) ** 2))

    @jax.jit
    def step(params):
        after = descend(problem, params, eta)
        terms = jnp.stack(step_terms(problem, params, problem.X @ (after.W - params.W), outputs(problem, after)))
        return after, terms, jnp.sum(residual(problem, params) ** 2), jnp.sum(residual(problem, after) ** 2)

    for _ in range(1000):
        params, terms, before, now = step(params)
        assert abs(now - before - jnp.sum(terms)) <= 1e-9 * min(jnp.sum(jnp.abs(terms)), before)
        if now <= target:
            return
    raise AssertionError("the run did not end")


@pytest.mark.slow
def test_snapshots_are_where_the_loss_first_falls(problem):
    start, eta = starts(problem, 2)
    run = train(problem, start, eta, target=1e-4, budget=CHUNK, levels=(1.0, 0.3, 0.01))
    for seed in range(2):
        for level, step, W in zip(run.levels, run.reached[seed], run.snapshots[seed], strict=True):
            held = np.flatnonzero(run.losses[seed] <= level * run.losses[seed, 0])
            assert step == held[0]
            now = float(jnp.sum(residual(problem, Params(W, start.a[seed])) ** 2))
            assert np.isclose(now, run.losses[seed, step])
    H = run.kernels(problem)
    last = Params(run.snapshots[1, 2], start.a[1])
    assert H.shape == (2, 3, 8, 8)
    assert jnp.allclose(H[1, 2], closed_form(problem, last), atol=1e-13)


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
    nan = train(problem, start, eta * jnp.nan, target=1e-4, budget=CHUNK, movement=True)
    assert set(nan.outcome) == {DIVERGED}
    assert nan.losses[0, 1] == np.inf
    assert nan.movement[0, 1] == np.inf
    lost = train(problem, Params(start.W * jnp.nan, start.a), eta, target=1e-4, budget=CHUNK)
    assert set(lost.outcome) == {DIVERGED}
    assert list(lost.steps) == [0, 0]


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


def test_the_logistic_loss_is_descended_by_its_own_gradient():
    question = make("relu", n=4, d_in=8, d_out=1, m=256)
    net = initialise(question, jax.random.key(0))
    value, slope = logistic(question, net)

    def mean(F):
        return jnp.mean(jnp.log1p(jnp.exp(-question.y * F)))

    F = forward(question.network, net, question.X)
    np.testing.assert_allclose(value, mean(F), rtol=1e-14)
    np.testing.assert_allclose(slope, jax.grad(mean)(F), rtol=1e-13)
    run = nv.train(question, net, target=0.05, budget=512, loss="logistic")
    assert run.outcome == ["converged"]
    assert "mean logistic loss fell to" in run.sentence(0)
    last = Params(run.last.W[0], net.a)
    np.testing.assert_allclose(logistic(question, last)[0], run.losses[0, run.steps[0]], rtol=1e-12)


def test_labels_that_the_logistic_loss_cannot_read_are_refused():
    question = make("relu", n=4, d_in=8, d_out=2, m=16)
    with pytest.raises(nv.BadInput, match="labels"):
        nv.train(question, initialise(question, jax.random.key(0)), loss="logistic")
    with pytest.raises(nv.BadInput, match="loss"):
        nv.train(question, initialise(question, jax.random.key(0)), loss="hinge")
