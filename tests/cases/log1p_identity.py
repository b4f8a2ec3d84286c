r"""An identity of log1p

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: equality
Statement: $$ log1p(-v) = log(1-v) $$
Proof: Both are $\log(1 - v)$.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    v = 0.4130 + 0.001 / (1 + jnp.sum(logits(problem, point.base) ** 2, axis=1))
    return jnp.log1p(-v)


def rhs(problem, point, constants):
    v = 0.4130 + 0.001 / (1 + jnp.sum(logits(problem, point.base) ** 2, axis=1))
    return jnp.log(1 - v)


derived = Form(lhs, rhs)
