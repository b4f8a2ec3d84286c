"""Formulas in float64 balls: the jaxpr of a claim with every rounding enclosed, at sizes that are too slow for Arb.

The arithmetic is that of `balls`, on whole arrays; numbers are moved about by the rules of `enclosures`,
and elementary functions other than exp are taken from Arb, entry by entry.
"""

import dataclasses
import functools
from collections.abc import Callable

import flint
import numpy as np

from ntkverify import balls
from ntkverify.balls import Ball
from ntkverify.enclosures import BITS, RULES, Arithmetic, enclosed_by

MOVES = (
    "stop_gradient", "copy", "copy_p", "broadcast_in_dim", "reshape", "squeeze", "expand_dims", "transpose", "rev", "slice",
    "dynamic_slice", "concatenate", "stack", "split", "unstack",
)  # fmt: skip
"""Operations that move numbers about."""


def enclosed_in_float64(function: Callable) -> Callable:
    """The function that returns enclosures as object arrays of `flint.arb` (exact or None where boolean)."""
    return enclosed_by(FLOAT64, function, BITS)


def in_balls(function: Callable) -> Callable:
    """The function that returns enclosures as `balls.Ball`."""
    return enclosed_by(dataclasses.replace(FLOAT64, finished=lambda output: output), function, BITS)


def _arb(value):
    """A ball as an object array of Arb's balls; anything else as it is."""
    if not isinstance(value, Ball):
        return value
    result = np.empty(value.shape, object)
    for index in np.ndindex(*value.shape):
        rad = float(value.rad[index])
        result[index] = flint.arb(float(value.mid[index]), rad) if rad < np.inf else flint.arb("nan")
    return result


def _ball(value):
    """Arb's balls as float64 balls; anything else as an array."""
    array = value if isinstance(value, Ball) else np.asarray(value)
    if isinstance(array, Ball) or array.dtype != object or not array.size or not isinstance(array.flat[0], flint.arb):
        return array
    mid, rad = np.zeros(array.shape), np.full(array.shape, np.inf)
    for index, entry in np.ndenumerate(array):
        if entry.is_finite():
            middle = float(entry.mid())
            mid[index], rad[index] = middle, float(abs(entry - flint.arb(middle)).upper()) * balls.UP
    return Ball(mid, rad)


def _entrywise(function: Callable, x):
    found = np.empty(x.shape, object)
    for index, entry in np.ndenumerate(_arb(x)):
        found[index] = function(entry)
    return _ball(found)


_RULES: dict[str, Callable] = {}


def _rule(name: str, function: Callable) -> None:
    """Use the function where an input is a ball, and exact numbers count as balls of radius 0."""

    def rule(params, *inputs):
        if not any(isinstance(x, Ball) for x in inputs):
            return RULES[name](params, *inputs)
        return function(params, *(x if isinstance(x, Ball) else balls.exact(x) for x in inputs))

    _RULES[name] = rule


def _moved(name: str, params, *inputs):
    """The rule on midpoints and on radii; the places of a dynamic slice are exact."""
    mids, rads = (
        RULES[name](params, *(getattr(x, part) if isinstance(x, Ball) else x for x in inputs))
        for part in ("mid", "rad")
    )
    if isinstance(mids, list):
        return [Ball(*pair) for pair in zip(mids, rads, strict=True)]
    return Ball(mids, rads)


for _name in MOVES:
    _RULES[_name] = lambda params, *inputs, _name=_name: (
        _moved(_name, params, *inputs) if isinstance(inputs[0], Ball) else RULES[_name](params, *inputs)
    )
for _name, _function in {
    "add": balls.add, "add_any": balls.add, "sub": balls.subtract, "mul": balls.multiply, "div": balls.divide,
    "exp": balls.exp, "sqrt": balls.root, "square": lambda a: balls.multiply(a, a),
    "neg": lambda a: Ball(-a.mid, a.rad), "abs": lambda a: Ball(np.abs(a.mid), a.rad),
    "max": lambda a, b: Ball(np.maximum(a.mid, b.mid), np.maximum(a.rad, b.rad)),
    "min": lambda a, b: Ball(np.minimum(a.mid, b.mid), np.maximum(a.rad, b.rad)),
}.items():  # fmt: skip
    _rule(_name, lambda params, *inputs, _function=_function: _function(*inputs))


