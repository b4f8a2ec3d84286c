r"""How far the neurons of a ReLU network move

Source: Du, Zhai, Poczos and Singh 2019 (arXiv:1810.02054), recalled
Networks: relu
Setting: ReLU network along gradient descent with step size $\eta$ from any $W(0)$; $s = m^{-1/2}$ is its output scale and $s_m = 1$ that of its kernel ($1$ and $m$ for the sum-scaled network). The source has $d = 1$ and $m^{-1/2}$.
Measured: $\max_r\|w_r(\tau+1) - w_r(0)\|$ at drawn times of the path; the contraction that is assumed, $q = \max_{s<\tau}\|e(s+1)\|^2/\|e(s)\|^2$, is read off the path's losses.
Refuted by: One neuron that moved further.

[reconstructed]
Direction: upper
Assumes: $\|e(s+1)\|^2 \le (1 - \tfrac12\eta s_m\lambda_0)\|e(s)\|^2$ at every earlier step, $\lambda_0 = \lambda_{\min}(K) > 0$ of the limit kernel.
Statement: $$ \|w_r(\tau+1) - w_r(0)\| \le c\,\frac{s\sqrt{nd}\,\|e(0)\|}{s_m\lambda_0}, \quad c = 4; \qquad\text{at } d = 1:\ \ \frac{4\sqrt n\,\|e(0)\|}{\sqrt m\,\lambda_0} $$
Note: The source proves the contraction together with this, from a kernel that stays above $\lambda_0/2$; gradient flow contracts wherever the kernel does, steps need few neurons that switch, too. So the contraction is what is assumed, and measured. Given it, the derived form implies this one.

[derived]
Direction: upper
Assumes: $q < 1$.
Statement: $$ \|w_r(\tau+1) - w_r(0)\| \le \frac{2\eta s\sqrt d\,\|X\|_{op}\,\|e(0)\|}{1 - q} $$
Proof: $w_r(t+1) - w_r(t) = -\eta s\,X^\top D_r\,e(t)a_r$ with $D_r$ a diagonal of zeros and ones, so a step is at most $\eta s\|X\|_{op}\|e(t)a_r\| \le \eta s\sqrt d\,\|X\|_{op}\|e(t)\|$, since $\|a_r\| = \sqrt d$. With $\|e(t)\| \le q^{t/2}\|e(0)\|$ for $t \le \tau$ the lengths sum to at most $\eta s\sqrt d\|X\|_{op}\|e(0)\|/(1-\sqrt q)$, and $1/(1-\sqrt q) = (1+\sqrt q)/(1-q) \le 2/(1-q)$.
Note: $q = 1 - \tfrac12\eta s_m\lambda_0$ gives $4s\sqrt d\,\|X\|_{op}\|e(0)\|/(s_m\lambda_0)$, up to $\sqrt n$ below the reconstructed form for spread inputs, since $\|X\|_{op} \le \sqrt n$.
"""

import jax.numpy as jnp

from ntkverify.networks.gates import POSITIVE, RELU, smallest
from ntkverify.networks.network import kernel_scale, output_scale
from ntkverify.networks.nouns import ON_PATH
from ntkverify.networks.quantities import operator_norm, squared_error
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return jnp.sqrt(jnp.max(jnp.sum((point.moved.W - point.path.start.W) ** 2, axis=0)))


def error(problem, point):
    """s √d ‖e(0)‖."""
    size = jnp.sqrt(problem.d_out * squared_error(problem, point.path.start))
    return output_scale(problem.activation, problem.m) * size


def reconstructed_rhs(problem, point, c):
    n = jnp.sqrt(1.0 * problem.n)
    return c["c"] * n * error(problem, point) / (kernel_scale(problem.network, problem.m) * smallest(problem))


def contracts(problem, point, c):
    rate = point.path.eta * kernel_scale(problem.network, problem.m) * smallest(problem) / 2
    return point.path.slowest <= 1 - rate


def first_step(problem, point):
    """η s √d ‖X‖ ‖e(0)‖."""
    return point.path.eta * operator_norm(problem) * error(problem, point)


def rhs(problem, point, c):
    return 2 * first_step(problem, point) / (1 - point.path.slowest)


def assumptions(problem, point, c):
    return point.path.slowest < 1


reconstructed = Form(
    lhs,
    reconstructed_rhs,
    assumptions=contracts,
    of_problem=RELU | POSITIVE,
    where=ON_PATH,
    constants={"c": 4.0, "least": 1e-9},
).with_twins(
    scaled("m in place of √m", rhs=lambda p, q, c: output_scale(p.activation, p.m)),
    Twin("λ_max in place of λ₀, √n and 4 dropped", rhs=lambda p, q, c: error(p, q) / (10 * q.path.top)),
)
derived = Form(lhs, rhs, assumptions=assumptions, of_problem=RELU, where=ON_PATH).with_twins(
    scaled("m in place of √m", rhs=lambda p, q, c: output_scale(p.activation, p.m)),
    Twin("one step for all", rhs=lambda p, q, c: first_step(p, q) / 2),
)
