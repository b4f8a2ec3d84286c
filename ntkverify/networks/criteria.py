"""Criteria of convergence that read a neighbourhood of W(0), by the constants of docs/proofs/convergence.md at W(0).

On the ball of radius r around W(0): σ_min(J) ≥ p(r) = √(mλ) − ĀB E(r), ‖J‖ ≤ P(r), J is Lipschitz with constant C(r).  Each criterion
says at which radius it holds, by which factor its hypothesis is met, and which step size and rate it promises.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.growth import Constants, constants, curvature_within, jacobian_change
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import Leaf, Params, Problem
from ntkverify.networks.quantities import pulled_back, residual, squared_error

THETA = 0.1
"""Where a criterion speaks of gradient flow: the share of a step of gradient descent that its remainder may eat."""
STEPS = 2
"""Steps of gradient descent that claims look at; the enclosure of each is wider than that of the one before."""


@functools.partial(jax.tree_util.register_dataclass, data_fields=["k", "root", "top", "size"], meta_fields=[])
@dataclass(frozen=True)
class Start:
    """What the criteria read at W(0)."""

    k: Constants
    root: Leaf
    """√(mλ)."""
    top: Leaf
    """√(m‖H‖)."""
    size: Leaf
    """‖e(0)‖."""

    def kept(self, r) -> Float[Array, ""]:
        """p(r) ≤ σ_min(J) within r."""
        return self.root - jacobian_change(self.k, r)

    def reach(self, r) -> Float[Array, ""]:
        """P(r) ≥ ‖J‖ within r."""
        return self.top + jacobian_change(self.k, r)

    def lipschitz(self, r) -> Float[Array, ""]:
        """C(r)."""
        return curvature_within(self.k, r)

    def small(self, r, theta) -> Float[Array, ""]:
        """η with η(P² + C‖e‖)/2 = θ."""
        return 2 * theta / (self.reach(r) ** 2 + self.lipschitz(r) * self.size)


@functools.partial(jax.tree_util.register_dataclass, data_fields=["margin", "radius", "eta", "rate"], meta_fields=[])
@dataclass(frozen=True)
class Criterion:
    """What a criterion says at W(0)."""

    margin: Leaf
    """By which factor its hypothesis is met; below 1 it is not."""
    radius: Leaf
    """How far W may go."""
    eta: Leaf
    rate: Leaf
    """‖e(τ)‖ ≤ (1 − rate)^τ ‖e(0)‖."""


@full_precision
def start(problem: Problem, params: Params) -> Start:
    """The numbers at W(0)."""
    spectrum = jnp.linalg.eigvalsh(closed_form(problem, params))
    root, top = (jnp.sqrt(params.m * jnp.maximum(value, 0)) for value in (spectrum[0], spectrum[-1]))
    return Start(constants(problem, params), root, top, jnp.sqrt(squared_error(problem, params)))


def chatterjee(at: Start) -> Criterion:
    """4 f < r² inf ‖∇f‖²/f, f = ½‖e‖², which p(r) r > ‖e‖ implies: at twice the least r that could do, or about where p(r) r is
    largest, whichever is less."""
    r = jnp.minimum(2 * at.size / ((1 - THETA) * at.root), at.root / (3 * at.lipschitz(jnp.zeros_like(at.root))))
    eta = at.small(r, THETA)
    kept = jnp.maximum(at.kept(r), 0)
    return Criterion((1 - THETA) * r * kept / at.size, r, eta, (1 - THETA) * eta * kept**2)


def oymak(at: Start, share: float = 4.0) -> Criterion:
    """σ_min(J) ≥ a = √(mλ)/2 on the ball of radius `share` ‖e‖/a, η = min(1, a²/(C‖e‖))/(2P²)."""
    a = at.root / 2
    r = share * at.size / a
    eta = jnp.minimum(1, a**2 / (at.lipschitz(r) * at.size)) / (2 * at.reach(r) ** 2)
    return Criterion(jnp.maximum(at.kept(r), 0) / a, r, eta, eta * a**2 / 4)


def bartlett(at: Start) -> Criterion:
    """C‖e‖ < mλ/4, C on the ball of radius 2‖e‖/√(mλ)."""
    r = 2 * at.size / at.root
    eta = at.small(r, THETA)
    return Criterion(at.root**2 / (4 * at.lipschitz(r) * at.size), r, eta, (1 - THETA) * eta * at.root**2 / 4)


def liu(at: Start) -> Criterion:
    """μ = mλ/2 and β = 2m‖H‖ on the ball of radius 2√(2βf)/μ, f = ½‖e‖²; η = 1/β."""
    mu, beta = at.root**2 / 2, 2 * at.top**2
    r = 2 * jnp.sqrt(beta) * at.size / mu
    within = at.reach(r) ** 2 + at.lipschitz(r) * (at.size + at.reach(r) * r)
    margin = jnp.minimum(jnp.maximum(at.kept(r), 0) ** 2 / mu, beta / within)
    return Criterion(margin, r, 1 / beta, 1 - jnp.sqrt(1 - mu / beta))


def theorem_five(at: Start) -> Criterion:
    """Theorem 5 of docs/proofs/convergence.md with exact steps: at 4/3 of the least r that could do, or about where p vanishes,
    whichever is less."""
    widest = 0.8 * at.root / at.lipschitz(jnp.zeros_like(at.root))
    r = jnp.minimum(4 * at.size / (3 * (1 - THETA) * at.root), widest)
    eta = at.small(r, THETA)
    kept = jnp.maximum(at.kept(r), 0)  # at this r a margin of 1 means that p(r) is at least half of √(mλ), so above 0
    spent = (at.root + kept) * r / 2  # p is concave: its integral is at least the trapezoid's
    return Criterion((1 - THETA) * spent / at.size, r, eta, (1 - THETA) * eta * kept**2)


CRITERIA: dict[str, Callable[[Start], Criterion]] = {
    "Liu–Zhu–Belkin": liu,
    "Oymak–Soltanolkotabi": oymak,
    "Bartlett–Montanari–Rakhlin": bartlett,
    "Chatterjee": chatterjee,
    "Theorem 5": theorem_five,
}
"""From the one that asks most to the one that asks least, to first order."""


@full_precision
def followed(problem: Problem, params: Params, eta) -> tuple[Float[Array, " steps"], Float[Array, " steps"]]:
    """‖e‖ and the distance from W(0) after each of `STEPS` steps of gradient descent at η."""

    def step(W, _):
        net = Params(W, params.a, params.live)
        W = W - eta * pulled_back(problem, net, residual(problem, net))
        after = Params(W, params.a, params.live)
        size, away = squared_error(problem, after), jnp.sum((W - params.W) ** 2)
        return W, (jnp.sqrt(size), jnp.sqrt(away))

    return jax.lax.scan(step, params.W, length=STEPS)[1]


def seen(problem: Problem, params: Params, read: Callable[[Start], Criterion]) -> Float[Array, " twice_steps"]:
    """‖e‖ after each of `STEPS` steps of the size that `read` says, then the distances."""
    return jnp.concatenate(followed(problem, params, read(start(problem, params)).eta))


def promised(
    problem: Problem, params: Params, read: Callable[[Start], Criterion], faster: float = 1.0, nearer: float = 1.0
) -> Float[Array, " twice_steps"]:
    """What a criterion promises of `seen`; with another rate or radius for twins."""
    at = start(problem, params)
    said = read(at)
    return jnp.concatenate(
        [at.size * shrunk(1 - faster * said.rate), nearer * said.radius * jnp.ones(STEPS, at.size.dtype)]
    )


def shrunk(factor) -> Float[Array, " steps"]:
    """factor^τ, τ = 1, 2, …, `STEPS`."""
    return jnp.stack([factor**power for power in range(1, STEPS + 1)])


def is_met(problem: Problem, params: Params, read: Callable[[Start], Criterion]):
    """Whether a criterion's hypothesis holds."""
    at = start(problem, params)
    return (at.root > 0) & (at.size > 0) & (read(at).margin >= 1)
