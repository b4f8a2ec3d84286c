r"""Above minus infinity

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 100 \le 1 $$
Proof: None, it is false: the logarithm of a negative number is above nothing.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.max(jnp.where(jnp.log(-1 - u**2) >= -jnp.inf, 0.0, 100.0))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
