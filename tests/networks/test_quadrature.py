"""Expectations over infinitely many neurons, against other routes."""

import dataclasses

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import make
from scipy.integrate import dblquad

from ntkverify import catalogue
from ntkverify.networks.kernels.infinite_width import sample_kernel, spread
from ntkverify.networks.quadrature import gaussian_products, products_error


def test_wide_weights_do_not_fool_it():
    slope = catalogue.two_layer("tanh").slope
    one = jnp.ones((1, 1))
    value, error = gaussian_products(slope, one, one, 30.0), products_error(slope, one, one, 30.0)
    # ∫ sech⁴(σz) φ(z) dz ≈ (4/3)/(σ√(2π)), up to a relative 1/σ²
    assert abs(float(value[0, 0]) / (4 / 3 / (30 * np.sqrt(2 * np.pi))) - 1) < 1e-3
    assert error < 1e-10


@pytest.mark.parametrize("network", ["sigmoid", "tanh", "swish"])
@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_against_adaptive_integration(network, sigma):
    slope = catalogue.two_layer(network).slope
    X = jnp.asarray([[1.0, 0.0], [0.6, 0.7]])
    value, error = gaussian_products(slope, X, X, sigma), products_error(slope, X, X, sigma)
    plain = jax.jit(lambda a, b: slope(sigma * a) * slope(sigma * (0.6 * a + 0.7 * b)) * jnp.exp(-(a**2 + b**2) / 2))
    truth = dblquad(lambda b, a: float(plain(a, b)), -9, 9, -9, 9, epsabs=1e-6, epsrel=1e-6)[0] / (2 * np.pi)
    assert abs(float(value[0, 1]) - truth) < 2e-6
    assert error < 1e-9


@pytest.mark.parametrize("network", ["sigmoid", "tanh", "swish"])
def test_zero_and_duplicate_inputs(network):
    slope = catalogue.two_layer(network).slope
    X = jnp.asarray([[0.0], [1.0], [1.0], [-1.0]])
    value = gaussian_products(slope, X, X, 1.0)
    assert np.all(np.isfinite(value))
    np.testing.assert_allclose(value[0, 0], slope(jnp.asarray(0.0)) ** 2, rtol=1e-12)
    np.testing.assert_allclose(value[1, 1], value[1, 2], rtol=1e-12)


def test_normalisation_removes_the_norm_factor():
    soft, plain = (sample_kernel(make(network, sigma=0.7))[0] for network in ("softmax", "exponential"))
    problem = make("softmax", sigma=0.7)
    D = jnp.exp(0.7**2 / 2 * jnp.sum(problem.X**2, axis=1))
    np.testing.assert_allclose(plain, D[:, None] * soft * D[None], rtol=1e-13)


OF_LOGITS = [name for name in catalogue.NETWORKS if catalogue.two_layer(name).neuron is None]


@pytest.mark.parametrize("network", OF_LOGITS)
def test_spread_is_the_ratio_of_moments(network):
    activation = catalogue.two_layer(network)
    unit = dataclasses.replace(make(network, n=1, d_in=1, d_out=1), X=jnp.ones((1, 1)), sigma=jnp.asarray(0.4))
    u = 0.4 * np.random.default_rng(0).standard_normal(10**6)
    slopes = np.asarray(activation.slope(jnp.asarray(u)))
    ratio = np.mean(slopes**4) / np.mean(slopes**2) ** 2
    assert abs(float(spread(unit)) / ratio - 1) < 0.02


def _transform(network, a):
    """The Fourier transform of φ' at a; of swish's odd part φ' − 1/2, i times what is returned."""
    pi = flint.arb.pi()
    if network == "tanh":  # of sech²
        return pi * a / (pi * a / 2).sinh()
    sinh, cosh = (pi * a).sinh(), (pi * a).cosh()
    bell = pi * a / sinh  # of sech²(u/2)/4, the slope of the sigmoid
    return bell if network == "sigmoid" else pi / sinh - pi**2 * a * cosh / sinh**2 - bell / a


