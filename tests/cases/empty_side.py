r"""An empty side

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ empty $$
Proof: None, it is false.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    return logits(problem, point.base)[:0]


def rhs(problem, point, constants):
    return jnp.zeros((0, problem.m)) - 1


derived = Form(lhs, rhs)
