"""Does a search ever break what is proved?  Brackets of the region where λ_min ≥ λ/2, on random instances.

    uv run python benchmarks/region_brackets.py > docs/results/region-brackets.md

For each instance: the radius over all neurons up to which λ/2 is proved to be kept, and the smallest at which
steepest descent on λ_min breaks it, confirmed in balls.  The search begins at a quarter of the proved radius.
"""

import dataclasses

import jax
import numpy as np

import ntkverify as nv
from ntkverify.convergence.bracket import broken
from ntkverify.convergence.certificate import attempt
from ntkverify.ground.environment import environment

EACH = 40
CASES = tuple(
    (network, init) for network in ("softmax", "exponential", "tanh", "swish") for init in ("coupled", "independent")
)
SIZES = {"n": 3, "d_in": 3, "d_out": 2, "m": 24}


def main() -> None:
    found = environment()
    print("# Brackets of the region\n\n`uv run python benchmarks/region_brackets.py`\n")
    print(
        f"{', '.join(f'{name} = {value}' for name, value in SIZES.items())}, sphere, σ drawn from 0.1 to 1.5, float64, {found['cores']} "
        f"cores, jax {found['packages']['jax']}. Radii are over all neurons. Crossed: broken at a radius that is proved.\n"
    )
    print(
        "| network | start | instances | λ = 0 | broken | crossed | found / proved: least, median, most |\n|---|---|---|---|---|---|---|"
    )
    crossed = total = 0
    for network, init in CASES:
        rng, ratios, zero, over = np.random.default_rng(0), [], 0, 0
        for seed in range(EACH):
            problem = nv.problem("sphere", network, **SIZES, init=init, seed=seed)
            problem = dataclasses.replace(problem, sigma=jax.numpy.asarray(rng.uniform(0.1, 1.5)))
            here = attempt(problem, nv.draw(problem, jax.random.key(seed)))
            if here.s == 0:
                zero += 1
                continue
            below = broken(here, seed)
            if below is not None:
                ratios.append(below[0] / here.s)
                over += below[0] < here.s
        crossed, total = crossed + over, total + EACH - zero
        said = f"{min(ratios):.3g}, {np.median(ratios):.3g}, {max(ratios):.3g}" if ratios else ""
        print(f"| {network} | {init} | {EACH} | {zero} | {len(ratios)} | {over} | {said} |", flush=True)
    print(f"\n{crossed} of {total} brackets crossed.")


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
