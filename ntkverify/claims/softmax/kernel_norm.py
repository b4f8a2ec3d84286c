r"""Largest eigenvalue of the kernel

Source: docs/theory.md §4, the bound on the kernel's entries for its norm
Networks: softmax
Setting: Softmax network, any $W$ (checked in the ball); $\kappa = \max_{i,r} m S_{i,r}$, $\omega = \max_i \lambda_{\max}(\mathrm{Cov}_{S_i}(a))$, the $d \times d$ covariance of the signs under $S_i$.
Measured: $\lambda_{\max}(H)$ at every drawn point.
Refuted by: One point with a larger eigenvalue.

[derived]
Direction: upper
Statement: $$ \lambda_{\max}(H) \le \kappa\, \omega\, \|X\|_{op}^2 \ \le\ \kappa\, d\, \|X\|_{op}^2 \ \le\ n d\, \kappa $$
Proof: $J^\top c/\sqrt m = \sum_i x_i \otimes h_i$ with $h_i = \sqrt m\, S_i \sum_l c_{i,l}(a_l - f_{l,i})$, so $c^\top H c = \sum_{ij}\langle x_i,x_j\rangle\langle h_i,h_j\rangle \le \|X\|_{op}^2 \sum_i \|h_i\|^2$ (for each neuron, the quadratic form of $XX^\top$), and $\|h_i\|^2 \le \kappa\, \mathrm{Var}_{S_i}\big(\sum_l c_{i,l}a_l\big) \le \kappa\,\omega\,\|c_i\|^2$. At most $d$, the trace of that covariance being $\sum_l (1 - f_{l,i}^2)$. Attained by uniform $S$ with balanced orthogonal sign rows and equal inputs.
Note: $\omega$ is near 1 for $m \gg d$, so the norm does not grow with $d$.
"""

import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.quantities import eigenvalues, is_softmax, kappa, operator_norm, softmax
from ntkverify.statements.form import Form, Twin, scaled


def lhs(problem, point, c):
    return eigenvalues(problem, point.moved)[-1]


@full_precision
def omega(problem, point):
    S, a = softmax(problem, point.moved), point.moved.a
    apart = a[None] - (S @ a.T)[:, :, None]
    covariance = (apart * S[:, None]) @ apart.transpose(0, 2, 1)
    return jnp.max(jnp.linalg.eigvalsh(covariance))


def rhs(problem, point, c):
    return kappa(problem, point.moved) * omega(problem, point) * operator_norm(problem) ** 2


derived = Form(lhs, rhs, assumptions=is_softmax).with_twins(
    Twin("the factor κ dropped", rhs=lambda p, q, c: omega(p, q) * operator_norm(p) ** 2),
    scaled("the factor ‖X‖² dropped", rhs=lambda p, q, c: 1 / operator_norm(p) ** 2),
)
