r"""The smallest eigenvalue is kept along training

Source: docs/theory.md §4, the convex region, where training actually goes
Networks: softmax
Setting: Softmax network along gradient descent from $W(0)$; $\lambda = \lambda_{\min}(H(0))$ and $\kappa$ at $W(0)$, $R = \max_r\|w_r(\tau) - w_r(0)\|$.
Measured: $\lambda_{\min}(H(\tau))$ at drawn times of the path, $R$ as it is there.
Refuted by: One time at which the eigenvalue is smaller.

[reconstructed]
Direction: lower
Assumes: $m \ge c_m\lambda^{-2}n^2d^2e^{18B}\log^2(nd/\delta)$, $B = \max(C\sigma\sqrt{\log(nd/\delta)}, 1)$, $C = 10$, $c_m = 1$.
Statement: $$ \lambda_{\min}(H(\tau)) \ge \lambda/2 $$
Note: No run reaches that width; the verdict says by which factor it is missed.

[derived]
Direction: lower
Assumes: $\lambda > 0$ and a right side above 0.
Statement: $$ \lambda_{\min}(H(\tau)) \ge \left(\sqrt\lambda - (e^R-1)\sqrt{\kappa d}\,\|X\|_{op}\right)^2, \qquad \text{at least } \lambda/2 \text{ while } e^R - 1 \le \left(1-\tfrac1{\sqrt2}\right)\frac{\sqrt{\lambda/(\kappa d)}}{\|X\|_{op}} $$
Proof: $\sqrt{\lambda_{\min}}$ is the smallest singular value of $J^\top/\sqrt m$, which changes by at most $\|J(\tau) - J(0)\|_{op}/\sqrt m \le (e^R-1)\sqrt{\kappa d}\,\|X\|_{op}$, the perturbation of the Jacobian.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import (
    DISTINCT,
    THEOREM_WIDTH,
    eigenvalues,
    is_softmax,
    kappa,
    operator_norm,
    width_missed,
)
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return eigenvalues(problem, point.moved)[0]


def root(problem, point):
    return jnp.sqrt(jnp.maximum(eigenvalues(problem, point.path.start)[0], 0))


def loss(problem, point):
    R = jnp.sqrt(jnp.max(jnp.sum((point.moved.W - point.path.start.W) ** 2, axis=0)))
    return jnp.expm1(R) * jnp.sqrt(kappa(problem, point.path.start) * problem.d_out) * operator_norm(problem)


def rhs(problem, point, c):
    return (root(problem, point) - loss(problem, point)) ** 2


def assumptions(problem, point, c):
    lasting = root(problem, point) > jnp.maximum(loss(problem, point), c["least"])
    return is_softmax(problem, point, c) & lasting


def reconstructed_rhs(problem, point, c):
    return 0.5 * root(problem, point) ** 2


def positive(problem, point, c):
    return is_softmax(problem, point, c) & (root(problem, point) > c["least"])


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    assumptions=positive,
    of_problem=DISTINCT,
    beyond=width_missed,
    where=ON_PATH,
    constants=THEOREM_WIDTH | {"least": 1e-6},
).with_twins(
    scaled("2λ in place of λ/2", rhs=4.0),
    Twin("√λ in place of λ", rhs=lambda p, q, c: jnp.sqrt(reconstructed_rhs(p, q, c))),
)

derived = Form(
    lhs, rhs, assumptions=assumptions, of_problem=DISTINCT, where=ON_PATH, constants={"least": 1e-6}
).with_twins(
    Twin("the sign of the loss flipped", rhs=lambda p, q, c: (root(p, q) + loss(p, q)) ** 2),
    Twin("2λ claimed", rhs=lambda p, q, c: 2 * root(p, q) ** 2),
)
