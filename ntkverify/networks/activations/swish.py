"""Swish: F_l(x) = Σ_r a_{l,r} u/(1 + e^{−u}), u = ⟨w_r,x⟩.

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import jax

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return u * jax.nn.sigmoid(u)


def slope(u):
    s = jax.nn.sigmoid(u)
    return s + u * s * (1 - s)


SWISH = TwoLayer(
    name="swish",
    title="Σ_r a_r ⟨w_r,x⟩ / (1 + exp(−⟨w_r,x⟩))",
    source="named as a next activation by arXiv:2405.03251",
    value=value,
    slope=slope,
    bend=0.5,
)
