"""One interpreter of formulas: the jaxpr of a function, evaluated in an arithmetic.

An `Arithmetic` says what numbers are and supplies a few operations on them, each with an argument for its error; the rules
(`structure`, `functions`, `matrices`) say what a jaxpr means.  Numbers stand for real numbers: a conversion between float dtypes is
the identity, up to the rounding that an arithmetic of floats adds.  Booleans and whole numbers are `Discrete`, and carry their doubt.
√ of a number that rounding may have made negative is read as √max(x, 0).

A primitive of JAX is recognised by identity.  One that is not in `RULES`, a dtype other than float32, float64, Booleans and
whole numbers, and a decision that is needed and not known raise `UnknownOperation`, with the place in the formula.
"""

from collections import ChainMap

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal
from jax.extend.core import primitives as core

from ntkverify.arithmetic import discrete, functions, matrices, structure
from ntkverify.arithmetic.contract import Arithmetic
from ntkverify.arithmetic.rules import RULES, place, read, versions
from ntkverify.arithmetic.sameness import fingerprint, inner, literal
from ntkverify.arithmetic.unknown import UnknownOperation

TABLES = structure, functions, matrices
"""The files that fill `RULES`."""


def evaluate(arith: Arithmetic, closed: ClosedJaxpr, inputs: list, done: ChainMap | None = None) -> list:
    """The outputs of the jaxpr.

    `done` holds what was computed before, by primitive, operands and parameters: what formulas have in common is computed
    once, within the loop in which it was.
    """
    done = ChainMap({}) if done is None else done
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, (_once(arith, done, value) for value in closed.consts), strict=True))
    known |= dict(zip(jaxpr.invars, inputs, strict=True))

    def value(atom):
        return _literal(arith, done, atom) if isinstance(atom, Literal) else known[atom]

    for equation in jaxpr.eqns:
        operands = [value(atom) for atom in equation.invars]
        if equation.primitive in CALLS:
            outputs = CALLS[equation.primitive](arith, equation.params, operands, done)
        else:
            outputs = _applied(arith, equation, operands, done)
        known |= dict(zip(equation.outvars, outputs, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _applied(arith: Arithmetic, equation, operands: list, done: ChainMap) -> list:
    """The rule's outputs, or those that it gave before.  Operands are the same where they are one object, and are kept, so
    that they stay distinct."""
    rule = RULES.get(equation.primitive)
    if rule is None:
        raise UnknownOperation(f"no rule for the operation {equation.primitive.name!r}{place(equation)}")
    for variable in equation.outvars:
        if not discrete.is_discrete(dtype := variable.aval.dtype) and dtype not in (np.float32, np.float64):
            raise UnknownOperation(f"{dtype} in the operation {equation.primitive.name!r}{place(equation)}")
    same = len({id(atom) for atom in equation.invars}) < len(equation.invars)
    key = (
        equation.primitive,
        tuple(map(id, operands)),
        same,
        tuple(sorted(equation.params.items(), key=lambda item: item[0])),
    )
    try:
        hash(key)
    except TypeError:
        key = object()
    if key not in done:
        try:
            outputs = rule(arith, equation, *operands)
        except UnknownOperation:
            raise
        except Exception as error:  # a case that the rule did not foresee is one without a rule
            said = f"{type(error).__name__} in the rule of {equation.primitive.name!r}{place(equation)}: {error}"
            raise UnknownOperation(" ".join(said.split())[:200]) from error
        done[key] = operands, outputs if isinstance(outputs, list) else [outputs]
    return done[key][1]


def _literal(arith: Arithmetic, done: ChainMap, atom: Literal):
    array, key = literal(atom)
    if key not in done:
        done[key] = read(arith, array)
    return done[key]


def _once(arith: Arithmetic, done: ChainMap, constant):
    key = "constant", id(constant)
    if key not in done:
        done[key] = constant, read(arith, constant)
    return done[key][1]


def _call(arith, params, operands: list, done: ChainMap) -> list:
    return evaluate(arith, inner(params), operands, done)


def _scan(arith, params, operands: list, done: ChainMap) -> list:
    body = inner(params)
    try:
        split = params["length"], params["reverse"], *_groups(params)
        key = "scan", tuple(map(id, operands)), split, fingerprint(body, FUNCTIONS)
    except TypeError:
        key = object()
    if key not in done:
        done[key] = operands, body, _looped(arith, params, body, operands, done)
    return done[key][-1]


def _groups(params) -> tuple[int, int]:
    """How many operands of a loop are constants, and how many it carries."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    constants, carried, _ = params["ft_in"].unpack()  # JAX ≥ 0.12 keeps the three groups of arguments as trees
    return len(constants), len(carried)


def _looped(arith, params, body: ClosedJaxpr, operands: list, done: ChainMap) -> list:
    split, carried = _groups(params)
    constants = operands[:split]

    def step(carry, row):
        outputs = evaluate(arith, body, constants + carry + row, done.new_child())
        return outputs[:carried], outputs[carried:]

    carry, rows = operands[split : split + carried], operands[split + carried :]
    last, stacked = arith.loop(step, carry, rows, params["length"], params["reverse"])
    return [*last, *stacked]


_NAMES = (
    "jit_p",
    "pjit_p",
    "closed_call_p",
    "call_p",
    "custom_jvp_call_p",
    "custom_vjp_call_p",
    "custom_vjp_call_jaxpr_p",
)
_CHECKPOINT = jax.make_jaxpr(jax.checkpoint(lambda x: x + 1))(jax.ShapeDtypeStruct((), np.float32)).eqns[0].primitive
FUNCTIONS = frozenset({*versions(core, *_NAMES), _CHECKPOINT})
"""Primitives that evaluate an inner jaxpr; that of `jax.checkpoint`, which old versions do not name, is read off a trace."""
CALLS = dict.fromkeys(FUNCTIONS, _call) | {core.scan_p: _scan}
"""Functions within functions: (arithmetic, parameters, operands, what is done) → outputs."""
OPERATIONS = tuple(sorted({primitive.name for primitive in (*RULES, *CALLS)}))
"""What a formula may use."""
