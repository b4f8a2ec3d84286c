"""The paper's derived symbols, one function each, with the paper's letters.

Every function takes (problem, params); `params` is the network at which the symbol is read.  Errors
of evaluation are those of `rounding.with_error`; none allocates more than (n·d)² or n·m numbers.
"""

import dataclasses
import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ntkverify.arithmetic.primitives import second_order
from ntkverify.ground.numerics import full_precision
from ntkverify.networks import kinds, network
from ntkverify.networks import logits as of_inputs
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import forward, neurons, output_scale
from ntkverify.networks.nouns import COUPLED, Model, Params, Point, Problem


def outputs(problem: Problem, params: Params) -> Float[Array, "n d"]:
    """F(W), an (n, d_out) array, not shifted by F(0).  Source: docs/theory.md §1."""
    return forward(problem.network, params, problem.X)


def residual(problem: Problem, params: Params) -> Float[Array, "n d"]:
    """e = F(W) − Y, an (n, d_out) array.  Source: docs/theory.md §1."""
    return outputs(problem, params) - problem.y


def squared_error(problem: Problem, params: Params) -> Float[Array, ""]:
    """‖e‖² = ‖F(W) − Y‖², a number: twice the loss.  Source: docs/theory.md §1."""
    return jnp.sum(residual(problem, params) ** 2)


def envelope(problem: Problem, point: Point, rate) -> Float[Array, ""]:
    """(1 − rate)^{τ+1} ‖e(0)‖², a number, at a point with a path (`where=ON_PATH`).  Source: docs/theory.md §5."""
    steps = point.path.time + 1
    return jnp.exp(steps * jnp.log1p(-rate)) * squared_error(problem, point.path.start)


def logits(problem: Problem, params: Params) -> Float[Array, "n m"]:
    """⟨w_r, x_i⟩, or z(w_r; x_i) of neurons that are functions of their own, an (n, m) array; of two-layer networks.

    Source: docs/theory.md §1.
    """
    return of_inputs.logits(problem.activation, params.W, problem.X)


@full_precision
def gram(problem: Problem) -> Float[Array, "n n"]:
    """XXᵀ, an (n, n) array.  Source: docs/theory.md §2."""
    return problem.X @ problem.X.T


def operator_norm(problem: Problem) -> Float[Array, ""]:
    """‖X‖_op, a number between max_i ‖x_i‖ and √n.  Source: docs/theory.md §5."""
    return jnp.sqrt(jnp.max(jnp.linalg.eigvalsh(gram(problem))))


def softmax(problem: Problem, params: Params) -> Float[Array, "n m"]:
    """S_{i,r}, an (n, m) array whose rows sum to 1; of softmax networks.  Source: docs/theory.md §1."""
    return network.softmax(logits(problem, params), params)


def kappa(problem: Problem, params: Params) -> Float[Array, ""]:
    """κ = max_{i,r} m S_{i,r} ≥ 1, a number; of softmax networks.  Source: docs/theory.md §4."""
    return params.m * jnp.max(softmax(problem, params))


@full_precision
def pulled_back(problem: Problem, params: Params, e: Float[Array, "n d"]) -> Float[Array, "p m"]:
    """Jᵀe, a (p, m) array, of an (n, d_out) array e; Δw for e = F − Y.  In closed form but for a model of the user's.

    Column r is, for softmax, m Σ_i Σ_l e_{l,i} (a_{l,r} − f_{l,i}) S_{i,r} x_i; for elementwise φ,
    s Σ_i Σ_l e_{l,i} a_{l,r} φ'(⟨w_r,x_i⟩) x_i; with neurons z(w; x) of their own, ∇z(w_r; x_i) stands for x_i.
    Source: docs/theory.md §2, derived.
    """
    if isinstance(problem.network, Model):
        _, pull = jax.vjp(lambda W: forward(problem.network, Params(W, params.a), problem.X), params.W)
        return pull(e)[0]
    m = params.m
    pull = e @ params.a
    if problem.network.normalised:
        f = outputs(problem, params) / m
        slope = neurons(problem.network, params, problem.X)
        pull = pull - jnp.sum(e * f, axis=1, keepdims=True)
    else:
        slope = problem.network.slope(logits(problem, params))
    return output_scale(problem.network, m) * of_inputs.pulled(problem.network, params.W, problem.X, pull * slope)


@full_precision
def pushed(problem: Problem, params: Params, change: Float[Array, "p m"]) -> Float[Array, "n d"]:
    """J vec(change), an (n, d_out) array, of a change of the weights (p, m), by forward differentiation.

    Source: docs/theory.md §9.
    """

    def at(W):
        return forward(problem.network, Params(W, params.a, params.live), problem.X)

    return jax.jvp(at, (params.W,), (change,))[1]


