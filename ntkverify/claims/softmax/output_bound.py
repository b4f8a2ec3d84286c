r"""Outputs are bounded by the width

Source: docs/theory.md §3
Networks: softmax
Setting: Softmax network, any $W$ (checked in the ball), signs $a \in \{\pm1\}$.
Measured: The largest output at every drawn point, among them the one with every neuron moved along its own sign.
Refuted by: One output larger than $m$.

[derived]
Direction: upper
Statement: $$ |F_l(x_i)| \le m $$
Proof: $F_l/m = \langle a_l, S\rangle$ is a weighted mean of numbers $\pm 1$. Equality exactly when all signs agree, since $S > 0$; no draw with both signs reaches it.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import is_softmax, outputs
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return jnp.max(jnp.abs(outputs(problem, point.moved)))


def rhs(problem, point, c):
    return jnp.asarray(float(problem.m), problem.X.dtype)


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    scaled("the factor m dropped", rhs=lambda p, q, c: 1 / p.m),
    Twin("the square root of m in place of m", rhs=lambda p, q, c: jnp.sqrt(rhs(p, q, c))),
)
