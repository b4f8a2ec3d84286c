r"""Coupled initialisation starts from zero output

Source: docs/theory.md §1 and §3; the initialisation of arXiv:2405.03251
Setting: Any two-layer network of the catalogue at $W(0)$.
Assumes: Coupled initialisation: $w_{2r} = w_{2r-1}$ and $a_{l,2r} = -a_{l,2r-1}$.
Measured: $F(W(0))$ at every draw, output by output.
Refuted by: One output further from zero than the rounding of the sum over neurons.

[derived]
Direction: equality
Statement: $$ F_l(x_i; W(0)) = 0 $$
Proof: The two neurons of a pair have the same logit, so the same $\varphi$ or the same $S$; their signs are opposite, so their contributions cancel.
"""

import jax.numpy as jnp

from ntkverify.network import forward
from ntkverify.nouns import AT_START, COUPLED, Params, Twin, claim
from ntkverify.quantities import outputs


def assumptions(problem, point, c):
    return jnp.asarray(problem.init == COUPLED)


def lhs(problem, point, c):
    return outputs(problem, point.base)


def rhs(problem, point, c):
    return jnp.zeros_like(problem.y)


def equal_signs(problem, point, c):
    """Both neurons of a pair carry the first one's sign."""
    a = jnp.repeat(point.base.a[:, ::2], 2, axis=1)
    return forward(problem.activation, Params(point.base.W, a), problem.X)


def apart(problem, point, c):
    """Each pair's second neuron takes the weights of the next pair."""
    return forward(problem.activation, Params(jnp.roll(point.base.W, 1, axis=1), point.base.a), problem.X)


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        assumptions=assumptions,
        where=AT_START,
        twins=(
            Twin("the opposite signs removed", lhs=equal_signs),
            Twin("the shared weights removed", lhs=apart),
        ),
    ),
)
