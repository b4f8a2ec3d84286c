r"""A network of three tanh layers gives no more than its last layer

Source: about one network, ntkverify/examples/mlp.py
Networks: any
Setting: The network that `ntkverify new network` writes, $F(x) = V^\top h/\sqrt m$ with $h \in [-1,1]^m$; its start independent.
Measured: Both sides for every input, at every drawn point of the ball.
Refuted by: One input whose output is longer.

[derived]
Direction: upper
Statement: $$ \|F(x_i)\| \le \|V\|_F \quad\text{for every } i $$
Proof: $\|h\| \le \sqrt m$, and a matrix stretches by at most its Frobenius norm.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, outputs, parameters, scaled


def lhs(problem, point, c):
    return jnp.sqrt(jnp.sum(outputs(problem, point.moved) ** 2, axis=1))


def rhs(problem, point, c):
    last = parameters(problem.network, point.moved)[-1]
    return jnp.sqrt(jnp.sum(last**2)) * jnp.ones(problem.n, problem.X.dtype)


derived = Form(lhs, rhs).with_twins(scaled("divided by the width", rhs=lambda p, q, c: 1 / p.network.width))
