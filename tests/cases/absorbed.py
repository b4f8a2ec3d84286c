r"""What the float at hand absorbs

Source: case
Setting: Any network.
Measured: Both sides.
Refuted by: Any point.

[derived]
Direction: upper
Statement: $$ 1 + 10^{-17} \le 1 $$
Proof: None, it is false everywhere: the float at hand is 1.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, given, logits


def lhs(problem, point, constants):
    return given(1 + 1e-17 * (1 + jnp.abs(logits(problem, point.base)[0, 0])))


def rhs(problem, point, constants):
    return jnp.ones(())


derived = Form(lhs, rhs)
