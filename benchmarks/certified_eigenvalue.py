"""How long does a certified λ_min take?  From floats (X, W, a) to an enclosure of λ_min(H(0)).

uv run python benchmarks/certified_eigenvalue.py > docs/results/certified-eigenvalue.md
"""

import timeit

import jax
import numpy as np

import ntkverify as nv
from ntkverify.certifying.at_points import smallest_eigenvalue
from ntkverify.ground.environment import environment

SIZES = ((16, 4, 256), (64, 4, 1024), (128, 8, 1024), (256, 4, 4096))
"""(n, d_out, m)"""


def main() -> None:
    found = environment()
    print("# Certified smallest eigenvalues\n\n`uv run python benchmarks/certified_eigenvalue.py`\n")
    print(
        f"Sphere, d_in = 64, σ = 1, coupled start, float64 balls, {found['cores']} cores, numpy {found['packages']['numpy']}. "
        "Seconds: minimum of 3, from the floats of the network to the enclosure.\n"
    )
    print("| n | d_out | nd | m | λ_min(H(0)), certified | computed | seconds |\n|---|---|---|---|---|---|---|")
    for n, d_out, m in SIZES:
        problem = nv.problem("sphere", n=n, d_in=64, d_out=d_out, m=m)
        net = nv.draw(problem, jax.random.key(0))
        low, high = smallest_eigenvalue(problem, net)
        spent = timeit.repeat(lambda problem=problem, net=net: smallest_eigenvalue(problem, net), number=1, repeat=3)
        computed = np.linalg.eigvalsh(np.asarray(nv.kernel(problem, net)))[0]
        print(f"| {n} | {d_out} | {n * d_out} | {m} | [{low:.12g}, {high:.12g}] | {computed:.12g} | {min(spent):.2f} |")


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
