r"""A step of training is a step of the kernel, up to curvature

Source: docs/theory.md §9
Setting: Any network whose outputs are absolutely continuous along a step $W(\tau+1) = W(\tau) + \Delta$ of gradient descent with step size $\eta$; $H$, $J$, $e$ at $W(\tau)$, $e^+$ at $W(\tau+1)$, $JJ^\top = s_mH$; $\rho = \max_{0\le t\le1}\|(J(W + t\Delta) - J(W))\Delta\|$.
Measured: At drawn steps of the path; $\rho$ is the largest of sixteen equally spaced $t$, so that steps confirm the claim and none refutes it. What floats make of the step, $J(\Delta + \eta J^\top e)$, is added to $\rho$; $e$ in it and in $He$ is what the floats give, since that identity holds for any $e$.
Refuted by: One step that leaves more than the whole of $\rho$; what is seen of it refutes nothing but the twins.

[derived]
Direction: upper
Assumes: $\rho \ge 10^{-7}\|e\|$: the step is curved enough to be seen.
Statement: $$ \|e^+ - (I - \eta s_m H)e\| \le \rho, \qquad\text{so}\quad \|e^+\| \le \max_k|1 - \eta s_m\lambda_k(H)|\;\|e\| + \rho $$
Proof: $e^+ = e + J\Delta + r$ with $\|r\| \le \rho$ (the expansion of a step), and $J\Delta = -\eta JJ^\top e = -\eta s_m He$.
"""

import jax.numpy as jnp

from ntkverify.arithmetic.primitives import given
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import bent, eigenvalues, pulled_back, pushed, residual, squared_error
from ntkverify.statements.form import Form, Twin


def size(e):
    return jnp.sqrt(jnp.sum(e**2))


def rate(problem, point):
    """η s_m."""
    return point.path.eta * kernel_scale(problem.network, problem.m)


@full_precision
def sides(problem, point, rate):
    """‖e⁺ − (I − rate H) e‖ and ‖e⁺‖."""
    e, after = (residual(problem, params).ravel() for params in (point.base, point.moved))
    return jnp.stack([size(after - e + rate * (kernel(problem, point.base) @ given(e))), size(after)])


def lhs(problem, point, c):
    return sides(problem, point, rate(problem, point))


def left_over(problem, point):
    """ρ, and what floats make of the step."""
    e, change = given(residual(problem, point.base)), point.moved.W - point.base.W
    missed = change + point.path.eta * pulled_back(problem, point.base, e)
    return bent(problem, point) + size(pushed(problem, point.base, missed))


def bounds(problem, point, factor):
    """ρ, and factor ‖e‖ + ρ."""
    rest = left_over(problem, point)
    return jnp.stack([rest, factor * size(residual(problem, point.base)) + rest])


def rhs(problem, point, c):
    return bounds(problem, point, jnp.max(jnp.abs(1 - rate(problem, point) * eigenvalues(problem, point.base))))


def fastest(problem, point, c):
    """The contraction of the largest eigenvalue claimed for all."""
    return bounds(problem, point, jnp.abs(1 - rate(problem, point) * eigenvalues(problem, point.base)[-1]))


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
    Twin("the step size doubled", lhs=lambda p, q, c: sides(p, q, 2 * rate(p, q))),
    Twin("the largest eigenvalue's contraction for all", rhs=fastest),
    Twin("curvature dropped", rhs=lambda p, q, c: rhs(p, q, c) - bent(p, q)),
)
