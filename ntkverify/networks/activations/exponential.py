"""Exponential: F_l(x) = Σ_r a_{l,r} exp(⟨w_r,x⟩).  arXiv:2303.16504.

Infinite width: E[e^u e^v] = exp(σ²‖x_i + x_j‖²/2), the variance of u + v (derived).  With D = diag
exp(σ²‖x_i‖²/2) it is D K_softmax D: what the normalisation of softmax removes.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return jnp.exp(u)


def expectation(X, Z, sigma):
    squares = [jnp.sum(side**2, axis=1) for side in (X, Z)]
    return jnp.exp(sigma**2 / 2 * (squares[0][:, None] + squares[1][None] + 2 * X @ Z.T))


def dual(t, sigma):
    return t * (sigma**2 * (1 + t)).exp()


def series(X, sigma):
    gram = X @ X.T
    D = jnp.exp(sigma**2 * jnp.sum(X**2, axis=1) / 2)
    return D, gram, gram, jnp.ones_like(X[0, 0]), lambda j: sigma**2 / (j + 1)


def spread(s):
    return jnp.exp(4 * s**2)


EXPONENTIAL = TwoLayer(
    name="exponential",
    title="Σ_r a_r exp(⟨w_r,x⟩)",
    source="arXiv:2303.16504",
    value=value,
    slope=value,
    expectation=expectation,
    dual=dual,
    series=series,
    spread=spread,
)
