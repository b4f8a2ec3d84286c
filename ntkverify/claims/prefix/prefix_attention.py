r"""Attention over a trained prefix is the two-layer softmax network

Source: arXiv:2406.14036, whose subject it is; docs/theory.md §9
Networks: softmax
Setting: One attention head whose query is the input $x$, whose $m$ keys are trained and whose $m$ values $v_r \in \{\pm1\}^d$ are fixed: $\mathrm{Att}(x) = \sum_r v_r\,\mathrm{softmax}_r(\langle k_r, x\rangle)$, logits not divided by $\sqrt{d_{in}}$.
Measured: The head as attention is written, queries times keys, softmax over keys, times values, against $F$, at every drawn point of the ball, output by output, for the values $+1$ alone and for $-1$ alone: both sides are linear in the values, and sums of one sign are no differences of large numbers, beside which rounding is not small.
Refuted by: One output that differs by more than the rounding of both computations.

[derived]
Direction: equality
Statement: $$ m\,\mathrm{Att}(x_i) = F(x_i; W, a) \qquad\text{with}\quad k_r = w_r,\; v_{r,l} = a_{l,r} $$
Proof: Both are $m\sum_r a_r e^{\langle w_r, x_i\rangle}/\sum_q e^{\langle w_q, x_i\rangle}$.
Note: So what is claimed, realised and certified of softmax networks is said of prefix attention with $x$ in the query's place: $H$, its drift, the certified widths, which count prefix keys.
"""

import jax
import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import outputs
from ntkverify.statements.form import Form, Twin, scaled


@full_precision
def attention(queries, keys, values):
    """softmax(QKᵀ)V."""
    return jax.nn.softmax(queries @ keys.T, axis=-1) @ values


def of_signs(point):
    """The values' positive and negative parts, both ≥ 0."""
    return jnp.maximum(point.moved.a, 0), jnp.maximum(-point.moved.a, 0)


def heads(problem, point, queries, keys, more=0):
    """m Att of both parts; `more` values 0 for more keys."""
    parts = (jnp.pad(a, ((0, 0), (0, more))).T for a in of_signs(point))
    return problem.m * jnp.stack([attention(queries, keys, values) for values in parts])


def lhs(problem, point, c):
    return heads(problem, point, problem.X, point.moved.W.T)


def rhs(problem, point, c):
    return jnp.stack([outputs(problem, Params(point.moved.W, a)) for a in of_signs(point)])


def with_divided_logits(problem, point, c):
    return heads(problem, point, problem.X / jnp.sqrt(1.0 * problem.d_in), point.moved.W.T)


def with_the_query_among_the_keys(problem, point, c):
    """A key more, the first input, of value 0."""
    return heads(problem, point, problem.X, jnp.concatenate([point.moved.W.T, problem.X[:1]]), 1)


derived = Form(lhs, rhs).with_twins(
    Twin("logits divided by √d_in", lhs=with_divided_logits),
    Twin("one key more", lhs=with_the_query_among_the_keys),
    scaled("the factor m dropped", lhs=lambda p, q, c: 1 / p.m),
)
