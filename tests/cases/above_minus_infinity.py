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

from ntkverify.networks.quantities import logits
from ntkverify.statements.claim import claim


def lhs(problem, point, constants):
    u = logits(problem, point.base)
    return jnp.max(jnp.where(jnp.log(-1 - u**2) >= -jnp.inf, 0.0, 100.0))


def rhs(problem, point, constants):
    return jnp.ones(())


CLAIMS = (claim(__name__, __doc__, "derived", lhs=lhs, rhs=rhs),)
