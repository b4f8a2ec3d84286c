"""One interpreter of formulas: the jaxpr of a function, evaluated in an arithmetic.

An `Arithmetic` says what numbers are and supplies a few operations on them, each with an argument for its error; the rules
(`structure`, `functions`, `matrices`) say what a jaxpr means.  Numbers stand for real numbers: a conversion between float dtypes is
the identity, up to the rounding that an arithmetic of floats adds.  Booleans and whole numbers are `Discrete`, and carry their doubt.
√ of a number that rounding may have made negative is read as √max(x, 0).

A primitive of JAX is recognised by identity.  One that is not in `RULES`, a dtype other than float32, float64, Booleans and
whole numbers, and a decision that is needed and not known raise `UnknownOperation`, with the place in the formula.
"""

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jax.extend.core import primitives as core

from ntkverify.arithmetic import discrete, functions, matrices, structure
from ntkverify.arithmetic.contract import Arithmetic
from ntkverify.arithmetic.rules import RULES, on, place, read, versions
from ntkverify.arithmetic.unknown import UnknownOperation

TABLES = structure, functions, matrices
"""The files that fill `RULES`."""


def evaluate(arith: Arithmetic, closed: ClosedJaxpr, inputs: list) -> list:
    """The outputs of the jaxpr."""
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, (read(arith, value) for value in closed.consts), strict=True))
    known |= dict(zip(jaxpr.invars, inputs, strict=True))

    def value(atom):
        if not isinstance(atom, Literal):
            return known[atom]
        return read(arith, np.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None)))

    for equation in jaxpr.eqns:
        rule = RULES.get(equation.primitive)
        if rule is None:
            raise UnknownOperation(f"no rule for the operation {equation.primitive.name!r}{place(equation)}")
        for variable in equation.outvars:
            if not discrete.is_discrete(dtype := variable.aval.dtype) and dtype not in (np.float32, np.float64):
                raise UnknownOperation(f"{dtype} in the operation {equation.primitive.name!r}{place(equation)}")
        outputs = rule(arith, equation, *map(value, equation.invars))
        outputs = outputs if isinstance(outputs, list) else [outputs]
        known |= dict(zip(equation.outvars, outputs, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


# Functions within functions.


@on(
    *versions(
        core,
        "jit_p",
        "pjit_p",
        "closed_call_p",
        "call_p",
        "custom_jvp_call_p",
        "custom_vjp_call_p",
        "custom_vjp_call_jaxpr_p",
        "remat_p",
    )
)
def _call(arith, equation, *operands):
    params = equation.params
    inner = params.get("jaxpr", params.get("call_jaxpr", params.get("fun_jaxpr")))
    return evaluate(arith, _closed(inner), list(operands))


def _closed(jaxpr) -> ClosedJaxpr:
    return ClosedJaxpr(jaxpr, ()) if isinstance(jaxpr, Jaxpr) else jaxpr


@on(core.scan_p)
def _scan(arith, equation, *operands):
    params = equation.params
    if "num_consts" in params:
        split, carried = params["num_consts"], params["num_carry"]
    else:  # JAX ≥ 0.12 keeps the three groups of arguments as trees
        split, carried, _ = (len(group) for group in params["ft_in"].unpack())
    constants, body = list(operands[:split]), _closed(params["jaxpr"])

    def step(carry, row):
        outputs = evaluate(arith, body, constants + carry + row)
        return outputs[:carried], outputs[carried:]

    carry, rows = list(operands[split : split + carried]), list(operands[split + carried :])
    last, stacked = arith.loop(step, carry, rows, params["length"], params["reverse"])
    return [*last, *stacked]


OPERATIONS = tuple(sorted({primitive.name for primitive in RULES}))
"""What a formula may use."""
