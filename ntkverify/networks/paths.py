"""Where claims about training are evaluated: points along gradient descent from each draw."""

import functools

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Key, PRNGKeyArray

from ntkverify.ground.devices import by_rows
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Params, Path, Point, Problem
from ntkverify.networks.points import over_draws
from ntkverify.networks.quantities import pulled_back, residual
from ntkverify.networks.step_sizes import careful_step
from ntkverify.networks.training import descend

TIMES = (0, 2, 8, 32)
"""The steps at which each path is looked at."""


@functools.partial(jax.jit, static_argnames=("batch", "mesh"))
def draw_paths(problem: Problem, keys: Key[Array, " draws"], batch: int, mesh: Mesh) -> Point:
    """One `Point` for each key and each of `TIMES`: leading axes (draws, times), the draws parted over the mesh."""
    return by_rows(lambda problem, keys: over_draws(functools.partial(_points, problem), keys, batch), mesh)(
        problem, keys
    )


@full_precision
def _points(problem: Problem, key: PRNGKeyArray) -> Point:
    key_draw, _, key_probe = jax.random.split(key, 3)
    start = initialise(problem, key_draw)
    probe = jax.random.rademacher(key_probe, problem.y.shape, problem.y.dtype)
    eta = careful_step(problem, start)
    one = jnp.ones((), problem.X.dtype)

    def step(state, time):
        params, least, top, furthest, slowest, length, share, kept = state
        spectrum = jnp.linalg.eigvalsh(kernel(problem, params))
        least, top = jnp.minimum(least, spectrum[0]), jnp.maximum(top, spectrum[-1])
        after = descend(problem, params, eta)
        furthest = jnp.maximum(furthest, jnp.sqrt(jnp.max(jnp.sum((after.W - start.W) ** 2, axis=0))))
        step_length, step_share = spent(problem, params, after)
        length, share = length + step_length, jnp.minimum(share, step_share)
        path = Path(start, eta, time.astype(one.dtype), least, top, furthest, slowest, length, share)
        point = Point(params, after, probe, path)
        here = jnp.asarray(TIMES) == time
        kept = jax.tree.map(lambda old, new: jnp.where(here.reshape(-1, *[1] * new.ndim), new[None], old), kept, point)
        before, now = (jnp.sum(residual(problem, each) ** 2) for each in (params, after))
        slowest = jnp.maximum(slowest, now / jnp.where(before > 0, before, 1))
        return (after, least, top, furthest, slowest, length, share, kept), None

    first = Point(start, start, probe, Path(start, eta, *[one] * 7))
    kept = jax.tree.map(lambda leaf: jnp.zeros((len(TIMES), *leaf.shape), leaf.dtype), first)
    state = (start, jnp.inf * one, 0 * one, 0 * one, 0 * one, 0 * one, jnp.inf * one, kept)
    (*_, kept), _ = jax.lax.scan(step, state, jnp.arange(TIMES[-1] + 1))
    return kept


def spent(problem: Problem, params: Params, after: Params):
    """The length of a step, and the share that it spends of what the gradient promises (`Path.share`)."""
    e = residual(problem, params)
    before, now = (jnp.sqrt(jnp.sum(each**2)) for each in (e, residual(problem, after)))
    length = jnp.sqrt(jnp.sum((after.W - params.W) ** 2))
    pull = jnp.sqrt(jnp.sum(pulled_back(problem, params, e) ** 2))
    moves = (pull > 0) & (length > 0)
    return length, jnp.where(moves, (before - now) * before / jnp.where(moves, pull * length, 1), jnp.inf)
