r"""What is no number, replaced

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 100 \le 1 $$
Proof: None, it is false: the root of a negative number is replaced by 100.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.max(jnp.nan_to_num(jnp.sqrt(-1 - u**2), nan=100.0))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
