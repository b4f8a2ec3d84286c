r"""Floor of the smallest eigenvalue by the eigenvalues of the powers

Source: docs/theory.md §9.1; Weyl's inequality; the reconstructed form by the proof technique of Nguyen, Mondelli and Montúfar (2021)
Networks: series
Setting: As for the floor by the tail: $K = D\big(\sum_k\alpha_k G^{\circ k}\big)D$, $G$ positive semidefinite. $c_k = \max_{i}\sum_{j\ne i}|G_{ij}|^k / G_{ii}^k$.
Measured: $\lambda_{\min}(K)$ against the sum over the first 32 terms. No draw enters.
Refuted by: Data whose $\lambda_{\min}(K)$ lies below the floor.

[reconstructed]
Direction: upper
Assumes: $G_{ii}^r - \sum_{j\ne i}|G_{ij}|^r \ge \tfrac12 G_{ii}^r$ in every row for some power $r$ of the series; the first such one is taken.
Statement: $$ c\,\min_i D_i^2\,\alpha_r\,\min_i G_{ii}^r \le \lambda_{\min}(K), \qquad c = 1 $$
Note: For random inputs on a sphere of dimension $d$ the power $r$ is about $\log n/\log\sqrt d$, and this is $\Omega(\mu_r^2)$ with $\mu_r^2 = \alpha_{r+1}$ the Hermite coefficient of $\varphi'$; $c = \tfrac12$ follows from Gershgorin's circles. The ratio of the sides is the implied constant.

[derived]
Direction: tight
Statement: $$ \min_i D_i^2 \sum_k \alpha_k\,\lambda_{\min}(G^{\circ k}) \le \lambda_{\min}(K) $$
Proof: Weyl's inequality: $\lambda_{\min}$ of a sum is at least the sum of the $\lambda_{\min}$. $G^{\circ k}$ is positive semidefinite, so no term is negative.
Note: At least the floor by the tail, term by term, since Gershgorin's bound lies below $\lambda_{\min}(G^{\circ k})$. Orthonormal inputs attain it.
"""

import jax.numpy as jnp

from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.nouns import AT_START
from ntkverify.networks.series import TERMS, by_rows, diagonal, of_terms, smallest
from ntkverify.statements.form import Form, Twin


def rhs(problem, point, c):
    return jnp.linalg.eigvalsh(sample_kernel(problem)[0])[0]


def lhs(problem, point, c):
    return jnp.sum(of_terms(problem, smallest))


def of_eigenvalue(place):
    """The floor with another eigenvalue of each power in place of the smallest."""
    return lambda problem, point, c: jnp.sum(of_terms(problem, lambda A: place(jnp.linalg.eigvalsh(A))))


def on_the_diagonal(matrix):
    return jnp.min(diagonal(matrix))


def reached(problem):
    """Of each term, whether its rows are dominated by half of their diagonal."""
    half = of_terms(problem, lambda A: by_rows(A) - on_the_diagonal(A) / 2)
    return half >= 0


def first(problem):
    """1 at the first term that is so, 0 elsewhere."""
    there = reached(problem)
    places = jnp.arange(TERMS)
    return (places == jnp.min(jnp.where(there, places, TERMS))).astype(problem.X.dtype)


def of_first(problem, point, c):
    return c["c"] * jnp.sum(first(problem) * of_terms(problem, on_the_diagonal))


def some(problem, c):
    return jnp.any(reached(problem))


def nonzero(problem, c):
    return jnp.min(jnp.sum(problem.X**2, axis=1)) > 0


reconstructed = Form(
    of_first,
    rhs,
    of_problem={"no input is 0": nonzero, "a power of the Gram matrix with a leading diagonal": some},
    where=AT_START,
    constants={"c": 1.0},
).with_twins(
    Twin("a constant that grows like n⁴", lhs=lambda p, q, c: of_first(p, q, {"c": 1.0 * p.n**4})),
    Twin("all terms with their diagonals", lhs=lambda p, q, c: jnp.sum(of_terms(p, on_the_diagonal))),
)
derived = Form(lhs, rhs, where=AT_START).with_twins(
    Twin("the middle eigenvalue", lhs=of_eigenvalue(lambda values: values[len(values) // 2])),
    Twin("the mean eigenvalue", lhs=of_eigenvalue(jnp.mean)),
)
