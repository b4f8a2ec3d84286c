"""Rules for arithmetic and for elementary functions, which are built from a few that each arithmetic supplies."""

import math
from collections.abc import Callable

from jax import lax
from jax.extend.core import primitives as core

from ntkverify.arithmetic.contract import Number
from ntkverify.arithmetic.discrete import Discrete
from ntkverify.arithmetic.primitives import gaussian_integral_p, second_order_p
from ntkverify.arithmetic.rules import all_discrete, constant, either, exactly, on, place, versions
from ntkverify.arithmetic.unknown import UnknownOperation

# Arithmetic.


def _plain(operation: Callable):
    """On Booleans and whole numbers as JAX has it, on numbers the arithmetic's own."""

    def rule(arith, equation, *operands):
        if all_discrete(operands):
            return exactly(arith, equation, *operands)
        return operation(arith, *operands)

    return rule


for _primitives, _operation in (
    ([lax.add_p, *versions(core, "add_jaxvals_p")], lambda arith, a, b: arith.add(a, b)),
    ([lax.sub_p], lambda arith, a, b: arith.subtract(a, b)),
    ([lax.mul_p], lambda arith, a, b: arith.multiply(a, b)),
    ([lax.div_p], lambda arith, a, b: arith.divide(a, b)),
    ([lax.neg_p], lambda arith, a: arith.negative(a)),
    ([lax.abs_p], lambda arith, a: arith.absolute(a)),
    ([lax.max_p], lambda arith, a, b: arith.larger(a, b)),
    ([lax.min_p], lambda arith, a, b: arith.smaller(a, b)),
    ([lax.clamp_p], lambda arith, low, a, high: arith.smaller(arith.larger(a, low), high)),
    (versions(lax, "square_p"), lambda arith, a: arith.square(a)),
    ([lax.sqrt_p], lambda arith, a: arith.root(a)),
    ([lax.exp_p], lambda arith, a: arith.exp(a)),
    ([lax.expm1_p], lambda arith, a: arith.expm1(a)),
    ([second_order_p], lambda arith, a: arith.second_order(a)),
    ([gaussian_integral_p], lambda arith, a: arith.gaussian_integral(a)),
    ([lax.log_p], lambda arith, a: arith.log(a)),
    ([lax.log1p_p], lambda arith, a: arith.log1p(a)),
):
    on(*_primitives)(_plain(_operation))


