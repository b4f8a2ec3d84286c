r"""A count that wraps around

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 1 \le 2^{26} |\{u > -10^9\}| $$
Proof: None, it is false: 64 of them make 2^32, which is 0.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    return jnp.ones(())


def rhs(problem, point, constants):
    u = logits(problem, point.base)
    count = jnp.sum(u > -1e9, dtype=jnp.int32) * jnp.int32(2**26)
    return count.astype(u.dtype)


derived = Form(lhs, rhs)
