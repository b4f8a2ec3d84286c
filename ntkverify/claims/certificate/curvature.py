r"""Curvature of the network

Source: docs/proofs/convergence.md, Lemma 1
Networks: smooth
Setting: A network with a twice differentiable activation at any $W$, and a displacement $\Delta$ of its neurons; $\|\Delta\|$ over all neurons. $K_2 = (\langle x_i,x_j\rangle^2)_{ij}$; $q_r = (mS_{i,r})_i$ for softmax, $\sup|\varphi''|$ or $\varphi''(\langle w_r,x_i\rangle)$ for elementwise $\varphi$.
Measured: The second derivative of $F(W + t\Delta)$ at $t = 0$ by automatic differentiation, along $\widetilde W - W$ and along its first neuron alone, divided by $\|\Delta\|^2$.
Refuted by: One displacement along which the network bends more.

[derived]
Direction: upper
Statement: $$ \|D^2F[\Delta,\Delta]\| \le A B\,\|\Delta\|^2, \qquad A = \sqrt d + \max_i\|f_i\|, \quad B^2 = \max_r\lambda_{\max}\big(\mathrm{diag}(q_r) K_2\, \mathrm{diag}(q_r)\big) $$
Proof: Softmax: the second derivative of $f_i = E_{S_i}[a]$ is the third cumulant $E[(a - f_i)(z - \bar z)^2]$, so for a unit $c$ it is at most $A\sum_i\|c_i\|\sum_r q_{i,r}z_{i,r}^2$, a variance being at most the second moment. For each neuron that is a quadratic form with matrix $\sum_i \|c_i\|q_{i,r}x_ix_i^\top$, whose Frobenius norm is at most $\lambda_{\max}(\mathrm{diag}(q_r)K_2\,\mathrm{diag}(q_r))^{1/2}$. Elementwise: $D^2F_i = \sum_r a_r\varphi''z_{i,r}^2$, $f_i = 0$, and the same from there.
Note: Where the first neuron alone moves, the two sides are close. The maximum over $r$ is bounded by Collatz's quotients.
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.growth import bends, constants, curvature_within, displacement, first_neuron, smooth
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import outputs
from ntkverify.statements.form import Form, scaled


def bent(problem, point):
    """‖D²F[Δ, Δ]‖ / ‖Δ‖²."""
    along = (point.moved.W - point.base.W) / displacement(point)

    def at(t):
        return outputs(problem, Params(point.base.W + t * along, point.base.a))

    def speed(t):
        return jax.jvp(at, (t,), (jnp.ones_like(t),))[1]

    zero = jnp.zeros((), problem.X.dtype)
    return jnp.sqrt(jnp.sum(jax.jvp(speed, (zero,), (jnp.ones_like(zero),))[1] ** 2))


def lhs(problem, point, c):
    return jnp.stack([bent(problem, point), bent(problem, first_neuron(point))])


def rhs(problem, point, c):
    return curvature_within(constants(problem, point.base), jnp.zeros((), problem.X.dtype))


derived = Form(lhs, rhs, assumptions=smooth).with_twins(
    scaled("the factor √d dropped", rhs=lambda p, q, c: p.d_out**-0.5),
    scaled("the largest weight replaced by the mean", rhs=lambda p, q, c: 1 / jnp.max(bends(p, q.base))),
    scaled("the constant halved", rhs=0.5),
)
