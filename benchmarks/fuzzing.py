"""Enclosures of random formulas (`formulas`) held against their truth."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import flint
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from formulas import SCALES, UNSAID, computed, exactly, formula, leaves, mask, truth

from ntkverify.arithmetic.arb import enclosed
from ntkverify.arithmetic.float64 import enclosed_in_float64
from ntkverify.arithmetic.running import with_error

NOTHING = -mpmath.inf, mpmath.inf
WAYS = ("running", "running, compiled", "float64 balls", "Arb")


@dataclass
class Found:
    """What was compared, and what was wrong."""

    formulas: int = 0
    counts: Counter = field(default_factory=Counter)
    """(way, dtype, kind of numbers, "entries" | "finite") → entries whose truth is known, and finite enclosures of them."""
    wrong: list[str] = field(default_factory=list)

    def total(self, what: str, *of: str) -> int:
        """Over all keys that hold the words."""
        return sum(count for key, count in self.counts.items() if key[-1] == what and set(of) <= set(key))


def fuzz(seed: int, count: int, kinds: int, batch: int = 50, depth: int = 5) -> Found:
    """`count` formulas, half of them in float32, `batch` in one compiled program, on numbers of so many kinds."""
    found = Found()
    for index in range(-(-count // batch)):
        rng, dtype = np.random.default_rng([seed, index]), (np.float64, np.float32)[index % 2]
        trees = [
            (mask if rng.random() < 0.1 else formula)(rng, int(rng.integers(1, depth + 1)))
            for _ in range(min(batch, count - index * batch))
        ]
        chosen = [SCALES[(index // 2 * kinds + k) % len(SCALES)] for k in range(kinds)]
        vectors = [leaves(rng, dtype, kind) for kind in chosen]
        found.formulas += len(trees)
        with exactly():
            truths = [[truth(tree, parts) for tree in trees] for parts in vectors]
        for way, ends in _ways(trees, vectors, index % 4 < 2):
            for kind, true, sides, parts in zip(chosen, truths, ends, vectors, strict=True):
                _compare(found, (way, np.dtype(dtype).name, kind), trees, true, sides, parts)
    return found


def _compare(found: Found, key: tuple, trees, truths, sides, vectors) -> None:
    with exactly():
        for tree, true, ends in zip(trees, truths, sides, strict=True):
            for place, (x, (low, high)) in enumerate(zip(true, ends, strict=True)):
                if x is UNSAID:
                    continue
                low_x, high_x = (x, x) if isinstance(x, bool) else (x.a, x.b)
                found.counts[*key, "entries"] += 1
                found.counts[*key, "finite"] += low > -mpmath.inf and high < mpmath.inf
                if high_x < low or low_x > high:
                    found.wrong.append(f"{key}: entry {place} of {tree} at {vectors} is not in [{low}, {high}]")
                    break


def _ways(trees, vectors, mapped: bool):
    """(name, for each set of vectors the ends of each formula's entries); compiled with `vmap` over the sets, or without."""
    formulas = lambda *parts: tuple(computed(tree, parts) for tree in trees)  # noqa: E731
    sets = [[jnp.asarray(part) for part in parts] for parts in vectors]
    running = with_error(formulas)
    yield "running", [_running(*running(*parts)) for parts in sets]
    if mapped:
        value, error = jax.jit(jax.vmap(running))(*(jnp.stack(parts) for parts in zip(*sets, strict=True)))
        yield (
            "running, compiled",
            [_running([v[k] for v in value], [e[k] for e in error]) for k in range(len(sets))],
        )
    else:
        compiled = jax.jit(running)
        yield "running, compiled", [_running(*compiled(*parts)) for parts in sets]
    with np.errstate(all="ignore"):
        yield "float64 balls", [_balls(enclosed_in_float64(formulas), parts) for parts in sets]
    yield "Arb", [_balls(enclosed(formulas), parts) for parts in sets]


def _running(values, errors) -> list:
    with exactly():
        return [list(map(_around, np.asarray(v), np.asarray(e))) for v, e in zip(values, errors, strict=True)]


def _around(value, error) -> tuple:
    if isinstance(value, np.bool_):
        return NOTHING if error else (int(value), int(value))
    if not (np.isfinite(value) and np.isfinite(error)):
        return NOTHING
    return mpmath.mpf(float(value)) - mpmath.mpf(float(error)), mpmath.mpf(float(value)) + mpmath.mpf(float(error))


def _balls(enclose: Callable, parts) -> list:
    with exactly():
        return [list(map(_within, balls)) for balls in enclose(*parts)]


def _within(ball) -> tuple:
    if not isinstance(ball, flint.arb):
        return NOTHING if ball is None else (int(ball), int(ball))
    return tuple(map(_exact, (ball.lower(), ball.upper()))) if ball.is_finite() else NOTHING


def _exact(end: flint.arb):
    mantissa, exponent = end.man_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))
