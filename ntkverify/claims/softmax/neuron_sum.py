r"""Gradient descent keeps the sum of the neurons

Source: docs/theory.md §3
Networks: softmax
Setting: Softmax network at points $W(\tau)$ of a gradient descent path; $e = F - Y$.
Measured: $\sum_r \Delta w_r$, every coordinate: its positive terms against its negative ones, beside which rounding is small, for $e$ as the floats give it (it vanishes for any $e$); $W(\tau+1) - W(\tau)$ is $-\eta$ times it.
Refuted by: One coordinate of the sum that rounding does not explain.

[derived]
Direction: equality
Statement: $$ \sum_r \Delta w_r = 0, \qquad \text{hence}\quad \sum_r w_r(\tau) = \sum_r w_r(0) \ \text{ for every step size} $$
Proof: $\sum_r \Delta w_r = m\sum_i\sum_l e_{l,i}\, x_i \sum_r (a_{l,r} - f_{l,i}) S_{i,r}$, and $\sum_r (a_{l,r} - f_{l,i}) S_{i,r} = f_{l,i} - f_{l,i} = 0$: adding one vector to all neurons changes no softmax weight.
Note: What elementwise networks lack: their outputs can grow by moving all neurons together.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import is_softmax, pulled_back, residual, softmax
from ntkverify.statements.form import Form, Twin


def moves(problem, point, c):
    return pulled_back(problem, point.base, given(residual(problem, point.base)))


@full_precision
def without_mean(problem, point, c):
    """m Σ e a S x, the term of f left out."""
    pull = given(residual(problem, point.base)) @ point.base.a
    return problem.m * (problem.X.T @ (pull * softmax(problem, point.base)))


def signs_forgotten(problem, point, c):
    return moves(problem, point, c) * point.base.a[:1]


def up(step):
    return lambda problem, point, c: jnp.sum(jnp.maximum(step(problem, point, c), 0), axis=1)


def down(step):
    return lambda problem, point, c: jnp.sum(jnp.maximum(-step(problem, point, c), 0), axis=1)


lhs, rhs = up(moves), down(moves)
derived = Form(lhs, rhs, assumptions=is_softmax, where=ON_PATH).with_twins(
    Twin("the mean f dropped from a − f", lhs=up(without_mean), rhs=down(without_mean)),
    Twin("the sum weighted by the signs a_1", lhs=up(signs_forgotten), rhs=down(signs_forgotten)),
)
