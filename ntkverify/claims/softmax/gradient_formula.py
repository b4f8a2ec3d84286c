r"""Gradient in closed form

Source: docs/theory.md §2
Networks: two-layer
Setting: Any two-layer network of the catalogue, any weights $W$, $e = F(W) - Y$, loss $L = \frac12\|e\|^2$.
Measured: The closed form at every point of the ball that is drawn, against automatic differentiation of the network pulled back along $e$, entry by entry; $e = F - Y$ as the floats give it, since both sides are linear in $e$ and the claim holds for any $e$.
Refuted by: One neuron whose gradient differs by more than the rounding of both computations.

[derived]
Direction: equality
Statement: $$ \Delta w_r = \frac{\partial L}{\partial w_r} = m \sum_{i}\sum_{l} e_{l,i}\,(a_{l,r} - f_{l,i})\, S_{i,r}\, x_i $$ for softmax, with $f = F/m$; for elementwise $\varphi$ the factor $(a_{l,r}-f_{l,i})\, m S_{i,r}$ becomes $s\, a_{l,r}\, \varphi'(\langle w_r, x_i\rangle)$.
Proof: $\partial S_{i,q}/\partial w_r = S_{i,q}(1_{q=r} - S_{i,r})\, x_i$, hence $\partial F_l/\partial w_r = m\,(a_{l,r} S_{i,r} - S_{i,r} \sum_q a_{l,q} S_{i,q})\, x_i = m\,(a_{l,r} - f_{l,i}) S_{i,r}\, x_i$; the chain rule on $L$ sums this against $e$.
"""

import jax

from ntkverify.arithmetic.primitives import given
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import logits, pulled_back, residual
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return pulled_back(problem, point.moved, given(residual(problem, point.moved)))


def rhs(problem, point, c):
    at = point.moved
    _, pull = jax.vjp(lambda W: forward(problem.network, Params(W, at.a), problem.X), at.W)
    return pull(given(residual(problem, at)))[0]


@full_precision
def without_mean(problem, point, c):
    """a − f becomes a."""
    at = point.moved
    slope = problem.m * jax.nn.softmax(logits(problem, at), axis=-1)
    return problem.X.T @ ((given(residual(problem, at)) @ at.a) * slope)


def without_output(problem, point, c):
    """e = F − Y becomes −Y."""
    return pulled_back(problem, point.moved, -problem.y)


derived = Form(lhs, rhs).with_twins(
    scaled("the factor m dropped", lhs=lambda p, q, c: 1 / p.m),
    scaled("the sign flipped", lhs=-1.0),
    scaled("one part in a thousand million wrong", lhs=1 + 1e-9),
    Twin("the mean f dropped from a − f", lhs=without_mean),
    Twin("F dropped from e = F − Y", lhs=without_output),
)
