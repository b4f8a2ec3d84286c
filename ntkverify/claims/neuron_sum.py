r"""Gradient descent keeps the sum of the neurons

Source: docs/theory.md §3
Setting: Softmax network at points $W(\tau)$ of a gradient descent path; $e = F - Y$.
Measured: $\sum_r \Delta w_r$, every coordinate, against 0 with its rounding bound, for $e$ as the floats give it (it vanishes for any $e$); $W(\tau+1) - W(\tau)$ is $-\eta$ times it.
Refuted by: One coordinate of the sum that rounding does not explain.

[derived]
Direction: equality
Statement: $$ \sum_r \Delta w_r = 0, \qquad \text{hence}\quad \sum_r w_r(\tau) = \sum_r w_r(0) \ \text{ for every step size} $$
Proof: $\sum_r \Delta w_r = m\sum_i\sum_l e_{l,i}\, x_i \sum_r (a_{l,r} - f_{l,i}) S_{i,r}$, and $\sum_r (a_{l,r} - f_{l,i}) S_{i,r} = f_{l,i} - f_{l,i} = 0$: adding one vector to all neurons changes no softmax weight.
Note: What elementwise networks lack: their outputs can grow by moving all neurons together.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.nouns import ON_PATH, Twin, claim
from ntkverify.numerics import full_precision
from ntkverify.quantities import is_softmax, pulled_back, residual, softmax


def lhs(problem, point, c):
    return jnp.sum(pulled_back(problem, point.base, given(residual(problem, point.base))), axis=1)


def rhs(problem, point, c):
    return jnp.zeros((), problem.X.dtype)


@full_precision
def without_mean(problem, point, c):
    """m Σ e a S x, the term of f left out."""
    pull = given(residual(problem, point.base)) @ point.base.a
    return problem.m * jnp.sum(problem.X.T @ (pull * softmax(problem, point.base)), axis=1)


def signs_forgotten(problem, point, c):
    step = pulled_back(problem, point.base, given(residual(problem, point.base)))
    return jnp.sum(step * point.base.a[:1], axis=1)


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        assumptions=is_softmax,
        where=ON_PATH,
        twins=(
            Twin("the mean f dropped from a − f", lhs=without_mean),
            Twin("the sum weighted by the signs a_1", lhs=signs_forgotten),
        ),
    ),
)
