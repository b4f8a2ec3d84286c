r"""Half precision

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ |u| \le \mathrm{half}(|u|) + 10^{-9} $$
Proof: None, it is false: rounding to half precision goes down as often as up.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, logits


def lhs(problem, point, constants):
    return jnp.abs(logits(problem, point.base))


def rhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.abs(u).astype(jnp.float16).astype(u.dtype) + 1e-9


derived = Form(lhs, rhs)
