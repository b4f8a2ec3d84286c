"""Three layers of tanh, NTK parameterisation

Every weight is drawn from N(0, 1) and divided by the root of its fan-in where it is used, so that the kernel has a limit.
"""

import jax
import jax.numpy as jnp

drift = -1.0
"""Said before measuring: the kernel's relative drift falls at least like m^(-1/2) (Lee et al. 2019, arXiv:1902.06720), like
m^(-1) for smooth networks (Dyer and Gur-Ari 2020, arXiv:1909.11304; Huang and Yau 2020, arXiv:1909.08156)."""


def initialise(key, width, d_in, d_out):
    """(key, width) → parameters, any pytree; d_in, d_out and shape are those of the data, for those who ask."""
    sizes = (d_in, width, width, d_out)
    keys = jax.random.split(key, 3)
    return [jax.random.normal(k, (a, b)) for k, a, b in zip(keys, sizes, sizes[1:], strict=False)]


def apply(parameters, X):
    """(parameters, X (n, d_in)) → (n, d_out)."""
    h = X * jnp.sqrt(X.shape[-1])  # the rows of X have norm at most 1
    for W in parameters[:-1]:
        h = jnp.tanh(h @ W / jnp.sqrt(len(W)))
    return h @ parameters[-1] / jnp.sqrt(len(parameters[-1]))


# Where they are wanted:
#
# def trained(parameters):
#     """The same tree with True for what trains: here all but the first layer."""
#     return [False, True, True]
#
# def scale(width):
#     """s_m in J Jᵀ = s_m H, such that H has a limit."""
#     return width
