r"""A step and the distance of a network that fits

Source: docs/proofs/convergence.md, Theorem 10
Networks: smooth
Setting: A network with a twice differentiable activation, a step $W^+ = W - \eta J^\top e$ of gradient descent, and any other point $W^*$ with $\|F(W^*) - Y\| = r$, $u = W - W^*$ and $t = \|u\|$ over all neurons; $C = \bar A B e^{\nu t}$ at $W$.
Measured: $\|W^+ - W^*\|^2$ at drawn steps of the path, where $W^*$ is $W(0)$, which training leaves behind.
Refuted by: One step that ends further away.

[derived]
Direction: upper
Statement: $$ \|W^+ - W^*\|^2 \le t^2 + 2\eta\|e\|\Big(\tfrac12Ct^2 + r - \big(1 - \tfrac12\eta\,m\lambda_{\max}(H)\big)\|e\|\Big) $$
Proof: $F(W^*) = F(W) - Ju + q$ with $\|q\| \le \tfrac12Ct^2$, so $\langle Ju, e\rangle \ge \|e\|^2 - (\tfrac12Ct^2 + r)\|e\|$. Then $\|W^+ - W^*\|^2 = t^2 - 2\eta\langle Ju, e\rangle + \eta^2\|J^\top e\|^2$ and $\|J^\top e\|^2 \le m\lambda_{\max}\|e\|^2$.
Note: As long as $\|e\|$ is larger than about $\tfrac12Ct^2 + r$, no step leads further away from a network that fits up to $r$: training stays as near to it as it began.
"""

import jax.numpy as jnp

from ntkverify.networks.growth import constants, curvature_within, smooth
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import eigenvalues, squared_error
from ntkverify.statements.form import Form, Twin


def size(problem, params):
    return jnp.sqrt(squared_error(problem, params))


def away(one, other):
    """‖W − W*‖²."""
    return jnp.sum((one.W - other.W) ** 2)


def lhs(problem, point, c):
    return away(point.moved, point.path.start)


def bound(problem, point, bend=1.0, own=1.0, off=1.0):
    """The right side, with its terms weighed."""
    squared, e = away(point.base, point.path.start), size(problem, point.base)
    k = constants(problem, point.base)
    top = kernel_scale(problem.network, problem.m) * eigenvalues(problem, point.base)[-1]
    rest = bend * curvature_within(k, jnp.sqrt(squared)) * squared / 2 + off * size(problem, point.path.start)
    return squared + 2 * point.path.eta * e * (rest - (1 - own * point.path.eta * top / 2) * e)


def rhs(problem, point, c):
    return bound(problem, point)


derived = Form(lhs, rhs, assumptions=smooth, where=ON_PATH).with_twins(
    Twin("what the witness is off by dropped", rhs=lambda p, q, c: bound(p, q, off=0.0)),
    Twin("the square of the step dropped", rhs=lambda p, q, c: bound(p, q, own=0.0)),
    Twin("the gain of the step counted twice", rhs=lambda p, q, c: bound(p, q) - 2 * q.path.eta * size(p, q.base) ** 2),
)
