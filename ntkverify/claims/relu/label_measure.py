r"""How far all weights move, by the labels' measure

Source: Arora, Du, Hu, Li and Wang 2019 (arXiv:1901.08584), recalled
Networks: relu
Setting: ReLU network of output scale $m^{-1/2}$ along gradient descent from $W(0)$; one output, unit inputs, $\lambda_0 = \lambda_{\min}(K) > 0$ of the limit kernel; $m' = m/2$ neurons are drawn in pairs, otherwise $m' = m$. The source starts from small weights, where $F(W(0)) \approx 0$, and has $y$ in place of $-e(0)$: in pairs the two are equal; of other starts the same dynamics speaks with $e(0)$.
Measured: $\|W(\tau+1) - W(0)\|_F$ at drawn times of the path, $e(0)$ as it is at its start. $e^\top K^{-1}e = \det(K + ee^\top)/\det K - 1$, from eigenvalues.
Refuted by: A rate of paths that are longer which is above $\delta$ with 95% confidence.

[reconstructed]
Direction: upper
Promise: 1 - delta
Statement: $$ \|W(\tau+1) - W(0)\|_F \le \sqrt{e(0)^\top K^{-1}e(0)} + c\,\frac{n}{\lambda_0\,m'^{1/4}}, \qquad c = 1 $$
Note: The measure $y^\top K^{-1}y$ bounds what the trained network's error on new data can be. In the source the last term is a polynomial in $n$, $1/\lambda_0$ and $1/\delta$ that falls like $m^{-1/4}$; this one and its constant are parameters. With $J$ as it is at $W(0)$, the first term alone is the bound for every number of steps.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.gates import OF_SOURCE, POSITIVE, ROOT_SCALED, drawn, smallest
from ntkverify.networks.kernels.infinite_width import infinite_width
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import residual
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return jnp.sqrt(jnp.sum((point.moved.W - point.path.start.W) ** 2))


@full_precision
def measure(problem, point):
    """e(0)ᵀ K⁻¹ e(0)."""
    K, e = infinite_width(problem), residual(problem, point.path.start).ravel()
    logs = [jnp.sum(jnp.log(jnp.linalg.eigvalsh(each))) for each in (K + e[:, None] * e[None], K)]
    return jnp.expm1(logs[0] - logs[1])


def rest(problem, c):
    """c n / (λ₀ m'^{1/4})."""
    return c["c"] * problem.n / (smallest(problem) * jnp.sqrt(jnp.sqrt(1.0 * drawn(problem))))


def rhs(problem, point, c):
    return jnp.sqrt(measure(problem, point)) + rest(problem, c)


def of_kernel(problem, point, c):
    """√(e(0)ᵀ K e(0)), K in place of its inverse, and half of the rest."""
    K, e = infinite_width(problem), residual(problem, point.path.start).ravel()
    return jnp.sqrt(jnp.sum(K * (e[:, None] * e[None]))) + rest(problem, c) / 2


reconstructed = Form(
    lhs, rhs, of_problem=OF_SOURCE | ROOT_SCALED | POSITIVE, where=ON_PATH, constants={"c": 1.0, "least": 1e-9}
).with_twins(
    Twin("K in place of its inverse", rhs=of_kernel),
    scaled("half of it, divided by m^{1/4}", rhs=lambda p, q, c: 0.5 / jnp.sqrt(jnp.sqrt(1.0 * p.m))),
)
