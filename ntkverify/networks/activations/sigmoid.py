"""Sigmoid: F_l(x) = Σ_r a_{l,r} / (1 + exp(−⟨w_r,x⟩)).

Infinite width by quadrature, with a bound on its error (`quadrature.py`).
"""

import jax

from ntkverify.networks.nouns import TwoLayer


def value(u):
    return jax.nn.sigmoid(u)


def slope(u):
    s = jax.nn.sigmoid(u)
    return s * (1 - s)


SIGMOID = TwoLayer(
    name="sigmoid",
    title="Σ_r a_r / (1 + exp(−⟨w_r,x⟩))",
    source="named as a next activation by arXiv:2405.03251",
    value=value,
    slope=slope,
    bend=1 / (6 * 3**0.5) * (1 + 1e-15),  # not below the truth after rounding
)
