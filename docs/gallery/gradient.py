r"""The gradient is no longer than the largest eigenvalue allows

Source: linear algebra; docs/theory.md §9
Networks: any
Setting: Any network, any $W$; $e = F - Y$, $JJ^\top = s_m H$.
Measured: Both sides at every drawn point of the ball.
Refuted by: One point with a longer gradient.

[derived]
Direction: upper
Statement: $$ \|J^\top e\|^2 \le s_m\,\lambda_{\max}(H)\,\|e\|^2 $$
Proof: $\|J^\top e\|^2 = e^\top JJ^\top e = s_m\, e^\top H e$.
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, Twin, eigenvalues, kernel_scale, pulled_back, residual, squared_error


def lhs(problem, point, c):
    return jnp.sum(pulled_back(problem, point.moved, residual(problem, point.moved)) ** 2)


def rhs(problem, point, c):
    scale = kernel_scale(problem.network, point.moved.m)
    return scale * eigenvalues(problem, point.moved)[-1] * squared_error(problem, point.moved)


def with_the_smallest(problem, point, c):
    scale = kernel_scale(problem.network, point.moved.m)
    return scale * eigenvalues(problem, point.moved)[0] * squared_error(problem, point.moved)


derived = Form(lhs, rhs).with_twins(Twin("the smallest eigenvalue", rhs=with_the_smallest))
