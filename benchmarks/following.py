"""What does a followed step of gradient descent cost beside a plain one?

    uv run python benchmarks/following.py [STEPS] > docs/results/following.md

Digits with ten outputs, tanh, sixteen steps a call, each pair in turn, medians of nine; both are compiled.  Then so many steps
(100000: about forty minutes on two cores) are followed at n = 64, m = 16384.
"""

import sys
import time

import jax
import jax.numpy as jnp
from timing import medians

import ntkverify as nv
from ntkverify.convergence.following import CHUNK, Follower
from ntkverify.ground.environment import environment
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import pulled_back, residual

SIZES = ((64, 4096), (64, 16384), (256, 16384))
ETA = 1e-7


def row(n: int, m: int) -> str:
    """One line of the table."""
    problem = nv.problem("digits", "tanh", n=n, d_out=10, m=m, sigma=2.0)
    start = nv.draw(problem, jax.random.key(0))
    way = Follower(problem, start, ETA)

    @jax.jit
    def plain(W):
        def step(W, _):
            net = Params(W, start.a)
            return W - ETA * pulled_back(problem, net, residual(problem, net)), None

        return jax.lax.scan(step, W, length=CHUNK)[0]

    spent = medians({"followed": lambda: way.advance(CHUNK), "plain": lambda: plain(start.W)}, 9)
    followed, bare = (1e3 * spent[name] / CHUNK for name in ("followed", "plain"))
    return f"| {n} | {m} | {bare:.1f} | {followed:.1f} | {followed / bare:.2f} | {1e5 * followed / 3.6e6:.1f} |"


def far(steps: int) -> str:
    """What became of so many steps."""
    problem = nv.problem("digits", "tanh", n=64, d_out=10, m=16384, sigma=2.0)
    start = nv.draw(problem, jax.random.key(0))
    eta = 0.1 / (problem.m * float(jnp.linalg.eigvalsh(nv.kernel(problem, start))[-1]))
    way, began, said = Follower(problem, start, eta), time.perf_counter(), 0.0
    while way.step < steps:
        held = way.advance(CHUNK)
        spent = time.perf_counter() - began
        if spent - said > 60:
            said = spent
            left = spent * (steps / way.step - 1) / 60
            print(f"{way.step} of {steps} steps, ‖e‖ = {way.size:.3g}, {left:.0f} minutes left", file=sys.stderr)
        if not held:
            return f"After {way.step} steps the theorem's hypothesis on the way is lost."
    minutes = (time.perf_counter() - began) / 60
    return (
        f"{way.step} steps at n = 64, m = 16384, η = {eta:.3g}, were followed in {minutes:.1f} minutes: ‖e‖ fell from "
        f"{float(jnp.linalg.norm(problem.y)):.3g} to {way.size:.3g} or less, the path is at most {way.away:.3g} long, and exact gradient descent is "
        f"within {way.drift:.2g} of the floats (η(P² + CE) ≤ {way.fastest:.3g} on the way; at most 2 is asked for)."
    )


def main(steps: int) -> None:
    jax.config.update("jax_enable_x64", True)
    here = environment()
    print("# What a followed step costs\n\n`uv run python benchmarks/following.py 100000`\n")
    print(
        "A step of gradient descent with a bound on all that it is rounded by (Theorem 7 of the proof, `convergence/following.py`) beside a plain "
        "step in floats: milliseconds, medians of nine in turn; and hours that 10⁵ steps would take, by extrapolation. Digits, ten outputs, tanh, "
        f"σ = 2, float64, {here['cores']} cores, jax {here['packages']['jax']}.\n"
    )
    print("| n | m | plain | followed | ratio | 10⁵ steps, hours |\n|---|---|---|---|---|---|")
    for n, m in SIZES:
        print(row(n, m), flush=True)
    if steps:
        print(f"\n{far(steps)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 0)
