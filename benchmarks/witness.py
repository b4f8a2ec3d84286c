"""How many neurons does a witness save?  The smallest certified width at W(0) with and without (Theorem 10 against Theorem 5).

uv run python benchmarks/witness.py > docs/results/witness.md
"""

import math
import sys
import time

import jax
import numpy as np
from certified_targets import INSTANCES, LEAST, WIDEST, checked

import ntkverify as nv
from ntkverify.convergence.certificate import KEEP, THETA
from ntkverify.convergence.smallest_width import smallest_certified
from ntkverify.ground.environment import environment
from ntkverify.networks.kernels.closed_form import closed_form


def row(name: str, options: dict, draws: int, keep: float = KEEP, theta: float = THETA) -> None:
    """One line of the table."""
    widths, gains, seconds, accepted = ([], []), [], [], 0
    for seed in range(draws):
        problem = nv.problem(**options, m=2, seed=seed)
        for beside, found_widths in enumerate(widths):
            began = time.perf_counter()
            found = smallest_certified(problem, seed, WIDEST, keep=keep, theta=theta, beside=bool(beside))
            print(name, seed, beside, found.problem.m, found.proved, file=sys.stderr, flush=True)
            found_widths.append(found.problem.m if found.proved else math.inf)
            if beside:
                seconds.append(time.perf_counter() - began)
                accepted += found.proved and checked(found)[0]
                gains.append(gain(found))
    sizes = ", ".join(f"{key} = {value}" for key, value in options.items() if key != "data")
    alone, beside = (f"{np.median(each):g} ({min(each)} to {max(each)})" for each in widths)
    with np.errstate(invalid="ignore"):
        ratios = np.array(widths[1]) / np.array(widths[0])
    print(
        f"| {name}, {sizes} | {keep:g}, {theta:g} | {alone} | {beside} | {np.median(ratios):.2f} | {np.median(gains):.2f} | {accepted} of {draws} | "
        f"{np.median(seconds):.0f} |",
        flush=True,
    )


def gain(found) -> float:
    """√(λ YᵀH⁻¹Y)/‖Y‖ at the network found: the ratio of the widths to first order."""
    values, vectors = np.linalg.eigh(np.asarray(closed_form(found.problem, found.start)))
    y = np.asarray(found.problem.y).ravel()
    return float(np.sqrt(values[0] * np.sum((vectors.T @ y) ** 2 / values)) / np.linalg.norm(y))


def main() -> None:
    found = environment()
    print("# A witness\n\n`uv run python benchmarks/witness.py`\n")
    print(
        "The smallest width at which convergence of gradient descent from the floats of W(0) is certified, coupled softmax, the best of ten σ, "
        "by Theorem 5 (alone) and by Theorem 10 (with a witness) of docs/proofs/convergence.md: median and range over draws of the data; one draw "
        "of the network each. To first order the ratio of the two is √(λ YᵀH⁻¹Y)/‖Y‖ at one σ, here at the one that is best with a witness. "
        f"float64, {found['cores']} cores, jax {found['packages']['jax']}, numpy {found['packages']['numpy']}; seconds of the search with a witness.\n"
    )
    print(
        "| data | ϑ, θ | alone | with a witness | ratio | to first order | accepted by the checker | seconds |\n|---|---|---|---|---|---|---|---|"
    )
    for name, options, draws, _ in INSTANCES[1:]:
        row(name, options, draws)
    for name, options, draws, _ in INSTANCES[1:3]:
        row(name, options, draws, LEAST, LEAST)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
