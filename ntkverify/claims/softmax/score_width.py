r"""The width of the score theorem

Source: docs/theory.md §6, Theorem 6.6 of arXiv:2405.03251 (v2), by its proof technique
Networks: softmax
Setting: Softmax network along gradient descent from a coupled $W(0)$ on labels with $\|y_i\| \le 1$ of whatever origin, so also on the noisy labels $X_0$ of a diffusion model; $\lambda = \lambda_{\min}(H(0))$.
Measured: $\|e(\tau+1)\|^2$ at drawn times.
Refuted by: One time at which the loss is larger.

[reconstructed]
Direction: upper
Assumes: $m \ge c_m\lambda^{-2}(nd)^p e^{18B}\log^2(nd/\delta)$ with $p = 3$, and $\eta \le 0.1\,\lambda/(m n^2d^2e^{16B})$, $\lambda > 0$.
Statement: $$ \|e(\tau+1)\|^2 \le (1 - \tfrac12 m\eta\lambda)^{\tau+1}\,\|e(0)\|^2 $$
Note: The score theorem asks for $n^3d^3$ where convergence asks for $n^2d^2$; $p$ is a parameter (`samples_power`), like the other constants, because the paper's own text was not at hand. No run reaches that width; the verdict says by which factor it is missed. What the theorem concludes about $f^*$, beyond the training loss, is measured by the study `diffusion`.
"""

import jax.numpy as jnp

from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import DISTINCT, THEOREM_WIDTH, eigenvalues, envelope, is_softmax, squared_error
from ntkverify.networks.step_sizes import theorem_missed
from ntkverify.statements.form import Form, Twin, scaled


def smallest(problem, point):
    return eigenvalues(problem, point.path.start)[0]


def assumptions(problem, point, c):
    return is_softmax(problem, point, c) & (smallest(problem, point) > c["least"])


def lhs(problem, point, c):
    return squared_error(problem, point.moved)


def rhs(problem, point, c):
    return envelope(problem, point, 0.5 * problem.m * point.path.eta * smallest(problem, point))


reconstructed = Form(
    lhs,
    rhs,
    assumptions=assumptions,
    of_problem=DISTINCT,
    beyond=theorem_missed,
    where=ON_PATH,
    constants=THEOREM_WIDTH | {"samples_power": 3.0, "power": 16.0, "least": 1e-9},
).with_twins(
    Twin("λ_max in place of λ", rhs=lambda p, q, c: envelope(p, q, 0.9 * p.m * q.path.eta * q.path.top)),
    scaled("the rate of one step for all", rhs=lambda p, q, c: jnp.exp(-q.path.time)),
)
