"""Close pairs on the sphere: the smallest eigenvalue of the kernel is set by the distance within a pair."""

import numpy as np

from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import require_rows
from ntkverify.networks.setting import inside

N, D_IN, D_OUT, SEPARATION = 16, 16, 1, 0.5


def load(
    name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int, separation: float = SEPARATION
) -> Dataset:
    """n unit vectors: ⌈n/2⌉ drawn uniformly, then for each a partner at angle `separation` in a random
    direction; targets drawn uniformly from the unit sphere of R^{d_out}, so partners disagree."""
    n, d_in, d_out = n or N, d_in or D_IN, d_out or D_OUT
    require_rows(name, n, d_in, d_out)
    rng = np.random.default_rng(seed)
    first, wander = (rng.standard_normal((-(-n // 2), d_in)) for _ in range(2))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    wander -= first * np.sum(first * wander, axis=1, keepdims=True)
    wander /= np.maximum(np.linalg.norm(wander, axis=1, keepdims=True), 1e-300)
    X = np.concatenate([first, np.cos(separation) * first + np.sin(separation) * wander])[:n]
    y = rng.standard_normal((n, d_out))
    return Dataset(
        name,
        inside(X),
        inside(y / np.linalg.norm(y, axis=1, keepdims=True)),
        f"{n} points of the unit sphere of R^{d_in} in pairs at angle {separation:g}, targets from the sphere of "
        f"R^{d_out} (seed {seed})",
    )
