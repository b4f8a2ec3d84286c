"""How wide must a network be to be certified?  The instances that the project aims at, each certificate checked.

uv run python benchmarks/certified_targets.py > docs/results/certified-widths.md
"""

import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

import ntkverify as nv
from ntkverify.checking.checker import check
from ntkverify.convergence.certificate import KEEP, THETA, Attempt, certificate
from ntkverify.convergence.smallest_width import smallest_certified
from ntkverify.ground.environment import environment

INSTANCES = (
    ("two orthonormal points", {"data": "orthonormal", "n": 2, "d_out": 1}, 5, 200),
    ("random unit data", {"data": "sphere", "n": 8, "d_in": 4, "d_out": 4}, 5, 10_000),
    ("random unit data", {"data": "sphere", "n": 32, "d_in": 32, "d_out": 4}, 3, 10_000),
    ("digits 0 to 2", {"data": "digits", "n": 24, "d_out": 3}, 3, None),
)
"""(name, data, draws of the data, the width aimed at)"""
FOLLOWED = (("two orthonormal points", 2048), ("random unit data", 2048))
WIDEST = 65536
LEAST = 0.005
"""ϑ and θ where convergence alone is asked for."""


def checked(found: Attempt) -> tuple[bool, float]:
    """Whether the checker accepts the certificate, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        certificate(found, {}).save(path)
        began = time.perf_counter()
        return check(path).accepted, time.perf_counter() - began


def row(
    name: str, options: dict, draws: int, aim: int | None, follow: int, keep: float = KEEP, theta: float = THETA
) -> None:
    """One line of the table."""
    widths, sigmas, rates, accepted, seconds, check_seconds = [], [], [], 0, [], []
    for seed in range(draws):
        problem = nv.problem(**options, m=2, seed=seed)
        began = time.perf_counter()
        found = smallest_certified(problem, seed, WIDEST if not follow else 4096, keep=keep, theta=theta, follow=follow)
        seconds.append(time.perf_counter() - began)
        print(name, seed, found.problem.m, found.proved, file=sys.stderr, flush=True)
        if found.proved:
            good, spent = checked(found)
            accepted += good
            check_seconds.append(spent)
            widths.append(found.problem.m)
            sigmas.append(float(found.problem.sigma))
            rates.append(found.conclusions["contraction"])
    sizes = ", ".join(f"{key} = {value}" for key, value in options.items() if key != "data")
    median = f"{np.median(widths):g} ({min(widths)} to {max(widths)})" if widths else "none"
    start = f"≤ {follow} steps" if follow else "W(0)"
    print(
        f"| {name}, {sizes} | {start} | {keep:g}, {theta:g} | {median} | {aim or ''} | {len(widths)} of {draws} | {accepted} of {len(widths)} | "
        f"{', '.join(f'{s:g}' for s in sorted(set(sigmas)))} | {np.median(rates or [0]):.2g} | {np.median(seconds):.0f} | {np.median(check_seconds or [0]):.2g} |",
        flush=True,
    )


def main() -> None:
    found = environment()
    print("# Certified widths\n\n`uv run python benchmarks/certified_targets.py`\n")
    print(
        "The smallest width at which convergence of gradient descent from the floats of W(0) is certified (docs/proofs/convergence.md; "
        "coupled softmax, the best of ten σ), median and range over draws of the data; one draw of "
        f"the network each; with a witness where the start alone does not do (Theorem 10). float64, {found['cores']} cores, jax {found['packages']['jax']}, numpy {found['packages']['numpy']}. "
        "Start: where the ball is centred, W(0) or a point that is reached from it by so many followed steps at most (Theorem 7). "
        "ϑ: the share of λ that is kept on the ball, θ: the share of a step that its remainder may eat; the width goes like "
        "1/((1 − ϑ)(1 − θ)), so that small ones ask for fewer neurons, and promise convergence at a rate that is hardly one: the rate is what "
        "an error shrinks by in a step at least, the median.\n"
    )
    print(
        "| data | start | ϑ, θ | certified m | aim | certified | accepted by the checker | σ | rate | seconds | to check |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for instance in INSTANCES:
        row(*instance, follow=0)
    for name, options, draws, _ in INSTANCES[:3]:
        row(name, options, draws, None, 0, LEAST, LEAST)
    for (name, options, draws, _), (_, steps) in zip(INSTANCES, FOLLOWED, strict=False):
        row(name, options, draws, None, follow=steps)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
