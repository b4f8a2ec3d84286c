"""What the running bounds take for granted, tried on the device at hand; and random formulas held against their truth there.

    uv run python benchmarks/device_arithmetic.py > docs/results/arithmetic-DEVICE.md

Needs JAX, NumPy, SciPy, jaxtyping and mpmath only.  Takes about two minutes.
"""

import sys
import time
from collections import Counter

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from formulas import SCALES, UNSAID, computed, exactly, formula, leaves, truth

from ntkverify.arithmetic.probe import probe
from ntkverify.arithmetic.running import allowance, with_error

PROGRAMS, EACH = 12, 25
"""Compiled programs, and formulas in each."""


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


def main() -> int:
    began, device = time.monotonic(), jax.devices()[0]
    print(f"# Arithmetic of {device.device_kind} ({device.platform}), jax {jax.__version__}\n")
    print("`uv run python benchmarks/device_arithmetic.py`\n")
    print("| operation | dtype | largest error seen | allowed | unit |\n|---|---|---|---|---|")
    kept = True
    for dtype in ("float32", "float64"):
        for each in probe(dtype):
            unit = "γ_k Σ|terms|" if "matrices" in each.operation else "u"
            mark = "" if each.kept else " **worse**"
            print(f"| {each.operation} | {dtype} | {each.worst:.3g}{mark} | {each.allowed:g} | {unit} |")
            kept &= each.kept
    counts, wrong = formulas(0)
    print(f"\n{PROGRAMS * EACH} random formulas, allowances of ÷ and √ {allowance(np.float32)} u (float32), ", end="")
    print(f"{allowance(np.float64)} u (float64):\n\n| dtype | entries | finite bounds | outside |\n|---|---|---|---|")
    for dtype in ("float32", "float64"):
        outside = sum(line.startswith(dtype) for line in wrong)
        print(f"| {dtype} | {counts[dtype, 'entries']} | {counts[dtype, 'finite']} | {outside} |")
    for line in wrong[:20]:
        print(f"\nOutside: {line}")
    print(f"\n{time.monotonic() - began:.0f} s.")
    return 0 if kept and not wrong else 1


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    sys.exit(main())
