r"""Perturbation of the Jacobian

Source: docs/theory.md §4, the Jacobian's side of the kernel perturbation
Networks: softmax
Setting: Softmax network, any $W$, and $\widetilde W$ with $\|\widetilde w_r - w_r\| \le R$ for every $r$; $J$ the Jacobian of $F$ in $W$, $\kappa = \max_{i,r} m S_{i,r}$ at $W$.
Measured: $\|\widetilde J - J\|_{op}/\sqrt m$, the root of the largest eigenvalue of $XX^\top \otimes 1 1^\top \circ (\widetilde g_p - g_p)(\widetilde g_q - g_q)^\top$, at the drawn points of the ball; $R$ is what it is at the point.
Refuted by: One point of the ball at which the Jacobian moves further.

[derived]
Direction: upper
Statement: $$ \tfrac{1}{\sqrt m}\|\widetilde J - J\|_{op} \le (e^R - 1)\sqrt{\kappa d}\,\|X\|_{op}, \qquad \text{hence}\quad \|H(\widetilde W) - H(W)\|_{op} \le (e^{2R} - 1)\, d\,\kappa\,\|X\|_{op}^2 $$
Proof: Row $p = (i,l)$ of $J/\sqrt m$ is $g_p \otimes x_i$, and $\|\widetilde g_p - g_p\| \le (e^R-1)\sqrt\kappa$ by the proof of the kernel perturbation. For $\Delta_p = \widetilde g_p - g_p$ and $h_i = \sum_l c_{i,l}\Delta_{(i,l)}$: $\|\sum_i x_i \otimes h_i\|^2 \le \|X\|_{op}^2\sum_i\|h_i\|^2$ and $\|h_i\|^2 \le \|c_i\|^2 \sum_l \|\Delta_{(i,l)}\|^2 \le d\,(e^R-1)^2\kappa\,\|c_i\|^2$. Then $\widetilde H - H$ is at most $\|\widetilde J - J\|(\|\widetilde J\| + \|J\|)/m$, and the same argument with $\|g_p\| \le \sqrt\kappa$, $\|\widetilde g_p\| \le e^R\sqrt\kappa$ bounds the second factor by $(e^R+1)\sqrt{\kappa d}\,\|X\|_{op}$.
Note: $\|X\|_{op}^2$ is between 1 and n for inputs of length 1; for spread inputs it is near $\max(1, n/d_{in})$. The bound for the kernel follows and is not checked apart.
"""

import jax.numpy as jnp

from ntkverify.networks.quantities import distance, is_softmax, jacobian_distance, kappa, operator_norm
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return jacobian_distance(problem, point) / jnp.sqrt(1.0 * problem.m)


def rhs(problem, point, c):
    return jnp.expm1(distance(point)) * scale(problem, point)


def scale(problem, point):
    """√(κ d) ‖X‖."""
    return jnp.sqrt(kappa(problem, point.base) * problem.d_out) * operator_norm(problem)


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    scaled("the factor ‖X‖ dropped", rhs=lambda p, q, c: 1 / operator_norm(p)),
    scaled("the constant halved", rhs=0.5),
    Twin("R squared in place of R", rhs=lambda p, q, c: jnp.expm1(distance(q) ** 2) * scale(p, q)),
)
