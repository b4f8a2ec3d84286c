r"""Euler's identity of ReLU networks

Source: Euler's theorem on homogeneous functions
Networks: relu
Setting: ReLU network, any $W$; $c$ is any direction of outputs, here one of random signs.
Measured: Both sides at every drawn point of the ball; an independent start, since at a coupled one both sides begin at 0.
Refuted by: One point at which they differ by more than rounding.

[derived]
Direction: equality
Statement: $$ \langle W, J^\top c\rangle = \langle F, c\rangle $$
Proof: $F(tW) = tF(W)$ for $t > 0$; differentiate at $t = 1$.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, full_precision, outputs, pulled_back, scaled


@full_precision
def lhs(problem, point, c):
    return jnp.sum(point.moved.W * pulled_back(problem, point.moved, point.probe))


def rhs(problem, point, c):
    return jnp.sum(outputs(problem, point.moved) * point.probe)


derived = Form(lhs, rhs).with_twins(scaled("homogeneous of degree 2", rhs=2.0))
