"""The kernel's limit as m → ∞: K ⊗ I_d, K_ij = ⟨x_i,x_j⟩ E[φ'(u)φ'(v)], u and v the two logits.

Where neurons are functions of their own, z(w; x), the factor is E[φ'(z_i) φ'(z_j) ⟨∇z_i, ∇z_j⟩], found by quasi-Monte Carlo
with an interval (`lattice.py`).

Independent of the finite-width code.  "K ⊗ I_d" means the sample is slow: entry ((i,l),(j,k)) is
K_ij when l = k and 0 otherwise.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.lattice import of_neurons, tails
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quadrature import fourth_moment_ratio, gaussian_products, products_error


@full_precision
def infinite_width(
    problem: Problem, params: Params | None = None, X2: Float[Array, "n2 d_in"] | None = None
) -> Float[Array, "nd n2d"]:
    """The limit of H, an (n·d_out, n2·d_out) array; no draw enters it, `params` is there for the signature.

    Source: docs/theory.md §2.
    """
    return jnp.kron(_factor(problem, problem.X if X2 is None else X2), jnp.eye(problem.d_out, dtype=problem.X.dtype))


@full_precision
def sample_kernel(problem: Problem) -> tuple[Float[Array, "n n"], Float[Array, ""]]:
    """K, the factor over samples, and a bound on the error of the expectation in it, relative to the largest."""
    X, network = problem.X, problem.activation
    if network.neuron is not None:
        return of_neurons(problem, X)
    closed = network.expectation is not None
    return _factor(problem, X), jnp.zeros((), X.dtype) if closed else products_error(network.slope, X, X, problem.sigma)


def _factor(problem: Problem, Z):
    """⟨x_i,z_j⟩ E[φ'φ'], and 0 for orthogonal inputs also where the expectation overflows."""
    if problem.activation.neuron is not None:
        return of_neurons(problem, Z)[0]
    X, network, gram = problem.X, problem.activation, problem.X @ Z.T
    if network.expectation is None:
        expectation = gaussian_products(network.slope, X, Z, problem.sigma)
    else:
        expectation = network.expectation(X, Z, problem.sigma)
    most = jnp.finfo(expectation.dtype).max / 4  # not ∞, with which no ball is compared
    return gram * jnp.where((gram == 0) & (expectation > most), 0, expectation)


def spread(problem: Problem) -> Float[Array, ""]:
    """max_i E[s⁴] / E[s²]², s the length of one neuron's gradient at x_i: how many neurons it takes for means to settle."""
    if problem.activation.neuron is not None:
        return tails(problem)
    length = problem.sigma * jnp.sqrt(jnp.max(jnp.sum(problem.X**2, axis=1)))
    known = problem.activation.spread
    return fourth_moment_ratio(problem.activation.slope, length) if known is None else known(length)
