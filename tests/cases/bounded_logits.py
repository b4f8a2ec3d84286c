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

from ntkverify.lemma import Form, Twin, always, logits, scaled


def lhs(problem, point, constants):
    return jnp.max(jnp.abs(logits(problem, point.base)))


def rhs(problem, point, constants):
    return jnp.asarray(1.5, problem.X.dtype)


def room(problem, point, constants):
    return 1.5 - jnp.abs(logits(problem, point.base))


derived = Form(lhs, rhs, inside=(room,)).with_twins(
    Twin("assumption removed", assumptions=always),
    scaled("the constant halved", rhs=0.5),
)
