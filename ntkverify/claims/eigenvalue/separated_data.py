r"""Smallest eigenvalue of ReLU's kernel on separated data

Source: Karhadkar, Murray and Montúfar (2024), recalled, for the kernel of the first layer alone; docs/theory.md §9.5
Networks: relu
Setting: Unit inputs in dimension $d \ge 3$ that are $\theta$-separated: $\min(\|x_i - x_j\|, \|x_i + x_j\|) \ge \theta$ for $i \ne j$, $\theta$ the largest such number.
Measured: $\lambda_{\min}(K)$ of the limit kernel. No draw enters.
Refuted by: Data whose $\lambda_{\min}(K)$ lies below it.

[reconstructed]
Direction: lower
Assumes: Unit inputs, at least two, and $d \ge 3$, $0 < \theta < 1$.
Statement: $$ \lambda_{\min}(K) \ge c\,\theta^2\Big(1 + \frac{d\log(1/\theta)}{\log d}\Big)^{-3}, \qquad c = 1 $$
Note: The source leaves $c$ implicit; the ratio of the sides is the implied one. In a cap that shrinks $\lambda = \Theta(\theta)$ for any fixed number of inputs (docs/findings/separation.md), so the implied constant grows without bound there.
"""

import jax.numpy as jnp
import numpy as np

from ntkverify.networks.gates import RELU, unit_inputs
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.statements.form import Form, Twin, with_constants


def lhs(problem, point, c):
    return jnp.linalg.eigvalsh(sample_kernel(problem)[0])[0]


def separation(problem):
    """θ; 2 for one input."""
    if problem.n < 2:
        return jnp.full((), 2, problem.X.dtype)
    i, j = np.triu_indices(problem.n, 1)
    apart, together = (jnp.sum((problem.X[i] + sign * problem.X[j]) ** 2, axis=1) for sign in (-1, 1))
    return jnp.sqrt(jnp.min(jnp.minimum(apart, together)))


def damping(problem):
    d = jnp.asarray(problem.d_in, problem.X.dtype)
    return 1 + d * jnp.log(1 / separation(problem)) / jnp.log(d)


def rhs(problem, point, c):
    return c["c"] * separation(problem) ** 2 / damping(problem) ** 3


OF_DATA = {
    "d ≥ 3": lambda problem, c: jnp.asarray(problem.d_in >= 3),
    "at least two inputs": lambda problem, c: jnp.asarray(problem.n >= 2),
    "inputs of length 1": unit_inputs,
    "θ > 0: no two inputs on one line": lambda problem, c: separation(problem) > 0,
    "θ < 1, the reach of its logarithm": lambda problem, c: separation(problem) < 1,
}


reconstructed = Form(lhs, rhs, of_problem=RELU | OF_DATA, where=AT_START, constants={"c": 1.0}).with_twins(
    with_constants("c = 10⁴", c=1e4),
    Twin("no power of d log(1/θ)/log d", rhs=lambda p, q, c: separation(p)),
)
