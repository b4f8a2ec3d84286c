"""Random formulas over what the arithmetics cover, as JAX computes them and as interval arithmetic of 2200 bits does.

A formula is a tree (name, parameter, parts) over vectors of `SIZE` numbers; `NUMBERS`, `MASKS` give for each name a JAX
function and, written on its own, one on lists of exact entries.  An entry of the truth is an `mpmath.iv` interval, True or
False, or `UNSAID`, where the formula has no value (1/0, log 0) or the intervals do not decide it.
"""

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from jax import lax

SIZE = 8
"""Numbers in a vector."""
BITS = 2200
"""Sums of doubles of any size are exact in it."""
iv: Any = mpmath.iv  # whose types mpmath does not declare
mp: Any = mpmath.mp
UNSAID: Any = "unsaid"
FAR = 1e5
"""Exponents beyond it are not evaluated."""
LEAVES = 6
SCALES = ("moderate", "wild", "near", "saturated", "whole", "edge", "small")


# Numbers to start from.


def leaves(rng: np.random.Generator, dtype, kind: str) -> list[np.ndarray]:
    """Vectors of one kind of numbers, each normal or 0 in the dtype."""
    found = [_leaf(rng, np.dtype(dtype), kind) for _ in range(LEAVES)]
    found[1] = np.where(rng.random(SIZE) < 0.5, found[0], np.nextafter(found[0], np.inf, dtype=dtype))
    found[2] = np.where(rng.random(SIZE) < 0.3, found[0], found[2])
    tiny = np.finfo(dtype).tiny
    return [np.where(np.abs(leaf) < tiny, 0, leaf).astype(dtype) for leaf in found]


def _leaf(rng: np.random.Generator, dtype: np.dtype, kind: str) -> np.ndarray:
    normal, digits = rng.standard_normal(SIZE), 300 if dtype == np.float64 else 37
    if kind == "wild":
        made = np.sign(normal) * 10 ** rng.uniform(-digits, digits, SIZE)
    elif kind == "edge":
        least, most = np.log10(np.finfo(dtype).tiny), np.log10(np.finfo(dtype).max)
        low, high = ((least, least + 12), (-2, 0), (most - 6, most - 0.1))[rng.choice(3, p=(0.5, 0.4, 0.1))]
        made = np.sign(normal) * 10 ** rng.uniform(low, high, SIZE)
    elif kind == "near":
        made = 1 + rng.integers(-3, 4, SIZE) * np.finfo(dtype).eps
    elif kind == "saturated":
        made = normal * rng.choice([20.0, 90.0, 400.0, 800.0], SIZE)
    elif kind == "whole":
        made = rng.integers(-4, 5, SIZE) * rng.choice([0.5, 1.0, 2.0**60])
    elif kind == "small":
        made = normal * 10 ** rng.uniform(-digits, 0, SIZE)
    else:
        made = normal * rng.choice([0.1, 1.0, 3.0])
    return made.astype(dtype)


# The truth.


def _entrywise(function: Callable) -> Callable:
    def on(*vectors):
        return [UNSAID if any(x is UNSAID for x in row) else function(*row) for row in zip(*vectors, strict=True)]

    return on


def _reduced(function: Callable) -> Callable:
    """One entry from all, in every place."""

    def on(*vectors):
        said = all(x is not UNSAID for vector in vectors for x in vector)
        return [function(*vectors) if said else UNSAID] * len(vectors[0])

    return on


def _said(function: Callable) -> Callable:
    """`UNSAID` where a part of the function is."""

    def on(*entries):
        return UNSAID if any(x is UNSAID for x in entries) else function(*entries)

    return on


@_said
def _over(x, y):
    return UNSAID if 0 in y else x / y


@_said
def _exp(x):
    if x.b > FAR:
        return UNSAID
    return iv.exp(x) if x.a > -FAR else iv.mpf([0, mpmath.mpf(2) ** -100_000])


@_said
def _log(x):
    return iv.log(x) if x.a > 0 else UNSAID


