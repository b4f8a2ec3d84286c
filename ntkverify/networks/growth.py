"""How fast a network may bend: the constants of docs/proofs/convergence.md, with its letters.

All are numbers at one point W, in JAX, so that claims, rounding bounds and enclosures share them.
Displacements are measured in the Frobenius norm over all neurons, in units of W.
"""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ntkverify.arithmetic.primitives import given, second_order
from ntkverify.ground.numerics import full_precision
from ntkverify.networks import kinds
from ntkverify.networks.logits import bends_of, outer, paces, steeps_of
from ntkverify.networks.network import neurons
from ntkverify.networks.nouns import Leaf, Params, Point, Problem
from ntkverify.networks.quantities import outputs, softmax

POWER = 12
"""Steps of the power method towards the Perron vectors of D K₂ D; any positive vector gives a bound."""


def smooth(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """A Boolean: the neurons have a second derivative of a known bound.  Source: docs/proofs/convergence.md, Lemmas 1 and 8."""
    return jnp.asarray(kinds.smooth(problem.network))


def normalised(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """What the lemma on softmax weights assumes: a softmax over neurons of known pace."""
    return jnp.asarray(kinds.normalised(problem.network))


def bends(problem: Problem, params: Params) -> Float[Array, "n m"]:
    """q_{ir} = m S_{ir} for softmax, times g_i² + b_i where its logits are functions; bounds on |φ''(⟨w_r,x_i⟩)| for
    elementwise φ; where one bound holds for all w, (n, 1)."""
    network, X = problem.activation, problem.X
    if network.neuron is not None:
        own = bends_of(network, X)[:, None]
        return (own + steeps_of(network, X)[:, None] ** 2) * neurons(network, params, X) if network.normalised else own
    most = network.bend
    return neurons(network, params, X) if most is None else jnp.full((len(X), 1), most, X.dtype)


@full_precision
def sharpness(problem: Problem, params: Params) -> Float[Array, " neurons"]:
    """For each neuron, or all of them, an upper bound on B_r = λ_max(D_r K₂ D_r)^{1/2}, D_r = diag(`bends` of neuron r).

    For a matrix of nonnegative entries and any p > 0, λ_max ≤ max_i (Ap)_i/p_i (Collatz 1942, Wielandt 1950).
    """
    s, h = bends(problem, params), outer(problem.activation, problem.X)
    squares = (h @ h.T) ** 2
    p = jnp.ones_like(s)
    for _ in range(POWER):
        p = s * (squares @ (s * p))
        largest = jnp.maximum(
            jnp.max(p, axis=0, keepdims=True), jnp.finfo(p.dtype).tiny
        )  # 0 of neurons that do not count
        p = given(p / largest + 1e-6)
    return jnp.sqrt(jnp.max(s * (squares @ (s * p)) / p, axis=0))


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["longest", "mean", "weight", "sharpness", "rate", "m", "d_out"],
    meta_fields=["bounded"],
)
@dataclass(frozen=True)
class Constants:
    """What the lemmas need to know of W, each a number; upper bounds will do."""

    longest: Leaf
    """max_i ‖x_i‖, or of the pace of functions under a softmax, g_i ‖outer_i‖."""
    mean: Leaf
    """max_i ‖f_i‖ (0 for elementwise φ)."""
    weight: Leaf
    """κ = max q (0 for elementwise φ)."""
    sharpness: Leaf
    """B = max_r B_r."""
    rate: Leaf
    """ν: `bends` grow at most like e^{νt} within distance t."""
    m: Leaf
    d_out: Leaf
    bounded: bool
    """Whether φ'' is bounded, so that ν = 0."""


def constants(problem: Problem, params: Params) -> Constants:
    """The constants at `params`."""
    activation, zero = problem.activation, jnp.zeros((), problem.X.dtype)
    squares = jnp.sum(problem.X**2, axis=1)
    if activation.normalised and activation.neuron is not None:
        squares = paces(activation, problem.X) ** 2
    longest = jnp.sqrt(jnp.max(squares))
    bounded = not activation.normalised and (activation.bend is not None or activation.neuron is not None)
    mean, weight, rate = zero, zero, zero if bounded else longest
    if activation.normalised:
        f = outputs(problem, params) / params.m
        mean, weight = jnp.sqrt(jnp.max(jnp.sum(f**2, axis=1))), jnp.max(neurons(activation, params, problem.X))
        rate = jnp.sqrt(jnp.max(squares * (1 + jnp.sum(softmax(problem, params) ** 2, axis=1))))
    m, d_out = (jnp.asarray(size, problem.X.dtype) for size in (params.m, problem.d_out))
    return Constants(longest, mean, weight, jnp.max(sharpness(problem, params)), rate, m, d_out, bounded)


def amplitude(k: Constants, s) -> Float[Array, ""]:
    """Ā: a bound on max_{i,r} ‖a_r − f_i‖ within distance s (√d for elementwise φ)."""
    wide = jnp.sqrt(jnp.exp(k.rate * s) * k.weight / k.m)
    return jnp.sqrt(k.d_out) * (1 + k.longest * s * wide) + k.mean


def stretch(k: Constants, t) -> Float[Array, ""]:
    """E(t) = ∫₀ᵗ e^{νu} du."""
    return t if k.bounded else jnp.expm1(k.rate * t) / k.rate


def twice_stretched(k: Constants, s) -> Float[Array, ""]:
    """∫₀ˢ E."""
    return s**2 / 2 if k.bounded else second_order(k.rate * s) / k.rate**2


def curvature_within(k: Constants, s) -> Float[Array, ""]:
    """C(s) = Ā B e^{νs}: ‖D²F[Δ, Δ]‖ ≤ C ‖Δ‖² within distance s."""
    return amplitude(k, s) * k.sharpness * jnp.exp(k.rate * s)


def jacobian_change(k: Constants, s) -> Float[Array, ""]:
    """Ā B E(s): ‖J̃ − J‖_op within distance s."""
    return amplitude(k, s) * k.sharpness * stretch(k, s)


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["root", "kept", "theta", "spent", "reach", "need"], meta_fields=[]
)
@dataclass(frozen=True)
class Hypotheses:
    """The numbers that the hypotheses of Theorem 10 compare; Theorem 5 is the case of a witness that is W(0) itself."""

    root: Leaf
    """√(mλ)."""
    kept: Leaf
    """p(s) ≤ √(m λ_min(H)) on the ball."""
    theta: Leaf
    """θ."""
    spent: Leaf
    """∫_{D+ω}^s p; times 1 − θ it is to reach `need`."""
    reach: Leaf
    """P ≥ ‖J‖ on the ball."""
    need: Leaf
    """min(‖e‖, (½C(D+ω)(D+ω)² + r)/(1−θ)) + Pω."""


