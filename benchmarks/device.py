"""ntkverify on the device at hand: its arithmetic, every claim's verdict beside the CPU's, and what it does a second.

    uv run python benchmarks/device.py > docs/results/device-NAME.md

A folder as the argument keeps the runs of the commands.
Six minutes: correctness first, then speed; a part that would begin later is not measured, and the table says so.  Needs what
the wheel brings and nothing else; each part stands by itself, and one that fails says so and leaves the others alone.  On a
CPU the verdicts are those of eight virtual devices beside one.  Exits with 1 where an operation is worse than the bounds
allow, a formula lies outside its enclosure, or a verdict contradicts the CPU's.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from formulas import SCALES, UNSAID, computed, exactly, formula, leaves, truth
from performance import SIDE, TRAINING, bare_product, ceilings, optax_loop, problem_of
from timing import medians, temporary_bytes

import ntkverify as nv
from ntkverify.arithmetic.probe import probe
from ntkverify.arithmetic.running import allowance, with_error
from ntkverify.ground.batches import BATCH, SMALL, cost_of_batches
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.shared_products import shared_products
from ntkverify.networks.network import initialise
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import train

PROGRAMS, EACH = 6, 25
"""Compiled programs, and formulas in each."""
KERNELS = ((64, 32, 1, 2048), (128, 64, 10, 4096), (256, 64, 10, 16384))
"""(n, d_in, d_out, m)"""
STEPS, ROUNDS = 128, 3
LAST_BEGINNING = 300.0
"""Seconds after which no part begins."""
VERIFIED = ("--data", "sphere", "--n", "4", "--d-in", "8", "--d-out", "2", "--m", "64", "--seeds", "40")
VIRTUAL = 8
SOLVED = (16, 32, 33, 48, 64, 128)
"""Sizes of matrices whose eigenvalues are compared in a batch and one by one."""
DTYPES = ("float64", "float32")


def formulas(seed: int) -> tuple[Counter, list[str]]:
    """Entries whose truth is known, finite enclosures of them, and what lies outside its enclosure."""
    counts, wrong = Counter(), []
    for index in range(PROGRAMS):
        rng, dtype = np.random.default_rng([seed, index]), (np.float64, np.float32)[index % 2]
        trees = [formula(rng, int(rng.integers(1, 6))) for _ in range(EACH)]
        compiled = jax.jit(with_error(lambda *parts, trees=trees: tuple(computed(tree, parts) for tree in trees)))
        for kind in SCALES:
            vectors = leaves(rng, dtype, kind)
            values, errors = compiled(*map(jnp.asarray, vectors))
            with exactly():
                for tree, value, error in zip(trees, map(np.asarray, values), map(np.asarray, errors), strict=True):
                    for true, v, e in zip(truth(tree, vectors), value, error, strict=True):
                        if true is UNSAID or isinstance(true, bool):
                            continue
                        counts[np.dtype(dtype).name, "entries"] += 1
                        if not (np.isfinite(v) and np.isfinite(e)):
                            continue
                        counts[np.dtype(dtype).name, "finite"] += 1
                        low, high = (mpmath.mpf(float(v)) + sign * mpmath.mpf(float(e)) for sign in (-1, 1))
                        if true.b < low or true.a > high:
                            wrong.append(f"{np.dtype(dtype).name}, {kind}: {tree}")
    return counts, wrong


def arithmetic() -> bool:
    """What the running bounds take for granted; random formulas against their truth."""
    print("## Arithmetic\n\n| operation | dtype | largest error seen | allowed | unit |\n|---|---|---|---|---|")
    kept = True
    for dtype in DTYPES:
        for each in probe(dtype):
            unit = r"γ_k Σ\|terms\|" if "matrices" in each.operation else "u"
            mark = "" if each.kept else " **worse**"
            print(f"| {each.operation} | {dtype} | {each.worst:.3g}{mark} | {each.allowed:g} | {unit} |")
            kept &= each.kept
    counts, wrong = formulas(0)
    print(f"\n{PROGRAMS * EACH} random formulas, allowances of ÷ and √ {allowance(np.float32)} u (float32), ", end="")
    print(f"{allowance(np.float64)} u (float64):\n\n| dtype | entries | finite bounds | outside |\n|---|---|---|---|")
    for dtype in DTYPES:
        outside = sum(line.startswith(dtype) for line in wrong)
        print(f"| {dtype} | {counts[dtype, 'entries']} | {counts[dtype, 'finite']} | {outside} |")
    for line in wrong[:20]:
        print(f"\nOutside: {line}")
    return kept and not wrong


def command(words: tuple[str, ...], out: Path, alone: bool = False) -> float:
    """Seconds of one command in a process of its own, `alone` on one CPU; its words go to `out`.log."""
    os.makedirs(out.parent, exist_ok=True)
    where = {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"} if alone else {"JAX_NUM_CPU_DEVICES": str(VIRTUAL)}
    ours = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"} | where
    begin = time.perf_counter()
    with open(f"{out}.log", "w", encoding="utf-8") as log:
        subprocess.run(
            [sys.executable, "-m", "ntkverify", *words, "--out", str(out)], check=False, stdout=log,
            stderr=subprocess.STDOUT, env={**os.environ, **ours},
        )  # fmt: skip
    return time.perf_counter() - begin


def verdicts(run: Path) -> dict[tuple, str]:
    """(problem, claim, form) → verdict, of a folder of results."""
    rows = json.loads((run / "results.json").read_text("utf-8"))["claims"]
    return {(row["problem"], row["id"], row["form"]): row["verdict"] for row in rows}


def compared(folder: Path) -> bool:
    """Every verdict beside one CPU's, all commands side by side."""
    runs = {
        (dtype, alone): folder / dtype / ("cpu" if alone else "here") for dtype in DTYPES for alone in (True, False)
    }
    words = ("verify", *VERIFIED, "--force")
    with ThreadPoolExecutor(len(runs)) as pool:
        spent = pool.map(lambda run: command((*words, "--dtype", run[0]), runs[run], run[1]), runs)
        first = dict(zip(runs, spent, strict=True))
    count = len(json.loads((runs["float64", False] / "results.json").read_text("utf-8"))["environment"]["devices"])
    print(f"## Verdicts of {count} device{'s' * (count > 1)} beside one CPU's\n\n`ntkverify {' '.join(words[:-1])}`, four runs side by side.\n")  # fmt: skip
    print("| dtype | forms | equal | undecided here alone | differ otherwise | contradict | here, s | on the CPU, s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    good, told = True, []
    for dtype in DTYPES:
        here, there = verdicts(runs[dtype, False]), verdicts(runs[dtype, True])
        counts = Counter()
        for key in {**here, **there}:
            ours, theirs = here.get(key), there.get(key)
            kind = "equal" if ours == theirs else ours if ours == "undecided" else "other"
            if "violated" in (ours, theirs) and "holds" in (ours, theirs):
                kind = "contradict"
            counts[kind] += 1
            if kind != "equal":
                told.append(f"- {dtype}, {' '.join(map(str, key))}: {ours} here, {theirs} on the CPU")
        good &= not counts["contradict"]
        cells = [
            len({**here, **there}), *(counts[kind] for kind in ("equal", "undecided", "other", "contradict")),
            f"{first[dtype, False]:.0f}", f"{first[dtype, True]:.0f}",
        ]  # fmt: skip
        print(f"| {dtype} | " + " | ".join(map(str, cells)) + " |")
    print("\n" + "\n".join(told))
    return good


def drift(folder: Path) -> bool:
    """The quick drift study."""
    spent = command(("study", "drift", "--preset", "quick"), folder / "drift")
    print(f"## `ntkverify study drift --preset quick`\n\n{spent:.0f} s.\n")
    log = Path(f"{folder / 'drift'}.log").read_text("utf-8").strip().splitlines()
    print("```\n" + "\n".join(log[-12:]) + "\n```")
    return (folder / "drift" / "results.json").exists()


def eigenvalues() -> bool:
    """The solver in batches and one by one."""
    print(f"## Eigenvalues\n\nA batch of {BATCH} symmetric matrices over one by one, seconds over seconds; above {SMALL} × {SMALL} an accelerator takes the faster way.\n")  # fmt: skip
    print("| dtype | " + " | ".join(map(str, SOLVED)) + " |\n" + "|---" * (len(SOLVED) + 1) + "|")
    for dtype in DTYPES:
        print(f"| {dtype} | " + " | ".join(f"{cost_of_batches(size, dtype):.2g}" for size in SOLVED) + " |")
    return True


def kernels() -> bool:
    """The closed form by its two orders of products, beside a bare product; both precisions."""
    print("## The kernel\n")
    print("| dtype | n, d_in, d_out, m | bare product, ms (share of the ceiling) | shared products: over it | closed form: over it | temporary MiB | from the CPU's, largest entry = 1 |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    said = []
    for dtype in DTYPES:
        jax.config.update("jax_enable_x64", dtype == "float64")
        most = ceilings()
        said.append(f"{dtype}: a product of {SIDE} × {SIDE} matrices {most['product'] / 1e9:.3g} GFLOP/s, a copy {most['copy'] / 1e9:.3g} GB/s, exp {most['exp'] / 1e9:.3g} G/s.")  # fmt: skip
        for n, d_in, d_out, m in KERNELS:
            problem, params = problem_of(n, d_in, d_out, m)
            programs = {
                name: jax.jit(route).lower(problem, params).compile()
                for name, route in {"shared": shared_products, "closed": closed_form}.items()
            }
            calls = {name: functools.partial(each, problem, params) for name, each in programs.items()}
            calls["bare"] = functools.partial(jax.jit(bare_product), problem, params)
            spent = medians(calls, ROUNDS)
            with jax.default_device(jax.devices("cpu")[0]):
                there = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), (problem, params))
                true = np.asarray(jax.jit(closed_form)(*there))
            off = np.abs(np.asarray(calls["shared"]()) - true).max() / np.abs(true).max()
            share = 2 * (n * d_out) ** 2 * m / spent["bare"] / most["product"]
            ratios = [f"{spent[route] / spent['bare']:.2f}" for route in ("shared", "closed")]
            size = temporary_bytes(programs["shared"])
            print(f"| {dtype} | {n}, {d_in}, {d_out}, {m} | {spent['bare'] * 1e3:.3g} ({share:.0%}) | {' | '.join(ratios)} | {size / 2**20:.3g} | {off:.1e} |")  # fmt: skip
    print("\nCeilings, " + "  \n".join(said))
    jax.config.update("jax_enable_x64", True)
    return True


