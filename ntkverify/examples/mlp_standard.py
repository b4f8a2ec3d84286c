"""Three layers of tanh, standard parameterisation

Weights are drawn with the variance of their fan-in and used as they are, so that J Jᵀ grows like the width.
"""

import jax
import jax.numpy as jnp

drift = -1.0
"""Said before measuring: as in the NTK parameterisation, whose steps are those of step sizes like 1/m here (Lee et al. 2019,
arXiv:1902.06720, appendix); the kernel's parts of the first and the other layers scale differently, which the leading order
does not see."""


def initialise(key, width, d_in, d_out):
    """(key, width) → parameters."""
    sizes = (d_in, width, width, d_out)
    keys = jax.random.split(key, 3)
    return [
        {"kernel": jax.random.normal(k, (a, b)) / jnp.sqrt(a), "bias": jnp.zeros(b)}
        for k, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]


def apply(parameters, X):
    """(parameters, X (n, d_in)) → (n, d_out)."""
    h = X * jnp.sqrt(X.shape[-1])
    *hidden, last = parameters
    for layer in hidden:
        h = jnp.tanh(h @ layer["kernel"] + layer["bias"])
    return h @ last["kernel"] + last["bias"]


def scale(width):
    """s_m in J Jᵀ = s_m H."""
    return width
