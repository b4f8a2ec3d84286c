"""The network: initialise, forward, loss.  Nowhere else is a network written.

A model of the user's is what its file says (`models.py`).  A two-layer network is

F_l(x_i) = s Σ_r a_{l,r} φ(⟨w_r, x_i⟩), s = 1 or m^{-1/2}; for softmax φ is divided by its mean over
the neurons, so that F = m Σ_r a_r S_r.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify.ground.numerics import full_precision
from ntkverify.networks import models
from ntkverify.networks.logits import logits
from ntkverify.networks.nouns import COUPLED, Model, Network, Params, Problem, TwoLayer


@full_precision
def initialise(problem: Problem, key: PRNGKeyArray) -> Params:
    """Draw W ~ N(0, σ²) and signs a.  Coupled: neurons 2r and 2r+1 share w and have opposite a.

    The pairs are adjacent so that their outputs cancel to rounding (docs/theory.md §1).  A model is drawn as it says, and
    σ, which it sets itself, is not read.
    """
    if isinstance(problem.network, Model):
        return models.start(problem.network, key, problem.X.dtype)
    dtype = problem.X.dtype
    drawn = problem.m // 2 if problem.init == COUPLED else problem.m
    key_W, key_a = jax.random.split(key)
    W = problem.sigma * jax.random.normal(key_W, (problem.p, drawn), dtype)
    a = jax.random.rademacher(key_a, (problem.d_out, drawn), dtype)
    if problem.init == COUPLED:
        W, a = jnp.repeat(W, 2, axis=1), jnp.stack([a, -a], axis=-1).reshape(problem.d_out, -1)
    return Params(W, a)


def narrowed(params: Params, m) -> Params:
    """The network of the first m neurons, padded to the width that `params` has."""
    live = jnp.asarray(m, params.W.dtype)
    keep = jnp.arange(params.W.shape[1], dtype=live.dtype)[None] < live
    return Params(jnp.where(keep, params.W, 0), jnp.where(keep, params.a, 0), live)


def widened(params: Params, wide: int) -> Params:
    """The same network, padded to so many neurons."""
    more = ((0, 0), (0, wide - params.W.shape[1]))
    W, a = (jnp.asarray(np.pad(np.asarray(array), more)) for array in (params.W, params.a))
    return Params(W, a, jnp.asarray(params.m, W.dtype))


def output_scale(network: TwoLayer, m):
    """s in F = s Σ_r a_r φ_r.  The root is JAX's: enclosures take a number that Python rounded for an exact one."""
    return 1 / jnp.sqrt(1.0 * m) if network.root_scaled else 1.0


def kernel_scale(network: Network, m):
    """s_m in J Jᵀ = s_m H, a number: m for networks scaled like Σ_r, 1 for m^{-1/2} Σ_r, what a model says of its width.

    Source: docs/theory.md §2.
    """
    if isinstance(network, Model):
        return network.s_m
    return 1.0 if network.root_scaled else m


@full_precision
def neurons(network: TwoLayer, params: Params, X: Float[Array, "n d_in"]) -> Float[Array, "n m"]:
    """What each neuron gives: φ(z(w_r; x_i)), for softmax m S_{i,r}; z = ⟨w,x⟩ unless the network says otherwise."""
    U = logits(network, params.W, X)
    return params.m * softmax(U, params) if network.normalised else network.value(U)


def softmax(U: Float[Array, "n m"], params: Params) -> Float[Array, "n m"]:
    """Over the neurons that count.  No derivative goes through the largest logit, which cancels: so derivatives
    compare no logits, and enclosures need not tell balls apart."""
    U = U if params.mask is None else jnp.where(params.mask, U, -jnp.inf)
    E = jnp.exp(U - jnp.max(jax.lax.stop_gradient(U), axis=-1, keepdims=True))
    return E / jnp.sum(E, axis=-1, keepdims=True)


@full_precision
def forward(network: Network, params: Params, X: Float[Array, "n d_in"]) -> Float[Array, "n d_out"]:
    """F(W), an (n, d_out) array for X (n, d_in), unshifted also under independent initialisation.  Source: docs/theory.md §1."""
    if isinstance(network, Model):
        return models.outputs(network, params, X)
    return output_scale(network, params.m) * (neurons(network, params, X) @ params.a.T)


def loss(network: Network, params: Params, X, y) -> Float[Array, ""]:
    """½ Σ_i Σ_l (F_l(x_i) − y_{l,i})²."""
    return jnp.sum((forward(network, params, X) - y) ** 2) / 2
