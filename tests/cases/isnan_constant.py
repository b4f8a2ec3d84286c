r"""A guard of a constant

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 100 \le 1 $$
Proof: None, it is false: the guarded constant is no number.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    none = jnp.full_like(u, jnp.nan)
    return jnp.max(jnp.where(jnp.isnan(none), 100.0, 0.0 * u))


def rhs(problem, point, constants):
    return jnp.ones(()) * jnp.sqrt(jnp.sum(problem.X**2) * 0 + 1)


derived = Form(lhs, rhs)
