r"""A helper of the lemma's own

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 2 max|u| <= 1.5 max|u| $$
Proof: None, it is false.
"""

import jax
import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def given(u):
    return 2 * u


halved = jax.jit(given)


def lhs(problem, point, constants):
    return halved(jnp.max(jnp.abs(logits(problem, point.base))))  # = 2 max|u|


def rhs(problem, point, constants):
    return jnp.max(jnp.abs(logits(problem, point.base))) * 1.5


derived = Form(lhs, rhs)
