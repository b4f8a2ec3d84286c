"""The kernel's limit as m → ∞: K ⊗ I_d, K_ij = ⟨x_i,x_j⟩ E[φ'(u)φ'(v)], u and v the two logits.

Independent of the finite-width code.  "K ⊗ I_d" means the sample is slow: entry ((i,l),(j,k)) is
K_ij when l = k and 0 otherwise.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.nouns import Params, Problem
from ntkverify.numerics import full_precision


@full_precision
def infinite_width(problem: Problem, params: Params | None = None) -> Float[Array, "nd nd"]:
    """The limit of H, (n·d_out, n·d_out); no draw enters it, `params` is there for the signature."""
    return jnp.kron(sample_kernel(problem)[0], jnp.eye(problem.d_out, dtype=problem.X.dtype))


@full_precision
def sample_kernel(problem: Problem) -> tuple[Float[Array, "n n"], Float[Array, ""]]:
    """K, the factor over samples, and the relative error of the expectation in it."""
    X = problem.X
    expectation, error = problem.activation.expectation(X, problem.sigma)
    return X @ X.T * expectation, error
