r"""Coupled initialisation starts from zero output

Source: docs/theory.md §1 and §3; the initialisation of arXiv:2405.03251
Networks: two-layer
Setting: Any two-layer network of the catalogue at $W(0)$.
Assumes: Coupled initialisation: $w_{2r} = w_{2r-1}$ and $a_{l,2r} = -a_{l,2r-1}$.
Measured: The sum over the neurons with $a = +1$ against that over those with $a = -1$, at every draw, output by output: beside two numbers of the output's size rounding is small, beside zero it never is.
Refuted by: One output whose two parts differ by more than the rounding of the sums over neurons.

[derived]
Direction: equality
Statement: $$ F_l(x_i; W(0)) = 0 $$
Proof: The two neurons of a pair have the same logit, so the same $\varphi$ or the same $S$; their signs are opposite, so their contributions cancel.
"""

import jax.numpy as jnp

from ntkverify.networks.network import forward
from ntkverify.networks.nouns import AT_START, COUPLED, Params
from ntkverify.statements.form import Form, Twin


def assumptions(problem, point, c):
    return jnp.asarray(problem.init == COUPLED)


def of_sign(problem, W, a, sign):
    """What the neurons with this sign contribute, without the sign."""
    return forward(problem.network, Params(W, jnp.maximum(sign * a, 0)), problem.X)


def positive(W, a):
    return lambda problem, point, c: of_sign(problem, W(point.base.W), a(point.base.a), 1)


def negative(W, a):
    return lambda problem, point, c: of_sign(problem, W(point.base.W), a(point.base.a), -1)


def same(array):
    return array


def equal_signs(a):
    """Both neurons of a pair carry the first one's sign."""
    return jnp.repeat(a[:, ::2], 2, axis=1)


def apart(W):
    """Each pair's second neuron takes the weights of the next pair."""
    return jnp.roll(W, 1, axis=1)


lhs, rhs = positive(same, same), negative(same, same)
derived = Form(lhs, rhs, assumptions=assumptions, where=AT_START).with_twins(
    Twin("the opposite signs removed", lhs=positive(same, equal_signs), rhs=negative(same, equal_signs)),
    Twin("the shared weights removed", lhs=positive(apart, same), rhs=negative(apart, same)),
)
