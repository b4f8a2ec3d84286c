r"""The smallest eigenvalue is at most what the closest pair allows

Source: docs/theory.md §9.2
Networks: two-layer
Setting: Any two-layer network and its limit kernel $K$ over two inputs or more.
Measured: $\lambda_{\min}(K)$ against the least of the pairs. No draw enters. Where the limit is known by quadrature or quasi-Monte Carlo, both sides read the same $K$.
Refuted by: Data whose $\lambda_{\min}(K)$ lies above it.

[derived]
Direction: tight
Statement: $$ \lambda_{\min}(K) \le \min_{i \ne j}\ \tfrac12(K_{ii} + K_{jj}) - |K_{ij}| $$
Proof: The quotient of Rayleigh at $(e_i \mp e_j)/\sqrt2$. Two inputs of the same length attain it.
Note: At distance $\theta$ of two unit inputs it is $\Theta(\theta^2)$ for analytic activations and $\Theta(\theta)$ for ReLU (Karhadkar, Murray and Montúfar 2024 have the latter with an implicit constant). Many inputs are worse than their closest pair: for softmax $\lambda$ falls with a power of $\theta$ that grows with their number.
"""

import jax.numpy as jnp
import numpy as np

from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.series import diagonal
from ntkverify.statements.form import Form, Twin


def lhs(problem, point, c):
    return jnp.linalg.eigvalsh(sample_kernel(problem)[0])[0]


def of_pairs(problem, weight):
    """min over pairs of (K_ii + K_jj)/2 − weight |K_ij|; K_11 for one input."""
    K = sample_kernel(problem)[0]
    if problem.n < 2:
        return K[0, 0]
    i, j = np.triu_indices(problem.n, 1)
    own = diagonal(K)
    return jnp.min((own[i] + own[j]) / 2 - weight * jnp.abs(K[i, j]))


def rhs(problem, point, c):
    return of_pairs(problem, 1)


def one(problem, point, c):
    K = sample_kernel(problem)[0]
    return rhs(problem, point, c) - jnp.min(diagonal(K)) / 2


derived = Form(lhs, rhs, where=AT_START).with_twins(
    Twin("one of the two diagonal entries", rhs=one),
    Twin("their product counted twice", rhs=lambda p, q, c: of_pairs(p, 2)),
)
