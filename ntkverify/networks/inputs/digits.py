"""scikit-learn's bundled handwritten digits, 8 × 8 pixels."""

import numpy as np
from sklearn.datasets import load_digits

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset, sampled

N, D_IN, D_OUT, CLASSES = 16, 64, 3, 10


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """n images of the first d_out classes, x the 64 pixels, y the one-hot class."""
    d_out = d_out or D_OUT
    if d_in not in (None, D_IN):
        raise BadInput(f"--d-in {d_in} for digits", f"{D_IN}, one for each pixel", "leaving --d-in out")
    if d_out > CLASSES:
        raise BadInput(f"--d-out {d_out} for digits", f"at most {CLASSES}, one for each class")
    images, labels = map(np.asarray, load_digits(return_X_y=True))
    rows = np.flatnonzero(labels < d_out)
    X, y = sampled(images[rows], np.eye(d_out)[labels[rows]], n or N, seed, name)
    return Dataset(
        name, X, y,
        f"{len(X)} images of scikit-learn's digits 0 to {d_out - 1}, one-hot targets (seed {seed})",
    )  # fmt: skip
