"""Inputs and targets drawn uniformly from unit spheres."""

import numpy as np

from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import require_rows
from ntkverify.networks.setting import inside

# The shape of the digits, so that one compilation serves both of the default data sets.
N, D_IN, D_OUT = 16, 64, 3


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """n points x on the sphere of R^{d_in}, each with a target y on the sphere of R^{d_out}."""
    n, d_in, d_out = n or N, d_in or D_IN, d_out or D_OUT
    require_rows(name, n, d_in, d_out)
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d_in)), rng.standard_normal((n, d_out))
    return Dataset(
        name,
        inside(X / np.linalg.norm(X, axis=1, keepdims=True)),
        inside(y / np.linalg.norm(y, axis=1, keepdims=True)),
        f"{n} points drawn uniformly from the unit sphere of R^{d_in}, targets from that of R^{d_out} (seed {seed})",
    )
