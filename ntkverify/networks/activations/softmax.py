"""Softmax over the neurons: F_l(x) = m Σ_r a_{l,r} S_r(x), S = softmax(Wᵀx).  arXiv:2405.03251.

Infinite width: ⟨v_l, S⟩-type sums concentrate, the normalisation cancels the norm factor of exp, and
K_ij = ⟨x_i,x_j⟩ exp(σ²⟨x_i,x_j⟩) (derived).
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return jnp.exp(u)


def expectation(X, Z, sigma):
    return jnp.exp(sigma**2 * X @ Z.T)


def dual(t, sigma):
    return t * (sigma**2 * t).exp()


def series(X, sigma):
    gram = X @ X.T
    return jnp.ones_like(X[:, 0]), gram, gram, jnp.ones_like(X[0, 0]), lambda j: sigma**2 / (j + 1)


def spread(s):
    return jnp.exp(4 * s**2)


SOFTMAX = TwoLayer(
    name="softmax",
    title="m Σ_r a_r softmax(Wᵀx)_r",
    source="arXiv:2405.03251",
    value=value,
    slope=value,
    expectation=expectation,
    dual=dual,
    series=series,
    spread=spread,
    normalised=True,
)
