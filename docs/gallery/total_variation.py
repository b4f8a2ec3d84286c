r"""FALSE: softmax weights move by less than they do

Source: a slip, $\tanh R$ in place of $2\tanh(R/2)$
Networks: softmax
Setting: Softmax network, $\|\widetilde w_r - w_r\| \le R$ for every neuron, $\|x_i\| \le 1$.
Measured: Both sides at every drawn point of the ball; $R$ is what it is at the point.
Refuted by: One point at which the weights move further.

[derived]
Direction: upper
Statement: $$ \max_i \|\widetilde S_i - S_i\|_1 \le \tanh R $$
Proof: None: it takes two equal halves of the weights, moved apart, for the worst case, and unequal ones are worse; $2\tanh(R/2)$ is right, larger by about $R^3/4$.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, distance, is_softmax, scaled, softmax


def lhs(problem, point, c):
    return jnp.max(jnp.sum(jnp.abs(softmax(problem, point.moved) - softmax(problem, point.base)), axis=1))


def rhs(problem, point, c):
    return jnp.tanh(distance(point))


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(scaled("half of it", rhs=0.5))
