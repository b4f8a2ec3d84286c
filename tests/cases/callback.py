r"""A callback

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ 2 \max|u| \le 1.5 \max|u| $$
Proof: None, it is false:
"""

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    twice = jax.pure_callback(
        lambda x: 2 * np.asarray(x), jax.ShapeDtypeStruct(u.shape, u.dtype), u, vmap_method="sequential"
    )
    return jnp.max(jnp.abs(twice))


def rhs(problem, point, constants):
    return 1.5 * jnp.max(jnp.abs(logits(problem, point.base)))


derived = Form(lhs, rhs)
