r"""Gradient descent converges, by what is seen on its way

Source: docs/theory.md §5, Theorem 4.2 of arXiv:2405.03251 (v2) read a posteriori
Networks: softmax
Setting: Softmax network along gradient descent from a coupled $W(0)$; $\lambda^*$, $\Lambda^*$ the smallest and largest eigenvalue of $H$ at the steps up to $\tau$, $R$ the largest movement of a neuron up to $\tau+1$, $\chi = \tfrac12(1+\tanh R)e^{2R}\kappa\sqrt{nd}$ with $\kappa$ at $W(0)$.
Measured: $\|e(\tau+1)\|^2$ at drawn times; $\lambda^*$, $\Lambda^*$ and $R$ are computed at every step of the path.
Refuted by: One time at which the loss is larger.

[reconstructed]
Direction: upper
Assumes: $m \ge c_m\lambda^{-2}n^2d^2e^{18B}\log^2(nd/\delta)$ and $\eta \le 0.1\,\lambda/(m n^2d^2e^{16B})$, $\lambda = \lambda_{\min}(H(0)) > 0$.
Statement: $$ \|e(\tau+1)\|^2 \le (1 - \tfrac12 m\eta\lambda)^{\tau+1}\,\|e(0)\|^2 $$
Note: The theorem as the proof technique gives it; $\hat T = c_T (m\eta\lambda)^{-1}\log(nd/\epsilon)$ steps then reach $\epsilon$. No run reaches that width or could take so many steps; the verdict says by which factor the larger of the two is missed.

[derived]
Direction: upper
Assumes: $\eta\left(m\Lambda^* + 2.5\,\chi\|e(0)\|\right) \le 1$ and $\lambda^* > 0$.
Statement: $$ \|e(\tau+1)\|^2 \le (1 - m\eta\lambda^*)^{\tau+1}\,\|e(0)\|^2 $$
Proof: Every step starts and ends within $R$ of $W(0)$, so $\chi$ bounds the curvature along it (the ball is convex, $|f| \le \tanh R$, $\kappa \le e^{2R}\kappa(0)$ there), and by induction $\|e(s)\| \le \|e(0)\|$. So the assumption of the contraction holds at every step, and $\|J^\top e\|^2 \ge m\lambda^*\|e\|^2$.
Note: No probability and no unknown constant, but hypotheses that are read off the run; certified for a whole ball they give a theorem before the run.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import COUPLED, ON_PATH
from ntkverify.networks.quantities import (
    DISTINCT,
    THEOREM_WIDTH,
    curvature,
    eigenvalues,
    envelope,
    is_softmax,
    squared_error,
)
from ntkverify.networks.step_sizes import theorem_missed
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return squared_error(problem, point.moved)


def rate(problem, point):
    return problem.m * point.path.eta * point.path.least


def rhs(problem, point, c):
    return envelope(problem, point, rate(problem, point))


def assumptions(problem, point, c):
    path = point.path
    size = jnp.sqrt(squared_error(problem, path.start))
    bend = curvature(problem, path.start, path.furthest)
    small = path.eta * (problem.m * path.top + 2.5 * bend * size) <= 1
    return is_softmax(problem, point, c) & (problem.init == COUPLED) & small & (path.least > c["least"])


def reconstructed_rhs(problem, point, c):
    smallest = eigenvalues(problem, point.path.start)[0]
    return envelope(problem, point, 0.5 * problem.m * point.path.eta * smallest)


def positive(problem, point, c):
    return is_softmax(problem, point, c) & (eigenvalues(problem, point.path.start)[0] > c["least"])


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    assumptions=positive,
    of_problem=DISTINCT,
    beyond=theorem_missed,
    where=ON_PATH,
    constants=THEOREM_WIDTH | {"power": 16.0, "least": 1e-9},
).with_twins(
    Twin("λ_max in place of λ", rhs=lambda p, q, c: envelope(p, q, 0.9 * p.m * q.path.eta * q.path.top)),
    scaled("the rate of one step for all", rhs=lambda p, q, c: jnp.exp(-q.path.time)),
)

derived = Form(
    lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=ON_PATH, constants={"least": 1e-9}
).with_twins(
    Twin("λ_max in place of λ", rhs=lambda p, q, c: envelope(p, q, 0.9 * p.m * q.path.eta * q.path.top)),
    scaled("the rate of one step for all", rhs=lambda p, q, c: jnp.exp(-q.path.time)),
)
