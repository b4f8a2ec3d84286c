r"""Noise of a cancellation

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 10^{-6} \le \max|(u + 10^{16}) - 10^{16} - u| $$
Proof: None, it is false: it is 0.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    return jnp.asarray(1e-6)


def rhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.max(jnp.abs((u + 1e16) - 1e16 - u))


derived = Form(lhs, rhs)
