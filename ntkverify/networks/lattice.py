"""Expectations over a neuron's weights, w ~ N(0, σ² I_p), by quasi-Monte Carlo: a lattice rule under random shifts.

Each shift gives an unbiased mean; their spread gives an interval (Sloan and Joe 1994; Lemieux 2009), with no assumption about
how good the lattice is.  Under a softmax each shift divides by its own means, a bias of second order in that spread.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision, random_key
from ntkverify.networks.logits import inner, logits, outer
from ntkverify.networks.nouns import Problem

POINTS, GENERATOR = 4093, 1516
"""A prime, and the number whose powers make the lattice."""
SHIFTS, CONFIDENCE = 8, 0.999
QUANTILE = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, SHIFTS - 1) / SHIFTS**0.5)


def _weights(p: int, sigma, shift) -> Float[Array, "p points"]:
    powers = [pow(GENERATOR, power, POINTS) for power in range(p)]
    lattice = (np.arange(POINTS)[None] * np.asarray(powers)[:, None] % POINTS) / POINTS
    places = (jnp.asarray(lattice, shift.dtype) + shift[:, None]) % 1
    least = jnp.finfo(shift.dtype).eps
    return sigma * jax.scipy.special.ndtri(jnp.clip(places, least, 1 - least))


def _slopes(problem: Problem, W, X) -> Float[Array, "n kpoints"]:
    """The part of each point's gradient that depends on w, times φ' or, for softmax, e^z / E[e^z]."""
    network, z = problem.activation, logits(problem.activation, W, X)
    factor = network.slope(z)
    if network.normalised:
        factor = factor / jnp.mean(factor, axis=1, keepdims=True)
    g = inner(network, W, X)
    return (factor[:, None] * (jnp.ones_like(z)[:, None] if g is None else g)).reshape(len(X), -1)


def _over_shifts(problem: Problem, function):
    """`function` of the weights of each shift."""
    shifts = jax.random.uniform(random_key(0), (SHIFTS, problem.p), problem.X.dtype)
    return jax.lax.map(lambda shift: function(_weights(problem.p, problem.sigma, shift)), shifts)


def _estimates(problem: Problem, Z) -> Float[Array, "shifts n n2"]:
    """E[φ'(z_i) φ'(z_j) ⟨∇z_i, ∇z_j⟩] by each shift."""

    def mean(W):
        return _slopes(problem, W, problem.X) @ _slopes(problem, W, Z).T / POINTS

    return (outer(problem.activation, problem.X) @ outer(problem.activation, Z).T)[None] * _over_shifts(problem, mean)


@full_precision
def of_neurons(problem: Problem, Z: Float[Array, "n2 d_in"]) -> tuple[Float[Array, "n n2"], Float[Array, ""]]:
    """E[φ'(z_i) φ'(z_j) ⟨∇z_i, ∇z_j⟩], and half the widest of the entries' 99.9% intervals, relative to the largest entry."""
    found = _estimates(problem, Z)
    K = jnp.mean(found, axis=0)
    return K, QUANTILE * jnp.max(jnp.std(found, axis=0, ddof=1)) / jnp.max(jnp.abs(K))


@full_precision
def blur(problem: Problem) -> Float[Array, ""]:
    """About how far the first of `of_neurons` is from the truth, relative to it, both in Frobenius norm: a standard error."""
    found = _estimates(problem, problem.X)
    return jnp.sqrt(jnp.sum(jnp.var(found, axis=0, ddof=1)) / SHIFTS / jnp.sum(jnp.mean(found, axis=0) ** 2))


def tails(problem: Problem) -> Float[Array, ""]:
    """max_i E[s⁴] / E[s²]², s = |φ'(z_i)| ‖∇z_i‖ up to what does not depend on w, about."""

    def ratio(W):
        slopes = _slopes(problem, W, problem.X).reshape(problem.n, -1, POINTS)
        squares = jnp.sum(slopes**2, axis=1)
        return jnp.max(jnp.mean(squares**2, axis=1) / jnp.mean(squares, axis=1) ** 2)

    return jnp.mean(_over_shifts(problem, ratio))
