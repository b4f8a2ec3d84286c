"""Hyperbolic tangent: F_l(x) = Σ_r a_{l,r} tanh(⟨w_r,x⟩).

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return jnp.tanh(u)


def slope(u):
    return 1 - jnp.tanh(u) ** 2


TANH = TwoLayer(
    name="tanh",
    title="Σ_r a_r tanh(⟨w_r,x⟩)",
    source="named as a next activation by arXiv:2405.03251",
    value=value,
    slope=slope,
    bend=4 / (3 * 3**0.5) * (1 + 1e-15),  # not below the truth after rounding
)
