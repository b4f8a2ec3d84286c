r"""How far the neurons move

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network along gradient descent from $W(0)$; $\lambda = \lambda_{\min}(H(0))$, $\kappa$ at $W(0)$.
Measured: $\max_r\|w_r(\tau) - w_r(0)\|$ up to drawn times of the path; the contraction that is assumed is read off the path's losses.
Refuted by: One neuron that moved further.

[reconstructed]
Direction: upper
Promise: 1 - delta
Assumes: $\|e(s+1)\|^2 \le (1 - \tfrac12 m\eta\lambda)\|e(s)\|^2$ at every earlier step; B with $C = 10$.
Statement: $$ \|w_r(\tau) - w_r(0)\| \le D = \frac{4}{m\lambda} e^{3B}\sqrt{nd}\,\|e(0)\| $$

[derived]
Direction: upper
Assumes: The same contraction; a coupled $W(0)$; movement at most $R = 0.2$.
Statement: $$ \|w_r(\tau) - w_r(0)\| \le \frac{4}{m\lambda}\, (1+\tanh R)\,e^{2R}\kappa\sqrt{d}\,\|X\|_F\,\|e(0)\| \ \le\ \frac{4}{m\lambda}\, 2\kappa\sqrt{nd}\,\|e(0)\|, \qquad R = \text{the movement itself} $$
Proof: $\|\Delta w_r(s)\| \le (1+\max|f|)\kappa_s\sqrt d\,\|X\|_F\|e(s)\|$ with $|f| \le \tanh R$ and $\kappa_s \le e^{2R}\kappa$ on the way. With $q = m\eta\lambda/2$, $\|e(s)\| \le (1-q)^{s/2}\|e(0)\|$ and $\eta\sum_s(1-q)^{s/2} \le \eta/(1-\sqrt{1-q}) \le 2\eta/q = 4/(m\lambda)$. At $R \le 0.2$ the factor $(1+\tanh R)e^{2R}$ is at most 1.79 < 2.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import COUPLED, ON_PATH
from ntkverify.networks.quantities import DISTINCT, eigenvalues, is_softmax, kappa, nominal_B, squared_error
from ntkverify.statements.form import Form, Twin, scaled, with_constants


def lhs(problem, point, c):
    return jnp.sqrt(jnp.max(jnp.sum((point.moved.W - point.path.start.W) ** 2, axis=0)))


def time_scale(problem, point):
    """4 ‖e(0)‖ / (mλ)."""
    size = jnp.sqrt(squared_error(problem, point.path.start))
    return 4 * size / (problem.m * eigenvalues(problem, point.path.start)[0])


def reconstructed_rhs(problem, point, c):
    nd = problem.n * problem.d_out
    return time_scale(problem, point) * jnp.exp(c["power"] * nominal_B(problem, c["C"])) * jnp.sqrt(1.0 * nd)


def derived_rhs(problem, point, c):
    return time_scale(problem, point) * gradient_constant(problem, point)


def gradient_constant(problem, point):
    R = point.path.furthest
    length = jnp.sqrt(problem.d_out * jnp.sum(problem.X**2))
    return (1 + jnp.tanh(R)) * jnp.exp(2 * R) * kappa(problem, point.path.start) * length


def assumptions(problem, point, c):
    smallest = eigenvalues(problem, point.path.start)[0]
    rate = 1 - problem.m * point.path.eta * smallest / 2
    return is_softmax(problem, point, c) & (smallest > c["least"]) & (point.path.slowest <= rate)


def derived_assumptions(problem, point, c):
    near = (point.path.furthest <= c["R"]) & (problem.init == COUPLED)
    return assumptions(problem, point, c) & near


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    assumptions=assumptions,
    of_problem=DISTINCT,
    where=ON_PATH,
    constants={"power": 3.0, "C": 10.0, "least": 1e-9},
).with_twins(
    with_constants("the exponent's sign flipped", power=-3.0),
    Twin("e^{3B} dropped, m squared", rhs=lambda p, q, c: time_scale(p, q) / p.m),
)

derived = Form(
    lhs,
    derived_rhs,
    assumptions=derived_assumptions,
    of_problem=DISTINCT,
    where=ON_PATH,
    constants={"least": 1e-9, "R": 0.2},
).with_twins(
    scaled("the factor m squared", rhs=lambda p, q, c: 1 / p.m),
    Twin(
        "1/λ_max in place of 1/λ, κ√(nd) dropped",
        rhs=lambda p, q, c: time_scale(p, q) * eigenvalues(p, q.path.start)[0] / q.path.top / 4,
    ),
)
