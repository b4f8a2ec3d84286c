"""Why λ is 0, where the problem itself says so."""

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.numerics import SHOWN_AS_ZERO, random_key, unit_roundoff
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.logits import inner, outer
from ntkverify.networks.nouns import Model, Problem
from ntkverify.networks.quantities import rank_bound

SATURATED = 50
"""σ‖x‖ from which the largest of some hundred logits usually leads the next by more than 10."""


def why_zero(problem: Problem) -> str:
    """The reasons for λ(H(0)) = 0 that the data and the width give, as one sentence."""
    X, nd = np.asarray(problem.X), problem.n * problem.d_out
    if isinstance(problem.network, Model):
        numbers = problem.network.size // (1 + problem.network.coupled)
        few = [f"{numbers} numbers train, fewer than n d_out = {nd}"] if numbers < nd else []
        return _said(_of_data(X) + few)
    reasons = _of_data(X) + _same_to_neurons(problem)
    if problem.network.neuron is None and float(problem.sigma) == 0 and problem.rank < problem.n:
        reasons.append("σ = 0 makes all neurons equal, so the kernel's rank is at most rank(X) d_out < n d_out")
    elif rank_bound(problem, problem.m) < nd:
        reasons.append(
            f"m = {problem.m} is below the rank floor: H(0) has rank at most {rank_bound(problem, problem.m)} < n d_out = {nd}"
        )
    if problem.network.is_softmax and float(problem.sigma) * np.linalg.norm(X, axis=1).max() > SATURATED:
        reasons.append("σ is so large that one neuron takes nearly all the softmax weight of a sample")
    return _said(reasons)


def _said(reasons: list[str]) -> str:
    if not reasons:
        return "λ is below the error of the eigenvalue routine; no duplicate, zero input or rank floor explains it."
    return "λ = 0 because " + "; ".join(reasons) + ". Bounds that divide by λ are infinite here."


def infinite_bound(problem: Problem) -> str:
    """The sentence that says so where λ of the infinite-width kernel is 0; otherwise, and where no limit is known, empty."""
    if isinstance(problem.network, Model):
        return ""
    spectrum = np.asarray(jnp.linalg.eigvalsh(jax.jit(sample_kernel)(problem)[0]))
    if spectrum[0] > SHOWN_AS_ZERO * len(spectrum) * unit_roundoff(spectrum.dtype) * np.linalg.norm(spectrum):
        return ""
    said = _of_data(np.asarray(problem.X)) + _same_to_neurons(problem)
    reasons = "; ".join(said) or "it is below the error of the eigenvalue routine"
    return f"λ = 0 at infinite width for {problem.network.name}: {reasons}. The bounds on neurons and steps are infinite here."


def _of_data(X: np.ndarray) -> list[str]:
    reasons = []
    if len(zeros := np.flatnonzero(~X.any(axis=1))):
        reasons.append(f"{_samples(zeros)} zero, so its rows of the kernel vanish")
    _, first, count = np.unique(X, axis=0, return_index=True, return_counts=True)
    for row in first[(count > 1) & X[first].any(axis=1)][:3]:
        same = np.flatnonzero((X[row] == X).all(axis=1))
        reasons.append(f"{_samples(same)} equal, so their rows of the kernel are equal for every W")
    return reasons


def _same_to_neurons(problem: Problem) -> list[str]:
    """Different inputs of which neurons that are functions make the same: tokens that are permuted, say."""
    if problem.activation.neuron is None:
        return []
    W = jax.random.normal(random_key(0), (problem.p, 8), problem.X.dtype)
    seen = np.concatenate(
        [
            np.asarray(part).reshape(problem.n, -1)
            for part in (inner(problem.activation, W, problem.X), outer(problem.activation, problem.X))
        ],
        axis=1,
    )
    apart = np.abs(seen[:, None] - seen[None]).max(axis=2) > 1e-6 * np.abs(seen).max()
    different = (np.asarray(problem.X)[:, None] != np.asarray(problem.X)[None]).any(axis=2)
    pairs = np.argwhere(np.triu(different & ~apart))
    return [
        f"inputs {i} and {k} differ, and {problem.network.name} sees no difference (of permuted tokens, say), so their rows of the kernel are equal for every W"
        for i, k in pairs[:3]
    ]


def _samples(rows: np.ndarray) -> str:
    few = ", ".join(map(str, rows[:4])) + (", …" if len(rows) > 4 else "")
    return f"input {few} is" if len(rows) == 1 else f"inputs {few} are"
