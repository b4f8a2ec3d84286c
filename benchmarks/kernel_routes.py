"""Time, work and temporary memory of each route to the kernel, beside a bare matrix product.

    uv run python benchmarks/kernel_routes.py > docs/results/kernel-routes.md

The bare product is (nd × m)(m × nd), what any route must do at least once.  Float32 runs at full
precision.  Medians over rounds in which every route runs once, in turn, so that a slow moment of the
machine meets all of them; FLOPs and temporary memory are the compiler's own counts.
"""

import functools
import platform

import jax
import jax.numpy as jnp
from timing import medians, temporary_bytes

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.ground.environment import environment
from ntkverify.ground.numerics import full_precision

N, D_OUT, M = 24, 4, 2048
D_IN = (4, 16, 64)
ROUNDS = 9
ROUTES = [name for name in catalogue.KERNELS if name != "infinite-width"]


@full_precision
def bare_product(problem, params):
    """(nd × m)(m × nd) of the same sizes, with made-up factors."""
    G = jnp.tile(problem.X @ params.W, (problem.d_out, 1))
    return G @ G.T


def compiled(function, problem, params):
    """The compiled route, its FLOPs, and its temporary memory in bytes."""
    program = jax.jit(function).lower(problem, params).compile()
    analysis = program.cost_analysis() or {}
    return program, analysis.get("flops"), temporary_bytes(program)


def measure(d_in: int) -> list[tuple]:
    problem = nv.problem("sphere", n=N, d_in=d_in, d_out=D_OUT, m=M)
    params = nv.draw(problem, jax.random.key(0))
    routes = {name: catalogue.kernel(name) for name in ROUTES} | {"bare product": bare_product}
    programs = {name: compiled(route, problem, params) for name, route in routes.items()}
    spent = medians(
        {name: functools.partial(program, problem, params) for name, (program, *_) in programs.items()}, ROUNDS
    )
    return [(name, spent[name], *programs[name][1:]) for name in programs]


def main() -> None:
    found = environment()
    print("# Routes to the kernel\n\n`uv run python benchmarks/kernel_routes.py`\n")
    print(
        f"Softmax, n = {N}, d_out = {D_OUT}, m = {M}; medians of {ROUNDS} paired rounds; {found['backend']} "
        f"({', '.join(found['devices'])}), {platform.machine()}, {found['cores']} cores, jax {found['packages']['jax']}. "
        "GFLOP and temporary memory are the compiler's counts (loops are counted once by some versions).\n"
    )
    print(
        "| dtype | d_in | route | ms | over the bare product | GFLOP | temporary MiB |\n|---|---|---|---|---|---|---|"
    )
    for x64 in (True, False):
        jax.config.update("jax_enable_x64", x64)
        for d_in in D_IN:
            rows = measure(d_in)
            bare = rows[-1][1]
            for name, spent, flops, memory in rows:
                work = f"{flops / 1e9:.3g}" if flops else "n/a"
                print(
                    f"| {nv.dtype()} | {d_in} | {name} | {spent * 1e3:.3g} | {spent / bare:.3g} | {work} | {memory / 2**20:.3g} |"
                )


if __name__ == "__main__":
    main()
