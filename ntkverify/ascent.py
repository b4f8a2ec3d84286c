"""Steepest ascent over the product of balls: ‖w̃_r − w_r‖ ≤ R for every neuron.

Each step moves every neuron to the boundary of its ball along its own part of the gradient, which
maximises the linearisation over the product of balls; the best point seen is kept.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def on_sphere(direction: Float[Array, "d_in m"], R) -> Float[Array, "d_in m"]:
    """Each neuron's direction at length R; neurons without one stay where they are."""
    length = jnp.sqrt(jnp.sum(direction**2, axis=0, keepdims=True))
    return R * jnp.where(length > 0, direction / jnp.where(length > 0, length, 1), 0)


def ascend(
    objective: Callable, slope: Callable, W: Float[Array, "d_in m"], R, start: Float[Array, "d_in m"], steps: int
):
    """(best value of `objective`, where): from W + `start`, `steps` times to W + R · direction of `slope`.

    `slope` is the gradient of the objective, or of a smooth stand-in where it has none (ReLU).
    """

    def step(state, _):
        there, best, where = state
        there = W + on_sphere(slope(there), R)
        value = objective(there)
        better = value > best
        return (there, jnp.where(better, value, best), jnp.where(better, there, where)), None

    first = W + start
    (_, best, where), _ = jax.lax.scan(step, (first, objective(first), first), None, length=steps)
    return best, where
