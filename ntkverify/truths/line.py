"""Populations on the line, and the exact score of what Gaussian noise makes of them.

X̃ = X + τ ε, ε ~ N(0, 1), has a density p_τ whose score (log p_τ)' is known: of a mixture by `mixtures.exact_score`, because
X̃ = X_t/α_t at h_t/α_t² = τ²; of the uniform distribution in closed form.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import log_ndtr

from ntkverify.ground.errors import choose
from ntkverify.ground.numerics import random_key
from ntkverify.truths.mixtures import Mixture, atoms, drawn, exact_score, gaussians

HALF = math.sqrt(3.0)
"""Half the length of the interval on which the uniform distribution has variance 1."""


@dataclass(frozen=True)
class Line:
    """A population on the line."""

    name: str
    origin: str
    """One sentence on what it is."""
    draw: Callable[[int, int], np.ndarray]
    """(seed, n) ↦ n independent draws of X."""
    score: Callable[[float, np.ndarray], np.ndarray]
    """(τ, x) ↦ (log p_τ)' at (n,) places."""


def line(name: str) -> Line:
    """The population of that name; `BadInput` if there is none."""
    return LINES[choose("data on the line", name, LINES)]


def _mixed(name: str, origin: str, mixture: Mixture) -> Line:
    return Line(name, origin, functools.partial(_of_mixture, mixture), functools.partial(_mixture_score, mixture))


def _of_mixture(mixture: Mixture, seed: int, n: int) -> Float[np.ndarray, " n"]:
    return np.asarray(drawn(mixture, random_key(seed), n))[:, 0]


def _mixture_score(mixture: Mixture, tau: float, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """α_t s_t(α_t x) at t = log(1 + τ²): X_t = α_t X̃, and a score is divided by what its argument is multiplied by."""
    t, alpha = math.log1p(tau**2), 1 / math.sqrt(1 + tau**2)
    return alpha * np.asarray(exact_score(mixture, jnp.full(len(x), t), jnp.asarray(alpha * x)[:, None]))[:, 0]


def _from_interval(seed: int, n: int) -> Float[np.ndarray, " n"]:
    return np.random.default_rng([seed, n]).uniform(-HALF, HALF, n)


def _interval_score(tau: float, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """p_τ(x) ∝ Φ(u) − Φ(v), u = (x + √3)/τ, v = (x − √3)/τ; taken where both are negative, so that nothing cancels."""
    u, v = (-np.abs(x) + HALF) / tau, (-np.abs(x) - HALF) / tau
    mass = log_ndtr(u) + np.log1p(-np.exp(log_ndtr(v) - log_ndtr(u)))
    slope = (np.exp(-(u**2) / 2 - mass) - np.exp(-(v**2) / 2 - mass)) / (tau * math.sqrt(2 * math.pi))
    return -np.sign(x) * slope


LINES = {
    each.name: each
    for each in (
        _mixed("points", "the two points −1 and 1", atoms(np.array([[-1.0], [1.0]]))),
        _mixed(
            "mixture", "three Gaussians at −1.5, 0.3 and 1.4",
            gaussians([0.3, 0.3, 0.4], np.array([[-1.5], [0.3], [1.4]]), np.array([0.05, 0.02, 0.1])[:, None, None]),
        ),
        Line("uniform", "the interval [−√3, √3]", _from_interval, _interval_score),
    )
}  # fmt: skip
