r"""A helper named like one of the package

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 2 + u^2 \le 1 $$
Proof: None, it is false:
"""

import jax
import jax.numpy as jnp

from ntkverify.lemma import Form, logits


@jax.jit
def second_order(x):
    return 2 + x**2


def lhs(problem, point, constants):
    return second_order(jnp.max(jnp.abs(logits(problem, point.base))))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
