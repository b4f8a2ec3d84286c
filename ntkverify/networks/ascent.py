"""Steepest ascent over the product of balls: ‖w̃_r − w_r‖ ≤ R for every neuron.

Each step moves every neuron to the boundary of its ball along its own part of the gradient, which
maximises the linearisation over the product of balls; the best point seen is kept.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import unit_roundoff


def on_sphere(direction: Float[Array, "d_in m"], R) -> Float[Array, "d_in m"]:
    """Each neuron's direction at length R (one number, or one for each); neurons without one stay where they are.

    The length is R up to a factor 1 ± (d_in + 16) u: largest entry first, so that no square is lost in underflow.
    """
    top = jnp.max(jnp.abs(direction), axis=0, keepdims=True)
    some = (top >= jnp.finfo(direction.dtype).tiny) & jnp.isfinite(top)
    direction = direction / jnp.where(some, top, 1)
    length = jnp.sqrt(jnp.sum(direction**2, axis=0, keepdims=True))
    return R * jnp.where(some, direction / jnp.where(some, length, 1), 0)


def shortened(length, reach, d_in: int, dtype):
    """A length so far below `length` that rounding does not bring a vector of it beyond, where it was made by
    `on_sphere` and then multiplied, or added to one whose entries are at most `reach`, with float results.

    Proof: `on_sphere` errs by (d_in + 16) u, a product or this difference by a few u, each entry of a sum by
    u (reach + length), a vector by √d_in times that, or by the least normal number where it is flushed.
    """
    slack = 2 * (d_in + 16) * unit_roundoff(dtype) * (reach + length) + d_in * jnp.finfo(dtype).tiny
    return jnp.maximum(length - slack, 0)


def within(W: Float[Array, "d_in m"], move: Float[Array, "d_in m"], R) -> Float[Array, "d_in m"]:
    """W̃ = W + move, a move `on_sphere` of radius R shortened so that ‖w̃_r − w_r‖ ≤ R holds of the floats, exactly."""
    reach = jax.lax.stop_gradient(jnp.max(jnp.abs(W), axis=0, keepdims=True))
    return W + move * (shortened(R, reach, len(W), W.dtype) / jnp.where(R > 0, R, 1))


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
