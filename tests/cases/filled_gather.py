r"""A place that is not there

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 100 \le 1 $$
Proof: None, it is false: it is filled with what is no number.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    beyond = u.ravel().at[jnp.asarray([10**6])].get(mode="fill")
    return jnp.max(jnp.where(jnp.isnan(beyond), 100.0, 0.0))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
