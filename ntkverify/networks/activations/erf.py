"""The error function up to a factor: F_l(x) = Σ_r a_{l,r} ∫₀^u e^{−t²}dt, u = ⟨w_r,x⟩; the integral is √π/2 erf u.

Without the factor 2/√π, which is no float, the slope e^{−u²} is what computers have.

Infinite width: K_ij = ⟨x_i,x_j⟩ E[e^{−u²−v²}] = ⟨x_i,x_j⟩ / √((1 + 2A)(1 + 2B) − 4C²), A, B and C the entries of the covariance
of u and v (Williams 1997 for the kernel of the values; derived for that of the slopes).
"""

import math

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import gaussian_integral
from ntkverify.networks.nouns import TwoLayer


def slope(u):
    return jnp.exp(-(u**2))


def expectation(X, Z, sigma):
    A, B = (1 + 2 * sigma**2 * jnp.sum(side**2, axis=1) for side in (X, Z))
    return 1 / jnp.sqrt(A[:, None] * B[None] - (2 * sigma**2 * X @ Z.T) ** 2)


def dual(t, sigma):
    one, two = 1 + 2 * sigma**2, 2 * sigma**2 * t
    return t / (one * one - two * two).sqrt()


def series(X, sigma):
    """K = Σ_j C(2j, j)/4^j F (2σ²F)^{2j}, F = ⟨x_i,x_j⟩/√((1 + 2A)(1 + 2B))."""
    scaled = X / jnp.sqrt(1 + 2 * sigma**2 * jnp.sum(X**2, axis=1, keepdims=True))
    gram = scaled @ scaled.T
    return (
        jnp.ones_like(X[:, 0]),
        gram,
        (2 * sigma**2 * gram) ** 2,
        jnp.ones_like(X[0, 0]),
        lambda j: (2 * j + 1) / (2 * j + 2),
    )


def spread(s):
    return (1 + 4 * s**2) / jnp.sqrt(1 + 8 * s**2)


ERF = TwoLayer(
    name="erf",
    title="Σ_r a_r ∫₀^u e^{−t²}dt, u = ⟨w_r,x⟩",
    source="√π/2 times the error function",
    value=gaussian_integral,
    slope=slope,
    expectation=expectation,
    dual=dual,
    series=series,
    spread=spread,
    bend=math.sqrt(2 / math.e) * (1 + 1e-15),  # |φ''(u)| at u² = 1/2
)
