r"""One step contracts the loss

Source: docs/theory.md §4 and §5
Networks: softmax
Setting: Softmax network at points $W(\tau)$ of a gradient descent path; $\chi = \tfrac12(1+\tanh(\mathrm{artanh}\max|f| + \bar z))\,e^{2\bar z}\kappa\sqrt{nd}$ at $\tau$, $\bar z = \eta\max_r\|\Delta w_r\|$, $\lambda = \lambda_{\min}(H(0))$.
Measured: Derived: the decrease of $\|e\|^2$ over the path's next step. Reconstructed: $-(C_0+C_1+C_2+C_3)$ of a step of the theorem's $\eta$ from the same point, which needs no difference of two losses and so is seen at any $\eta$.
Refuted by: One step that reduces the loss by less.

[reconstructed]
Direction: lower
Assumes: $\eta = 0.1\,\lambda/(m n^2d^2e^{16B})$ and $\lambda_{\min}(H(\tau)) \ge 0.8\lambda > 0$.
Statement: $$ \|e(\tau)\|^2 - \|e(\tau+1)\|^2 \ge \tfrac12 m\eta\lambda\,\|e(\tau)\|^2 $$

[derived]
Direction: lower
Assumes: $\eta\left(m\lambda_{\max}(H(\tau)) + 2.5\,\chi\|e\|\right) \le 1$.
Statement: $$ \|e(\tau)\|^2 - \|e(\tau+1)\|^2 \ge \eta\|J^\top e\|^2 \ \ge\ m\eta\,\lambda_{\min}(H(\tau))\,\|e(\tau)\|^2 $$
Proof: $e^+ = (I - \eta JJ^\top)e + \rho$, $\|\rho\| \le \chi\eta^2\|J^\top e\|^2$ (the curvature bound). With $p = \|J^\top e\|^2$ and $\|JJ^\top e\|^2 \le m\lambda_{\max}p$: $\|e^+\|^2 \le \|e\|^2 - 2\eta p + \eta^2 m\lambda_{\max}p + 2\|e\|\chi\eta^2p + \chi^2\eta^4p^2$, where $\|(I-\eta JJ^\top)e\| \le \|e\|$. The last term: $\eta p \le \eta m\lambda_{\max}\|e\|^2 \le \|e\|^2$ and $\eta\chi\|e\| \le 0.4$ give $\chi^2\eta^4p^2 \le 0.4\,\chi\|e\|\eta^2p$. So the sum is at most $\|e\|^2 - \eta p\,(2 - \eta(m\lambda_{\max} + 2.4\chi\|e\|)) \le \|e\|^2 - \eta p$.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import (
    DISTINCT,
    curvature,
    distance,
    eigenvalues,
    is_softmax,
    outputs,
    pulled_back,
    residual,
    squared_error,
    step_terms,
)  # fmt: skip
from ntkverify.networks.step_sizes import theorem_step
from ntkverify.statements.form import Form, Twin, scaled


def step(point):
    return jnp.sum((point.moved.W - point.base.W) ** 2)


def lhs(problem, point, c):
    return squared_error(problem, point.base) - squared_error(problem, point.moved)


def derived_rhs(problem, point, c):
    return step(point) / point.path.eta


def derived_assumptions(problem, point, c):
    top, size = eigenvalues(problem, point.base)[-1], jnp.sqrt(squared_error(problem, point.base))
    bend = curvature(problem, point.base, distance(point))
    return is_softmax(problem, point, c) & (point.path.eta * (problem.m * top + 2.5 * bend * size) <= 1)


@full_precision
def reconstructed_lhs(problem, point, c):
    """−(C_0 + C_1 + C_2 + C_3) / η."""
    eta = given(theorem_step(problem, point.path.start, c["C"], c["power"]))
    slope = given(pulled_back(problem, point.base, residual(problem, point.base)))
    z = -eta * (problem.X @ slope)
    return -sum(step_terms(problem, point.base, z, outputs(problem, point.base))) / eta


def reconstructed_rhs(problem, point, c):
    smallest = eigenvalues(problem, point.path.start)[0]
    return 0.5 * problem.m * smallest * squared_error(problem, point.base)


def reconstructed_assumptions(problem, point, c):
    smallest = eigenvalues(problem, point.path.start)[0]
    kept = eigenvalues(problem, point.base)[0] >= 0.8 * smallest
    return is_softmax(problem, point, c) & (smallest > c["least"]) & kept


reconstructed = Form(
    reconstructed_lhs,
    reconstructed_rhs,
    assumptions=reconstructed_assumptions,
    of_problem=DISTINCT,
    where=ON_PATH,
    constants={"C": 10.0, "power": 16.0, "least": 1e-9},
).with_twins(
    Twin("the rate 2mηλ_max claimed", rhs=lambda p, q, c: 2.1 * p.m * q.path.top * squared_error(p, q.base)),
    scaled("the factor m squared", rhs=lambda p, q, c: p.m),
)

derived = Form(lhs, derived_rhs, assumptions=derived_assumptions, where=ON_PATH).with_twins(
    scaled("twice the decrease claimed", rhs=2.0),
    Twin(
        "λ_max in place of ‖Jᵀe‖²/m‖e‖²",
        rhs=lambda p, q, c: 2 * p.m * q.path.eta * q.path.top * squared_error(p, q.base),
    ),
)
