r"""What a step takes off the error

Source: docs/proofs/convergence.md, Lemma 4
Networks: smooth
Setting: A network with a twice differentiable activation and a step $W^+ = W - \eta J^\top e$ of gradient descent; $x = \|J^\top e\|/\|e\|$, $C = \bar A B e^{\nu\delta}$ at $W$, $\delta = \|W^+ - W\|$ over all neurons.
Measured: $\|e\| - \|e^+\|$ at drawn steps of the path.
Refuted by: One step that takes off less.

[derived]
Direction: lower
Assumes: $\theta = \tfrac12\eta\,(m\lambda_{\max}(H) + C\|e\|) \le 1$.
Statement: $$ \|e\| - \|e^+\| \ge (1 - \theta)\,x\,\|W^+ - W\| $$
Proof: $e^+ = (I - \eta JJ^\top)e + \rho$, $\|\rho\| \le \tfrac12C\eta^2x^2\|e\|^2$. $\|(I-\eta JJ^\top)e\|^2 \le \|e\|^2(1 - 2\eta x^2 + \eta^2x^2 m\lambda_{\max})$ and $\sqrt{1-y} \le 1 - y/2$ give $\|e^+\| \le \|e\|(1 - (1-\theta)\eta x^2)$, and $\|W^+-W\| = \eta x\|e\|$.
Note: Summed over steps it bounds the length of the path by the error spent: at most $\|e(0)\|/((1-\theta)\sqrt{m\mu})$ where $\lambda_{\min}(H) \ge \mu$ on the way.
"""

import jax.numpy as jnp

from ntkverify.networks.growth import constants, curvature_within, displacement, smooth
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import eigenvalues, pulled_back, residual, squared_error
from ntkverify.statements.form import Form, Twin


def size(problem, params):
    return jnp.sqrt(squared_error(problem, params))


def lhs(problem, point, c):
    return size(problem, point.base) - size(problem, point.moved)


def theta(problem, point):
    top = kernel_scale(problem.network, problem.m) * eigenvalues(problem, point.base)[-1]
    bend = curvature_within(constants(problem, point.base), displacement(point))
    return point.path.eta * (top + bend * size(problem, point.base)) / 2


def undamped(problem, point):
    """x ‖W⁺ − W‖."""
    pull = pulled_back(problem, point.base, residual(problem, point.base))
    return jnp.sqrt(jnp.sum(pull**2)) / size(problem, point.base) * displacement(point)


def rhs(problem, point, c):
    return (1 - theta(problem, point)) * undamped(problem, point)


def assumptions(problem, point, c):
    return smooth(problem, point, c) & (theta(problem, point) <= 1) & (size(problem, point.base) > 0)


derived = Form(lhs, rhs, assumptions=assumptions, where=ON_PATH).with_twins(
    Twin("the remainder θ dropped", rhs=lambda p, q, c: undamped(p, q)),
    Twin("the remainder's sign flipped", rhs=lambda p, q, c: (1 + theta(p, q)) * undamped(p, q)),
)