@_said
def _root(x):
    """Read as √max(x, 0)."""
    return UNSAID if x.b < 0 else iv.sqrt(iv.mpf([max(x.a, 0), x.b]))


def _expm1(x):
    grown = _exp(x)
    return UNSAID if grown is UNSAID else grown - 1


def _tanh(x):
    decayed = _exp(-2 * abs(x))
    return UNSAID if decayed is UNSAID else _signed(x, (1 - decayed) / (1 + decayed))


def _sinh(x):
    grown = _exp(abs(x))
    return UNSAID if grown is UNSAID else _signed(x, (grown - 1 / grown) / 2)


def _cosh(x):
    grown = _exp(abs(x))
    return UNSAID if grown is UNSAID else (grown + 1 / grown) / 2


def _signed(x, size):
    return size if x.a >= 0 else -size if x.b <= 0 else iv.mpf([-size.b, size.b])


def _logistic(x):
    decayed = _exp(-abs(x))
    if decayed is UNSAID:
        return UNSAID
    return 1 / (1 + decayed) if x.a >= 0 else decayed / (1 + decayed) if x.b <= 0 else UNSAID


def _power(x, k: int):
    made = functools.reduce(operator.mul, [x] * abs(k), iv.mpf(1))
    return made if k >= 0 else _over(iv.mpf(1), made)


def _larger(x, y):
    return iv.mpf([max(x.a, y.a), max(x.b, y.b)])


def _smaller(x, y):
    return -_larger(-x, -y)


def _step(function: Callable) -> Callable:
    def on(x):
        low, high = (function(mpmath.mpf(end)) for end in (x.a, x.b))
        return iv.mpf(low) if low == high else UNSAID

    return on


def _sign(x):
    return iv.mpf(1) if x.a > 0 else iv.mpf(-1) if x.b < 0 else iv.mpf(0) if x.a == x.b == 0 else UNSAID


def _towards_zero(x):
    return UNSAID if abs(x).b > 2**30 else _step(lambda y: mpmath.floor(y) if y >= 0 else mpmath.ceil(y))(x)


def _ranked(entries):
    lows, highs = (sorted(getattr(x, end) for x in entries) for end in ("a", "b"))
    return [iv.mpf([low, high]) for low, high in zip(lows, highs, strict=True)]


def _sorted(entries):
    return [UNSAID] * len(entries) if UNSAID in entries else _ranked(entries)


def _sum(entries):
    return sum(entries, iv.mpf(0))


def _accumulated(entries):
    return list(itertools.accumulate(entries, _said(operator.add)))


def _chosen(which, x, y):
    return [UNSAID if w is UNSAID else a if w else b for w, a, b in zip(which, x, y, strict=True)]


def _clamped(x):
    return _smaller(_larger(x, iv.mpf(-1)), iv.mpf(0.75))