def expectation_by_fourier(network, x, z, sigma):
    """E[φ'(u)φ'(v)] = (2π)⁻² ∬ ĝ(a) ĝ(b) exp(−Var(au + bv)/2) by the midpoint rule, in balls of 50 digits.

    By Poisson's formula the rule adds E[g(u + jL) g(v + kL)], L = 2π/step, for all j, k: below 10⁻²⁴ for this L.
    """
    x, z = ([flint.arb(float(entry)) for entry in each] for each in (x, z))
    uu, vv, uv = (sum((p * q for p, q in zip(*pair, strict=True)), flint.arb(0)) for pair in ((x, x), (z, z), (x, z)))
    uu, vv, uv = (flint.arb(sigma) ** 2 * each for each in (uu, vv, uv))
    step = 2 * flint.arb.pi() / (12 * max(float(uu), float(vv)) ** 0.5 + 60)
    reach = (24 if sigma > 1 else 40) / (1 if network == "tanh" else 1.8)  # ĝ decays like e^{−πa/2}, e^{−πa}
    points = [(k + flint.arb(0.5)) * step for k in range(int(reach / float(step)))]
    at = [_transform(network, a) for a in points]
    outer = [g * (-uu * a**2 / 2).exp() for g, a in zip(at, points, strict=True)]
    inner = flint.arb_poly([g * (-vv * b**2 / 2).exp() for g, b in zip(at, points, strict=True)])

    def folded(sign):
        """Σ_a Σ_b over positive a and b of ĝ ĝ exp(−Var(au + bv)/2), the covariance taken with this sign."""
        ratios = [(sign * uv * a * step).exp() for a in points]
        return sum((w * r.sqrt() * inner(r) for w, r in zip(outer, ratios, strict=True)), flint.arb(0))

    odd = network == "swish"
    total = (folded(1) - folded(-1) if odd else folded(1) + folded(-1)) / 2
    return 4 * total * (step / (2 * flint.arb.pi())) ** 2 + (flint.arb(0.25) if odd else 0)


@pytest.mark.parametrize("network", ["sigmoid", "tanh", "swish"])
@pytest.mark.parametrize("sigma", [0.1, 1.0, 7.0, 30.0])
@pytest.mark.slow
def test_the_reported_error_bounds_the_true_one(network, sigma):
    slope = catalogue.two_layer(network).slope
    angles = [0.0, 1e-12, 1e-8, 1e-3, 0.7, np.pi / 2, np.pi / 2 + 1e-9, np.pi - 1e-3, np.pi - 1e-8]
    X = np.array([[0.6, 0.8]])
    turned = [[np.cos(t) * 0.6 - np.sin(t) * 0.8, np.sin(t) * 0.6 + np.cos(t) * 0.8] for t in angles]
    Z = np.array([*turned, -X[0], 0.01 * X[0], [0.0, 0.0]])
    value, error = (
        np.asarray(each(slope, jnp.asarray(X), jnp.asarray(Z), sigma)) for each in (gaussian_products, products_error)
    )
    with flint.ctx.workprec(170):
        truth = [expectation_by_fourier(network, X[0], z, sigma) for z in Z]
        assert all(float(each.rad()) < 1e-25 for each in truth)
        gaps = [abs(float(flint.arb(float(found)) - true)) for found, true in zip(value[0], truth, strict=True)]
    assert max(gaps) <= error * np.max(value)
    assert error < 1e-11


def test_orthogonal_inputs_have_kernel_zero_where_the_expectation_overflows():
    X = jnp.asarray([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    problem = dataclasses.replace(make("exponential", n=3, d_in=2, sigma=200.0), X=X)
    K = np.asarray(sample_kernel(problem)[0])
    np.testing.assert_array_equal(K[1], 0)
    assert K[0, 2] == 0
    assert K[0, 0] == np.inf
