r"""How far a network is from its linearisation

Source: docs/theory.md §5 and §6: the curvature behind a-posteriori convergence, and the law of the coupling part
Networks: softmax
Setting: Softmax network, any $W$, $\tilde W = W + \Delta$ in the ball of radius $R = \max_r\|\Delta_r\|$, $J$ the Jacobian at $W$; $\chi(R) = \tfrac12\left(1 + \tanh(\mathrm{artanh}\max|f| + R)\right)e^{2R}\kappa\sqrt{nd}$, $\kappa$ and $f$ at $W$.
Measured: At every point of the ball that is drawn; $J\,\mathrm{vec}(\Delta)$ by forward differentiation. The search in the ball is a lower bound of the supremum.
Refuted by: One point whose remainder is larger.

[derived]
Direction: upper
Statement: $$ \|F(\tilde W) - F(W) - J\,\mathrm{vec}(\Delta)\| \le \chi(R)\,\|\Delta\|_F^2 $$
Proof: Along $W + s\Delta$ put $z_r = \langle\Delta_r, x_i\rangle$, $\bar z = \sum_r S_r z_r$; then $S_r' = S_r(z_r - \bar z)$ and $\bar z' = \mathrm{Var}_S(z)$, so $F' = m\sum_r a_r S_r(z_r - \bar z)$ and $F'' = m\sum_r a_r S_r\left((z_r-\bar z)^2 - \mathrm{Var}_S(z)\right) = m\sum_r (a_r - f)\,S_r\,(z_r - \bar z)^2$. With $|a - f| \le 1 + |f|$, $\mathrm{Var}_S(z) \le \sum_r S_r z_r^2$ and $S_r \le e^{2R}\kappa/m$, $|F''| \le (1+|f|)\,e^{2R}\kappa\sum_r z_r^2 \le (1+|f|)\,e^{2R}\kappa\,\|\Delta\|_F^2$, and $|f| \le \tanh(\mathrm{artanh}|f(W)| + R)$ along the segment. Taylor's remainder gives the factor $\tfrac12$, the norm over $nd$ outputs the factor $\sqrt{nd}$.
Note: Gradient descent on the network and on its linearisation part by the sum of such remainders: a network whose neurons move like $1/m$ has $\|\Delta\|_F^2 \sim 1/m$. The study `diffusion` measures the sum; at a coupled start the leading term cancels within pairs, and it falls faster.
"""

import jax
import jax.numpy as jnp

from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Params
from ntkverify.networks.quantities import curvature, distance, is_softmax, outputs
from ntkverify.statements.form import Form, Twin


def along(problem, point):
    """J vec(Δ), (n, d)."""
    base = point.base

    def at(W):
        return forward(problem.network, Params(W, base.a), problem.X)

    return jax.jvp(at, (base.W,), (point.moved.W - base.W,))[1]


def remainder(problem, point, share):
    """‖F(W̃) − F(W) − share · J vec(Δ)‖."""
    change = outputs(problem, point.moved) - outputs(problem, point.base)
    return jnp.sqrt(jnp.sum((change - share * along(problem, point)) ** 2))


def lhs(problem, point, c):
    return remainder(problem, point, 1.0)


def squared(point):
    """‖Δ‖²_F."""
    return jnp.sum((point.moved.W - point.base.W) ** 2)


def rhs(problem, point, c):
    return curvature(problem, point.base, distance(point)) * squared(point)


def single(problem, point, c):
    """‖Δ‖_F replaced by the longest Δ_r."""
    return curvature(problem, point.base, distance(point)) * distance(point) ** 2


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    Twin("the linear term dropped", lhs=lambda p, q, c: remainder(p, q, 0.0)),
    Twin("half of the linear term", lhs=lambda p, q, c: remainder(p, q, 0.5)),
    Twin("the linear term's sign flipped", lhs=lambda p, q, c: remainder(p, q, -1.0)),
    Twin("‖Δ‖_F replaced by the longest Δ_r", rhs=single),
)
