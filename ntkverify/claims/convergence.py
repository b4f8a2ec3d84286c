r"""Gradient descent converges, by what is seen on its way

Source: docs/theory.md §5, Theorem 4.2 of arXiv:2405.03251 (v2) read a posteriori
Setting: Softmax network along gradient descent from a coupled $W(0)$; $\lambda^*$, $\Lambda^*$ the smallest and largest eigenvalue of $H$ at the steps up to $\tau$, $R$ the largest movement of a neuron up to $\tau+1$, $\chi = \tfrac12(1+\tanh R)e^{2R}\kappa\sqrt{nd}$ with $\kappa$ at $W(0)$.
Measured: $\|e(\tau+1)\|^2$ at drawn times; $\lambda^*$, $\Lambda^*$ and $R$ are computed at every step of the path.
Refuted by: One time at which the loss is larger.

[derived]
Direction: upper
Assumes: $\eta\left(m\Lambda^* + 2.5\,\chi\|e(0)\|\right) \le 1$ and $\lambda^* > 0$.
Statement: $$ \|e(\tau+1)\|^2 \le (1 - m\eta\lambda^*)^{\tau+1}\,\|e(0)\|^2 $$
Proof: Every step starts and ends within $R$ of $W(0)$, so $\chi$ bounds the curvature along it (the ball is convex, $|f| \le \tanh R$, $\kappa \le e^{2R}\kappa(0)$ there), and by induction $\|e(s)\| \le \|e(0)\|$. So the assumption of the contraction holds at every step, and $\|J^\top e\|^2 \ge m\lambda^*\|e\|^2$.
Note: No probability and no unknown constant, but hypotheses that are read off the run; certified for a whole ball they give a theorem before the run. The width of the stated theorem, $m \ge c\,\lambda^{-2}n^2d^2e^{18B}\log^2(nd/\delta)$ in its reconstructed form, is beyond any run.
"""

import jax.numpy as jnp

from ntkverify.nouns import COUPLED, ON_PATH, Twin, claim
from ntkverify.quantities import curvature, is_softmax, residual


def squared(problem, params):
    return jnp.sum(residual(problem, params) ** 2)


def lhs(problem, point, c):
    return squared(problem, point.moved)


def envelope(problem, point, rate):
    """(1 − rate)^{τ+1} ‖e(0)‖²."""
    steps = point.path.time + 1
    return jnp.exp(steps * jnp.log1p(-rate)) * squared(problem, point.path.start)


def rate(problem, point):
    return problem.m * point.path.eta * point.path.least


def rhs(problem, point, c):
    return envelope(problem, point, rate(problem, point))


def assumptions(problem, point, c):
    path = point.path
    size = jnp.sqrt(squared(problem, path.start))
    bend = curvature(problem, path.start, path.furthest)
    small = path.eta * (problem.m * path.top + 2.5 * bend * size) <= 1
    return is_softmax(problem, point, c) & (problem.init == COUPLED) & small & (path.least > c["least"])


CLAIMS = (
    claim(
        __name__,
        __doc__,
        "derived",
        lhs=lhs,
        rhs=rhs,
        assumptions=assumptions,
        where=ON_PATH,
        constants={"least": 1e-9},
        twins=(
            Twin("λ_max in place of λ", rhs=lambda p, q, c: envelope(p, q, 0.9 * p.m * q.path.eta * q.path.top)),
            Twin("the rate of one step for all", rhs=lambda p, q, c: rhs(p, q, c) * jnp.exp(-q.path.time)),
        ),
    ),
)
