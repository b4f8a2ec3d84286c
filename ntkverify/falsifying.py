"""The verb `falsify`: search the worst point of an inequality, from below.

Free are W̃ in the product of balls around W, W itself (its draws, then along the gradient), the inputs
on their spheres and the signs a (by flips).  Each restart begins at the worst of a fresh set of drawn
points, which takes no gradient (and is all there is where a side cannot be differentiated); then steps of steepest ascent move W̃ to the boundary of its ball
along the gradient of small / large, and X and W by shrinking steps.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ascent import on_sphere
from ntkverify.errors import BadInput
from ntkverify.judge import CHUNK
from ntkverify.nouns import IN_BALL, Claim, Params, Point, Problem
from ntkverify.numerics import full_precision
from ntkverify.points import draw_points

STEPS, TAKEN = 30, 4
"""Steps of one ascent; how many of a restart's drawn points it takes up."""


@dataclass(frozen=True)
class Found:
    """The worst point, its ratio small / large, the worst that drawing alone gave, and the effort."""

    problem: Problem
    point: Point
    ratio: float
    drawn: float
    restarts: int
    seconds: float


def searchable(claim: Claim) -> None:
    """`BadInput` for a claim that has nothing to search over."""
    if claim.where != IN_BALL or claim.direction not in ("upper", "lower", "tight"):
        raise BadInput(
            f"{claim.id} [{claim.form}] has no free variables", "an inequality about a ball of weights, such as kernel-perturbation",
            f"ntkverify verify {claim.id}, or certify",
        )  # fmt: skip
    if claim.statement.promise != "1":
        raise BadInput(
            f"{claim.id} [{claim.form}] holds with a probability", "a deterministic claim, which one point can refute",
            f"ntkverify verify {claim.id}",
        )  # fmt: skip


def falsify(
    claim: Claim, problem: Problem, budget: float, seed: int = 0,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Found:  # fmt: skip
    """The worst point found within `budget` seconds (at least one restart); Ctrl-C keeps the best so far."""
    searchable(claim)
    constants = {name: jnp.asarray(value, problem.X.dtype) for name, value in claim.constants.items()}
    began, best, restarts, drawn, where, smooth = time.monotonic(), -1.0, 0, 0.0, None, None
    try:
        while where is None or time.monotonic() - began < budget:
            key = jax.random.fold_in(jax.random.key(seed), restarts)
            points = draw_points(problem, jax.random.split(key, CHUNK), 1)
            flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), points)
            ratios = np.asarray(_ratios(claim, problem, flat, constants))
            drawn = max(drawn, float(ratios.max()))
            if smooth is None:
                smooth = _differentiable(claim, problem, flat, constants)
            if not smooth and (where is None or ratios.max() > best):
                top = int(np.argmax(ratios))
                start = jax.tree.map(lambda leaf, place=top: leaf[place], flat)
                best, where = float(ratios.max()), _free(problem, start)
            for place in np.argsort(ratios)[::-1][: TAKEN if smooth else 0]:
                start = jax.tree.map(lambda leaf, place=place: leaf[place], flat)
                ratio, there = _climb(claim, problem, start, constants, jax.random.fold_in(key, int(place)))
                if float(ratio) > best:
                    best, where = float(ratio), there
            restarts += 1
            spent = time.monotonic() - began
            heard(f"{claim.id}: best ratio {best:.4g}", min(int(spent), int(budget)), max(int(budget), 1))
    except KeyboardInterrupt:
        if where is None:
            raise
    X, W, move, a = where
    moved = dataclasses.replace(problem, X=X, rank=int(np.linalg.matrix_rank(np.asarray(X))))
    probe = jnp.ones_like(problem.y)
    point = Point(Params(W, a), Params(W + move, a), probe)
    return Found(moved, point, best, drawn, restarts, time.monotonic() - began)


