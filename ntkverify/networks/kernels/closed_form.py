"""The NTK Gram matrix in closed form, neurons streamed in blocks.

H_{(i,l),(j,k)} = (1/m) ⟨x_i,x_j⟩ Σ_r G_{(i,l),r} G_{(j,k),r} with G_{(i,l),r} = a_{l,r} φ'(⟨w_r,x_i⟩),
and (a_{l,r} − f_{l,i}) m S_{i,r}, f = F/m, for softmax (docs/theory.md §2, derived).  Work 2 (nd)² m.  Where neurons are
functions with gradient inner ⊗ outer, G is multiplied by inner and ⟨x_i,x_j⟩ is ⟨outer_i, outer_j⟩: k times the work.
Temporary memory: (n·d)² for the result and n·d·`BLOCK` for one block of G, whatever m is.  With
other inputs X2 the rows are those of X and the columns those of X2.  With an `axis`, the neurons at hand are a device's part of
them (`parted.py`), and sums go over all devices of that axis.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.logits import inner, logits, outer
from ntkverify.networks.nouns import Params, Problem

BLOCK = 256
"""Neurons a block."""


@full_precision
def closed_form(
    problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None, axis: str | None = None
) -> Float[Array, "nd n2d"]:
    """H = J J₂ᵀ / s_m at `params`, an (n·d_out, n2·d_out) array, sample slow; J₂ is J without `X2`; of two-layer networks.

    Source: docs/theory.md §2.
    """
    activation, d, m = problem.activation, problem.d_out, in_all(params.m, axis)
    sides = [X for X in (problem.X, X2) if X is not None]
    means = [softmax_mean(activation, X, params, axis) if activation.normalised else None for X in sides]

    def weights(X, mean, W_block, a_block, fresh):
        U = logits(activation, W_block, X)
        if mean is None:
            G = a_block[None] * activation.slope(U)[:, None]
        else:
            top, total, f = mean
            G = (a_block[None] - f[:, :, None]) * (m * jnp.exp(counted(U, fresh, params) - top) / total)[:, None]
        G = G.reshape(X.shape[0] * d, -1) * fresh[None]
        g = inner(activation, W_block, X)
        return G if g is None else (G[:, None] * jnp.repeat(g, d, axis=0)).reshape(X.shape[0] * d, -1)

    def add(H, block):
        G = [weights(X, mean, *block) for X, mean in zip(sides, means, strict=True)]
        return H + G[0] @ G[-1].T

    first, last = sides[0], sides[-1]
    H = in_all(over_neurons(add, jnp.zeros((first.shape[0] * d, last.shape[0] * d), first.dtype), params), axis)
    gram = outer(activation, first) @ outer(activation, last).T
    return H / m * jnp.repeat(jnp.repeat(gram, d, axis=0), d, axis=1)


def in_all(part, axis: str | None):
    """The sum of all devices' parts."""
    return part if axis is None else lax.psum(part, axis)


def softmax_mean(activation, X, params, axis: str | None = None):
    """Per sample: the largest logit, Σ_r exp(logit − largest), and f = ⟨a, S⟩ (online softmax)."""

    def add(state, block):
        top, total, weighted = state
        W_block, a_block, fresh = block
        U = counted(logits(activation, W_block, X), fresh, params)
        higher = jnp.maximum(top, jnp.max(U, axis=1, keepdims=True))
        shrink, E = jnp.exp(top - higher), fresh[None] * jnp.exp(U - higher)
        return higher, shrink * total + jnp.sum(E, axis=1, keepdims=True), shrink * weighted + E @ a_block.T

    first = logits(activation, params.W[:, :1], X)
    zeros = jnp.zeros((X.shape[0], params.a.shape[0]), X.dtype)
    top, total, weighted = over_neurons(add, (first, jnp.zeros_like(first), zeros), params)
    if axis is not None:
        counts = jnp.asarray(True) if params.live is None else params.live > 0  # or the part is all padding
        top = jnp.where(counts, top, -jnp.inf)
        highest = lax.pmax(lax.stop_gradient(top), axis)  # it cancels: no derivative goes through it
        total, weighted = (lax.psum(jnp.exp(top - highest) * each, axis) for each in (total, weighted))
        top = highest
    return top, total, weighted / total


def counted(U, fresh, params):
    """Logits, −∞ at padding: its 0 would be the largest where all others are far below."""
    return U if params.live is None else jnp.where(fresh[None] > 0, U, -jnp.inf)


def over_neurons(add, start, params):
    """Fold `add` over blocks of neurons.

    The last block starts early, so that no padded copy of W is made; `fresh` marks the neurons
    that no earlier block has counted.
    """
    W, a, live = params.W, params.a, params.live
    m = W.shape[1]
    size = min(BLOCK, m)

    def step(carry, _):
        state, index = carry
        begin = jnp.minimum(index * size, m - size)
        places = begin + jnp.arange(size)
        fresh = (
            places >= index * size if live is None else (places >= index * size) & (places.astype(W.dtype) < live)
        ).astype(W.dtype)
        block = [lax.dynamic_slice_in_dim(array, begin, size, axis=1) for array in (W, a)]
        return (add(state, (*block, fresh)), index + 1), None

    (total, _), _ = lax.scan(jax.checkpoint(step), (start, 0), length=-(-m // size))
    return total