def training() -> bool:
    """Networks times steps a second, all in one batch and one after the other, beside a loop over optax."""
    print("## Training\n\nNetworks times steps, a second; losses of both ways differ by at most the last column, relatively.\n")  # fmt: skip
    print("| dtype | networks, n, d_in, d_out, m | together | each by itself | optax loop | losses apart |\n|---|---|---|---|---|---|")  # fmt: skip
    for dtype in DTYPES:
        jax.config.update("jax_enable_x64", dtype == "float64")
        for count, n, d_in, d_out, m in TRAINING[::2]:
            problem, _ = problem_of(n, d_in, d_out, m)
            start = jax.vmap(lambda key, problem=problem: initialise(problem, key))(
                jax.random.split(jax.random.key(0), count)
            )
            eta = 0.1 * ordinary_steps(problem, start)
            ways = {
                way: functools.partial(train, problem, start, eta, target=0.0, budget=STEPS - 1, together=way == "both")
                for way in ("both", "each")
            }
            both, each = (way().losses for way in ways.values())
            spent = medians(
                {name: lambda way=way: way().losses for name, way in ways.items()}
                | {"optax": functools.partial(optax_loop, problem, start, eta)},
                2,
            )
            speed = [f"{count * (STEPS - 1) / spent[name]:,.0f}" for name in ("both", "each", "optax")]
            apart = np.max(np.abs(both - each) / np.abs(each))
            print(f"| {dtype} | {count}, {n}, {d_in}, {d_out}, {m} | {' | '.join(speed)} | {apart:.1e} |", flush=True)
    jax.config.update("jax_enable_x64", True)
    return True


def main() -> int:
    jax.config.update("jax_enable_x64", True)
    began, device = time.monotonic(), jax.devices()[0]
    print(f"# ntkverify {nv.__version__} on {device.device_kind} ({device.platform}), jax {jax.__version__}\n")
    print("`uv run python benchmarks/device.py`\n")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(sys.argv[1] if sys.argv[1:] else folder)
        parts = {
            "arithmetic": arithmetic, "eigenvalues": eigenvalues, "verdicts": functools.partial(compared, kept / "verify"),
            "kernels": kernels, "training": training, "drift": functools.partial(drift, kept),
        }  # fmt: skip
        for name, part in parts.items():
            begin = time.monotonic()
            if begin - began > LAST_BEGINNING:
                print(f"## {name}\n\nNot measured: {begin - began:.0f} s had passed.\n")
                continue
            try:
                good &= part()
            except Exception:
                good = False
                print("\n**This part failed.**\n\n```\n" + traceback.format_exc() + "```")
            print(f"\n{time.monotonic() - begin:.0f} s.\n", flush=True)
    print(f"{time.monotonic() - began:.0f} s in all.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
