r"""Rounding down

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ u <= floor(u) + 1e-9 $$
Proof: None, it is false.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = jnp.abs(logits(problem, point.base)) + 0.5
    return u


def rhs(problem, point, constants):
    u = jnp.abs(logits(problem, point.base)) + 0.5
    return u.astype(jnp.int32).astype(u.dtype) + 1e-9


derived = Form(lhs, rhs)
