"""Kernel routes against each other, and against the limit, on the problem at hand."""

import dataclasses
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.errors import told
from ntkverify.ground.numerics import relative_difference
from ntkverify.networks.kernels.autodiff import columns
from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Model, Params, Problem

BUDGET = 2**30
"""Bytes that a reference route may take; beyond, it runs on fewer samples."""
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
"""Largest max|A−B| / max|A| at which two routes agree."""
COARSE = {"f32[": 1e-4, "f16[": 0.05, "bf16[": 0.5}
"""The same where a model computes in part in such numbers."""
LIMIT = "infinite-width"


def compare(
    problem: Problem,
    at: Params,
    start: Params,
    routes: dict[str, Callable],
    limit: Callable | None,
    seed: int,
) -> tuple[list[dict], dict[str, np.ndarray], list[str]]:
    """Rows {a, b, dtype, error, tolerance, agree, sample}: all finite routes pairwise at `at`, and the distance of the first,
    which does not hold the Jacobian, to the limit at `start`, where a limit is known; and the kernels that were compared,
    by route; and why a route gave none.

    `at` should be a generic point: at a coupled W(0) the mean f vanishes and errors in it with it.
    """
    chosen = samples_within_budget(problem, seed)
    part = dataclasses.replace(problem, X=problem.X[chosen], y=problem.y[chosen])
    dtype = str(problem.X.dtype)
    first, *others = routes
    of_all = jax.jit(routes[first])
    full = of_all(problem, at)
    entries = (chosen[:, None] * problem.d_out + np.arange(problem.d_out)).ravel()
    kernels = {first: full[jnp.ix_(entries, entries)]}
    with ThreadPoolExecutor(2) as pool:  # compiling is most of it
        found = dict(zip(others, pool.map(lambda route: _by(routes[route], part, at), others), strict=True))
    failed = [f"kernel route {route}: {each}" for route, each in found.items() if isinstance(each, str)]
    kernels |= {route: each for route, each in found.items() if not isinstance(each, str)}
    tolerance = max(TOLERANCE[dtype], *(share for word, share in COARSE.items() if word in _formula(problem, at)), 0)
    sample = None if len(chosen) == problem.n else f"{len(chosen)} of {problem.n} samples, seed {seed}"
    rows = [
        _row(a, b, dtype, relative_difference(kernels[a], kernels[b]), tolerance, sample)
        for a, b in itertools.combinations(kernels, 2)
    ]
    if limit is not None:
        far = jax.jit(limit)(problem, start)
        rows.append(_row(first, LIMIT, dtype, relative_difference(far, of_all(problem, start)), None, None))
        kernels[LIMIT] = far[jnp.ix_(entries, entries)]
    return rows, {route: np.asarray(kernel) for route, kernel in kernels.items()}, failed


def _by(route: Callable, problem: Problem, at: Params):
    """The kernel by a route, or why it gives none."""
    try:
        return jax.jit(route)(problem, at)
    except Exception as error:  # neural-tangents does not know every operation
        return told(error)


def _formula(problem: Problem, at: Params) -> str:
    """What the network computes, as JAX writes it; of two-layer networks nothing, which compute in the precision asked for."""
    if not isinstance(problem.network, Model):
        return ""
    return str(jax.make_jaxpr(lambda W, X: forward(problem.network, dataclasses.replace(at, W=W), X))(at.W, problem.X))


def _row(a, b, dtype, error, tolerance, sample) -> dict:
    agree = None if tolerance is None else error <= tolerance
    finite = error if np.isfinite(error) else None
    return {"a": a, "b": b, "dtype": dtype, "error": finite, "tolerance": tolerance, "agree": agree, "sample": sample}


def samples_within_budget(problem: Problem, seed: int) -> np.ndarray:
    """The samples on which a route that holds the Jacobian three times over stays within `BUDGET`."""
    each = 3 * problem.d_out * problem.p * columns(problem) * problem.X.dtype.itemsize
    few = max(1, min(problem.n, BUDGET // each))
    return np.sort(np.random.default_rng(seed).choice(problem.n, few, replace=False))
