"""Two convolutions of 3 × 3, tanh, and the mean over the image

For square images, as such or as their pixels in a row.
"""

import math

import jax
import jax.numpy as jnp

drift = -1.0
"""Said before measuring: m^(-1), the width being the number of channels (Dyer and Gur-Ari 2020, arXiv:1909.11304)."""


def initialise(key, width, d_out):
    """(key, width) → parameters."""
    one, two, out = jax.random.split(key, 3)
    return {
        "first": jax.random.normal(one, (3, 3, 1, width)),
        "second": jax.random.normal(two, (3, 3, width, width)),
        "out": jax.random.normal(out, (width, d_out)),
    }


def apply(parameters, X):
    """(parameters, X (n, pixels)) → (n, d_out)."""
    side = math.isqrt(X[0].size)
    h = X.reshape(len(X), side, side, 1) * side
    for name in ("first", "second"):
        kernel = parameters[name]
        axes = ("NHWC", "HWIO", "NHWC")
        h = jax.lax.conv_general_dilated(h, kernel, (1, 1), "SAME", dimension_numbers=axes)
        h = jnp.tanh(h / jnp.sqrt(9 * kernel.shape[2]))
    return jnp.mean(h, axis=(1, 2)) @ parameters["out"] / jnp.sqrt(h.shape[-1])
