"""scikit-learn's digits as sequences of 16 tokens, the 2 × 2 patches."""

import dataclasses

from ntkverify.networks.inputs import digits
from ntkverify.networks.nouns import Dataset


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """As `digits`, each input of shape (16, 4): patch after patch, row by row."""
    found = digits.load(name, n, d_in, d_out, seed)
    X = found.X.reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(len(found.X), -1)
    return dataclasses.replace(found, X=X, shape=(16, 4))
