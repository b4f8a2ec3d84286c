"""From noise back to data: the reverse equation and the probability-flow ODE, from t = T down to t > 0.

In u = T − t, with g = 1 (docs/theory.md §6):
    dY = (½ Y + s(t, Y)) du + dB        (reverse SDE, by Euler–Maruyama)
    dY = ½ (Y + s(t, Y)) du             (probability flow, by Heun's second-order method)
Both have the law of X_t at every t when s = ∇log p_t and Y starts from p_T.  Times shrink geometrically,
because s changes on the scale of h_t ≈ t.
"""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify.diffusion.regression import embedded
from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Params, TwoLayer
from ntkverify.truths.mixtures import Mixture, drawn, exact_score
from ntkverify.truths.process import noise, noised, score, signal

SDE, ODE = "reverse SDE", "probability flow"
FAR = 1e3
"""A path whose norm exceeds this has diverged: data have norm of order √d."""

Score = jax.tree_util.Partial
"""(t (n,), x (n, d)) → (n, d): a function and the arrays that it holds, so that all scores of one kind share
a compiled program."""


def of_mixture(mixture: Mixture) -> Score:
    """The exact score."""
    return Score(exact_score, mixture)


def of_network(network: TwoLayer, params: Params, radius, scale) -> Score:
    """−(x − α_t L F(x̂))/h_t, the label scale L undone."""
    return Score(_learned(network), params, jnp.asarray(radius), jnp.asarray(scale))


@functools.cache
def _learned(network: TwoLayer):
    def learned(params, radius, scale, t, x):
        return score(t, x, scale * forward(network, params, embedded(t, x, radius)))

    return learned


@dataclass(frozen=True)
class Walk:
    """Where the paths ended, and what became of them."""

    last: np.ndarray
    """(n, d)"""
    lost: np.ndarray
    """(n,) whether the path left the ball of radius `FAR` or became NaN."""
    when: float | None
    """The first t at which a path was lost."""

    @property
    def diverged(self) -> bool:
        return bool(self.lost.any())

    @property
    def sentence(self) -> str:
        """What to say of it."""
        if not self.diverged:
            return f"All {len(self.lost)} paths arrived."
        return (
            f"The sampler diverged: {int(self.lost.sum())} of {len(self.lost)} paths were beyond {FAR:g} or not finite, "
            f"the first at t = {self.when:.3g}."
        )


def grid(earliest: float, horizon: float, steps: int) -> np.ndarray:
    """`steps` + 1 times from T down to the earliest, in geometric progression."""
    return np.geomspace(horizon, earliest, steps + 1)


@functools.partial(jax.jit, static_argnames=("count",))
def fresh(mixture: Mixture, t, key: PRNGKeyArray, count: int) -> Float[Array, "count d"]:
    """Fresh draws of X_t."""
    first, wander = jax.random.split(key)
    clean = drawn(mixture, first, count)
    return noised(jnp.full(count, t, clean.dtype), clean, jax.random.normal(wander, clean.shape, clean.dtype))


@jax.jit
def evaluated(score: Score, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """The score, compiled."""
    return score(t, x)


def denoised(score: Score, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """E[X_0 | X_t = x] by Tweedie's formula, as that score has it."""
    return (x + noise(t)[:, None] * evaluated(score, t, x)) / signal(t)[:, None]


def walked(kind: str, score: Score, start: Float[Array, "n d"], times, key: PRNGKeyArray) -> Walk:
    """By either equation; the probability flow draws nothing."""
    return reverse_sde(score, start, times, key) if kind == SDE else probability_flow(score, start, times)


def reverse_sde(score: Score, start: Float[Array, "n d"], times, key: PRNGKeyArray) -> Walk:
    """Euler–Maruyama with increments drawn from `key`."""
    Z = jax.random.normal(key, (len(times) - 1, *start.shape), start.dtype)
    span = jnp.asarray(-np.diff(np.asarray(times)), start.dtype)
    return driven(score, start, times, jnp.sqrt(span)[:, None, None] * Z)


def driven(score: Score, start: Float[Array, "n d"], times, increments: Float[Array, "steps n d"]) -> Walk:
    """Euler–Maruyama with the given increments of Brownian motion."""
    return _walk(_maruyama, score, start, times, increments)


def probability_flow(score: Score, start: Float[Array, "n d"], times) -> Walk:
    """Heun's method."""
    return _walk(_heun, score, start, times, jnp.zeros((len(times) - 1, 1, 1), start.dtype))


def _maruyama(score, y, t, after, increment):
    return y + (t - after) * (y / 2 + _at(score, t, y)) + increment


def _heun(score, y, t, after, increment):
    first = (y + _at(score, t, y)) / 2
    guess = y + (t - after) * first
    second = (guess + _at(score, after, guess)) / 2
    return y + (t - after) * (first + second) / 2


def _at(score, t, y):
    return score(jnp.full(y.shape[0], t, y.dtype), y)


def _walk(step, score, start, times, increments) -> Walk:
    last, lost = _run(step, score, start, jnp.asarray(times, start.dtype), increments)
    lost = np.asarray(lost)
    ever = lost.any(axis=1)
    when = float(times[1:][int(ever.argmax())]) if ever.any() else None
    return Walk(np.asarray(last), np.asarray(lost.any(axis=0)), when)


@functools.partial(jax.jit, static_argnames=("step",))
def _run(step, score, start, times, increments):
    def move(y, here):
        t, after, increment = here
        y = step(score, y, t, after, increment)
        return y, ~(jnp.linalg.norm(y, axis=1) <= FAR)

    return jax.lax.scan(move, start, (times[:-1], times[1:], increments))
