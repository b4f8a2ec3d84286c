r"""A column against a row

Source: case
Setting: Any network, a point $W$ and a point $\widetilde W$.
Measured: Both sides at every drawn point.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ a \le b $$
Proof: By construction.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, c):
    return jnp.max(jnp.abs(logits(problem, point.base)), axis=1)


def rhs(problem, point, c):
    return jnp.sqrt(jnp.max(jnp.sum(point.base.W**2, axis=0))) * jnp.linalg.norm(problem.X, axis=1, keepdims=True)


derived = Form(lhs, rhs)
