"""How fast: kernels, training, first and second runs, each beside what the machine can do.

    uv run python benchmarks/performance.py > docs/results/performance.md

Needs nothing else to run on the machine; about a quarter of an hour on two cores.  Times are medians over rounds in which
everything that is compared runs once, in turn.  Networks are softmax, inputs lie on the sphere.
"""

import functools
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax
from timing import medians, temporary_bytes

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.ground.environment import cores, environment
from ntkverify.ground.numerics import full_precision
from ntkverify.ground.programs import SETTING
from ntkverify.networks.kernels.shared_products import shared_products
from ntkverify.networks.network import initialise, loss
from ntkverify.networks.nouns import Params
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import train

ROUNDS = 7
KERNELS = ((24, 16, 4, 2048), (64, 32, 1, 2048), (128, 16, 4, 4096), (128, 64, 10, 4096), (256, 64, 10, 8192))
"""(n, d_in, d_out, m)"""
ROUTES = ("shared-products", "closed-form", "jacobian-contraction", "ntk-vector-products", "autodiff")
PEERS_UP_TO = 2**31
"""Bytes of a Jacobian from which on the routes that hold one are left out."""
TRAINING = ((64, 16, 8, 2, 1024), (16, 8, 16, 1, 4096), (8, 32, 64, 10, 2048), (256, 8, 8, 1, 256))
"""(networks, n, d_in, d_out, m)"""
STEPS = 256
POOL = ThreadPoolExecutor(cores())
RUNS = (
    ("verify",),
    ("verify", "--data", "digits", "--n", "24", "--d-out", "3", "--m", "2048"),
)


def main() -> None:
    found = environment()
    print("# Performance\n\n`uv run python benchmarks/performance.py`\n")
    print(
        f"{found['backend']} ({', '.join(found['devices'])}), {platform.machine()}, {found['cores']} cores, jax "
        f"{found['packages']['jax']}. Ratios hold elsewhere, times do not.\n"
    )
    for x64 in (True, False):
        jax.config.update("jax_enable_x64", x64)
        most = ceilings()
        print(f"## The kernel, {nv.dtype()}\n")
        print(f"Ceilings: a product of {SIDE} × {SIDE} matrices {most['product'] / 1e9:.3g} GFLOP/s, a copy {most['copy'] / 1e9:.3g} GB/s, exp {most['exp'] / 1e9:.3g} G/s.\n")  # fmt: skip
        kernels(most["product"])
    jax.config.update("jax_enable_x64", True)
    print("## Training, float64\n")
    training()
    print("## How cost grows, float64\n")
    growth()
    print("## First and second run\n")
    runs()


def problem_of(n, d_in, d_out, m):
    problem = nv.problem("sphere", n=n, d_in=d_in, d_out=d_out, m=m, sigma=0.5)
    return problem, nv.draw(problem, jax.random.key(0))


@full_precision
def bare_product(problem, params):
    """(nd × m)(m × nd) with made-up factors."""
    G = jnp.tile(problem.X @ params.W, (problem.d_out, 1))
    return G @ G.T


SIDE = 2048 if jax.default_backend() == "cpu" else 8192


def ceilings() -> dict[str, float]:
    """What the machine does a second at best: floating-point operations, bytes moved, exponentials."""
    A, v = jnp.ones((SIDE, SIDE)), jnp.linspace(0.0, 1.0, 4 * SIDE**2)
    spent = medians(
        {
            "product": functools.partial(jax.jit(full_precision(lambda A: A @ A)), A),
            "copy": functools.partial(jax.jit(lambda v: v + 1), v),
            "exp": functools.partial(jax.jit(lambda v: jnp.exp(v)), v),
        },
        ROUNDS,
    )
    work = {"product": 2 * SIDE**3, "copy": 2 * v.nbytes, "exp": v.size}
    return {name: work[name] / spent[name] for name in work}


def kernels(ceiling: float) -> None:
    print("| n, d_in, d_out, m | bare product, ms (share of the ceiling) | " + " | ".join(f"{route}: over it" for route in ROUTES) + " | shared products' temporary MiB |")  # fmt: skip
    print("|---" * (len(ROUTES) + 3) + "|")
    for n, d_in, d_out, m in KERNELS:
        problem, params = problem_of(n, d_in, d_out, m)
        few = n * d_out * m * d_in * params.W.dtype.itemsize <= PEERS_UP_TO
        chosen = {route: catalogue.kernel(route) for route in (ROUTES if few else ROUTES[:2])}
        programs = {
            name: jax.jit(route).lower(problem, params).compile()
            for name, route in {"bare": bare_product, **chosen}.items()
        }
        spent = medians({name: functools.partial(each, problem, params) for name, each in programs.items()}, ROUNDS)
        share = 2 * (n * d_out) ** 2 * m / spent["bare"] / ceiling
        ratios = [f"{spent[route] / spent['bare']:.2f}" if route in spent else "not run" for route in ROUTES]
        size = temporary_bytes(programs["shared-products"])
        print(f"| {n}, {d_in}, {d_out}, {m} | {spent['bare'] * 1e3:.3g} ({share:.0%}) | {' | '.join(ratios)} | {size / 2**20:.3g} |")  # fmt: skip
    print()


