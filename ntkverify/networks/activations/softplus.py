"""Softplus: F_l(x) = Σ_r a_{l,r} log(1 + e^u), u = ⟨w_r,x⟩.

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return (u + jnp.abs(u)) / 2 + jnp.log1p(jnp.exp(-jnp.abs(u)))  # no maximum: its derivative asks which one is larger


def slope(u):
    return jax.nn.sigmoid(u)


SOFTPLUS = TwoLayer(
    name="softplus",
    title="Σ_r a_r log(1 + exp⟨w_r,x⟩)",
    source="smooth ReLU",
    value=value,
    slope=slope,
    bend=0.25,  # φ'' = σ(1 − σ)
)
