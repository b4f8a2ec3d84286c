r"""Floor of the smallest eigenvalue by the tail of the power series

Source: docs/theory.md §9.1; Schur's product theorem and Gershgorin's circles
Networks: series
Setting: A network whose limit kernel is $K = D\big(\sum_{k}\alpha_k G^{\circ k}\big)D$, $\alpha_k \ge 0$, $G$ positive semidefinite, $G^{\circ k}$ its entrywise power; softmax: $G = XX^\top$, $\alpha_k = \sigma^{2(k-1)}/(k-1)!$, $D = 1$; exponential: $D_i = e^{\sigma^2\|x_i\|^2/2}$; ReLU: $G$ of the unit inputs, $D_i = \|x_i\|$, even powers; erf: odd powers.
Measured: $\lambda_{\min}(K)$ against the best tail of the first 32 terms. No draw enters.
Refuted by: Data whose $\lambda_{\min}(K)$ lies below the floor.

[derived]
Direction: tight
Assumes: The floor is positive: inputs are not too many for how far they are apart.
Statement: $$ \min_i D_i^2\ \max_N \sum_{k \ge N} \alpha_k \min_i\Big(G_{ii}^k - \sum_{j \ne i} |G_{ij}|^k\Big) \le \lambda_{\min}(K) $$
Proof: $G^{\circ k}$ is positive semidefinite by Schur's product theorem, so the terms before $N$ may be left out, and every eigenvalue of the $k$-th term is at least its smallest diagonal entry less the sum of the others in that row. $\lambda_{\min}(DAD) \ge \min_i D_i^2\,\lambda_{\min}(A)$ for positive semidefinite $A$.
Note: Orthonormal inputs attain it. Positive for distinct unit inputs (no antipodal ones for even powers), but super-exponentially small on close ones: $N$ must be about $\log n/(1 - \max|G_{ij}|)$.
"""

import jax.numpy as jnp

from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.series import best_tail, by_rows, diagonal, of_terms
from ntkverify.statements.form import Form, Twin


def rhs(problem, point, c):
    return jnp.linalg.eigvalsh(sample_kernel(problem)[0])[0]


def lhs(problem, point, c):
    return best_tail(of_terms(problem, by_rows))


def nearest(problem, point, c):
    """Of each row the nearest other input alone."""

    def read(matrix):
        others = jnp.where(jnp.eye(len(matrix), dtype=bool), 0, jnp.abs(matrix))
        return jnp.min(diagonal(matrix) - jnp.max(others, axis=1))

    return best_tail(of_terms(problem, read))


def alone(problem, point, c):
    """No other input."""
    return best_tail(of_terms(problem, lambda matrix: jnp.min(diagonal(matrix))))


def positive(problem, c):
    return lhs(problem, None, c) > 0


derived = Form(
    lhs, rhs, of_problem={"a floor above 0: not too many inputs for how far they are apart": positive}, where=AT_START
).with_twins(
    Twin(
        "the nearest other input in place of the sum over all",
        lhs=nearest,
        assumptions=lambda p, q, c: nearest(p, q, c) > 0,
    ),
    Twin("the other inputs left out", lhs=alone, assumptions=lambda p, q, c: alone(p, q, c) > 0),
)
