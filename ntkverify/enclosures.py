"""Formulas in ball arithmetic: the jaxpr of a claim evaluated with every rounding enclosed (Arb).

`enclosed(f, bits)(*args)` reads the floats of `args` as exact real numbers and returns, for each
number that f computes, a ball that contains what real arithmetic gives from them.  So lhs < rhs is
proved at these floats when the balls lie apart, refuted when they lie apart the other way, and
undecided otherwise; nothing is taken for granted beyond Arb itself (Johansson 2017).

Floats become object arrays of `flint.arb`, integers stay exact, and a comparison that the balls do not
decide is None.  Eigenvalues: for any matrix Q with ‖QᵀQ − I‖ ≤ ε < 1, λ_k(QᵀAQ) = θ_k λ_k(A) with
θ_k ∈ [1 − ε, 1 + ε] (Ostrowski 1959), and |λ_k(D + E) − d_k| ≤ ‖E‖_F (Weyl); Q comes from an ordinary
eigenvalue routine and need not be right for the enclosure to be.  λ = 0 and repeated eigenvalues are
no exception.  An operation that is not in `OPERATIONS` raises `UnknownOperation` with its name.
"""

import functools
import itertools
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import flint
import jax
import mpmath
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from ntkverify.rounding import UnknownOperation

BITS = 128
"""Precision of a certificate."""
FIFTY_DIGITS = 170
"""Bits of the independent check."""
REFINED = 20
"""Eigenvectors of matrices up to this size are computed to the working precision, larger ones in float64."""


@contextmanager
def precision(bits: int):
    """Arb's and mpmath's working precision inside the block."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        with mpmath.workprec(bits):
            yield
    finally:
        flint.ctx.prec = before


def enclosed(function: Callable, bits: int = BITS) -> Callable:
    """The function that returns balls (object arrays of `flint.arb`; exact or None where boolean)."""

    return enclosed_by(ARB, function, bits)


@dataclass(frozen=True)
class Arithmetic:
    """How formulas are evaluated: what numbers are, and what operations do to them."""

    exact: Callable
    """An array of floats as exact numbers."""
    rule: Callable
    """The name of an operation → (params, *inputs) → an output, or a list of them; None where there is no rule."""
    middle: Callable
    """Enclosures → their midpoints, as exact numbers."""
    entrywise: Callable
    """(function of `flint.arb`, enclosures) → its enclosures."""
    taken: Callable = np.asarray
    """What a rule returns → an array of this arithmetic."""
    finished: Callable = lambda output: output
    """Enclosures → object arrays of `flint.arb`."""


def enclosed_by(arithmetic: Arithmetic, function: Callable, bits: int) -> Callable:
    """`enclosed` in an arithmetic of one's own."""

    @functools.wraps(function)
    def evaluated(*args):
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
        with precision(bits):
            outputs = _evaluate(arithmetic, closed, [_exact(arithmetic, leaf) for leaf in jax.tree.leaves(args)])
            outputs = [arithmetic.finished(output) for output in outputs]
        return jax.tree.unflatten(jax.tree.structure(shape), outputs)

    return evaluated


def _exact(arithmetic: Arithmetic, value):
    array = np.asarray(value)
    return arithmetic.exact(array) if np.issubdtype(array.dtype, np.floating) else array


def _balls(array) -> np.ndarray:
    return _each(lambda x: flint.arb(float(x)), np.asarray(array))


def _floats(value) -> np.ndarray:
    """Floats as exact numbers, integers and booleans as they are."""
    return _exact(ARB, value)


def _each(function: Callable, *arrays) -> np.ndarray:
    """The function on each entry, as an object array of the broadcast shape."""
    arrays = np.broadcast_arrays(*arrays)
    result = np.empty(arrays[0].shape, object)
    for index, entries in enumerate(zip(*(array.ravel() for array in arrays), strict=True)):
        result.reshape(-1)[index] = function(*entries)
    return result


