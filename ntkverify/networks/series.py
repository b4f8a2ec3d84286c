"""Power series of the limit kernel, K = D (Σ_j β_j F∘P^{∘j}) D and more that is positive semidefinite (`nouns.TwoLayer.series`).

F∘P^{∘j} is positive semidefinite by Schur's product theorem, so every part of the series bounds K from below.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import Problem

TERMS = 32
"""What is left out only lowers the bounds."""


@full_precision
def of_terms(problem: Problem, read: Callable) -> Float[Array, " terms"]:
    """min_i D_i² β_j read(F∘P^{∘j}): bounds on the part that the j-th term has in λ_min(K), if those of the terms are read."""
    assert problem.activation.series is not None
    D, first, step, beta, ratio = problem.activation.series(problem.X, problem.sigma)

    def term(carry, j):
        matrix, beta = carry
        return (matrix * step, beta * ratio(j)), beta * read(matrix)

    _, found = jax.lax.scan(term, (first, beta), jnp.arange(TERMS, dtype=first.dtype))
    return jnp.min(D) ** 2 * found


def diagonal(matrix: Float[Array, "n n"]) -> Float[Array, " n"]:
    """By a sum, for which there is an enclosure."""
    return jnp.sum(matrix * jnp.eye(len(matrix), dtype=matrix.dtype), axis=1)


def by_rows(matrix: Float[Array, "n n"]) -> Float[Array, ""]:
    """Gershgorin's bound on λ_min."""
    return jnp.min(2 * diagonal(matrix) - jnp.sum(jnp.abs(matrix), axis=1))


def smallest(matrix: Float[Array, "n n"]) -> Float[Array, ""]:
    """λ_min of a positive semidefinite matrix, which is not negative."""
    return jnp.maximum(jnp.linalg.eigvalsh(matrix)[0], 0)


def best_tail(terms: Float[Array, " terms"]) -> Float[Array, ""]:
    """max_N Σ_{j ≥ N} of the terms: the head is positive semidefinite, and may be left out."""
    later = jnp.triu(jnp.ones((TERMS, TERMS), terms.dtype))
    return jnp.max(jnp.sum(later * terms[None], axis=1))
