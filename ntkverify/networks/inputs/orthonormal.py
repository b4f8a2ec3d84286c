"""Orthonormal inputs with random labels: λ = 1 for softmax at any σ, the easiest data there are."""

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import require_rows
from ntkverify.networks.setting import inside


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """X (n, d_in): the first n unit vectors; y (n, d_out) uniform on the sphere.  Defaults: 2, n, 1."""
    n, d_out = n or 2, d_out or 1
    d_in = d_in or n
    if d_in < n:
        raise BadInput(f"--n {n} orthonormal inputs with --d-in {d_in}", "at most --d-in of them", f"--n {d_in}")
    require_rows(name, n, d_in, d_out)
    y = np.random.default_rng(seed).standard_normal((n, d_out))
    y = inside(y / np.linalg.norm(y, axis=1, keepdims=True))
    return Dataset(
        "orthonormal", np.eye(n, d_in), y, f"{n} orthonormal inputs, labels uniform on the sphere, seed {seed}"
    )