def _evaluate(arithmetic: Arithmetic, closed: ClosedJaxpr, inputs: list) -> list:
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, (_exact(arithmetic, value) for value in closed.consts), strict=True))
    known |= dict(zip(jaxpr.invars, inputs, strict=True))

    def read(atom):
        if not isinstance(atom, Literal):
            return known[atom]
        return _exact(arithmetic, np.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None)))

    for equation in jaxpr.eqns:
        name, given = equation.primitive.name, list(map(read, equation.invars))
        if name in _CALLS:
            outputs = _CALLS[name](arithmetic, equation.params, *given)
        elif (rule := arithmetic.rule(name)) is not None:
            outputs = rule(equation.params, *given)
        else:
            raise UnknownOperation(f"no enclosure of the operation {name!r}")
        outputs = map(arithmetic.taken, outputs if isinstance(outputs, list) else [outputs])
        known |= dict(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


RULES: dict[str, Callable] = {}


def _rule(*names: str):
    def register(rule):
        for name in names:
            RULES[name] = rule
        return rule

    return register


def _real(x: np.ndarray) -> bool:
    return x.dtype == object and x.size > 0 and isinstance(x.flat[0], flint.arb)


# Operations that move numbers about.


@_rule("stop_gradient", "copy", "copy_p")
def _same(params, x):
    return x


@_rule("broadcast_in_dim")
def _broadcast(params, x):
    shape = [1] * len(params["shape"])
    for size, place in zip(x.shape, params["broadcast_dimensions"], strict=True):
        shape[place] = size
    return np.broadcast_to(x.reshape(shape), params["shape"])


@_rule("reshape")
def _reshape(params, x):
    return x.reshape(params["new_sizes"])


@_rule("squeeze")
def _squeeze(params, x):
    return np.squeeze(x, tuple(params["dimensions"]))


@_rule("expand_dims")
def _expand(params, x):
    return np.expand_dims(x, tuple(params["dimensions"]))


@_rule("transpose")
def _transpose(params, x):
    return x.transpose(params["permutation"])


@_rule("rev")
def _rev(params, x):
    return np.flip(x, tuple(params["dimensions"]))


@_rule("slice")
def _slice(params, x):
    strides = params["strides"] or (1,) * x.ndim
    return x[
        tuple(slice(*each) for each in zip(params["start_indices"], params["limit_indices"], strides, strict=True))
    ]


@_rule("dynamic_slice")
def _dynamic_slice(params, x, *starts):
    sizes = params["slice_sizes"]
    places = [min(max(int(start), 0), have - size) for start, have, size in zip(starts, x.shape, sizes, strict=True)]
    return x[tuple(slice(place, place + size) for place, size in zip(places, sizes, strict=True))]


@_rule("concatenate")
def _concatenate(params, *parts):
    return np.concatenate(parts, params["dimension"])


@_rule("stack")
def _stack(params, *parts):
    return np.stack(parts, params["axis"])


@_rule("split")
def _split(params, x):
    return np.split(x, np.cumsum(params["sizes"])[:-1], params["axis"])


@_rule("unstack")
def _unstack(params, x):
    return [np.take(x, index, params["axis"]) for index in range(x.shape[params["axis"]])]


@_rule("iota")
def _iota(params):
    shape, place = params["shape"], params["dimension"]
    counted = np.arange(shape[place]).reshape([-1 if axis == place else 1 for axis in range(len(shape))])
    return _floats(np.broadcast_to(counted, shape).astype(params["dtype"]))


@_rule("convert_element_type")
def _convert(params, x):
    if _real(x):
        return x
    return _floats(x.astype(params["new_dtype"])) if x.dtype != object else x


# Comparisons: True, False, or None where the balls overlap.

_ORDER = {
    "gt": (lambda a, b: a > b, lambda a, b: a <= b),
    "ge": (lambda a, b: a >= b, lambda a, b: a < b),
    "lt": (lambda a, b: a < b, lambda a, b: a >= b),
    "le": (lambda a, b: a <= b, lambda a, b: a > b),
    "eq": (lambda a, b: a == b, lambda a, b: a != b),
    "ne": (lambda a, b: a != b, lambda a, b: a == b),
}


def _ordering(name: str):
    yes, no = _ORDER[name]

    def rule(params, a, b):
        if not (_real(a) or _real(b)):
            return np.asarray(yes(a, b))
        return _each(lambda x, y: True if yes(x, y) else False if no(x, y) else None, a, b)

    RULES[name] = rule


for _name in _ORDER:
    _ordering(_name)


@_rule("and")
def _and(params, a, b):
    if a.dtype != object and b.dtype != object:
        return a & b
    return _each(lambda x, y: False if x is False or y is False else None if x is None or y is None else True, _words(a), _words(b))  # fmt: skip


@_rule("or")
def _or(params, a, b):
    if a.dtype != object and b.dtype != object:
        return a | b
    return _each(lambda x, y: True if x is True or y is True else None if x is None or y is None else False, _words(a), _words(b))  # fmt: skip


@_rule("not")
def _not(params, a):
    return ~a if a.dtype != object else _each(lambda x: None if x is None else not x, a)


def _words(a: np.ndarray) -> np.ndarray:
    return a if a.dtype == object else _each(bool, a)


@_rule("is_finite")
def _is_finite(params, a):
    return _each(lambda x: bool(x.is_finite()), a)


@_rule("select_n")
def _select(params, which, *cases):
    def pick(chosen, *entries):
        if chosen is not None:
            return entries[int(chosen)]
        return functools.reduce(lambda x, y: x.union(y), entries) if isinstance(entries[0], flint.arb) else None

    if which.dtype != object and cases[0].dtype != object:
        return np.choose(which.astype(int), cases)
    return _each(pick, which, *cases)


@_rule("reduce_or", "reduce_and")
def _reduce_words(params, a):
    raise UnknownOperation("no enclosure of a reduction of booleans")


# Arithmetic.


def _elementwise(name: str, function: Callable, exact: Callable | None = None):
    def rule(params, *arrays):
        if not any(_real(array) for array in arrays):
            return np.asarray((exact or function)(*arrays))
        return _each(function, *arrays)

    RULES[name] = rule


def _root(x):
    """√x where the true x ≥ 0: the ball may reach below zero by rounding, never lie below it."""
    return (x.nonnegative_part() if x.upper() >= 0 else x).sqrt()


def _maximum(x, y):
    return x.max(y)


def _minimum(x, y):
    return x.min(y)


_elementwise("add", lambda x, y: x + y)
_elementwise("add_any", lambda x, y: x + y)
_elementwise("sub", lambda x, y: x - y)
_elementwise("mul", lambda x, y: x * y)
_elementwise("div", lambda x, y: x / y, lambda x, y: x // y)
_elementwise("neg", lambda x: -x)
_elementwise("abs", abs)
_elementwise("sign", lambda x: x.sgn(), np.sign)
_elementwise("max", _maximum, np.maximum)
_elementwise("min", _minimum, np.minimum)
_elementwise("square", lambda x: _power(x, 2))
_elementwise("sqrt", _root)
_elementwise("exp", lambda x: x.exp())
_elementwise("expm1", lambda x: x.expm1())
_elementwise("log", lambda x: x.log())
_elementwise("log1p", lambda x: x.log1p())
_elementwise("tanh", lambda x: x.tanh())
_elementwise("logistic", lambda x: 1 / (1 + (-x).exp()))
_elementwise("sin", lambda x: x.sin())
_elementwise("cos", lambda x: x.cos())


@_rule("clamp")
def _clamp(params, low, x, high):
    return _each(lambda a, b, c: a.max(b).min(c), low, x, high)


@_rule("integer_pow")
def _integer_pow(params, x):
    power = params["y"]
    return _each(lambda entry: _power(entry, power), x) if _real(x) else x**power


def _power(x, power: int):
    """x^power by multiplication: Arb's own power of a ball that contains 0 is no number."""
    factor = abs(x) if power % 2 == 0 else x
    product = functools.reduce(lambda a, b: a * b, [factor] * abs(power), flint.arb(1))
    return product if power >= 0 else 1 / product


def _reduction(name: str, function: Callable, exact: Callable):
    def rule(params, x):
        axes = tuple(params["axes"])
        if x.dtype == object and any(entry is None for entry in x.flat):
            raise UnknownOperation(f"{name!r} of comparisons that the balls do not decide")
        if not _real(x):
            return np.asarray(exact(x, axis=axes))
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        rows = x.transpose(kept + list(axes)).reshape([x.shape[axis] for axis in kept] + [-1])
        result = np.empty(rows.shape[:-1], object)
        for index in np.ndindex(*rows.shape[:-1]):
            result[index] = functools.reduce(function, rows[index])
        return result

    RULES[name] = rule


_reduction("reduce_sum", lambda x, y: x + y, np.sum)
_reduction("reduce_max", _maximum, np.max)
_reduction("reduce_min", _minimum, np.min)


@_rule("dot_general")
def _dot(params, a, b):
    (of_a, of_b), (batch_a, batch_b) = params["dimension_numbers"]
    free_a = [axis for axis in range(a.ndim) if axis not in (*of_a, *batch_a)]
    free_b = [axis for axis in range(b.ndim) if axis not in (*of_b, *batch_b)]
    batch, left = [a.shape[axis] for axis in batch_a], [a.shape[axis] for axis in free_a]
    right, terms = [b.shape[axis] for axis in free_b], int(np.prod([a.shape[axis] for axis in of_a]))
    rows = a.transpose([*batch_a, *free_a, *of_a]).reshape(*batch, -1, terms)
    columns = b.transpose([*batch_b, *of_b, *free_b]).reshape(*batch, terms, -1)
    result = np.empty((*batch, rows.shape[-2], columns.shape[-1]), object)
    for index in np.ndindex(*batch):
        product = flint.arb_mat(rows[index].tolist()) * flint.arb_mat(columns[index].tolist())
        result[index] = np.array(product.tolist(), object).reshape(result[index].shape)
    return result.reshape(*batch, *left, *right)


@_rule("eigh")
def _eigh(params, a):
    vectors = np.empty(a.shape, object)
    vectors[...] = flint.arb("nan")
    values = np.empty(a.shape[:-1], object)
    for index in np.ndindex(*a.shape[:-2]):
        values[index] = eigenvalues(a[index])
    return [vectors, values]


def eigenvalues(A: np.ndarray) -> np.ndarray:
    """Balls that contain the eigenvalues, ascending, of every symmetric matrix in the ball matrix A."""
    size = len(A)
    middle = np.array([[float(entry.mid()) for entry in row] for row in A])
    if not np.isfinite(middle).all():
        return _each(lambda _: flint.arb("nan"), np.empty(size))
    Q, ball = _eigenvectors(A, (middle + middle.T) / 2), flint.arb_mat(A.tolist())
    tilted, identity = Q.transpose() * ball * Q, Q.transpose() * Q
    epsilon = _frobenius(identity[i, j] - (i == j) for i, j in itertools.product(range(size), repeat=2))
    diagonal = [tilted[k, k].mid() for k in range(size)]
    rest = _frobenius(
        tilted[i, j] - (diagonal[i] if i == j else 0) for i, j in itertools.product(range(size), repeat=2)
    )
    if not epsilon < 1:
        return _each(lambda _: flint.arb("nan"), np.empty(size))
    stretch, near = 1 + flint.arb(0, epsilon.upper()), flint.arb(0, rest.upper())
    return np.array([(value + near) / stretch for value in sorted(diagonal, key=float)], object)


def _eigenvectors(A: np.ndarray, middle: np.ndarray):
    """Approximate eigenvectors as an exact matrix."""
    if len(A) > REFINED:
        return flint.arb_mat(_balls(np.linalg.eigh(middle)[1]).tolist())
    digits = mpmath.mp.dps + 5
    symmetric = mpmath.matrix([[mpmath.mpf(entry.mid().str(digits, radius=False)) for entry in row] for row in A])
    _, vectors = mpmath.eigsy((symmetric + symmetric.T) / 2)
    return flint.arb_mat(
        [[flint.arb(mpmath.nstr(vectors[i, j], digits)).mid() for j in range(len(A))] for i in range(len(A))]
    )


def _frobenius(entries):
    return _root(sum((_power(entry, 2) for entry in entries), flint.arb(0)))


# Functions within functions.

_MEANT = {"second_order": lambda z: z.expm1() - z}
"""What a named function means, where its floating-point form is an approximation (a series cut off)."""


def _call(arithmetic: Arithmetic, params, *inputs):
    if params.get("name") in _MEANT:
        return [arithmetic.entrywise(_MEANT[params["name"]], x) for x in inputs]
    if params.get("name") == "given":
        return [arithmetic.middle(x) for x in inputs]
    return _evaluate(arithmetic, _closed(params.get("jaxpr", params.get("call_jaxpr"))), list(inputs))


def _closed(jaxpr) -> ClosedJaxpr:
    return ClosedJaxpr(jaxpr, ()) if isinstance(jaxpr, Jaxpr) else jaxpr


def _scan(arithmetic: Arithmetic, params, *inputs):
    if "num_consts" in params:
        split, carried = params["num_consts"], params["num_carry"]
    else:  # JAX ≥ 0.12 keeps the three groups of arguments as trees
        split, carried, _ = (len(group) for group in params["ft_in"].unpack())
    constants, carry, rows = list(inputs[:split]), list(inputs[split : split + carried]), inputs[split + carried :]
    places = range(params["length"])
    stacked = []
    stack = arithmetic.rule("stack")
    for place in reversed(places) if params["reverse"] else places:
        slices = [arithmetic.taken(row[place]) for row in rows]
        outputs = _evaluate(arithmetic, _closed(params["jaxpr"]), constants + carry + slices)
        carry = outputs[:carried]
        stacked.append(outputs[carried:])
    if params["reverse"]:
        stacked.reverse()
    return [*carry, *(stack({"axis": 0}, *part) for part in zip(*stacked, strict=True))]


_CALLS = dict.fromkeys(
    ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2"), _call
) | {"scan": _scan}
ARB = Arithmetic(
    exact=_balls,
    rule=RULES.get,
    middle=lambda x: _balls(_each(lambda entry: float(entry.mid()), x)) if _real(x) else x,
    entrywise=_each,
)
OPERATIONS = tuple(sorted({*RULES, *_CALLS}))
"""What a formula may use."""
