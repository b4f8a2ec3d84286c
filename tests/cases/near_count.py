r"""A count of ties

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ \tfrac14 \le |\{e^{\log v} > v\}| $$
Proof: None, it is false: no number is above itself; rounding puts some above.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    return jnp.asarray(0.25)


def rhs(problem, point, constants):
    u = logits(problem, point.base)
    v = 1 + u**2
    return jnp.sum((jnp.exp(jnp.log(v)) > v).astype(u.dtype))


derived = Form(lhs, rhs)
