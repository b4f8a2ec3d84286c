"""Sequences of tokens, each drawn uniformly from the unit sphere: what attention heads read."""

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import require_rows
from ntkverify.networks.setting import inside

N, LENGTH, WIDTH, D_OUT = 8, 4, 8, 2


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """n sequences of 4 tokens of d_in / 4 numbers, targets uniform on the sphere of R^{d_out}."""
    n, d_in, d_out = n or N, d_in or LENGTH * WIDTH, d_out or D_OUT
    if d_in % LENGTH:
        raise BadInput(f"--d-in {d_in} for tokens", f"a multiple of {LENGTH}, the tokens of a sequence", "--d-in 32")
    require_rows(name, n, d_in, d_out)
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, LENGTH, d_in // LENGTH)), rng.standard_normal((n, d_out))
    X /= np.linalg.norm(X, axis=2, keepdims=True)
    return Dataset(
        name, X.reshape(n, d_in), inside(y / np.linalg.norm(y, axis=1, keepdims=True)),
        f"{n} sequences of {LENGTH} tokens drawn uniformly from the unit sphere of R^{d_in // LENGTH}, targets from that of "
        f"R^{d_out} (seed {seed})", shape=(LENGTH, d_in // LENGTH),
    )  # fmt: skip
