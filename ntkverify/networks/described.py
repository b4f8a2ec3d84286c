"""What results.json says of a problem of which only the arrays are known."""

import hashlib
from typing import Any

import numpy as np

from ntkverify.networks.nouns import Problem


def described(problem: Problem) -> dict[str, Any]:
    """The row of results.json for a problem of which only the arrays are known."""
    return {
        "id": f"arrays-{digest(problem)}-{problem.network.name}", "data": "arrays", "origin": "arrays given by the caller",
        "network": problem.network.name, "formula": problem.network.title, "init": problem.init, "n": problem.n,
        "d_in": problem.d_in, "d_out": problem.d_out, "m": problem.m, "sigma": float(problem.sigma), "rank": problem.rank,
        "scaling": "as the problem holds them",
    }  # fmt: skip


def digest(problem: Problem) -> str:
    """Eight hex digits by which the data are known."""
    content = hashlib.sha256()
    for array in (problem.X, problem.y):
        content.update(f"{array.shape} {array.dtype}".encode() + np.asarray(array).tobytes())
    return content.hexdigest()[:8]
