"""Attention heads: F_l(T) = Σ_r a_{l,r} ⟨v, Σ_j S_j t_j⟩, S = softmax(t_jᵀ W_r q), T the tokens t_1 … t_L.

The query q is the last token, v = (1, …, 1)/√d_t is fixed, and W_r (d_t, d_t), the product of key and query matrices, is
trained.  The gradient is Cov_S(⟨v,t⟩, t) qᵀ, so a neuron's d_t² weights act as d_t.  Tokens are scaled together: an input has
Σ_j ‖t_j‖² ≤ 1.  Without positions, inputs that permute the tokens before the last are the same to the network.
"""

import math

import jax
import jax.numpy as jnp

from ntkverify.ground.errors import BadInput
from ntkverify.networks.activations.identity import identity, one
from ntkverify.networks.nouns import Neuron, TwoLayer

LARGEST_CUMULANT = 1 / (6 * 3**0.5) * (1 + 1e-15)  # not below the truth after rounding


def size(shape):
    if len(shape) != 2 or shape[0] < 2:
        raise BadInput(
            f"a network of attention heads on inputs of shape {shape}",
            "tokens (L, d_t), at least two",
            "--data digits-rows",
        )
    return shape[1] ** 2


def _weights(w, tokens):
    """S, one number a token."""
    scores = tokens @ (w.reshape(tokens.shape[1], -1) @ tokens[-1])
    shares = jnp.exp(scores - jnp.max(jax.lax.stop_gradient(scores)))
    return shares / jnp.sum(shares)


def _seen(tokens):
    """⟨v, t_j⟩."""
    return jnp.sum(tokens, axis=1) / math.sqrt(tokens.shape[1])


def value(w, tokens):
    return _weights(w, tokens) @ _seen(tokens)


def inner(w, tokens):
    S, seen = _weights(w, tokens), _seen(tokens)
    return (S * (seen - S @ seen)) @ tokens


def outer(tokens):
    return tokens[-1]


def bend(tokens):
    """ρ D²/(6√3), ρ the range of ⟨v, t_j⟩ and D the diameter of the tokens (docs/proofs/convergence.md, Lemma 8): the third
    cumulant E[(a − ā)(z − z̄)²] of numbers within ρ and δ is at most ρδ²/(6√3), and δ ≤ D ‖U q‖."""
    seen = _seen(tokens)
    apart = jnp.max(jnp.sum((tokens[:, None] - tokens[None]) ** 2, axis=-1))
    return (jnp.max(seen) - jnp.min(seen)) * apart * LARGEST_CUMULANT


def steep(tokens):
    """ρ D/4: a covariance of numbers within ρ and δ is at most ρδ/4, δ ≤ D along a unit vector."""
    seen = _seen(tokens)
    apart = jnp.max(jnp.sum((tokens[:, None] - tokens[None]) ** 2, axis=-1))
    return (jnp.max(seen) - jnp.min(seen)) * jnp.sqrt(apart) / 4


HEAD = Neuron(size, value, inner, outer, bend, steep)
ATTENTION = TwoLayer(
    name="attention",
    title="Σ_r a_r ⟨v, Σ_j softmax_j(t_jᵀ W_r q) t_j⟩",
    source="an attention head, W_r = W_K W_Qᵀ",
    value=identity,
    slope=one,
    neuron=HEAD,
)
