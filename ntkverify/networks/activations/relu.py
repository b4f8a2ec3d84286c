"""ReLU in both scalings: m^{-1/2} Σ_r a_r max(⟨w_r,x⟩, 0) (arXiv:2206.12802), and Σ_r alone.

`relu-sum` has the output scale of softmax and exp, so that comparisons can tell what the scale does
from what the activation does.  The derivative at 0 is 0.

Infinite width (σ > 0): E[φ'φ'] = (π − θ)/(2π), θ the angle between x_i and x_j, by the arc-cosine
kernel of degree 0 (Cho and Saul 2009).  θ = 2 atan2(‖û−v̂‖, ‖û+v̂‖): arccos loses small angles.  The
derivative in X of an angle 0 or π, where it has none, is 0: right for an input with itself.
"""

import math

import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer
from ntkverify.networks.quadrature import direction, length


def value(u):
    return jnp.where(u > 0, u, 0)


def slope(u):
    return (u > 0).astype(u.dtype)


def expectation(X, Z, sigma):
    apart, together = (length(direction(X)[:, None] + sign * direction(Z)[None]) for sign in (-1, 1))
    if Z is X:  # of an input with itself: a difference of two enclosures would not know
        apart = jnp.where(jnp.eye(len(X), dtype=bool), 0, apart)
    angle = 2 * jnp.arctan2(apart, together)
    seen = (length(X)[:, None] > 0) & (length(Z)[None] > 0) & (sigma > 0)  # φ'(0) = 0
    return jnp.where(seen, (jnp.pi - angle) / (2 * jnp.pi), 0)


def dual(t, sigma):
    return t / 4 + t * t.asin() / (2 * t.pi())


def series(X, sigma):
    """Of unit inputs t/4 + t arcsin(t)/(2π), and the arcsine's series; t/4 is left out."""
    square = (direction(X) @ direction(X).T) ** 2
    first = jnp.where(sigma > 0, 1 / (2 * jnp.pi * jnp.ones_like(X[0, 0])), 0)
    return length(X), square, square, first, lambda j: (2 * j + 1) ** 2 / ((2 * j + 2) * (2 * j + 3))


def spread(s):
    return jnp.full_like(s, 2)


RELU = TwoLayer(
    name="relu",
    title="m^{-1/2} Σ_r a_r max(⟨w_r,x⟩, 0)",
    source="arXiv:2206.12802",
    value=value,
    slope=slope,
    expectation=expectation,
    dual=dual,
    series=series,
    spread=spread,
    root_scaled=True,
    bend=math.inf,
)
RELU_SUM = TwoLayer(
    name="relu-sum",
    title="Σ_r a_r max(⟨w_r,x⟩, 0)",
    source="control: ReLU at the output scale of softmax and exp",
    value=value,
    slope=slope,
    expectation=expectation,
    dual=dual,
    series=series,
    spread=spread,
    bend=math.inf,
)
