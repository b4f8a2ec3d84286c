"""scikit-learn's bundled iris flowers: four measurements, three species."""

import numpy as np
from sklearn.datasets import load_iris

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset, sampled

N, D_IN, D_OUT = 16, 4, 3


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """n flowers of the first d_out species, x the 4 measurements, y the one-hot species."""
    d_out = d_out or D_OUT
    if d_in not in (None, D_IN):
        raise BadInput(f"--d-in {d_in} for iris", f"{D_IN}, one for each measurement", "leaving --d-in out")
    if d_out > D_OUT:
        raise BadInput(f"--d-out {d_out} for iris", f"at most {D_OUT}, one for each species")
    flowers, species = map(np.asarray, load_iris(return_X_y=True))
    rows = np.flatnonzero(species < d_out)
    X, y = sampled(flowers[rows], np.eye(d_out)[species[rows]], n or N, seed, name)
    return Dataset(name, X, y, f"{len(X)} of scikit-learn's iris flowers, one-hot species (seed {seed})")
