"""The table of rules, and what rules share."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic import discrete
from ntkverify.arithmetic.contract import Arithmetic, Number
from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.unknown import UnknownOperation

RULES: dict[Any, Callable] = {}
"""Primitive → rule(arithmetic, equation, *operands)."""


def on(*primitives):
    def register(rule):
        for primitive in primitives:
            RULES[primitive] = rule
        return rule

    return register


def versions(module, *names: str) -> list:
    """JAX's primitives of these names; some exist in some versions only."""
    return [getattr(module, name) for name in names if hasattr(module, name)]


def exactly(arith, equation, *operands: Discrete) -> Discrete:
    def run(*arrays):
        found = equation.primitive.bind(*map(jnp.asarray, arrays), **equation.params)
        return (
            found
            if arith.xp is jnp
            else [np.asarray(x) for x in found]
            if isinstance(found, list | tuple)
            else np.asarray(found)
        )

    return discrete.evaluate(run, equation.primitive, equation.params, arith.xp, *operands)


def all_discrete(operands) -> bool:
    return all(isinstance(operand, Discrete) for operand in operands)


def read(arith: Arithmetic, array):
    """An array as a number, or as known Booleans or whole numbers."""
    dtype = jnp.asarray(array).dtype if not hasattr(array, "dtype") else array.dtype
    if discrete.is_discrete(dtype):
        return Discrete(arith.xp.asarray(array))
    if dtype in (np.float32, np.float64):
        return arith.exact(array)
    raise UnknownOperation(f"numbers of dtype {dtype}")


def constant(arith, equation, value: float) -> Number:
    """One float in every place of the operation's result, enclosed where its dtype rounds it."""
    result = equation.outvars[0].aval
    found = arith.exact(arith.xp.full(result.shape, value, result.dtype))
    lost = abs(float(np.asarray(value, result.dtype)) - value)
    return arith.widened(found, arith.xp.full(result.shape, lost * (1 + 1e-6), result.dtype)) if lost else found


def either(arith, primitive, possible, yes, no):
    """`yes` where the comparison holds, `no` where it does not, both where that is open."""
    truth = discrete.ordered(primitive, *possible)
    return arith.chosen(truth.low, truth.low != truth.top, [no, yes])


def place(equation) -> str:
    """Where the formula says so: the innermost line that is neither JAX's nor the interpreter's."""
    frames = getattr(getattr(equation.source_info, "traceback", None), "frames", ())
    for frame in frames:
        if not any(part in frame.file_name for part in ("/jax/", "/jaxlib/", "\\jax\\", "arithmetic/", "<frozen")):
            return f" ({frame.file_name.rsplit('/', 1)[-1]}, line {frame.line_num})"
    return ""
