"""Samplers against diffrax and against the law of the data; distances between laws."""

import math

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mixtures import mixture_of

from ntkverify.diffusion.distances import bandwidth, compared, mmd, sliced_wasserstein
from ntkverify.diffusion.sampling import FAR, Score, driven, grid, of_mixture, probability_flow, reverse_sde
from ntkverify.truths.mixtures import (
    drawn,
    exact_score,
    gaussians,
)
from ntkverify.truths.process import noised


def gaussian_target():
    return gaussians([1.0], [[0.6, -0.3]], [np.array([[0.5, 0.2], [0.2, 0.3]])])


def test_the_probability_flow_is_diffraxs():
    mixture, times = mixture_of(1, 2, 3)[0], grid(0.05, 3.0, 400)
    start = jnp.asarray(np.random.default_rng(0).standard_normal((6, 2)))

    def drift(t, y, args):
        return -(y + exact_score(mixture, jnp.full(6, t), y)) / 2

    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(drift), diffrax.Dopri8(), 3.0, 0.05, None, start,
        stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-9),
    )  # fmt: skip
    assert solution.ys is not None
    found = probability_flow(of_mixture(mixture), start, times)
    assert not found.diverged
    assert np.abs(found.last - np.asarray(solution.ys[-1])).max() < 1e-3
    coarse = probability_flow(of_mixture(mixture), start, times[::4])
    ratio = np.abs(coarse.last - solution.ys[-1]).max() / np.abs(found.last - solution.ys[-1]).max()
    assert 8 < ratio < 32  # Heun: second order


@pytest.mark.slow
def test_the_reverse_sde_is_diffraxs_on_the_same_brownian_path():
    mixture, times = gaussian_target(), grid(0.05, 3.0, 20)
    start = jnp.asarray(np.random.default_rng(0).standard_normal((5, 2)))
    u = 3.0 - times
    path = diffrax.VirtualBrownianTree(0.0, float(u[-1]), 1e-6, (10,), jax.random.key(0))
    increments = jax.jit(jax.vmap(path.evaluate))(jnp.asarray(u[:-1]), jnp.asarray(u[1:])).reshape(-1, 5, 2)

    def drift(u, y, args):
        y = y.reshape(5, 2)
        return (y / 2 + exact_score(mixture, jnp.full(5, 3.0 - u), y)).ravel()

    terms = diffrax.MultiTerm(diffrax.ODETerm(drift), diffrax.ControlTerm(lambda u, y, args: jnp.eye(10), path))
    solution = diffrax.diffeqsolve(
        terms, diffrax.Euler(), float(u[0]), float(u[-1]), None, start.ravel(),
        stepsize_controller=diffrax.StepTo(ts=jnp.asarray(u)),
    )  # fmt: skip
    assert solution.ys is not None
    found = driven(of_mixture(mixture), start, times, increments)
    assert np.abs(found.last.ravel() - np.asarray(solution.ys[-1])).max() < 1e-9


def test_both_samplers_have_the_law_of_the_data():
    mixture, times, count = gaussian_target(), grid(0.05, 5.0, 300), 4000
    start = noised(
        jnp.full(count, 5.0), drawn(mixture, jax.random.key(0), count), jax.random.normal(jax.random.key(1), (count, 2))
    )
    alpha = math.exp(-0.025)
    wanted = alpha**2 * np.array([[0.5, 0.2], [0.2, 0.3]]) + (1 - alpha**2) * np.eye(2)
    for walk in (
        reverse_sde(of_mixture(mixture), start, times, jax.random.key(2)),
        probability_flow(of_mixture(mixture), start, times),
    ):
        assert np.abs(np.cov(walk.last.T) - wanted).max() < 0.05
        assert np.abs(walk.last.mean(axis=0) - alpha * np.array([0.6, -0.3])).max() < 0.05
        assert "arrived" in walk.sentence
    wrong = reverse_sde(Score(flipped, mixture), start, times, jax.random.key(2))
    assert wrong.diverged or np.abs(np.cov(wrong.last.T) - wanted).max() > 0.2


def flipped(mixture, t, x):
    return -exact_score(mixture, t, x)


def test_a_sampler_that_diverges_says_where():
    walk = probability_flow(Score(flipped, gaussian_target()), jnp.full((3, 2), 100.0), grid(1e-6, 5.0, 50))
    assert walk.diverged
    assert f"3 of 3 paths were beyond {FAR:g} or not finite" in walk.sentence
    assert walk.when is not None
    assert 1e-6 < walk.when < 5


def test_distances_tell_laws_apart_and_not_samples_of_one():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((400, 2))
    assert sliced_wasserstein(a, a + np.array([[3.0, 0.0]])) == pytest.approx(3 * math.sqrt(0.5), rel=0.1)
    width = bandwidth(a)
    assert mmd(a, a, width) == pytest.approx(0, abs=1e-12)
    assert mmd(a[:1], a[1:2], width) == pytest.approx(2 - 2 * math.exp(-np.sum((a[0] - a[1]) ** 2) / (2 * width**2)))
    told, same = 0, 0
    for seed in range(10):
        learned, exact, truth = rng.standard_normal((3, 200, 2))
        for found in compared(learned, exact, truth, seed).values():
            same += found.low <= 0 <= found.high
            assert found.excess == pytest.approx(found.distance - found.floor)
        for found in compared(learned + np.array([[0.7, 0.0]]), exact, truth, seed).values():
            told += found.low > 0
    assert same >= 16
    assert told == 20
