r"""The smallest eigenvalue is at most the mean of the diagonal

Source: linear algebra
Networks: any
Setting: Any network, any $W$; $H$ is its kernel, an $nd \times nd$ matrix.
Measured: Both sides at every drawn point of the ball.
Refuted by: One point at which every eigenvalue lies above their mean.

[derived]
Direction: upper
Statement: $$ \lambda_{\min}(H) \le \frac{1}{nd}\operatorname{tr} H $$
Proof: The trace is the sum of the $nd$ eigenvalues, and none is smaller than the smallest.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, Twin, eigenvalues, kernel, scaled


def lhs(problem, point, c):
    return eigenvalues(problem, point.moved)[0]


def rhs(problem, point, c):
    return jnp.trace(kernel(problem, point.moved)) / (problem.n * problem.d_out)


derived = Form(lhs, rhs).with_twins(
    Twin("the largest eigenvalue in place of the smallest", lhs=lambda p, q, c: eigenvalues(p, q.moved)[-1]),
    scaled("divided by nd once more", rhs=lambda p, q, c: 1 / (p.n * p.d_out) ** 2),
)
