r"""Equality through cancellation

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: equality
Statement: $$ u = u (1 + 1e-8) $$
Proof: None, it is false.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    b = 1e9 + jnp.abs(u)
    return (u + b) - b


def rhs(problem, point, constants):
    u = logits(problem, point.base)
    return u * (1 + 1e-8)


derived = Form(lhs, rhs)
