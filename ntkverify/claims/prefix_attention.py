r"""Attention over a trained prefix is the two-layer softmax network

Source: arXiv:2406.14036, whose subject it is; docs/theory.md §9
Networks: softmax
Setting: One attention head whose query is the input $x$, whose $m$ keys are trained and whose $m$ values $v_r \in \{\pm1\}^d$ are fixed: $\mathrm{Att}(x) = \sum_r v_r\,\mathrm{softmax}_r(\langle k_r, x\rangle)$, logits not divided by $\sqrt{d_{in}}$.
Measured: The head as attention is written, queries times keys, softmax over keys, times values, against $F$, at every drawn point of the ball, output by output.
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
from ntkverify.networks.quantities import outputs
from ntkverify.statements.form import Form, Twin, scaled


@full_precision
def attention(queries, keys, values):
    """softmax(QKᵀ)V."""
    return jax.nn.softmax(queries @ keys.T, axis=-1) @ values


def lhs(problem, point, c):
    return point.moved.m * attention(problem.X, point.moved.W.T, point.moved.a.T)


def rhs(problem, point, c):
    return outputs(problem, point.moved)


def with_divided_logits(problem, point, c):
    root = jnp.sqrt(1.0 * problem.d_in)
    return problem.m * attention(problem.X / root, point.moved.W.T, point.moved.a.T)


def with_the_query_among_the_keys(problem, point, c):
    """A key more, the first input, of value 0."""
    keys = jnp.concatenate([point.moved.W.T, problem.X[:1]])
    values = jnp.concatenate([point.moved.a.T, jnp.zeros_like(problem.y[:1])])
    return problem.m * attention(problem.X, keys, values)


derived = Form(lhs, rhs).with_twins(
    Twin("logits divided by √d_in", lhs=with_divided_logits),
    Twin("one key more", lhs=with_the_query_among_the_keys),
    scaled("the factor m dropped", lhs=lambda p, q, c: 1 / p.m),
)
