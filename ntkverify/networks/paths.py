"""Where claims about training are evaluated: points along gradient descent from each draw."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key, PRNGKeyArray

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Path, Point, Problem
from ntkverify.networks.points import over_draws
from ntkverify.networks.quantities import residual
from ntkverify.networks.training import careful_step, descend

TIMES = (0, 2, 8, 32)
"""The steps at which each path is looked at."""


@functools.partial(jax.jit, static_argnames=("batch",))
def draw_paths(problem: Problem, keys: Key[Array, " draws"], batch: int) -> Point:
    """One `Point` for each key and each of `TIMES`: leading axes (draws, times)."""
    return over_draws(functools.partial(_points, problem), keys, batch)


@full_precision
def _points(problem: Problem, key: PRNGKeyArray) -> Point:
    key_draw, _, key_probe = jax.random.split(key, 3)
    start = initialise(problem, key_draw)
    probe = jax.random.rademacher(key_probe, problem.y.shape, problem.y.dtype)
    eta = careful_step(problem, start)
    one = jnp.ones((), problem.X.dtype)

    def step(state, time):
        params, least, top, furthest, slowest, kept = state
        spectrum = jnp.linalg.eigvalsh(closed_form(problem, params))
        least, top = jnp.minimum(least, spectrum[0]), jnp.maximum(top, spectrum[-1])
        after = descend(problem, params, eta)
        furthest = jnp.maximum(furthest, jnp.sqrt(jnp.max(jnp.sum((after.W - start.W) ** 2, axis=0))))
        point = Point(params, after, probe, Path(start, eta, time.astype(one.dtype), least, top, furthest, slowest))
        here = jnp.asarray(TIMES) == time
        kept = jax.tree.map(lambda old, new: jnp.where(here.reshape(-1, *[1] * new.ndim), new[None], old), kept, point)
        before, now = (jnp.sum(residual(problem, each) ** 2) for each in (params, after))
        slowest = jnp.maximum(slowest, now / jnp.where(before > 0, before, 1))
        return (after, least, top, furthest, slowest, kept), None

    first = Point(start, start, probe, Path(start, eta, 0 * one, one, one, one, one))
    kept = jax.tree.map(lambda leaf: jnp.zeros((len(TIMES), *leaf.shape), leaf.dtype), first)
    state = (start, jnp.inf * one, 0 * one, 0 * one, 0 * one, kept)
    (*_, kept), _ = jax.lax.scan(step, state, jnp.arange(TIMES[-1] + 1))
    return kept
