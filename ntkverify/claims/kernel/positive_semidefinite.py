r"""The kernel is positive semidefinite

Source: docs/theory.md §2
Setting: Any network at $W(0)$, as at any $W$; $\lambda_{\min}$ and $\lambda_{\max}$ of $H = JJ^\top/s_m$.
Measured: Both extreme eigenvalues at every draw. Beside $\lambda_{\max}$ a rounding error is small, beside an eigenvalue that is 0 it never is; so the width of the spectrum is compared with its upper end.
Refuted by: One draw at which the spectrum is wider than its upper end by more than the enclosure of the eigenvalues.

[derived]
Direction: tight
Statement: $$ \lambda_{\max}(H) - \lambda_{\min}(H) \le \lambda_{\max}(H), \qquad\text{that is}\quad \lambda_{\min}(H) \ge 0 $$
Proof: $v^\top H v = \|J^\top v\|^2/s_m \ge 0$. Attained where $J^\top v = 0$ for some $v \ne 0$: more outputs than trained numbers, or inputs that the network does not tell apart.
"""

import jax.numpy as jnp

from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.quantities import eigenvalues
from ntkverify.statements.form import Form, Twin, scaled


def spread(values):
    return values[-1] - values[0]


def lhs(problem, point, c):
    return spread(eigenvalues(problem, point.base))


def rhs(problem, point, c):
    return eigenvalues(problem, point.base)[-1]


def without_diagonal(problem, point):
    H = kernel(problem, point.base)
    return jnp.linalg.eigvalsh(H * (1 - jnp.eye(len(H), dtype=H.dtype)))


derived = Form(lhs, rhs, where=AT_START).with_twins(
    Twin(
        "the diagonal left out",
        lhs=lambda p, q, c: spread(without_diagonal(p, q)),
        rhs=lambda p, q, c: without_diagonal(p, q)[-1],
    ),
    scaled("half of the largest eigenvalue", rhs=0.5),
)
