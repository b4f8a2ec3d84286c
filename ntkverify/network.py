"""The two-layer network: initialise, forward, loss.  Nowhere else is a network written.

F_l(x_i) = s Σ_r a_{l,r} φ(⟨w_r, x_i⟩), s = 1 or m^{-1/2}; for softmax φ is divided by its mean over
the neurons, so that F = m Σ_r a_r S_r.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify.nouns import COUPLED, Activation, Params, Problem
from ntkverify.numerics import full_precision


@full_precision
def initialise(problem: Problem, key: PRNGKeyArray) -> Params:
    """Draw W ~ N(0, σ²) and signs a.  Coupled: neurons 2r and 2r+1 share w and have opposite a.

    The pairs are adjacent so that their outputs cancel to rounding (docs/theory.md §1).
    """
    dtype = problem.X.dtype
    drawn = problem.m // 2 if problem.init == COUPLED else problem.m
    key_W, key_a = jax.random.split(key)
    W = problem.sigma * jax.random.normal(key_W, (problem.d_in, drawn), dtype)
    a = jax.random.rademacher(key_a, (problem.d_out, drawn), dtype)
    if problem.init == COUPLED:
        W, a = jnp.repeat(W, 2, axis=1), jnp.stack([a, -a], axis=-1).reshape(problem.d_out, -1)
    return Params(W, a)


def output_scale(activation: Activation, m: int) -> float:
    """s in F = s Σ_r a_r φ_r."""
    return m**-0.5 if activation.root_scaled else 1.0


def kernel_scale(activation: Activation, m: int) -> float:
    """s_m in J Jᵀ = s_m H: m for networks scaled like Σ_r, 1 for m^{-1/2} Σ_r."""
    return m * output_scale(activation, m) ** 2


@full_precision
def neurons(activation: Activation, W: Float[Array, "d_in m"], X: Float[Array, "n d_in"]):
    """What each neuron gives, (n, m): φ(⟨w_r,x_i⟩), for softmax m S_{i,r}."""
    U = X @ W
    return W.shape[1] * jax.nn.softmax(U, axis=-1) if activation.normalised else activation.value(U)


@full_precision
def forward(
    activation: Activation,
    W: Float[Array, "d_in m"],
    a: Float[Array, "d_out m"],
    X: Float[Array, "n d_in"],
) -> Float[Array, "n d_out"]:
    """F(W), unshifted also under independent initialisation."""
    return output_scale(activation, W.shape[1]) * (neurons(activation, W, X) @ a.T)


def loss(activation: Activation, W, a, X, y) -> Float[Array, ""]:
    """½ Σ_i Σ_l (F_l(x_i) − y_{l,i})²."""
    return jnp.sum((forward(activation, W, a, X) - y) ** 2) / 2
