"""When two jaxprs are the same computation: what formulas have in common is then evaluated once."""

from collections.abc import Hashable

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters that hold the jaxpr of a function within a function."""


def inner(params: dict) -> ClosedJaxpr:
    """The jaxpr that a call evaluates."""
    found = next(params[name] for name in INNER if name in params)
    return ClosedJaxpr(found, ()) if isinstance(found, Jaxpr) else found


def literal(atom: Literal) -> tuple:
    """The literal's array and what tells it from others."""
    array = np.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None))
    return array, ("literal", array.dtype, array.shape, array.tobytes())


def fingerprint(closed: ClosedJaxpr, calls) -> Hashable:
    """Equal for jaxprs that do the same operations in the same order on the same constants.

    Of an operation in `calls` only the inner jaxpr counts, of others every parameter.  Raises TypeError where one
    cannot be compared.
    """
    jaxpr, numbers = closed.jaxpr, {}
    for variable in (*jaxpr.constvars, *jaxpr.invars):
        numbers[variable] = len(numbers)

    def atom(each):
        return literal(each)[1] if isinstance(each, Literal) else numbers[each]

    equations = []
    for equation in jaxpr.eqns:
        operands = tuple(map(atom, equation.invars))
        for variable in equation.outvars:
            numbers[variable] = len(numbers)
        call = equation.primitive in calls
        params = fingerprint(inner(equation.params), calls) if call else _params(equation.params, calls)
        equations.append((equation.primitive, operands, params, len(equation.outvars)))
    return len(jaxpr.invars), tuple(map(id, closed.consts)), tuple(equations), tuple(map(atom, jaxpr.outvars))


def _params(params: dict, calls) -> Hashable:
    found = []
    for name, value in sorted(params.items(), key=lambda item: item[0]):
        if isinstance(value, Jaxpr | ClosedJaxpr):
            value = fingerprint(inner({"jaxpr": value}), calls)
        hash(value)
        found.append((name, value))
    return tuple(found)
