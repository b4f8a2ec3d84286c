"""Softmax over neurons with a bias: F_l(x) = m Σ_r a_{l,r} softmax(Wᵀ(x, 1))_r.

The softmax network on inputs with a 1 appended, so everything that holds for it holds here.
"""

import dataclasses

import numpy as np

from ntkverify.networks.activations.softmax import SOFTMAX


def with_one(X: np.ndarray) -> np.ndarray:
    """(x, 1)."""
    return np.concatenate([X, np.ones_like(X[:, :1])], axis=1)


SOFTMAX_BIAS = dataclasses.replace(
    SOFTMAX, name="softmax-bias", title="m Σ_r a_r softmax(Wᵀ(x, 1))_r", features=with_one
)
