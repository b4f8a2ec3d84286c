r"""Size of the kernel's entries

Source: docs/theory.md §4
Networks: softmax
Setting: Softmax network, any $W$ (checked in the ball); $\kappa_i = \max_r m S_{i,r}$.
Measured: Every entry of $H$ at every drawn point, divided by its own bound.
Refuted by: One entry above its bound.

[derived]
Direction: upper
Statement: $$ |H_{pq}| \le \sqrt{\kappa_i \kappa_j (1-f_p^2)(1-f_q^2)} \ \le\ \kappa, \qquad \text{hence}\quad \lambda \le \kappa\, \min_p (1 - f_p^2) $$
Proof: $H_{pq} = \langle x_i,x_j\rangle \langle g_p, g_q\rangle$, $g_p = \sqrt m\, S_i (a_l - f_p)$, and $\|g_p\|^2 = m\sum_r S_{i,r}^2 (a_{l,r}-f_p)^2 \le \kappa_i\, \mathrm{Var}_{S_i}(a_l) = \kappa_i (1 - f_p^2)$; Cauchy–Schwarz, and $|\langle x_i,x_j\rangle| \le 1$. $\lambda$ is at most the smallest diagonal entry. Attained by uniform $S$, orthonormal inputs and orthogonal balanced sign rows, where $H = I$.
Note: The proof gives the further factor $|\langle x_i, x_j\rangle|$; it is left out, because rounding would decide where inputs are orthogonal. The bound on $\lambda$ follows from the diagonal entries and is not checked apart.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.quantities import is_softmax, outputs, softmax
from ntkverify.statements.form import Form, Twin, scaled


@full_precision
def lhs(problem, point, c):
    return jnp.abs(closed_form(problem, point.moved))


@full_precision
def rhs(problem, point, c):
    kappa = problem.m * jnp.max(softmax(problem, point.moved), axis=1)
    f = outputs(problem, point.moved) / problem.m
    root = jnp.sqrt(kappa[:, None] * (1 - f**2)).ravel()
    return root[:, None] * root[None, :] * jnp.ones((), problem.X.dtype)


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    Twin("the factor κ dropped", rhs=lambda p, q, c: jnp.ones_like(rhs(p, q, c))),
    scaled("the factor m dropped", rhs=lambda p, q, c: 1 / p.m),
)