def training() -> None:
    print(
        "Networks times steps, a second. *Floor*: the step's two large products and its exponentials alone, one network a "
        "thread. *optax loop*: a Python loop over one jitted `value_and_grad` and `optax.sgd`, all networks under `vmap`.\n"
    )
    print(
        "| networks, n, d_in, d_out, m | train | with movement and snapshots | floor | train over floor | optax loop |\n"
        "|---|---|---|---|---|---|"
    )
    for count, n, d_in, d_out, m in TRAINING:
        problem, _ = problem_of(n, d_in, d_out, m)
        start = jax.vmap(lambda key, problem=problem: initialise(problem, key))(
            jax.random.split(jax.random.key(0), count)
        )
        eta = 0.1 * ordinary_steps(problem, start)
        options = {"target": 0.0, "budget": STEPS - 1}
        spent = medians(
            {
                "train": lambda p=problem, s=start, e=eta, o=options: train(p, s, e, **o).losses,
                "all": lambda p=problem, s=start, e=eta, o=options: (
                    train(p, s, e, **o, movement=True, levels=(1.0, 0.5, 0.1, 0.01)).losses
                ),
                "floor": functools.partial(floor, problem, start),
                "optax": functools.partial(optax_loop, problem, start, eta),
            },
            ROUNDS,
        )
        speed = {name: count * (STEPS - 1) / seconds for name, seconds in spent.items()}
        print(
            f"| {count}, {n}, {d_in}, {d_out}, {m} | {speed['train']:,.0f} | {speed['all']:,.0f} | {speed['floor']:,.0f} | "
            f"{speed['train'] / speed['floor']:.0%} | {speed['optax']:,.0f} |"
        )
    print()


@jax.jit
@full_precision
def _floor(problem, W):
    def step(W, _):
        return W - 1e-9 * (problem.X.T @ jnp.exp(problem.X @ W)), None

    return jax.lax.scan(step, W, None, length=STEPS - 1)[0]


def floor(problem, start):
    """One network a thread, as `train` does it."""
    each = [functools.partial(_floor, problem, W) for W in np.asarray(start.W)]
    return list(POOL.map(lambda call: jax.block_until_ready(call()), each))


@jax.jit
@full_precision
def _optax_step(problem, start, eta, W):
    def one(W, a, eta):
        gradient = jax.grad(lambda W: loss(problem.network, Params(W, a), problem.X, problem.y))(W)
        rule = optax.sgd(eta)
        return optax.apply_updates(W, rule.update(gradient, rule.init(W))[0])

    return jax.vmap(one)(W, start.a, eta)


def optax_loop(problem, start, eta):
    W = start.W
    for _ in range(STEPS - 1):
        W = _optax_step(problem, start, eta, W)
    return W


def growth() -> None:
    print(
        "Exponents by least squares on the logarithms over the sizes named. Count: of the bare product for the kernel, of the "
        "two products for training.\n\n| what | grows | time | temporary memory | count |\n|---|---|---|---|---|"
    )
    sizes = {
        "n": ((64, 128, 256, 512), lambda k: (k, 16, 4, 4096), 2), "d_out": ((8, 16, 32), lambda k: (48, 16, k, 4096), 2),
        "m": ((4096, 16384, 65536), lambda k: (64, 16, 4, k), 1),
    }  # fmt: skip
    for name, (values, shape, count) in sizes.items():
        seconds, memory = [], []
        for value in values:
            problem, params = problem_of(*shape(value))
            program = jax.jit(shared_products).lower(problem, params).compile()
            seconds.append(medians({"it": functools.partial(program, problem, params)}, 3)["it"])
            memory.append(temporary_bytes(program))
        print(f"| kernel | {name} = {_list(values)} | {_slope(values, seconds)} | {_slope(values, memory)} | {count} |")
    counts = (8, 32, 128)
    seconds = []
    for count in counts:
        problem, _ = problem_of(16, 8, 2, 1024)
        start = jax.vmap(lambda key, problem=problem: initialise(problem, key))(
            jax.random.split(jax.random.key(0), count)
        )
        eta = 0.1 * ordinary_steps(problem, start)
        seconds.append(medians({"it": lambda p=problem, s=start, e=eta: train(p, s, e, target=0.0, budget=255).losses}, 3)["it"])  # fmt: skip
    print(f"| training | networks = {_list(counts)} | {_slope(counts, seconds)} | | 1 |")
    problem, _ = problem_of(64, 16, 4, 64)
    wide = Params(jax.ShapeDtypeStruct((16, 2**22), jnp.float64), jax.ShapeDtypeStruct((4, 2**22), jnp.float64))
    size = temporary_bytes(jax.jit(shared_products).lower(problem, wide).compile())
    print(f"\nAt m = 2²² and nd = 256 the kernel needs {size / 2**20:.3g} MiB beside W and a.\n")


def _slope(values, sizes) -> str:
    return f"{np.polyfit(np.log(values), np.log(sizes), 1)[0]:.2f}"


def _list(values) -> str:
    return ", ".join(map(str, values))


def runs() -> None:
    print(
        "Whole commands, interpreter's start included; the first run finds no compiled program, the second those of the "
        "first.\n\n| command | first, s | second, s | kept |\n|---|---|---|---|"
    )
    for words in RUNS:
        with tempfile.TemporaryDirectory() as home:
            first, second = (_spent(words, home) for _ in range(2))
            kept = [entry.stat().st_size for folder in os.scandir(home) for entry in os.scandir(folder)]
            print(
                f"| `ntkverify {' '.join(words)}` | {first:.1f} | {second:.1f} | {len(kept)} programs, {sum(kept) / 2**20:.1f} MiB |",
                flush=True,
            )


def _spent(words, home) -> float:
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "ntkverify", *words, "--out", f"{out}/run"], check=False, stdout=subprocess.DEVNULL,
            env={**os.environ, SETTING: home},
        )  # fmt: skip
        return time.perf_counter() - begin


if __name__ == "__main__":
    main()
