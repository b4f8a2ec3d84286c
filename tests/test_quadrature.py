"""Expectations over infinitely many neurons, against other routes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import make
from scipy.integrate import dblquad

from ntkverify import catalogue
from ntkverify.kernels.infinite_width import sample_kernel
from ntkverify.quadrature import gaussian_products


def test_wide_weights_do_not_fool_it():
    slope = catalogue.activation("tanh").slope
    value, error = gaussian_products(slope, jnp.ones((1, 1)), 30.0)
    # ∫ sech⁴(σz) φ(z) dz ≈ (4/3)/(σ√(2π)), up to a relative 1/σ²
    assert abs(float(value[0, 0]) / (4 / 3 / (30 * np.sqrt(2 * np.pi))) - 1) < 1e-3
    assert error < 1e-10


@pytest.mark.parametrize("network", ["sigmoid", "tanh", "swish"])
@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_against_adaptive_integration(network, sigma):
    slope = catalogue.activation(network).slope
    X = jnp.asarray([[1.0, 0.0], [0.6, 0.7]])
    value, error = gaussian_products(slope, X, sigma)
    plain = jax.jit(lambda a, b: slope(sigma * a) * slope(sigma * (0.6 * a + 0.7 * b)) * jnp.exp(-(a**2 + b**2) / 2))
    truth = dblquad(lambda b, a: float(plain(a, b)), -9, 9, -9, 9, epsabs=1e-6, epsrel=1e-6)[0] / (2 * np.pi)
    assert abs(float(value[0, 1]) - truth) < 2e-6
    assert error < 1e-9


@pytest.mark.parametrize("network", ["sigmoid", "tanh", "swish"])
def test_zero_and_duplicate_inputs(network):
    slope = catalogue.activation(network).slope
    value, _ = gaussian_products(slope, jnp.asarray([[0.0], [1.0], [1.0], [-1.0]]), 1.0)
    assert np.all(np.isfinite(value))
    np.testing.assert_allclose(value[0, 0], slope(jnp.asarray(0.0)) ** 2, rtol=1e-12)
    np.testing.assert_allclose(value[1, 1], value[1, 2], rtol=1e-12)


def test_normalisation_removes_the_norm_factor():
    soft, plain = (sample_kernel(make(network, sigma=0.7))[0] for network in ("softmax", "exponential"))
    problem = make("softmax", sigma=0.7)
    D = jnp.exp(0.7**2 / 2 * jnp.sum(problem.X**2, axis=1))
    np.testing.assert_allclose(plain, D[:, None] * soft * D[None], rtol=1e-13)


@pytest.mark.parametrize("network", list(catalogue.ACTIVATIONS))
def test_spread_is_the_ratio_of_moments(network):
    activation = catalogue.activation(network)
    u = 0.4 * np.random.default_rng(0).standard_normal(10**6)
    slopes = np.asarray(activation.slope(jnp.asarray(u)))
    ratio = np.mean(slopes**4) / np.mean(slopes**2) ** 2
    assert abs(float(activation.spread(jnp.asarray(0.4))) / ratio - 1) < 0.02
