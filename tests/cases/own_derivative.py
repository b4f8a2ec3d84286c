r"""A function with a derivative of its own

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 2 \max|u| \le 1.5 \max|u| $$
Proof: None, it is false:
"""

import jax
import jax.numpy as jnp

from ntkverify.lemma import Form, logits


@jax.custom_jvp
def doubled(x):
    return 2 * x


@doubled.defjvp
def _(primals, tangents):
    return primals[0], tangents[0]


def lhs(problem, point, constants):
    return doubled(jnp.max(jnp.abs(logits(problem, point.base))))


def rhs(problem, point, constants):
    return 1.5 * jnp.max(jnp.abs(logits(problem, point.base)))


derived = Form(lhs, rhs)