def _power(arith, a: Number, power: int, one: Number) -> Number:
    """a^power by squaring."""
    if power < 0:
        return arith.divide(one, _power(arith, a, -power, one))
    if power < 2:
        return (one, a)[power]
    half = arith.square(_power(arith, a, power // 2, one))
    return arith.multiply(half, a) if power % 2 else half


@on(lax.integer_pow_p)
def _integer_pow(arith, equation, a):
    if isinstance(a, Discrete):
        return exactly(arith, equation, a)
    return _power(arith, a, equation.params["y"], constant(arith, equation, 1.0))


def _built(function: Callable):
    """A function built from the arithmetic's own: (arithmetic, a, constant of one float) → number."""

    def rule(arith, equation, a):
        return function(arith, a, lambda value: constant(arith, equation, value))

    return rule


@on(lax.tanh_p)
@_built
def _tanh(arith, a, constant):
    """tanh|a| = −t/(2 + t) with t = expm1(−2|a|) in (−1, 0]; the sign of a."""
    t = arith.expm1(arith.multiply(constant(-2.0), arith.absolute(a)))
    positive = arith.divide(arith.negative(t), arith.add(constant(2.0), t))
    return either(arith, lax.lt_p, arith.possible(a, constant(0.0)), arith.negative(positive), positive)


@on(lax.logistic_p)
@_built
def _logistic(arith, a, constant):
    """1/(1 + z) for a ≥ 0 and z/(1 + z) below, z = e^{−|a|}: no power overflows."""
    z = arith.exp(arith.negative(arith.absolute(a)))
    whole = arith.add(constant(1.0), z)
    above, below = arith.divide(constant(1.0), whole), arith.divide(z, whole)
    return either(arith, lax.lt_p, arith.possible(a, constant(0.0)), below, above)


@on(lax.rsqrt_p)
@_built
def _reciprocal_root(arith, a, constant):
    return arith.divide(constant(1.0), arith.root(a))


@on(lax.cosh_p)
@_built
def _cosh(arith, a, constant):
    z = arith.exp(arith.absolute(a))
    return arith.multiply(constant(0.5), arith.add(z, arith.divide(constant(1.0), z)))


@on(lax.sinh_p)
@_built
def _sinh(arith, a, constant):
    """(t + t/(t + 1))/2 with t = expm1|a|, and the sign of a."""
    t = arith.expm1(arith.absolute(a))
    positive = arith.multiply(constant(0.5), arith.add(t, arith.divide(t, arith.add(t, constant(1.0)))))
    return either(arith, lax.lt_p, arith.possible(a, constant(0.0)), arith.negative(positive), positive)


@on(lax.erfc_p)
@_built
def _erfc(arith, a, constant):
    """1 − erf a, right to rounding of 1."""
    return arith.subtract(constant(1.0), _erf_of(arith, a, constant))


def _erf_of(arith, a, constant):
    """2/√π ∫₀ᵃ e^{−t²} dt; π is two floats up to 3e-33."""
    zero = arith.xp.zeros_like(arith.middle(a))
    pi = arith.widened(arith.add(constant(math.pi), constant(_PI_REST)), zero + 1e-32)
    return arith.multiply(arith.divide(constant(2.0), arith.root(pi)), arith.gaussian_integral(a))


on(lax.erf_p)(_built(_erf_of))
_PI_REST = 1.2246467991473532e-16


@on(lax.atan2_p)
def _atan2(arith, equation, y, x):
    """arctan of the smaller size over the larger, by arctan r = π/4 − arctan((1 − r)/(1 + r)) where r is large; then put into
    its octant.  Where y may be 0, beside the cut at π, both values are enclosed."""

    def number(value):
        return constant(arith, equation, value)

    def less(a, b):
        return arith.possible(a, b)

    def chosen(masks, otherwise, where):
        return either(arith, lax.lt_p, masks, where, otherwise)

    zero = arith.xp.zeros_like(arith.middle(arith.add(x, y)))
    pi = arith.widened(arith.add(number(math.pi), number(_PI_REST)), zero + 1e-32)
    high, wide = arith.absolute(y), arith.absolute(x)
    small, large = arith.smaller(high, wide), arith.larger(high, wide)
    ratio, one = arith.divide(small, large), number(1.0)
    turned = arith.divide(arith.subtract(large, small), arith.add(large, small))
    quarter = arith.multiply(number(0.25), pi)
    near = arith.arctangent(arith.smaller(ratio, number(_OCTANT)))
    far = arith.subtract(quarter, arith.arctangent(arith.smaller(turned, number(_OCTANT))))
    angle = chosen(less(number(_TANGENT), ratio), near, far)
    angle = chosen(less(wide, high), angle, arith.subtract(arith.multiply(number(2.0), quarter), angle))
    angle = chosen(less(x, number(0.0)), angle, arith.subtract(pi, angle))
    below, equal, above = less(y, number(0.0))  # a zero may have either sign: both values
    return arith.multiply(chosen((below | equal, equal, above | equal), one, arith.negative(one)), angle)


_TANGENT, _OCTANT = 3393 / 8192, 3395 / 8192
"""About tan(π/8), where both ways are as good, and a bound that arguments of both stay below, there and before it; exact in
every precision."""


@on(lax.pow_p)
def _pow(arith, equation, a, b):
    """e^{b log a}: for a > 0 only."""
    if isinstance(a, Discrete) or isinstance(b, Discrete):
        raise UnknownOperation(f"a power with whole numbers that vary{place(equation)}")
    return arith.exp(arith.multiply(b, arith.log(a)))
