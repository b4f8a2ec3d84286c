"""Is the limit kernel positive definite?  Certified for each activation of the catalogue; polynomials as the negative.

    uv run python benchmarks/positivity.py > docs/results/positivity.md

A number is proved to lie below λ_min(K), every error enclosed (ntkverify/convergence/positivity.py).  The worst of CONFIGURATIONS
random sets of points is found in float64 and then certified.  About two minutes.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.convergence.positivity import floor, rank_of_power
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.rounding import below
from ntkverify.networks.kernels.infinite_width import sample_kernel

NETWORKS = [name for name in catalogue.NETWORKS if catalogue.two_layer(name).neuron is None and name != "softmax-bias"]
CONFIGURATIONS, APART, DEGREES = 300, 0.3, (1, 2, 3, 4)


def sets() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 3))
    near, opposite = X.copy(), X.copy()
    near[1] = near[0] + 1e-2 * rng.standard_normal(3)
    opposite[1] = -opposite[0]
    digits = np.asarray(nv.problem("digits", n=5, d_out=1, m=8).X)
    return {
        "5 points in R³": X,
        "two of them at distance 10⁻²": near,
        "an antipodal pair": opposite,
        "5 digits in R⁶⁴": digits,
    }


def shown(found) -> str:
    """Three digits, not above the number."""
    return below(found.value, 3) if found.value > 0 else f"0: {found.said}"


def question(X, network):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    return nv.problem((X, np.ones((len(X), 1)) / 2), network, m=8)


def worst(network: str) -> np.ndarray:
    """Of sets of four points of the circle, no two lines nearer than APART, the one of the smallest λ_min(K)."""
    rng, made = np.random.default_rng(1), []
    while len(made) < CONFIGURATIONS:
        angles = rng.uniform(0, 2 * np.pi, 4)
        gaps = np.abs((angles[:, None] - angles[None] + np.pi / 2) % np.pi - np.pi / 2) + 10 * np.eye(4)
        if gaps.min() >= APART:
            made.append(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    first = question(made[0], network)

    @jax.jit
    def smallest(X):
        return jnp.linalg.eigvalsh(sample_kernel(dataclasses.replace(first, X=X))[0])[0]

    return min(made, key=lambda X: float(smallest(jnp.asarray(X))))


def main() -> None:
    set_up_jax("float64")
    data = sets()
    print("# Positivity of the limit kernel\n\n`uv run python benchmarks/positivity.py`\n")
    print("Proved lower bounds of λ_min(K), σ = 1, inputs of norm 1, every error enclosed.\n")
    columns = [*data, f"worst of {CONFIGURATIONS} sets of 4 on the circle, lines ≥ {APART} apart"]
    print("| network | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    with Progress() as heard:
        for place, network in enumerate(NETWORKS):
            heard(network, place, len(NETWORKS))
            found = [floor(question(X, network), terms=32) for X in (*data.values(), worst(network))]
            print(f"| {network} | " + " | ".join(map(shown, found)) + " |")
    print(
        "\nPolynomials φ(u) = u^k/k, ranks of K over n random inputs, in rational arithmetic; at most C(d + k − 1, k).\n"
    )
    print("| d | n | " + " | ".join(f"k = {k}" for k in DEGREES) + " |\n|" + "---|" * (len(DEGREES) + 2))
    for d in (2, 3):
        X = np.random.default_rng(d).standard_normal((12, d))
        ranks = map(partial(rank_of_power, X), DEGREES)
        print(f"| {d} | {len(X)} | " + " | ".join(f"{rank} (at most {most})" for rank, most in ranks) + " |")


if __name__ == "__main__":
    main()
