r"""An unsigned number read as a signed one

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 1 \le 0.5 $$
Proof: None, it is false: 3e9 wraps around to less than −1e9.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    big = (3e9 + jnp.abs(u)).astype(jnp.uint32).astype(jnp.int32)
    return jnp.max(-big.astype(u.dtype))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
