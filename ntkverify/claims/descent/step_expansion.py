r"""The loss after a step, to second order

Source: docs/theory.md §9
Setting: Any network whose outputs are absolutely continuous along the step $W(\tau+1) = W(\tau) + \Delta$ of gradient descent (every smooth one, and ReLU), $L = \tfrac12\|e\|^2$, $g = J^\top e$ and $J$ at $W(\tau)$; $\rho = \max_{0\le t\le1}\|(J(W + t\Delta) - J(W))\Delta\|$.
Measured: At drawn steps of the path; $\rho$ is the largest of sixteen equally spaced $t$, the last of them 1, so it is what curvature was seen, and a Jacobian that jumps there and back between two of them is not: steps confirm the claim, and one that is further from its expansion leaves it undecided.
Refuted by: One step whose loss is further from its expansion than the whole of $\rho$ allows; what is seen of it refutes nothing but the twins.

[derived]
Direction: upper
Assumes: $\rho \ge 10^{-7}\|e\|$: the step is curved enough to be seen (a piecewise linear network may not bend at all).
Statement: $$ \left|L(W + \Delta) - L(W) - \langle g, \Delta\rangle - \tfrac12\|J\Delta\|^2\right| \le \|e + J\Delta\|\,\rho + \tfrac12\rho^2 $$
Proof: $F(W+\Delta) = F(W) + J\Delta + r$, $r = \int_0^1 (J(W+t\Delta) - J(W))\Delta\,dt$, so $\|r\| \le \rho$ (half of it, where $J$ is linear along the step). Expand $\tfrac12\|e + J\Delta + r\|^2$ and use $\langle g,\Delta\rangle = \langle e, J\Delta\rangle$.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import bent, pulled_back, pushed, residual, squared_error
from ntkverify.statements.form import Form, Twin


def gap(problem, point, first, second):
    """|L(W + Δ) − L(W) − first ⟨g, Δ⟩ − second ½‖JΔ‖²|."""
    change = point.moved.W - point.base.W
    slope = jnp.sum(pulled_back(problem, point.base, residual(problem, point.base)) * change)
    bend = jnp.sum(pushed(problem, point.base, change) ** 2) / 2
    spent = (squared_error(problem, point.moved) - squared_error(problem, point.base)) / 2
    return jnp.abs(spent - first * slope - second * bend)


def lhs(problem, point, c):
    return gap(problem, point, 1, 1)


def rhs(problem, point, c):
    straight = residual(problem, point.base) + pushed(problem, point.base, point.moved.W - point.base.W)
    rho = bent(problem, point)
    return jnp.sqrt(jnp.sum(straight**2)) * rho + rho**2 / 2


def assumptions(problem, point, c):
    return bent(problem, point) >= c["least"] * jnp.sqrt(squared_error(problem, point.base))


derived = Form(
    lhs,
    rhs,
    assumptions=assumptions,
    where=ON_PATH,
    constants={"least": 1e-7},
    only_confirmed="ρ is seen at sixteen points of the step.",
).with_twins(
    Twin("the second-order term dropped", lhs=lambda p, q, c: gap(p, q, 1, 0)),
    Twin("the second-order term twice", lhs=lambda p, q, c: gap(p, q, 1, 2)),
    Twin("the slope's sign flipped", lhs=lambda p, q, c: gap(p, q, -1, 1)),
)
