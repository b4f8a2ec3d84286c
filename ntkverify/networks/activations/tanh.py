"""Hyperbolic tangent: F_l(x) = Σ_r a_{l,r} tanh(⟨w_r,x⟩).

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import Activation
from ntkverify.networks.quadrature import fourth_moment_ratio, gaussian_products, products_error


def value(u):
    return jnp.tanh(u)


def slope(u):
    return 1 - jnp.tanh(u) ** 2


def expectation(X, Z, sigma):
    return gaussian_products(slope, X, Z, sigma)


def inaccuracy(X, Z, sigma):
    return products_error(slope, X, Z, sigma)


def spread(s):
    return fourth_moment_ratio(slope, s)


TANH = Activation(
    name="tanh",
    title="Σ_r a_r tanh(⟨w_r,x⟩)",
    source="named as a next activation by arXiv:2405.03251",
    value=value,
    slope=slope,
    expectation=expectation,
    inaccuracy=inaccuracy,
    spread=spread,
    bend=4 / (3 * 3**0.5) * (1 + 1e-15),  # not below the truth after rounding
)
