"""How far from the start λ_min keeps its share: proved up to the certified radius, broken by a search beyond it."""

import functools

import jax
import jax.numpy as jnp

from ntkverify.arithmetic import balls
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.convergence.certificate import Attempt
from ntkverify.ground.numerics import full_precision, random_key
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.logits import pulled
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quantities import logits


@functools.partial(jax.jit, static_argnames=("steps",))
@full_precision
def _least(problem: Problem, start: Params, radius, key, before, steps: int = 24):
    """(smallest λ_min found on the sphere of this radius, where): steepest descent from three starts, one of them in the
    direction `before` that was worst at another radius."""

    def quotient(W, v):
        return v @ closed_form(problem, Params(W, start.a)) @ v

    def descend(W):
        def step(state, _):
            W, best, where = state
            values, vectors = jnp.linalg.eigh(closed_form(problem, Params(W, start.a)))
            better = values[0] < best
            best, where = jnp.where(better, values[0], best), jnp.where(better, W, where)
            slope = jax.grad(quotient)(W, vectors[:, 0])
            size = jnp.sqrt(jnp.sum(slope**2))
            return (start.W - radius * slope / jnp.where(size > 0, size, 1), best, where), None

        (_, best, where), _ = jax.lax.scan(step, (W, jnp.inf * radius, W), None, length=steps)
        return best, where

    wander = jax.random.normal(key, start.W.shape, start.W.dtype)
    # The whole move spent on one neuron, where the lemmas are sharp.
    highest = jnp.argmax(jnp.max(logits(problem, start), axis=0))
    alone = (jnp.arange(start.W.shape[1]) == highest).astype(start.W.dtype)
    lone = pulled(problem.activation, start.W, problem.X[:1], alone[None])
    starts = jnp.stack([start.W + radius * d / jnp.sqrt(jnp.sum(d**2)) for d in (wander, lone, before)])
    best, where = jax.lax.map(descend, starts)
    least = jnp.argmin(best)
    return best[least], where[least]


SEARCHED = 3 * 10**8
"""(nd)² m up to which a search is made: about five minutes."""


def searchable(found: Attempt) -> bool:
    """Whether a search ends in reasonable time."""
    return (found.problem.n * found.problem.d_out) ** 2 * found.problem.m <= SEARCHED


def broken(found: Attempt, seed: int, most: float = 64.0) -> tuple[float, Params] | None:
    """(the smallest radius at which a search finds λ_min < keep · λ, the point), confirmed in balls; None if none is
    found up to `most` times the certified radius.

    The search begins inside the certified ball, so that it could contradict the certificate.
    """
    problem, start, line = found.problem, found.centre, found.keep * found.bounds["lambda"]
    low, radius, where = 0.0, found.s / 4, None
    before = jnp.ones_like(start.W)
    while where is None and radius <= most * found.s:
        least, W = _least(problem, start, radius, random_key(seed), before)
        before = W - start.W
        if float(least) < line:
            where = W
        else:
            low, radius = radius, 1.5 * radius
    if where is None:
        return None
    for _ in range(8):
        middle = (low + radius) / 2
        least, W = _least(problem, start, middle, random_key(seed), where - start.W)
        low, radius, where = (low, middle, W) if float(least) < line else (middle, radius, where)
    point = Params(where, start.a)
    top = balls.smallest_eigenvalue(in_balls(lambda net: closed_form(problem, net))(point))[1]
    away = float(balls.norm(balls.subtract(balls.exact(point.W), balls.exact(start.W))))
    return (away, point) if top < line else None


def bracket(found: Attempt, seed: int) -> dict:
    """[certified, found by search]: the radius over all neurons at which λ_min falls below the kept share of λ."""
    low = broken(found, seed)
    return {
        "kind": "region", "proved": found.s, "found": low and low[0], "radius": found.s,
        "method": "proved by the growth of the Jacobian; found by steepest descent on λ_min, confirmed in float64 balls",
        "counterexample": None,
    }  # fmt: skip
