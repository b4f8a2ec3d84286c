r"""Logits stay below what is assumed of them

Source: case
Setting: Any network, any $W$; the claim speaks of points with $\max_{i,r}|\langle w_r,x_i\rangle| \le 1.5$ alone.
Measured: Both sides at every drawn point of the ball.
Refuted by: One point inside.

[derived]
Direction: upper
Assumes: $\max_{i,r}|\langle w_r,x_i\rangle| \le 1.5$
Statement: $$ \max_{i,r}|\langle w_r,x_i\rangle| \le 1.5 $$
Proof: It is what is assumed: true and attained inside, false just outside.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import logits
from ntkverify.statements.claim import Twin, always, claim


def lhs(problem, point, constants):
    return jnp.max(jnp.abs(logits(problem, point.base)))


def rhs(problem, point, constants):
    return jnp.asarray(1.5, problem.X.dtype)


def room(problem, point, constants):
    return 1.5 - jnp.abs(logits(problem, point.base))


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        inside=(room,),
        twins=(
            Twin("assumption removed", assumptions=always),
            Twin("the constant halved", rhs=lambda p, q, c: rhs(p, q, c) / 2),
        ),
    ),
)
