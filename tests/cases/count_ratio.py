r"""Share of positive logits

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ share of positive logits <= 0.01 $$
Proof: None, it is false.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    positive = jnp.sum((u > 0).astype(u.dtype))
    negative = jnp.sum((u < 0).astype(u.dtype))
    return positive / (positive + negative) * jnp.ones(1)


def rhs(problem, point, constants):
    return jnp.asarray([0.01], problem.X.dtype)


derived = Form(lhs, rhs)
