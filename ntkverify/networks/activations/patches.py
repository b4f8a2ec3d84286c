"""Patches: F_l(x) = Σ_r a_{l,r} mean_p tanh(⟨w_r, x_p⟩) over the 3 × 3 patches of an image: a convolution, then mean pooling."""

import jax.numpy as jnp

from ntkverify.ground.errors import BadInput
from ntkverify.networks.activations.identity import identity, one
from ntkverify.networks.nouns import Neuron, TwoLayer

SIDE = 3
STEEPEST_TURN = 4 / (3 * 3**0.5) * (1 + 1e-15)  # sup|tanh''|, not below the truth after rounding


def size(shape):
    if len(shape) != 2 or min(shape) < SIDE:
        raise BadInput(
            f"network patches on inputs of shape {shape}", f"images of at least {SIDE} × {SIDE}", "--data digits-rows"
        )
    return SIDE**2


def _patches(x):
    """(places, SIDE²)."""
    rows, columns = (length - SIDE + 1 for length in x.shape)
    parts = [x[i : i + rows, j : j + columns].ravel() for i in range(SIDE) for j in range(SIDE)]
    return jnp.stack(parts, axis=1)


def value(w, x):
    return jnp.mean(jnp.tanh(_patches(x) @ w))


def inner(w, x):
    patches = _patches(x)
    return (1 - jnp.tanh(patches @ w) ** 2) @ patches / len(patches)


def bend(x):
    """sup|tanh''| times the Frobenius norm of the mean of x_p x_pᵀ."""
    patches = _patches(x)
    mean = patches.T @ patches / len(patches)
    return STEEPEST_TURN * jnp.sqrt(jnp.sum(mean**2))


def steep(x):
    """The mean of ‖x_p‖, since 0 ≤ tanh' ≤ 1."""
    return jnp.mean(jnp.sqrt(jnp.sum(_patches(x) ** 2, axis=1)))


PATCHES = TwoLayer(
    name="patches",
    title="Σ_r a_r mean_p tanh⟨w_r,x_p⟩",
    source="a convolution with mean pooling",
    value=identity,
    slope=one,
    neuron=Neuron(size, value, inner, bend=bend, steep=steep),
)
