"""How fast a network may bend: the constants of docs/proofs/convergence.md, with its letters.

All are numbers at one point W, in JAX, so that claims, rounding bounds and enclosures share them.
Displacements are measured in the Frobenius norm over all neurons, in units of W.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ntkverify.network import neurons
from ntkverify.nouns import Params, Point, Problem
from ntkverify.numerics import full_precision
from ntkverify.quantities import gram, outputs, second_order, softmax
from ntkverify.rounding import given

POWER = 12
"""Steps of the power method towards the Perron vectors of D K₂ D; any positive vector gives a bound."""


def smooth(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """What the lemmas assume: an activation with a second derivative."""
    return jnp.asarray(problem.activation.bend != math.inf)


def bends(problem: Problem, params: Params) -> Float[Array, "n m"]:
    """q_{ir} = m S_{ir} for softmax, bounds on |φ''(⟨w_r,x_i⟩)| for elementwise φ."""
    most = problem.activation.bend
    weights = neurons(problem.activation, params, problem.X)
    return weights if most is None else jnp.full_like(weights, most)


@full_precision
def sharpness(problem: Problem, params: Params) -> Float[Array, ""]:
    """B, an upper bound on max_r λ_max(D_r K₂ D_r)^{1/2}, D_r = diag(`bends` of neuron r).

    For a matrix of nonnegative entries and any p > 0, λ_max ≤ max_i (Ap)_i/p_i (Collatz 1942, Wielandt 1950).
    """
    s, squares = bends(problem, params), gram(problem) ** 2
    p = jnp.ones_like(s)
    for _ in range(POWER):
        p = s * (squares @ (s * p))
        p = given(p / jnp.max(p, axis=0, keepdims=True) + 1e-6)
    return jnp.sqrt(jnp.max(s * (squares @ (s * p)) / p))


def longest(problem: Problem) -> Float[Array, ""]:
    """max_i ‖x_i‖."""
    return jnp.sqrt(jnp.max(jnp.sum(problem.X**2, axis=1)))


def growth_rate(problem: Problem, params: Params) -> Float[Array, ""]:
    """ν: `bends` grow at most like e^{νt} within distance t."""
    if problem.activation.bend is not None:
        return jnp.zeros((), problem.X.dtype)
    if not problem.activation.normalised:
        return longest(problem)
    squares = jnp.sum(softmax(problem, params) ** 2, axis=1)
    return jnp.sqrt(jnp.max(jnp.sum(problem.X**2, axis=1) * (1 + squares)))


def amplitude(problem: Problem, params: Params, s: Float[Array, ""]) -> Float[Array, ""]:
    """Ā: a bound on max_{i,r} ‖a_r − f_i‖ within distance s (√d for elementwise φ)."""
    root = jnp.asarray(problem.d_out**0.5, problem.X.dtype)
    if not problem.activation.normalised:
        return root
    f = outputs(problem, params) / params.m
    wide = jnp.exp(growth_rate(problem, params) * s) * jnp.max(bends(problem, params)) / params.m
    return root * (1 + longest(problem) * s * jnp.sqrt(wide)) + jnp.sqrt(jnp.max(jnp.sum(f**2, axis=1)))


def stretch(problem: Problem, params: Params, t: Float[Array, ""]) -> Float[Array, ""]:
    """E(t) = ∫₀ᵗ e^{νu} du."""
    if problem.activation.bend is not None:
        return t
    rate = growth_rate(problem, params)
    return jnp.expm1(rate * t) / rate


def twice_stretched(problem: Problem, params: Params, s: Float[Array, ""]) -> Float[Array, ""]:
    """∫₀ˢ E."""
    if problem.activation.bend is not None:
        return s**2 / 2
    rate = growth_rate(problem, params)
    return second_order(rate * s) / rate**2


def curvature_within(problem: Problem, params: Params, s: Float[Array, ""]) -> Float[Array, ""]:
    """C(s) = Ā B e^{νs}: ‖D²F[Δ, Δ]‖ ≤ C ‖Δ‖² within distance s."""
    bend = amplitude(problem, params, s) * sharpness(problem, params)
    return bend * jnp.exp(growth_rate(problem, params) * s)


def jacobian_change(problem: Problem, params: Params, s: Float[Array, ""]) -> Float[Array, ""]:
    """Ā B E(s): ‖J̃ − J‖_op within distance s."""
    return amplitude(problem, params, s) * sharpness(problem, params) * stretch(problem, params, s)


def displacement(point: Point) -> Float[Array, ""]:
    """‖W̃ − W‖ over all neurons."""
    return jnp.sqrt(jnp.sum((point.moved.W - point.base.W) ** 2))


def first_neuron(point: Point) -> Point:
    """The point where only the first neuron has moved: there the lemmas are nearly attained."""
    first = jnp.arange(point.base.W.shape[1])[None] == 0
    return Point(point.base, Params(jnp.where(first, point.moved.W, point.base.W), point.base.a), point.probe)
