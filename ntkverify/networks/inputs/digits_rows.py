"""scikit-learn's digits as sequences of 8 tokens, the rows of 8 pixels; or, what is the same, as images."""

import dataclasses

from ntkverify.networks.inputs import digits
from ntkverify.networks.nouns import Dataset


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """As `digits`, each input of shape (8, 8)."""
    return dataclasses.replace(digits.load(name, n, d_in, d_out, seed), shape=(8, 8))
