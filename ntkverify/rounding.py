"""Values with a bound on their rounding error, computed along with them.

`with_error(f)(*args)` evaluates f once more operation by operation, each value v̂ carrying a bound
e ≥ |v̂ − v|, v being what real arithmetic gives from the same floats.  The rules are those of
running error analysis (Higham 2002, §3.3): an operation adds u|v̂|, a sum or product of k terms adds
γ_k Σ|terms| (or a bound on that sum), an incoming error is carried on by the operation's own
derivative bound.  So the
allowance of a claim is computed from the sums at hand, and nobody guesses a tolerance.

What is taken for granted: basic operations and square roots round correctly, elementary functions
are right to `ULPS` units in the last place, the eigenvalue routine is backward stable with the
constant `EIGEN` n, and errors below the smallest normal number do not matter.  Comparisons that an error could turn make what they
select uncertain by the difference of the two cases.  An operation without a rule raises
`UnknownOperation`, which names it: no rule is ever guessed.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from ntkverify.numerics import gamma, unit_roundoff

ULPS = 4
"""Accuracy that is taken for granted of exp, log, tanh and the like, in units in the last place."""
EIGEN = 10
"""Backward error of an n×n symmetric eigenvalue problem: EIGEN · n · u · ‖A‖_F."""
_SAFETY = 1.01
"""Covers the roundings of the bounds themselves."""


class UnknownOperation(NotImplementedError):
    """The formula uses an operation whose rounding error is not modelled."""


class Bound(NamedTuple):
    """A value and a bound on its error.

    For floats the error is an array like the value, or None when exact.  For booleans it marks the
    entries that an error could flip.  Integers are exact.
    """

    value: jax.Array
    error: jax.Array | None = None

    @property
    def e(self) -> jax.Array:
        """The error as an array (zeros, or all certain, when exact)."""
        return jnp.zeros_like(self.value) if self.error is None else self.error


def with_error(function: Callable) -> Callable:
    """The function that returns (value, error bound) of `function`, pytrees alike.

    Its arguments count as exact.  Works under `jit`, `vmap` and `lax.map`.
    """

    @functools.wraps(function)
    def evaluated(*args):
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
        inputs = [Bound(jnp.asarray(leaf)) for leaf in jax.tree.leaves(args)]
        outputs = _evaluate(closed, inputs)
        tree = jax.tree.structure(shape)
        return (
            jax.tree.unflatten(tree, [bound.value for bound in outputs]),
            jax.tree.unflatten(tree, [_SAFETY * bound.e for bound in outputs]),
        )

    return evaluated


@jax.jit
def given(x):
    """x, taken as exact from here on: for claims that hold for every x, checked at the float at hand."""
    return x


def _evaluate(closed: ClosedJaxpr, inputs: list[Bound]) -> list[Bound]:
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, map(Bound, closed.consts), strict=True))
    known |= dict(zip(jaxpr.invars, inputs, strict=True))

    def read(atom) -> Bound:
        return (
            Bound(jnp.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None)))
            if isinstance(atom, Literal)
            else known[atom]
        )

    for equation in jaxpr.eqns:
        bounds = [read(atom) for atom in equation.invars]
        name = equation.primitive.name
        if name not in _RULES:
            raise UnknownOperation(f"no rounding rule for the operation {name!r}")
        outputs = _RULES[name](equation, *bounds)
        outputs = [outputs] if isinstance(outputs, Bound) else outputs
        known |= dict(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


_RULES: dict[str, Callable] = {}


def _rule(*names: str):
    def register(rule):
        for name in names:
            _RULES[name] = rule
        return rule

    return register


def _run(equation, *values):
    return equation.primitive.bind(*values, **equation.params)


def _real(x) -> bool:
    return jnp.issubdtype(x.dtype, jnp.floating)


def _u(value, ulps: int = 1):
    """The rounding of the operation itself; `value` is real.

    Near the bottom of the range, where that product would itself be flushed to zero, the smallest
    normal number stands in for it.
    """
    u, size = unit_roundoff(value.dtype), jnp.abs(value)
    tiny = jnp.finfo(value.dtype).tiny
    return ulps * u * size + jnp.where((size > 0) & (size < tiny / u), tiny, 0).astype(value.dtype)


def _flushed(value):
    """What a result that came out as zero may have lost."""
    return jnp.where(value == 0, jnp.finfo(value.dtype).tiny, 0).astype(value.dtype)


# Operations that move numbers about, or commute with taking the error.


@_rule(
    "broadcast_in_dim", "reshape", "transpose", "squeeze", "expand_dims", "slice", "rev", "copy",
    "copy_p", "stop_gradient", "dynamic_slice", "gather", "concatenate", "reduce_max", "reduce_or",
    "dynamic_update_slice", "stack",
)  # fmt: skip
def _moves(equation, *bounds):
    value = _run(equation, *(bound.value for bound in bounds))
    if all(bound.error is None for bound in bounds):
        return Bound(value)
    return Bound(value, _run(equation, *(b.e if _tracked(b) else b.value for b in bounds)))


def _tracked(bound: Bound) -> bool:
    return _real(bound.value) or bound.value.dtype == bool


@_rule("split", "unstack")
def _split(equation, bound):
    values = _run(equation, bound.value)
    errors = [None] * len(values) if bound.error is None else _run(equation, bound.error)
    return [Bound(*pair) for pair in zip(values, errors, strict=True)]


@_rule("reduce_min")
def _reduce_min(equation, bound):
    value = _run(equation, bound.value)
    return Bound(value, None if bound.error is None else jnp.max(bound.error, equation.params["axes"]))


@_rule("sort")
def _sort(equation, bound, *others):
    if others:
        raise UnknownOperation("no rounding rule for sorting several arrays by one")
    (value,) = _run(equation, bound.value)
    if bound.error is None:
        return [Bound(value)]
    worst = jnp.max(bound.error, equation.params["dimension"], keepdims=True)
    return [Bound(value, jnp.broadcast_to(worst, value.shape))]


@_rule("neg", "abs")
def _keeps(equation, bound):
    return Bound(_run(equation, bound.value), bound.error)


@_rule("max", "min")
def _lipschitz(equation, a, b):
    value = _run(equation, a.value, b.value)
    return Bound(value, None if a.error is None and b.error is None else jnp.maximum(a.e, b.e))


@_rule("clamp")
def _clamp(equation, low, x, high):
    return Bound(_run(equation, low.value, x.value, high.value), x.error)


# What comparisons decide.


@_rule("gt", "ge", "lt", "le", "eq", "ne")
def _compare(equation, a, b):
    value = _run(equation, a.value, b.value)
    if not _real(a.value) or (a.error is None and b.error is None):
        return Bound(value)
    error = a.e + b.e
    return Bound(value, (jnp.abs(a.value - b.value) <= error) & (error > 0))


@_rule("is_finite")
def _is_finite(equation, a):
    return Bound(_run(equation, a.value))


@_rule("and", "or", "not")
def _logic(equation, *bounds):
    value = _run(equation, *(bound.value for bound in bounds))
    if all(bound.error is None for bound in bounds):
        return Bound(value)
    return Bound(value, functools.reduce(jnp.logical_or, [bound.e for bound in bounds]))


@_rule("select_n")
def _select(equation, which, *cases):
    value = _run(equation, which.value, *(case.value for case in cases))
    if all(bound.error is None for bound in (which, *cases)):
        return Bound(value)
    if value.dtype == bool:
        error = _run(equation, which.value, *(case.e for case in cases))
        return Bound(value, error if which.error is None else error | which.error)
    if not _real(value):
        return Bound(value)
    error = _run(equation, which.value, *(case.e for case in cases))
    if which.error is None:
        return Bound(value, error)
    other = functools.reduce(jnp.maximum, [jnp.abs(case.value - value) + case.e for case in cases])
    return Bound(value, jnp.where(which.error, other, error))


@_rule("sign")
def _sign(equation, a):
    value = _run(equation, a.value)
    unsure = None if a.error is None else (jnp.abs(a.value) <= a.error) & (a.error > 0)
    return Bound(value, None if unsure is None else 2 * unsure.astype(value.dtype))


@_rule("convert_element_type")
def _convert(equation, a):
    value = _run(equation, a.value)
    if not _real(value):
        return Bound(value)
    if _real(a.value):
        narrower = jnp.finfo(value.dtype).eps > jnp.finfo(a.value.dtype).eps
        return Bound(value, a.e.astype(value.dtype) + _u(value) if narrower else a.error)
    return Bound(value, None if a.error is None else a.error.astype(value.dtype))


@_rule("iota")
def _iota(equation):
    return Bound(_run(equation))


# Arithmetic.


@_rule("add", "sub", "add_any")
def _add(equation, a, b):
    value = _run(equation, a.value, b.value)
    return Bound(value, a.e + b.e + _u(value)) if _real(value) else Bound(value)


@_rule("mul")
def _multiply(equation, a, b):
    value = _run(equation, a.value, b.value)
    if not _real(value):
        return Bound(value)
    error = _u(value) + jnp.where((a.value == 0) | (b.value == 0), 0, _flushed(value))
    if a.error is not None:
        error += a.error * (jnp.abs(b.value) + b.e)
    if b.error is not None:
        error += jnp.abs(a.value) * b.error
    return Bound(value, error)


@_rule("square")
def _square(equation, a):
    value = _run(equation, a.value)
    return Bound(value, _u(value) + a.e * (2 * jnp.abs(a.value) + a.e))


@_rule("integer_pow")
def _integer_pow(equation, a):
    value, power = _run(equation, a.value), equation.params["y"]
    error = abs(power) * _u(value)
    if a.error is None:
        return Bound(value, error)
    nearest = jnp.abs(a.value) - a.error if power < 0 else jnp.abs(a.value) + a.error
    slope = abs(power) * jnp.where(nearest > 0, nearest, 0) ** (power - 1)
    return Bound(value, error + a.error * slope)


@_rule("div")
def _divide(equation, a, b):
    value = _run(equation, a.value, b.value)
    if not _real(value):
        return Bound(value)
    error = _u(value) + jnp.where(a.value == 0, 0, _flushed(value))
    if a.error is None and b.error is None:
        return Bound(value, error)
    nearest = jnp.abs(b.value) - b.e
    carried = (a.e + jnp.abs(value) * b.e) / jnp.where(nearest > 0, nearest, 1)
    return Bound(value, error + jnp.where(nearest > 0, carried, jnp.inf))


@_rule("sqrt")
def _sqrt(equation, a):
    value = _run(equation, a.value)
    carried = jnp.minimum(jnp.sqrt(a.e), a.e / jnp.where(value > 0, value, 1))
    return Bound(value, _u(value) + jnp.where(value > 0, carried, jnp.sqrt(a.e)))


@_rule("reduce_sum")
def _sum(equation, a):
    value = _run(equation, a.value)
    if not _real(value):
        return Bound(value)
    terms = math.prod(a.value.shape[axis] for axis in equation.params["axes"])
    error = gamma(max(terms - 1, 0), value.dtype) * _run(equation, jnp.abs(a.value))
    return Bound(value, error if a.error is None else error + _run(equation, a.error))


@_rule("cumsum")
def _cumulative_sum(equation, a):
    terms = a.value.shape[equation.params["axis"]]
    error = gamma(max(terms - 1, 0), a.value.dtype) * _run(equation, jnp.abs(a.value))
    return Bound(_run(equation, a.value), error + _run(equation, a.e))


@_rule("dot_general")
def _dot(equation, a, b):
    """Σ|terms| ≤ ‖row of a‖ ‖column of b‖ (Cauchy–Schwarz): the bound costs no second product."""
    value = _run(equation, a.value, b.value)
    if not _real(value):
        return Bound(value)
    (of_a, of_b), _ = equation.params["dimension_numbers"]
    terms = math.prod(a.value.shape[axis] for axis in of_a)
    length_a, length_b = _length(a.value, of_a), _length(b.value, of_b)
    error_b = 0 if b.error is None else _length(b.error, of_b)
    error = _run(equation, length_a, gamma(terms, value.dtype) * length_b + error_b)
    if a.error is not None:
        error += _run(equation, _length(a.error, of_a), length_b + error_b)
    return Bound(value, error)


def _length(x, axes):
    """Euclidean length along `axes`, kept as axes of size 1; scaled, so that no square underflows."""
    top = jnp.max(jnp.abs(x), axes, keepdims=True, initial=0)
    scale = jnp.where(top > 0, top, 1)
    return top * jnp.sqrt(jnp.sum((x / scale) ** 2, axes, keepdims=True))


# Elementary functions: how far an error of the argument carries.


def _elementary(name: str, carried: Callable):
    def rule(equation, a):
        value = _run(equation, a.value)
        error = _u(value, ULPS)
        return Bound(value, error if a.error is None else error + carried(a.value, value, a.error))

    _RULES[name] = rule


def _log_error(x, _, e):
    return jnp.where(e < x, -jnp.log1p(-e / jnp.where(x > 0, x, 1)), jnp.inf)


def _growth(e):
    """At least exp(e) − 1: cheaper, and infinite where no digit of exp(x ± e) is left."""
    return jnp.where(e <= 1, e * (1 + e), jnp.inf)


_elementary("exp", lambda x, v, e: v * _growth(e))
_elementary("expm1", lambda x, v, e: (v + 1) * _growth(e))
_elementary("log", _log_error)
_elementary("log1p", lambda x, v, e: _log_error(1 + x, v, e))
_elementary("tanh", lambda x, v, e: jnp.minimum(e, 2 * e * jnp.exp(2 * e) / jnp.cosh(jnp.minimum(jnp.abs(x), 40)) ** 2))
_elementary("logistic", lambda x, v, e: jnp.minimum(e / 4, e * v * (1 - v) * jnp.exp(e)))
_elementary("sin", lambda x, v, e: e)
_elementary("cos", lambda x, v, e: e)
_exp_of_normal = _RULES["exp"]


@_rule("exp")
def _exp(equation, a):
    value, error = _exp_of_normal(equation, a)
    return Bound(value, error + _flushed(value))


@_rule("eigh")
def _eigh(equation, a):
    vectors, values = _run(equation, a.value)
    backward = EIGEN * values.shape[-1] * unit_roundoff(values.dtype) * jnp.linalg.norm(a.value)
    error = backward + jnp.linalg.norm(a.e)  # Weyl
    return [
        Bound(vectors, jnp.full_like(vectors, jnp.inf)),
        Bound(values, jnp.broadcast_to(error, values.shape)),
    ]


# Functions within functions.


@_rule("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2")
def _call(equation, *bounds):
    if equation.params.get("name") == "given":
        return [Bound(bound.value) for bound in bounds]
    inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
    return _evaluate(_closed(inner), list(bounds))


def _closed(jaxpr) -> ClosedJaxpr:
    return ClosedJaxpr(jaxpr, ()) if isinstance(jaxpr, Jaxpr) else jaxpr


def _dense(bound: Bound) -> Bound:
    """The error as an array wherever it can be one, so that a loop carries one structure."""
    return Bound(bound.value, bound.e if _tracked(bound) else None)


@_rule("scan")
def _scan(equation, *bounds):
    params = equation.params
    if "num_consts" in params:
        split, carried = params["num_consts"], params["num_carry"]
    else:  # JAX ≥ 0.12 keeps the three groups of arguments as trees
        split, carried, _ = (len(group) for group in params["ft_in"].unpack())
    constants = list(bounds[:split])
    start = [_dense(bound) for bound in bounds[split : split + carried]]
    rows = [_dense(bound) for bound in bounds[split + carried :]]

    def step(carry, row):
        outputs = [_dense(out) for out in _evaluate(_closed(params["jaxpr"]), constants + carry + row)]
        return outputs[:carried], outputs[carried:]

    last, stacked = lax.scan(step, start, rows, length=params["length"], reverse=params["reverse"])
    return [*last, *stacked]
