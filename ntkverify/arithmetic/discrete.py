"""Booleans and whole numbers that comparisons made: known, or only known to lie between two values.

A `Discrete` is an interval [low, high] of the values of its dtype, False < True; without `high` it is known.  So a mask
whose comparison is undecided, a count of such a mask, and what is selected by it carry their doubt along.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from ntkverify.arithmetic.unknown import UnknownOperation


class Discrete(NamedTuple):
    """Every value lies in [low, high], entry by entry; `high` None: equal to low."""

    low: Any
    high: Any = None

    @property
    def top(self) -> Any:
        return self.low if self.high is None else self.high

    @property
    def sure(self) -> bool:
        """Whether nothing is in doubt, whatever the numbers are."""
        return self.high is None


def _limits(dtype) -> tuple:
    return (False, True) if dtype == np.bool_ else (jnp.iinfo(dtype).min, jnp.iinfo(dtype).max)


def _guarded(low, high, fits, xp) -> Discrete:
    """[low, high] where the arithmetic on both ends cannot have wrapped around, everything elsewhere."""
    least, most = _limits(low.dtype)
    return Discrete(xp.where(fits, low, least).astype(low.dtype), xp.where(fits, high, most).astype(low.dtype))


def _small(bits: int, dtype, xp, *operands: Discrete):
    """Whether every end is below 2^bits in size (halves of the range: their sum does not wrap)."""
    most = 2 ** max(bits, 0)
    fits = True
    for operand in operands:
        for end in (operand.low, operand.top):
            fits = (
                fits & (end > -most) & (end < most) if jnp.issubdtype(dtype, jnp.signedinteger) else fits & (end < most)
            )
    return fits


def _width(dtype) -> int:
    return jnp.iinfo(dtype).bits - 2


MONOTONE = frozenset({lax.and_p, lax.or_p, lax.max_p, lax.min_p, lax.reduce_or_p, lax.reduce_and_p, lax.reduce_max_p, lax.reduce_min_p, lax.clamp_p, lax.sort_p})  # fmt: skip
"""Operations that grow with each operand and never leave the range."""
EXACT = MONOTONE | {
    lax.not_p, lax.xor_p, lax.add_p, lax.sub_p, lax.mul_p, lax.neg_p, lax.abs_p, lax.sign_p, lax.div_p, lax.rem_p,
    lax.integer_pow_p, lax.square_p, lax.reduce_sum_p, lax.dot_general_p, lax.cumsum_p, lax.iota_p,
    lax.lt_p, lax.le_p, lax.gt_p, lax.ge_p, lax.eq_p, lax.ne_p,
    lax.shift_left_p, lax.shift_right_logical_p, lax.shift_right_arithmetic_p, lax.argmax_p, lax.argmin_p,
}  # fmt: skip
"""Operations on whole numbers and Booleans that JAX defines exactly: known operands give a known result."""


def evaluate(run, primitive, params, xp, *operands: Discrete) -> Discrete:
    """The operation on Booleans and whole numbers; `run` applies it to arrays."""
    if all(operand.sure for operand in operands):
        found = run(*(operand.low for operand in operands))
        return Discrete(found[0] if isinstance(found, list | tuple) else found)
    dtype, lows, highs = operands[0].low.dtype, [x.low for x in operands], [x.top for x in operands]
    if primitive in MONOTONE:
        if dtype != np.bool_ and primitive in (lax.and_p, lax.or_p, lax.reduce_and_p, lax.reduce_or_p):
            raise UnknownOperation("bits of whole numbers that comparisons do not decide")
        low, high = run(*lows), run(*highs)
        return Discrete(*(end[0] if isinstance(end, list | tuple) else end for end in (low, high)))
    if primitive is lax.not_p and dtype == np.bool_:
        return Discrete(run(*highs), run(*lows))
    if primitive in ORDER:
        (a, b) = operands
        return ordered(primitive, a.low < b.top, (a.low <= b.top) & (b.low <= a.top), a.top > b.low)
    if primitive in (lax.add_p, lax.neg_p, lax.sub_p):
        last = highs[1:] if primitive is lax.add_p else lows[1:]
        first = lows[1:] if primitive is lax.add_p else highs[1:]
        ends = (run(*highs), run(*lows)) if primitive is lax.neg_p else (run(lows[0], *first), run(highs[0], *last))
        return _guarded(
            *ends, _small(_width(dtype), dtype, xp, *operands) & jnp.issubdtype(dtype, jnp.signedinteger), xp
        )
    if primitive is lax.reduce_sum_p:
        terms = int(np.prod([lows[0].shape[axis] for axis in params["axes"]]))
        fits = xp.all(_small(_width(dtype) - terms.bit_length(), dtype, xp, *operands), axis=tuple(params["axes"]))
        return _guarded(run(*lows), run(*highs), fits, xp)
    if primitive is lax.mul_p:
        ends = [run(a, b) for a in (lows[0], highs[0]) for b in (lows[1], highs[1])]
        low, high = ends[0], ends[0]
        for end in ends[1:]:
            low, high = xp.minimum(low, end), xp.maximum(high, end)
        return _guarded(low, high, _small(_width(dtype) // 2, dtype, xp, *operands), xp)
    raise UnknownOperation(f"{primitive.name!r} of whole numbers that comparisons do not decide")


ORDER = {
    lax.lt_p: lambda less, equal, greater: (~(equal | greater), less),
    lax.gt_p: lambda less, equal, greater: (~(equal | less), greater),
    lax.le_p: lambda less, equal, greater: (~greater, less | equal),
    lax.ge_p: lambda less, equal, greater: (~less, greater | equal),
    lax.eq_p: lambda less, equal, greater: (~(less | greater), equal),
    lax.ne_p: lambda less, equal, greater: (~equal, less | greater),
}
"""Comparisons from what is possible: (certainly true, possibly true)."""


def ordered(primitive, less, equal, greater) -> Discrete:
    """The comparison of two operands of which `less`, `equal`, `greater` are possible, as masks."""
    return Discrete(*ORDER[primitive](less, equal, greater))


def chosen(which: Discrete, cases: list[Discrete], xp) -> Discrete:
    """select_n between whole numbers or Booleans."""
    pick = lambda ends: _select(which.low, ends, xp)  # noqa: E731
    low, high = pick([case.low for case in cases]), pick([case.top for case in cases])
    if which.sure:
        return Discrete(low) if all(case.sure for case in cases) else Discrete(low, high)
    unsure = which.low != which.top
    for case in cases:
        low = xp.where(unsure & (case.low < low), case.low, low)
        high = xp.where(unsure & (case.top > high), case.top, high)
    return Discrete(low, high)


def _select(which, cases, xp):
    if xp is jnp:
        return lax.select_n(which, *cases)
    return np.choose(np.asarray(which).astype(int), cases)


def converted(x: Discrete, dtype, xp) -> Discrete:
    """To another dtype of Booleans or whole numbers."""
    if dtype == np.bool_:
        if x.sure:
            return Discrete(x.low != 0)
        zero, other = (x.low <= 0) & (x.top >= 0), (x.low != 0) | (x.top != 0)
        return Discrete(~zero, other)
    if x.sure:
        return Discrete(x.low.astype(dtype))
    if x.low.dtype == np.bool_ or (
        _limits(dtype)[0] <= _limits(x.low.dtype)[0] and _limits(x.low.dtype)[1] <= _limits(dtype)[1]
    ):
        return Discrete(x.low.astype(dtype), x.top.astype(dtype))
    return _guarded(
        x.low.astype(dtype),
        x.top.astype(dtype),
        _small(jnp.iinfo(dtype).bits - 1, x.low.dtype, xp, x) & (x.low >= 0),
        xp,
    )


def is_discrete(dtype) -> bool:
    """Whether the dtype is Boolean or of whole numbers."""
    return bool(dtype == np.bool_ or jnp.issubdtype(dtype, jnp.integer))
