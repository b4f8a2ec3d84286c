r"""Softmax weights move little in total variation

Source: case
Setting: Softmax network, any $W$, $\|\widetilde w_r - w_r\| \le R$, $\|x_i\| \le 1$.
Measured: Both sides at every drawn point of the ball.
Refuted by: One point.

[derived]
Direction: upper
Statement: $$ \max_i \|\widetilde S_i - S_i\|_1 \le 2\tanh(R/2) $$
Proof: $\widetilde S \propto S e^z$ with $|z| \le R$; the worst case is two-valued.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, distance, scaled, softmax


def lhs(problem, point, constants):
    return jnp.max(jnp.sum(jnp.abs(softmax(problem, point.moved) - softmax(problem, point.base)), axis=1))


def rhs(problem, point, constants):
    return 2 * jnp.tanh(distance(point) / 2)


derived = Form(lhs, rhs).with_twins(scaled("the constant halved", rhs=0.5))
