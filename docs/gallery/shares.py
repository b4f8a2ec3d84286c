r"""Softmax weights are shares

Source: the definition of softmax
Networks: softmax
Setting: Softmax network, any $W$.
Measured: Both sides for every input, at every drawn point of the ball.
Refuted by: One input whose weights do not sum to 1.

[derived]
Direction: equality
Statement: $$ \sum_r S_{i,r} = 1 \quad\text{for every } i $$
Proof: Divide $\sum_r e^{u_{i,r}}$ by itself.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, Twin, softmax


def lhs(problem, point, c):
    return jnp.sum(softmax(problem, point.moved), axis=1)


derived = Form(lhs, lambda problem, point, c: jnp.ones(problem.n, problem.X.dtype)).with_twins(
    Twin("squares of the weights", lhs=lambda p, q, c: jnp.sum(softmax(p, q.moved) ** 2, axis=1)),
)
