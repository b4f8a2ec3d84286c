"""Floors of λ_min(K) against λ_min(K) itself, both with a bound on every rounding, over many data sets.

    uv run python benchmarks/eigenvalue_floors.py > docs/results/eigenvalue-floors.md

Data: random directions, clusters down to distance 10⁻⁴, near-duplicates, lengths from 0.3 to 1.  `above`: sets where a floor is proved
to exceed λ_min(K), of which there must be none; `decided`: where it is proved to lie below.  Exit code 1 if any is above.  About a
minute.
"""

import dataclasses
import sys

import jax
import jax.numpy as jnp
import numpy as np

import ntkverify as nv
from ntkverify.arithmetic.running import with_error
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.series import best_tail, by_rows, of_terms, smallest

NETWORKS, SHAPES, SETS = ("softmax", "exponential", "relu", "erf"), ((2, 2), (4, 3), (6, 3), (8, 6)), 400


def data(n: int, d: int) -> np.ndarray:
    """(SETS, n, d)."""
    rng = np.random.default_rng(n * d)
    X = rng.standard_normal((SETS, n, d))
    spread = 10.0 ** rng.uniform(-4, 0.5, (SETS, 1, 1))
    X = np.where(rng.uniform(size=(SETS, 1, 1)) < 0.5, X, X[:, :1] + spread * X)  # clusters
    twin = X[:, 0] + 10.0 ** rng.uniform(-4, 0, (SETS, 1)) * rng.standard_normal((SETS, d))
    X[:, 1] = np.where(rng.uniform(size=(SETS, 1)) < 0.3, twin, X[:, 1])  # a near-duplicate
    X /= np.linalg.norm(X, axis=2, keepdims=True)
    return X * np.where(rng.uniform(size=(SETS, 1, 1)) < 0.5, 1, rng.uniform(0.3, 1, (SETS, n, 1)))


def compared(problem):
    """λ_min(K), the floor by the tail and the floor by the powers' eigenvalues."""
    least = jnp.linalg.eigvalsh(sample_kernel(problem)[0])[0]
    return least, best_tail(of_terms(problem, by_rows)), jnp.sum(of_terms(problem, smallest))


def main() -> int:
    set_up_jax("float64")
    print("# Floors of the smallest eigenvalue\n\n`uv run python benchmarks/eigenvalue_floors.py`\n")
    print(
        "| network | n | d | sets | floor | above | decided | positive | λ over the floor, median where positive |\n|"
        + "---|" * 9
    )
    total, wrong = 0, 0
    with Progress() as heard:
        for place, (network, (n, d)) in enumerate((network, shape) for network in NETWORKS for shape in SHAPES):
            heard(f"{network}, n = {n}", place, len(NETWORKS) * len(SHAPES))
            first = nv.problem((np.eye(n, d), np.ones((n, 1)) / 2), network, m=8)
            each = jax.jit(lambda X, first=first: jax.lax.map(lambda x: with_error(compared)(dataclasses.replace(first, X=x)), X))  # fmt: skip
            values, errors = each(jnp.asarray(data(n, d)))
            (least, *floors), (room, *own) = (jax.tree.map(np.asarray, part) for part in (values, errors))
            for name, floor, error in zip(("tail", "powers"), floors, own, strict=True):
                above, decided = floor - error > least + room, floor + error < least - room
                there = decided & (floor > error)
                ratio = f"{np.median(least[there] / floor[there]):.3g}" if there.any() else ""
                print(
                    f"| {network} | {n} | {d} | {SETS} | {name} | {above.sum()} | {decided.sum()} | {there.sum()} | {ratio} |"
                )
                wrong += int(above.sum())
            total += SETS
    print(f"\n{total} data sets, {wrong} floors above λ_min(K).")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
