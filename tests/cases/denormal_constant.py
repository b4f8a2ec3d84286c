r"""A constant below the normal range

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 10^{-310} \cdot 10^{300} \le 10^{-12} $$
Proof: None, it is false: it is 1e-10.
"""

import jax.numpy as jnp
import numpy as np

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.max(jnp.asarray(np.full(u.shape, 1e-310)) * 1e300 * (1 + jnp.abs(u)))


def rhs(problem, point, constants):
    return jnp.asarray(1e-12)


derived = Form(lhs, rhs)
