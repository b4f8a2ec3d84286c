"""Rules for what makes no new numbers: putting them into other places, comparing, selecting, converting."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import primitives as core

from ntkverify.arithmetic import discrete
from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.primitives import given_p
from ntkverify.arithmetic.rules import all_discrete, constant, exactly, on, place, versions
from ntkverify.arithmetic.unknown import UnknownOperation

# Putting numbers into other places.


def _moves(arith, equation, *operands):
    return _moved(arith, equation, operands, ())


def _moves_first(count: int):
    """The first `count` operands are moved; the others are places."""

    def rule(arith, equation, *operands):
        if equation.params.get("fill_value") is not None:
            raise UnknownOperation(f"a fill value in {equation.primitive.name!r}{place(equation)}")
        places = operands[count:]
        if not all(isinstance(place, Discrete) and place.sure for place in places):
            raise UnknownOperation(
                f"places that comparisons do not decide, in {equation.primitive.name!r}{place(equation)}"
            )
        return _moved(arith, equation, operands[:count], tuple(place.low for place in places))

    return rule


def _moved(arith, equation, operands, places):
    def move(*arrays):
        return equation.primitive.bind(*arrays, *places, **equation.params)

    if not all_discrete(operands):
        return arith.moved(move, *operands)

    def run(*arrays):
        found = move(*map(jnp.asarray, arrays))
        found = found if isinstance(found, list | tuple) else [found]
        return list(found) if arith.xp is jnp else [np.asarray(x) for x in found]

    lows = run(*(x.low for x in operands))
    if all(x.sure for x in operands):
        return [Discrete(low) for low in lows]
    return [Discrete(*ends) for ends in zip(lows, run(*(x.top for x in operands)), strict=True)]


on(
    lax.broadcast_in_dim_p, lax.reshape_p, lax.transpose_p, lax.squeeze_p, lax.slice_p, lax.rev_p,
    lax.concatenate_p, lax.pad_p, *versions(lax, "split_p", "stack_p", "unstack_p", "tile_p", "expand_dims_p"),
)(_moves)  # fmt: skip
on(lax.dynamic_slice_p, lax.gather_p)(_moves_first(1))
on(lax.dynamic_update_slice_p)(_moves_first(2))


@on(
    lax.copy_p, lax.optimization_barrier_p,
    *versions(lax, "stop_gradient_p", "sharding_constraint_p"), *versions(core, "device_put_p", "name_p", "copy_p", "stop_gradient_p"),
)  # fmt: skip
def _same(arith, equation, *operands):
    return list(operands)


# Decisions.


@on(*discrete.ORDER)
def _compare(arith, equation, a, b):
    if all_discrete((a, b)):
        return exactly(arith, equation, a, b)
    if equation.invars[0] is equation.invars[1]:  # x ≠ x asks whether x is a number
        known = arith.known(a)
        return discrete.ordered(equation.primitive, ~known, known | True, ~known)
    return discrete.ordered(equation.primitive, *arith.possible(a, b))


@on(lax.is_finite_p)
def _is_finite(arith, equation, a):
    known = arith.known(a)
    return Discrete(known, known | True)


@on(lax.not_p, lax.and_p, lax.or_p, lax.xor_p, lax.rem_p, lax.reduce_or_p, lax.reduce_and_p, lax.shift_left_p,
       lax.shift_right_logical_p, lax.shift_right_arithmetic_p, lax.argmax_p, lax.argmin_p)  # fmt: skip
def _whole(arith, equation, *operands):
    if all_discrete(operands):
        return exactly(arith, equation, *operands)
    raise UnknownOperation(f"{equation.primitive.name!r} of real numbers{place(equation)}")


@on(lax.select_n_p)
def _select(arith, equation, which, *cases):
    if all_discrete(cases):
        return discrete.chosen(which, list(cases), arith.xp)
    return arith.chosen(which.low, None if which.sure else which.low != which.top, list(cases))


@on(lax.sign_p)
def _sign(arith, equation, a):
    if isinstance(a, Discrete):
        return exactly(arith, equation, a)
    dtype = equation.outvars[0].aval.dtype
    less, equal, greater = arith.possible(a, constant(arith, equation, 0.0))
    one, zero = dtype.type(1), dtype.type(0)
    low = arith.xp.where(less, -one, arith.xp.where(equal, zero, one))
    return arith.between(low, arith.xp.where(greater, one, arith.xp.where(equal, zero, -one)), dtype)


def _stepwise(function: str):
    """A step function that never decreases: what it makes of both ends."""

    def rule(arith, equation, a):
        ends = (getattr(arith.xp, function)(end) for end in arith.ends(a))
        return arith.between(*ends, equation.outvars[0].aval.dtype)

    return rule


on(lax.floor_p)(_stepwise("floor"))
on(lax.ceil_p)(_stepwise("ceil"))


@on(lax.convert_element_type_p)
def _convert(arith, equation, a):
    dtype, xp = np.dtype(equation.params["new_dtype"]), arith.xp
    if discrete.is_discrete(dtype):
        return discrete.converted(a, dtype, xp) if isinstance(a, Discrete) else _whole_part(arith, a, dtype)
    if not isinstance(a, Discrete):
        return arith.rounded(a, dtype)
    size = 0 if a.low.dtype == np.bool_ else jnp.iinfo(a.low.dtype).bits
    low, high = (end.astype(dtype) for end in (a.low, a.top))
    found = arith.exact(low) if a.sure else arith.between(low, high, dtype)
    if size <= np.finfo(dtype).nmant + 1:
        return found
    largest = xp.maximum(xp.abs(low), xp.abs(high))
    return arith.widened(
        found, xp.where(largest > 2.0 ** np.finfo(dtype).nmant, largest * np.finfo(dtype).eps, 0).astype(dtype)
    )


def _whole_part(arith, a, dtype) -> Discrete:
    """Float → Boolean (is it not 0?) or whole number (towards 0), known where both ends agree."""
    xp = arith.xp
    low, high = arith.ends(a)
    if dtype == np.bool_:
        less, equal, greater = arith.possible(a, arith.exact(xp.zeros_like(low)))
        return discrete.ordered(lax.ne_p, less, equal, greater)
    info, most = jnp.iinfo(dtype), 2.0 ** (jnp.iinfo(dtype).bits - 2)
    fits = (low > -most) & (high < most) & (low >= float(max(info.min, -most)))
    ends = [xp.where(fits, xp.trunc(end), 0).astype(dtype) for end in (low, high)]
    return Discrete(
        *(xp.where(fits, end, limit).astype(dtype) for end, limit in zip(ends, (info.min, info.max), strict=True))
    )


# Our own.


@on(given_p)
def _given(arith, equation, x):
    return x if isinstance(x, Discrete) else arith.given(x)
