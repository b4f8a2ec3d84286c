"""Does it pay that widths share a compiled program?  Twelve widths, each alone or padded to a power of two.

    uv run python benchmarks/shared_compilation.py > docs/results/shared-compilation.md

Time from the first network drawn to the last trained, compiling included, each way in a process of
its own.  Padded networks do up to twice the arithmetic.
"""

import functools
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import ntkverify as nv
from ntkverify.ground.environment import environment
from ntkverify.networks.network import initialise, narrowed
from ntkverify.networks.step_sizes import ordinary_step
from ntkverify.networks.training import train

WIDTHS = (34, 40, 46, 52, 58, 64, 70, 80, 92, 104, 116, 128)
SEEDS, BUDGET = 20, 1024
SIZES = ((8, 8), (32, 16))


@jax.jit
def drawn(problem, keys, m):
    """Networks of width m, padded to the problem's own, with their step sizes."""
    start = jax.vmap(lambda key: narrowed(initialise(problem, key), m))(keys)
    return start, jax.lax.map(functools.partial(ordinary_step, problem), start)


def spent(n: int, d_in: int, shared: bool, network: str) -> float:
    """Seconds for all widths."""
    begin = time.perf_counter()
    keys = jax.random.split(jax.random.key(0), SEEDS)
    for m in WIDTHS:
        width = 1 << (m - 1).bit_length() if shared else m
        problem = nv.problem("sphere", network, n=n, d_in=d_in, d_out=1, m=width, sigma=0.5)
        start, eta = drawn(problem, keys, jnp.asarray(float(m)))
        train(problem, start, eta, target=0.01 * n, budget=BUDGET)
    return time.perf_counter() - begin


def main() -> None:
    found = environment()
    print("# Widths that share a compilation\n\n`uv run python benchmarks/shared_compilation.py`\n")
    print(
        f"{len(WIDTHS)} widths from {WIDTHS[0]} to {WIDTHS[-1]}, {SEEDS} networks each, trained to ‖e‖² ≤ 0.01 n or "
        f"{BUDGET} steps; {found['cores']} cores, {found['backend']}, jax {found['packages']['jax']}, float64. Seconds, "
        "median (range) of 3 processes.\n"
    )
    print("| network | n | d_in | each width alone | padded to 64 or 128 |\n|---|---|---|---|---|")
    for network in ("softmax", "relu"):
        for n, d_in in SIZES:
            cells = []
            for shared in (0, 1):
                words = [sys.executable, __file__, network, str(n), str(d_in), str(shared)]
                times = [float(subprocess.run(words, capture_output=True, check=True).stdout) for _ in range(3)]
                cells.append(f"{np.median(times):.1f} ({min(times):.1f}–{max(times):.1f})")
            print(f"| {network} | {n} | {d_in} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    if len(sys.argv) > 1:
        name, n, d_in, shared = sys.argv[1:]
        print(spent(int(n), int(d_in), shared == "1", name))
    else:
        main()