def hypotheses(k: Constants, smallest, largest, size, s, eta, omega, away, off) -> Hypotheses:
    """Theorem 10 at λ ≥ `smallest`, ‖H‖ ≤ `largest` and constants at a witness with ‖F(W*) − F_0 − Y‖ ≤ `off`, at the distance
    `away` ≤ D of a start with ‖e‖ ≤ `size`; `omega` (0: exact steps) is the sum of rounding errors.  Without a witness, that is at
    the start itself, `away` is 0 and `off` is `size`."""
    root, bend, begun = jnp.sqrt(k.m * smallest), amplitude(k, s) * k.sharpness, away + omega
    reach = jnp.sqrt(k.m * largest) + bend * stretch(k, s)
    theta = eta * (reach**2 + curvature_within(k, s) * (size + reach * omega)) / 2
    spent = root * (s - begun) - bend * (twice_stretched(k, s) - twice_stretched(k, begun))
    left = (curvature_within(k, begun) * begun**2 / 2 + off) / (1 - theta)
    need = jnp.minimum(left, size) + reach * omega
    return Hypotheses(root, root - bend * stretch(k, s), theta, spent, reach, need)


def displacement(point: Point) -> Float[Array, ""]:
    """‖W̃ − W‖ over all neurons, a number in units of W.  Source: docs/proofs/convergence.md."""
    return jnp.sqrt(jnp.sum((point.moved.W - point.base.W) ** 2))


def first_neuron(point: Point) -> Point:
    """The point where only the first neuron has moved: there the lemmas are nearly attained."""
    first = jnp.arange(point.base.W.shape[1])[None] == 0
    return Point(point.base, Params(jnp.where(first, point.moved.W, point.base.W), point.base.a), point.probe)
