"""GELU in its tanh form (Hendrycks and Gimpel 2016): F_l(x) = Σ_r a_{l,r} ½u(1 + tanh g), g = √(2/π)(u + 0.044715u³).

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import math

import jax.numpy as jnp

from ntkverify.networks.nouns import TwoLayer

RATE, CUBE = math.sqrt(2 / math.pi), 0.044715


def value(u):
    return u * (1 + jnp.tanh(RATE * (u + CUBE * u**3))) / 2


def slope(u):
    t = jnp.tanh(RATE * (u + CUBE * u**3))
    return (1 + t + u * (1 - t**2) * RATE * (1 + 3 * CUBE * u**2)) / 2


GELU = TwoLayer(
    name="gelu",
    title="Σ_r a_r u(1 + tanh(√(2/π)(u + 0.044715u³)))/2, u = ⟨w_r,x⟩",
    source="Hendrycks and Gimpel 2016, the form that transformers use",
    value=value,
    slope=slope,
    bend=RATE * (1 + 1e-9),  # φ''(0); elsewhere it is smaller (a test encloses it)
)
