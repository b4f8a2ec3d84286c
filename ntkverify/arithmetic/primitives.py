"""Operations of our own in formulas.  They are recognised by identity, so no name that a formula uses can be taken for them."""

import math

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from ntkverify.arithmetic.elementary import exponentials

given_p = Primitive("ntkverify.given")
second_order_p = Primitive("ntkverify.second_order")
gaussian_integral_p = Primitive("ntkverify.gaussian_integral")


def given(x):
    """x, a number or an array, taken as exact from here on: for claims that hold for every x, checked at the float at hand.

    Source: docs/trust.md, line 12.
    """
    return given_p.bind(jnp.asarray(x))


def second_order(z):
    """e^z − 1 − z of a number or an array, to its last digits for small z too.  Source: docs/trust.md, line 5."""
    return second_order_p.bind(jnp.asarray(z))


def gaussian_integral(x):
    """∫₀ˣ e^{−t²} dt = √π/2 erf x, whose derivative has no constant that is no float."""
    return gaussian_integral_p.bind(jnp.asarray(x))


for _primitive, _meaning in (
    (given_p, lambda x: x),
    (second_order_p, lambda z: exponentials(z, jnp)[2]),
    (gaussian_integral_p, lambda x: jax.scipy.special.erf(x) * (math.sqrt(math.pi) / 2)),
):
    _primitive.def_impl(_meaning)
    _primitive.def_abstract_eval(lambda x: x)
    mlir.register_lowering(_primitive, mlir.lower_fun(_meaning, multiple_results=False))
    batching.defvectorized(_primitive)
ad.deflinear2(given_p, lambda cotangent, _: [cotangent])
ad.defjvp(second_order_p, lambda tangent, z: tangent * jnp.expm1(z))
ad.defjvp(gaussian_integral_p, lambda tangent, x: tangent * jnp.exp(-(x**2)))
