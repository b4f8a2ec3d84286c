"""scikit-learn's bundled diabetes patients: ten variables, a progression score."""

from typing import Any

from sklearn.datasets import load_diabetes

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset, sampled

N, D_IN, D_OUT = 16, 10, 1


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """n patients, x the 10 standardised variables, y the score as one output."""
    for option, wanted, there in (("--d-in", d_in, D_IN), ("--d-out", d_out, D_OUT)):
        if wanted not in (None, there):
            raise BadInput(f"{option} {wanted} for diabetes", f"{there}, as in the data", f"leaving {option} out")
    found: Any = load_diabetes()
    X, y = sampled(found["data"], found["target"], n or N, seed, name)
    return Dataset(name, X, y.reshape(-1, 1), f"{len(X)} of scikit-learn's diabetes patients (seed {seed})")