LOOKS = 16
"""Points of a step at which the Jacobian is compared with that at its beginning."""


def bent(problem: Problem, point: Point) -> Float[Array, ""]:
    """ρ: the largest ‖(J(W + tΔ) − J(W)) Δ‖ over `LOOKS` equally spaced t in (0, 1], Δ = W̃ − W, a number: a
    supremum from below.  Source: docs/theory.md §9."""
    change = point.moved.W - point.base.W
    straight = pushed(problem, point.base, change)

    def at(t):
        there = dataclasses.replace(point.base, W=point.base.W + t * change)
        return jnp.sum((pushed(problem, there, change) - straight) ** 2)

    times = jnp.arange(1, LOOKS + 1, dtype=change.dtype) / LOOKS
    return jnp.sqrt(jnp.max(jax.lax.map(at, times)))


def distance(point: Point) -> Float[Array, ""]:
    """R, as it is at this point: max_r ‖w̃_r − w_r‖, a number in units of W.  Source: docs/theory.md §4."""
    return jnp.sqrt(jnp.max(jnp.sum((point.moved.W - point.base.W) ** 2, axis=0)))


def kernel_change(problem: Problem, point: Point) -> Float[Array, ""]:
    """‖H(W̃) − H(W)‖_F, a number.  Source: docs/theory.md §4."""
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), point.base, point.moved)
    H, H_moved = jax.lax.map(lambda params: kernel(problem, params), both)  # compiled once
    return jnp.sqrt(jnp.sum((H_moved - H) ** 2))


@full_precision
def jacobian_distance(problem: Problem, point: Point) -> Float[Array, ""]:
    """‖J̃ − J‖_op, a number, by the Gram matrix of the rows of J̃ − J: row p = (i, l) of J is g_p ⊗ x_i; of two-layer networks.

    Source: docs/theory.md §4.
    """
    change = _rows(problem, point.moved) - _rows(problem, point.base)
    h = of_inputs.outer(problem.activation, problem.X)
    inputs = jnp.repeat(jnp.repeat(h @ h.T, problem.d_out, axis=0), problem.d_out, axis=1)
    return jnp.sqrt(jnp.maximum(jnp.linalg.eigvalsh(inputs * (change @ change.T))[-1], 0))


def _rows(problem: Problem, params: Params) -> Float[Array, "nd km"]:
    """g_p = s a_l φ'(⟨w_r, x_i⟩), for softmax m S_i (a_l − f_p); times inner where neurons are functions."""
    if problem.activation.normalised:
        f = outputs(problem, params) / params.m
        g = (params.m * softmax(problem, params))[:, None] * (params.a[None] - f[:, :, None])
    else:
        slope = problem.activation.slope(logits(problem, params))
        g = output_scale(problem.activation, params.m) * params.a[None] * slope[:, None]
    g, inner = g.reshape(problem.n * problem.d_out, -1), of_inputs.inner(problem.activation, params.W, problem.X)
    if inner is None:
        return g
    return (g[:, None] * jnp.repeat(inner, problem.d_out, axis=0)).reshape(len(g), -1)


def curvature(problem: Problem, params: Params, R) -> Float[Array, ""]:
    """χ, a number: moving by Δ, each neuron at most R, changes F by J vec(Δ) up to χ ‖Δ‖²_F (softmax).

    χ = ½ (1 + tanh(artanh max|f| + R)) e^{2R} κ √(nd): F'' = m Σ_r (a_r − f) S_r (z_r − z̄)² with
    |a − f| ≤ 1 + |f|, Σ_r S_r z_r² ≤ (κ/m) Σ_r z_r² and Σ_r z_{i,r}² ≤ ‖Δ‖².  Source: docs/theory.md §5, derived.
    """
    f, t = jnp.max(jnp.abs(outputs(problem, params))) / params.m, jnp.tanh(R)
    reach = (f + t) / (1 + f * t)
    return 0.5 * (1 + reach) * jnp.exp(2 * R) * kappa(problem, params) * jnp.sqrt(1.0 * problem.n * problem.d_out)


@full_precision
def step_terms(problem: Problem, params: Params, z: Float[Array, "n m"], after: Float[Array, "n d"]):
    """C_0, C_1, C_2, C_3, four numbers, of the step that changes the logits by z (n, m) and ends at F = `after` (n, d_out):
    ‖e(τ+1)‖² = ‖e(τ)‖² + C_0 + C_1 + C_2 + C_3 for softmax.  Source: docs/theory.md §3."""
    S, a, m = softmax(problem, params), params.a, params.m
    e = residual(problem, params)
    v0 = -after * jnp.sum(S * jnp.expm1(z), axis=1, keepdims=True)
    v1, v2 = m * (S * z) @ a.T, m * (S * second_order(z)) @ a.T
    return (*(2 * jnp.sum(e * v) for v in (v0, v1, v2)), jnp.sum((v0 + v1 + v2) ** 2))


