"""Gated neurons (SwiGLU): F_l(x) = Σ_r a_{l,r} swish(⟨w_r,x⟩) ⟨v_r,x⟩, both w_r and v_r trained.

The gradient is (swish'(u) t, swish(u)) ⊗ x, u and t the two logits.
"""

import math

import jax.numpy as jnp

from ntkverify.networks.activations import swish
from ntkverify.networks.activations.identity import identity, one
from ntkverify.networks.nouns import Neuron, TwoLayer


def size(shape):
    return 2 * math.prod(shape)


def _logits(w, x):
    return w.reshape(2, -1) @ x.ravel()


def value(w, x):
    u, t = _logits(w, x)
    return swish.value(u) * t


def inner(w, x):
    u, t = _logits(w, x)
    return jnp.stack([swish.slope(u) * t, swish.value(u)])


def outer(x):
    return x.ravel()


GATED = TwoLayer(
    name="gated",
    title="Σ_r a_r swish(⟨w_r,x⟩)⟨v_r,x⟩",
    source="Shazeer 2020 (SwiGLU)",
    value=identity,
    slope=one,
    neuron=Neuron(size, value, inner, outer),
)