def _block(entries):
    """A (2, 4) matrix times its transpose, then its rows' sums in every place."""
    rows = entries[:4], entries[4:]
    square = [[_sum([a * b for a, b in zip(one, other, strict=True)]) for other in rows] for one in rows]
    return [_sum(square[k // 4]) for k in range(SIZE)]


def _recurrence(entries):
    """s ← s/2 + x."""
    return list(itertools.accumulate(entries, _said(lambda s, x: s / 2 + x), initial=iv.mpf(0)))[1:]


def _counting(entries):
    """How many so far lie above the mean of two neighbours' product and 1."""
    steps = [UNSAID if x is UNSAID else _above(x, iv.mpf(0.25)) for x in entries]
    return list(itertools.accumulate((s if s is UNSAID else iv.mpf(int(s)) for s in steps), _said(operator.add)))


def _above(x, y):
    return True if x.a > y.b else False if x.b <= y.a else UNSAID


def _equal(x, y):
    return True if x.a == x.b == y.a == y.b else UNSAID if x.b >= y.a and y.b >= x.a else False


def _negated(x):
    return UNSAID if x is UNSAID else not x


def _at_most(x, y):
    return _negated(_above(x, y))


# What JAX computes.


def _all(reduction: Callable) -> Callable:
    return lambda *vectors: jnp.broadcast_to(reduction(*vectors), (SIZE,))


def _jax_block(x):
    rows = x.reshape(2, 4)
    return jnp.repeat(jnp.sum(rows @ rows.T, axis=1), 4)


def _jax_recurrence(x):
    return lax.scan(lambda s, row: (s / 2 + row, s / 2 + row), jnp.zeros((), x.dtype), x)[1]


def _jax_counting(x):
    def step(count, row):
        count = count + (row > 0.25).astype(jnp.int32)
        return count, count.astype(x.dtype)

    return lax.scan(step, jnp.int32(0), x)[1]


def _jax_round_trip(x):
    there = jnp.float32 if x.dtype == jnp.float64 else jnp.float64
    return x.astype(there).astype(x.dtype)


def _jax_moved(x):
    return jnp.concatenate([lax.dynamic_slice(x, (3,), (SIZE - 3,)), lax.slice(x, (0,), (3,))])


def _pick(values):
    return jnp.asarray(values, jnp.int32)


PLACES = [2, 2, 0, 7, 5, 1, 6, 3]
NUMBERS: dict[str, tuple[int, Callable, Any]] = {
    "negative": (1, lambda x: -x, _entrywise(operator.neg)),
    "absolute": (1, jnp.abs, _entrywise(abs)),
    "root": (1, jnp.sqrt, _entrywise(_root)),
    "root of size": (1, lambda x: jnp.sqrt(jnp.abs(x)), _entrywise(lambda x: _root(abs(x)))),
    "exp": (1, jnp.exp, _entrywise(_exp)),
    "exp of decay": (1, lambda x: jnp.exp(-jnp.abs(x)), _entrywise(lambda x: _exp(-abs(x)))),
    "expm1": (1, jnp.expm1, _entrywise(_expm1)),
    "log": (1, lambda x: jnp.log(jnp.abs(x)), _entrywise(lambda x: _log(abs(x)))),
    "log1p": (1, lambda x: jnp.log1p(jnp.abs(x)), _entrywise(lambda x: _log(1 + abs(x)))),
    "log1p below": (1, lambda x: jnp.log1p(-jnp.tanh(x)), _entrywise(lambda x: _log(1 - t) if (t := _tanh(x)) is not UNSAID else UNSAID)),
    "tanh": (1, jnp.tanh, _entrywise(_tanh)),
    "logistic": (1, jax.nn.sigmoid, _entrywise(_logistic)),
    "sinh": (1, jnp.sinh, _entrywise(_sinh)),
    "cosh": (1, jnp.cosh, _entrywise(_cosh)),
    "reciprocal root": (1, lambda x: lax.rsqrt(jnp.abs(x)), _entrywise(lambda x: _over(iv.mpf(1), _root(abs(x))))),
    "square": (1, jnp.square, _entrywise(lambda x: _power(x, 2))),
    **{f"power {k}": (1, lambda x, k=k: lax.integer_pow(x, k), _entrywise(lambda x, k=k: _power(x, k))) for k in (-3, -1, 0, 3, 4, 7)},
    "power": (2, lambda x, y: jnp.power(jnp.abs(x), y), _entrywise(lambda x, y: _said(lambda l: _exp(l * y))(_log(abs(x))))),
    "floor": (1, jnp.floor, _entrywise(_step(mpmath.floor))),
    "ceil": (1, jnp.ceil, _entrywise(_step(mpmath.ceil))),
    "sign": (1, jnp.sign, _entrywise(_sign)),
    "clamp": (1, lambda x: jnp.clip(x, -1.0, 0.75), _entrywise(_clamped)),
    "whole": (1, lambda x: x.astype(jnp.int32).astype(x.dtype), _entrywise(_towards_zero)),
    "cast": (1, _jax_round_trip, _entrywise(lambda x: x)),
    "add": (2, operator.add, _entrywise(operator.add)),
    "subtract": (2, operator.sub, _entrywise(operator.sub)),
    "multiply": (2, operator.mul, _entrywise(operator.mul)),
    "divide": (2, operator.truediv, _entrywise(_over)),
    "larger": (2, jnp.maximum, _entrywise(_larger)),
    "smaller": (2, jnp.minimum, _entrywise(_smaller)),
    "product and sum": (3, lambda a, b, c: a * b + c, _entrywise(lambda a, b, c: a * b + c)),
    "quotient of exponentials": (2, lambda a, b: jnp.exp(a) / jnp.exp(b), _entrywise(lambda a, b: _exp(a - b))),
    "product of exponentials": (2, lambda a, b: jnp.exp(a) * jnp.exp(b), _entrywise(lambda a, b: _exp(a + b))),
    "quotient twice": (3, lambda a, b, c: (a / b) / c, _entrywise(lambda a, b, c: _over(a, b * c))),
    "by 49": (1, lambda a: a / 49, _entrywise(lambda a: a / 49)),
    "by a row": (2, lambda a, b: a / b[0], lambda a, b: _entrywise(_over)(a, [b[0]] * SIZE)),
    "two factors": (1, lambda a: a * 1.1 * 1e-3, None),
    "two terms": (1, lambda a: (a + 1e16) + 0.3, None),
    "there and back": (1, lambda a: (a + 1e16) - 1e16, _entrywise(lambda a: a)),
    "by a root": (2, lambda a, b: b / jnp.sqrt(jnp.abs(a)), _entrywise(lambda a, b: _over(b, _root(abs(a))))),
    "root squared": (1, lambda a: jnp.sqrt(jnp.abs(a)) * jnp.sqrt(jnp.abs(a)), _entrywise(abs)),
    "log of exp": (1, lambda a: jnp.log(jnp.exp(a)), _entrywise(lambda a: a)),
    "reciprocal twice": (1, lambda a: 1 / (1 / a), _entrywise(lambda a: UNSAID if 0 in a else a)),
    "sum": (1, _all(jnp.sum), _reduced(_sum)),
    "largest": (1, _all(jnp.max), _reduced(lambda x: functools.reduce(_larger, x))),
    "smallest": (1, _all(jnp.min), _reduced(lambda x: functools.reduce(_smaller, x))),
    "dot": (2, _all(jnp.dot), _reduced(lambda x, y: _sum([a * b for a, b in zip(x, y, strict=True)]))),
    "norm": (1, _all(lambda x: jnp.sqrt(jnp.sum(x**2))), _reduced(lambda x: _root(_sum([_power(a, 2) for a in x])))),
    "block": (1, _jax_block, lambda x: [UNSAID] * SIZE if UNSAID in x else _block(x)),
    "accumulated": (1, jnp.cumsum, _accumulated),
    "sorted": (1, jnp.sort, _sorted),
    "turned": (1, jnp.flip, lambda x: x[::-1]),
    "rolled": (1, _jax_moved, lambda x: x[3:] + x[:3]),
    "taken": (1, lambda x: x[_pick(PLACES)], lambda x: [x[k] for k in PLACES]),
    "padded": (1, lambda x: jnp.pad(x[2:6], 2), lambda x: [iv.mpf(0)] * 2 + x[2:6] + [iv.mpf(0)] * 2),
    "turned about": (1, lambda x: x.reshape(2, 4).T.reshape(SIZE), lambda x: [x[4 * (k % 2) + k // 2] for k in range(SIZE)]),
    "recurrence": (1, _jax_recurrence, _recurrence),
    "counting": (1, _jax_counting, _counting),
}  # fmt: skip
"""Name → (parts, what JAX computes, the truth)."""
COMPARED = {
    "above": (operator.gt, _above),
    "at most": (operator.le, _at_most),
    "equal": (operator.eq, _equal),
    "different": (operator.ne, lambda x, y: _negated(_equal(x, y))),
}
JOINED = {
    "and": (operator.and_, lambda p, q: False if p is False or q is False else UNSAID if UNSAID in (p, q) else True),
    "or": (operator.or_, lambda p, q: True if p is True or q is True else UNSAID if UNSAID in (p, q) else False),
}
CONSTANT = {"two factors": (1.1, 1e-3, operator.mul), "two terms": (1e16, 0.3, operator.add)}


# Trees.


def formula(rng: np.random.Generator, depth: int):
    """A random tree of numbers."""
    if depth == 0 or rng.random() < 0.08:
        return "leaf", int(rng.integers(LEAVES)), ()
    kind = rng.random()
    if kind < 0.10:
        return "where", None, (mask(rng, depth - 1), formula(rng, depth - 1), formula(rng, depth - 1))
    if kind < 0.14:
        return "mask as number", None, (mask(rng, depth - 1),)
    if kind < 0.18:
        return "count", None, (mask(rng, depth - 1),)
    name = str(rng.choice(list(NUMBERS)))
    return name, None, tuple(formula(rng, depth - 1) for _ in range(NUMBERS[name][0]))


def mask(rng: np.random.Generator, depth: int):
    """A random tree of Booleans."""
    if depth > 1 and rng.random() < 0.3:
        name = str(rng.choice([*JOINED, "not"]))
        return name, None, tuple(mask(rng, depth - 1) for _ in range(1 if name == "not" else 2))
    if rng.random() < 0.15:
        return "finite", None, (formula(rng, max(depth - 1, 0)),)
    return str(rng.choice(list(COMPARED))), None, tuple(formula(rng, max(depth - 1, 0)) for _ in range(2))


def computed(tree, vectors):
    """The tree in JAX."""
    name, which, parts = tree
    if name == "leaf":
        return vectors[which]
    parts = [computed(part, vectors) for part in parts]
    if name == "where":
        return jnp.where(*parts)
    if name == "mask as number":
        return parts[0].astype(vectors[0].dtype)
    if name == "count":
        return jnp.broadcast_to(jnp.sum(parts[0], dtype=jnp.int32).astype(vectors[0].dtype), (SIZE,))
    if name == "not":
        return ~parts[0]
    if name == "finite":
        return jnp.isfinite(parts[0])
    table = NUMBERS[name][1] if name in NUMBERS else (COMPARED | JOINED)[name][0]
    return table(*parts)


def truth(tree, vectors):
    """The tree in intervals; call it in `exactly()`."""
    name, which, parts = tree
    if name == "leaf":
        return [iv.mpf(float(x)) for x in vectors[which]]
    parts = [truth(part, vectors) for part in parts]
    if name == "where":
        return _chosen(*parts)
    if name == "mask as number":
        return [UNSAID if x is UNSAID else iv.mpf(int(x)) for x in parts[0]]
    if name == "count":
        return _reduced(lambda x: iv.mpf(sum(x)))(parts[0])
    if name == "not":
        return [_negated(x) for x in parts[0]]
    if name == "finite":  # of a float, which may overflow: only what has no value is surely not finite
        return [UNSAID if x is UNSAID else True for x in parts[0]]
    if name in CONSTANT:
        first, second, function = CONSTANT[name]
        first, second = (iv.mpf(float(vectors[0].dtype.type(x))) for x in (first, second))
        return _entrywise(lambda x: function(function(x, first), second))(parts[0])
    if name in JOINED:
        return [JOINED[name][1](p, q) for p, q in zip(*parts, strict=True)]
    if name in COMPARED:
        return _entrywise(COMPARED[name][1])(*parts)
    return NUMBERS[name][2](*parts)


class exactly:
    """Precision of the truth inside the block."""

    def __enter__(self):
        self.before = iv.prec, mp.prec
        iv.prec = mp.prec = BITS

    def __exit__(self, *_):
        iv.prec, mp.prec = self.before