def _free(problem: Problem, point: Point):
    """(X, W, W̃ − W, a): what the search moves."""
    return problem.X, point.base.W, point.moved.W - point.base.W, point.base.a


def _differentiable(claim: Claim, problem: Problem, points: Point, constants) -> bool:
    """Whether JAX can differentiate the claim's sides; where it cannot, drawing is all there is."""
    start = jax.tree.map(lambda leaf: leaf[0], points)
    try:
        jax.eval_shape(lambda: _climb(claim, problem, start, constants, jax.random.key(0)))
    except Exception:  # whatever differentiating the user's code raises
        return False
    return True


def _ratio(claim: Claim, problem: Problem, point: Point, constants):
    """The largest small / large over the entries; 0 where the assumptions are false, or it is no number."""
    left, right = (side(problem, point, constants) for side in (claim.lhs, claim.rhs))
    small, large = (right, left) if claim.direction == "lower" else (left, right)
    ratio = jnp.max(jnp.where(large > 0, small / jnp.where(large > 0, large, 1), jnp.where(small > 0, jnp.inf, 0)))
    usable = claim.assumptions(problem, point, constants) & ~jnp.isnan(ratio)
    return jnp.where(usable, ratio, 0)


@functools.partial(jax.jit, static_argnames=("claim",))
@full_precision
def _ratios(claim: Claim, problem: Problem, points: Point, constants):
    return jax.lax.map(lambda point: _ratio(claim, problem, point, constants), points)


@functools.partial(jax.jit, static_argnames=("claim",))
@full_precision
def _climb(claim: Claim, problem: Problem, start: Point, constants, key):
    """(best ratio, (X, W, W̃ − W, a)) of one ascent."""
    R = jnp.sqrt(jnp.max(jnp.sum((start.moved.W - start.base.W) ** 2, axis=0)))
    length = jnp.sqrt(jnp.sum(problem.X**2, axis=1, keepdims=True))

    def at(state):
        X, W, move, a = state
        point = Point(Params(W, a), Params(W + move, a), start.probe)
        return _ratio(claim, dataclasses.replace(problem, X=X), point, constants)

    def finite(slope):
        return jnp.where(jnp.isfinite(slope), slope, 0)

    def step(carry, inputs):
        (X, W, move, a), best, where = carry
        index, key = inputs
        slope_X, slope_W, slope_move, _ = map(finite, jax.grad(at)((X, W, move, a)))
        share = 0.3 * 0.9**index
        size = jnp.sqrt(jnp.sum(slope_X**2, axis=1, keepdims=True))
        X = X + share * length * slope_X / jnp.where(size > 0, size, 1)
        X = length * X / jnp.maximum(jnp.sqrt(jnp.sum(X**2, axis=1, keepdims=True)), 1e-300)
        W = W + on_sphere(slope_W, share * jnp.maximum(problem.sigma, 1e-3))
        length_move = jnp.sqrt(jnp.sum(slope_move**2, axis=0, keepdims=True))
        move = jnp.where(length_move > 0, on_sphere(slope_move, R * (1 - 1e-12)), move)
        # A flip of one neuron's signs is kept where it helps: no gradient tells.
        flip = jnp.where(jnp.arange(a.shape[1]) == jax.random.randint(key, (), 0, a.shape[1]), -1.0, 1.0).astype(
            a.dtype
        )
        here, flipped = at((X, W, move, a)), at((X, W, move, a * flip[None]))
        a = jnp.where(flipped > here, a * flip[None], a)
        now = jnp.maximum(here, flipped)
        state = X, W, move, a
        where = jax.tree.map(lambda new, old: jnp.where(now > best, new, old), state, where)
        return (state, jnp.maximum(now, best), where), None

    first = _free(problem, start)
    begin = (first, at(first), first)
    inputs = jnp.arange(STEPS, dtype=problem.X.dtype), jax.random.split(key, STEPS)
    (_, best, where), _ = jax.lax.scan(step, begin, inputs)
    return best, where