def nominal_B(problem: Problem, C: Array) -> Float[Array, ""]:
    """B = max(C σ √log(nd/δ), 1), a number; C is a parameter.  Source: docs/theory.md §4, reconstructed."""
    nd = problem.n * problem.d_out
    return jnp.maximum(C * problem.sigma * jnp.sqrt(jnp.log(nd / problem.delta)), 1)


def theorem_width(problem: Problem, params: Params, c: Mapping) -> Float[Array, ""]:
    """log₁₀ of c_m λ⁻² (nd)^p e^{power B} log²(nd/δ), λ of H at `params` (reconstructed): p = 2 for convergence
    (docs/theory.md §5), 3 for the score theorem (§6)."""
    nd = problem.n * problem.d_out
    smallest = eigenvalues(problem, params)[0]
    logs = c["samples_power"] * math.log(nd) + 2 * jnp.log(jnp.log(nd / problem.delta) / jnp.maximum(smallest, 1e-300))
    return (jnp.log(c["c_m"]) + logs + c["width_power"] * nominal_B(problem, c["C"])) / math.log(10)


def width_missed(problem: Problem, point: Point, c: Mapping) -> Float[Array, ""]:
    """log₁₀ of the factor by which the width that the theorem asks for at the path's start is missed (reconstructed)."""
    return theorem_width(problem, point.path.start, c) - math.log10(problem.m)


THEOREM_WIDTH = {"c_m": 1.0, "width_power": 18.0, "samples_power": 2.0, "C": 10.0}
"""The constants of `theorem_width`."""


def distinct(problem: Problem, c) -> Bool[Array, ""]:
    """No two inputs are equal; otherwise rows of H are, for every W."""
    if problem.n < 2:
        return jnp.asarray(True)
    i, j = np.triu_indices(problem.n, 1)
    flat = problem.X.reshape(problem.n, -1)
    return jnp.min(jnp.sum((flat[i] - flat[j]) ** 2, axis=1)) > 0


DISTINCT = {"λ > 0, which two equal inputs make 0": distinct}
"""What theorems that divide by λ assume of a problem."""


def largest_exponent(problem: Problem, params: Params) -> Float[Array, ""]:
    """max_{i,r} |⟨w_r, x_i⟩|, a number; of two-layer networks.  Source: docs/theory.md §4."""
    return jnp.max(jnp.abs(logits(problem, params)))


def effective_B(problem: Problem, params: Params) -> Float[Array, ""]:
    """B_eff = max(1, max|⟨w_r,x_i⟩|), a number, measured.  Source: docs/theory.md §4."""
    return jnp.maximum(largest_exponent(problem, params), 1)


def eigenvalues(problem: Problem, params: Params) -> Float[Array, "nd"]:
    """Of H(W), ascending, an (n·d_out,) array.  Source: docs/theory.md §2."""
    return jnp.linalg.eigvalsh(kernel(problem, params))


def rank_bound(problem: Problem, m: int) -> int:
    """The rank that H(0) cannot exceed with m neurons, nd left aside (docs/theory.md §3)."""
    each = problem.rank if problem.activation.neuron is None else problem.p
    if problem.init == COUPLED:
        return each * (m // 2)
    return each * (
        m - 1 if problem.activation.is_softmax else m
    )  # logits that bend give each block a factor of its own


# What lemmas assume: predicates with the signature of a claim's formulas.


def is_softmax(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """A Boolean: the network is the one that the softmax lemmas speak of.  Source: docs/theory.md §4."""
    return jnp.asarray(kinds.softmax(problem.network))


def exponents_bounded(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """A Boolean: softmax, and max|⟨w_r,x_i⟩| ≤ B at W and at W̃, B with the constant c["C"].  Source: docs/theory.md §4."""
    largest = jnp.maximum(largest_exponent(problem, point.base), largest_exponent(problem, point.moved))
    return is_softmax(problem, point, c) & (largest <= nominal_B(problem, c["C"]))


def in_small_ball(problem: Problem, point: Point, c) -> Bool[Array, ""]:
    """A Boolean: softmax, R ≤ c["R"], exponents ≤ B at W, as the reconstructed perturbation lemmas assume.

    Source: docs/theory.md §4.
    """
    at_base = Point(point.base, point.base, point.probe)
    return exponents_bounded(problem, at_base, c) & (distance(point) <= c["R"])
