"""Swish: F_l(x) = Σ_r a_{l,r} u/(1 + e^{−u}), u = ⟨w_r,x⟩.

Infinite width by quadrature with an error estimate (`quadrature.gaussian_products`).
"""

import functools

import jax

from ntkverify.nouns import Activation
from ntkverify.quadrature import fourth_moment_ratio, gaussian_products


def value(u):
    return u * jax.nn.sigmoid(u)


def slope(u):
    s = jax.nn.sigmoid(u)
    return s + u * s * (1 - s)


SWISH = Activation(
    name="swish",
    title="Σ_r a_r ⟨w_r,x⟩ / (1 + exp(−⟨w_r,x⟩))",
    source="named as a next activation by arXiv:2405.03251",
    value=value,
    slope=slope,
    expectation=functools.partial(gaussian_products, slope),
    spread=functools.partial(fourth_moment_ratio, slope),
    bend=0.5,
)