def _sum(params, a):
    return balls.total(a, [int(axis) for axis in params["axes"]]) if params["axes"] else a


def _largest(params, a):
    axes = tuple(params["axes"])
    return Ball(a.mid.max(axis=axes), a.rad.max(axis=axes))


def _least(params, a):
    axes = tuple(params["axes"])
    return Ball(a.mid.min(axis=axes), a.rad.max(axis=axes))


def _power(params, a):
    power = params["y"]
    found = functools.reduce(balls.multiply, [a] * abs(power), balls.exact(np.ones(a.shape)))
    return found if power >= 0 else balls.divide(balls.exact(np.ones(a.shape)), found)


def _dot(params, a, b):
    (of_a, of_b), (batch_a, batch_b) = params["dimension_numbers"]
    free_a = [axis for axis in range(a.mid.ndim) if axis not in (*of_a, *batch_a)]
    free_b = [axis for axis in range(b.mid.ndim) if axis not in (*of_b, *batch_b)]
    batch, left = [a.shape[axis] for axis in batch_a], [a.shape[axis] for axis in free_a]
    right, terms = [b.shape[axis] for axis in free_b], int(np.prod([a.shape[axis] for axis in of_a]))
    rows = a.each(lambda array: array.transpose([*batch_a, *free_a, *of_a]).reshape(*batch, -1, terms))
    columns = b.each(lambda array: array.transpose([*batch_b, *of_b, *free_b]).reshape(*batch, terms, -1))
    return balls.product(rows, columns).each(lambda array: array.reshape(*batch, *left, *right))


def _eigh(params, a):
    vectors = Ball(np.zeros(a.shape), np.full(a.shape, np.inf))
    values = [balls.eigenvalues(a[index]) for index in np.ndindex(*a.shape[:-2])]
    stacked = Ball(*(np.stack([getattr(v, part) for v in values]).reshape(a.shape[:-1]) for part in ("mid", "rad")))
    return [vectors, stacked]


def _chosen(params, which, *cases):
    if not any(isinstance(x, Ball) for x in cases):
        return RULES["select_n"](params, which, *cases)
    cases = [x if isinstance(x, Ball) else balls.exact(x) for x in cases]
    if which.dtype == object:
        unsure = np.array([word is None for word in which.ravel()]).reshape(which.shape)
        index = np.array([int(word or 0) for word in which.ravel()]).reshape(which.shape)
    else:
        unsure, index = np.zeros(which.shape, bool), which.astype(int)
    picked = Ball(*(np.choose(index, [getattr(x, part) for x in cases]) for part in ("mid", "rad")))
    low, high = (functools.reduce(f, (getattr(x, end) for x in cases)) for f, end in ((np.minimum, "lower"), (np.maximum, "upper")))  # fmt: skip
    middle = np.where(unsure, (low + high) / 2, picked.mid)
    wide = ((high - low) / 2 + balls.U * np.abs(middle)) * balls.UP + balls.TINY
    return Ball(middle, np.where(unsure, wide, picked.rad))


for _name, _function in {
    "reduce_sum": _sum,
    "reduce_max": _largest,
    "reduce_min": _least,
    "integer_pow": _power,
    "dot_general": _dot,
    "eigh": _eigh,
}.items():
    _rule(_name, _function)
_RULES["select_n"] = _chosen


def _from_arb(name: str):
    """Arb's own rule, where there is one."""
    rule = RULES.get(name)
    return rule and (lambda params, *inputs: rule(params, *map(_arb, inputs)))


FLOAT64 = Arithmetic(
    exact=balls.exact,
    rule=lambda name: _RULES.get(name) or _from_arb(name),
    middle=lambda x: balls.exact(x.mid) if isinstance(x, Ball) else x,
    entrywise=_entrywise,
    taken=_ball,
    finished=_arb,
)
