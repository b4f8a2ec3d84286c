"""Climbing towards the worst point of an inequality: along the gradient, and by random moves without one.

A place is (X, W, W̃ − W, a).  Rows of X keep their length, which exactly is at most 1, W̃ stays in the product of
balls, exactly, the signs stay ±1 and logits at W stay below `WIDEST`.  A place where the claim says
nothing (its assumptions are false, or a side is no number) has the height `OUTSIDE`, and lies the lower the further
a function that is ≥ 0 inside (`Claim.inside`) is below 0: that is the way in.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.ascent import on_sphere, shortened, within
from ntkverify.networks.nouns import Model, Params, Point, Problem
from ntkverify.networks.points import raising as up
from ntkverify.networks.quantities import largest_exponent, outputs
from ntkverify.statements.claim import Claim

OUTSIDE = -1.0
"""The height of a place where the claim says nothing."""
STEPS, CHAINED = 30, 3
"""Steps of one ascent; random moves that one proposal makes at most."""
WIDEST = 20.0
"""Largest logit at W: about the paper's B at σ = 1, C = 10; beyond it single weights drown the others' rounding."""
FAINT = 1e-10
"""Share of the largest entry below which the ratio of two computed sides says nothing."""


def point_at(problem: Problem, place) -> Point:
    """The place as a claim's point."""
    _, W, move, a = place
    return Point(Params(W, a), Params(within(W, move, problem.radius), a), jnp.ones_like(problem.y))


def height(claim: Claim, problem: Problem, place, constants):
    """The largest small / large over the entries at the place; infinite where large ≤ 0 < small.

    Entries of which both sides are below `FAINT` of the largest are left out: rounding decides them.
    """
    problem, point = dataclasses.replace(problem, X=place[0]), point_at(problem, place)
    left, right = (side(problem, point, constants) for side in (claim.lhs, claim.rhs))
    small, large = (right, left) if claim.direction == "lower" else (left, right)
    small, large = jnp.broadcast_arrays(small, large)
    size = jnp.maximum(jnp.abs(small), jnp.abs(large))
    ratio = jnp.where(large > 0, small / jnp.where(large > 0, large, 1), jnp.where(small > 0, jnp.inf, 0))
    ratio = jnp.max(jnp.where(size >= FAINT * jnp.max(size), ratio, 0))
    near = _near(problem, point)
    value = jnp.where(claim.assumptions(problem, point, constants) & near & ~jnp.isnan(ratio), ratio, OUTSIDE)
    edge = jnp.finfo(value.dtype).eps ** 0.5  # nearer to 0 rounding may decide whether a function is above it
    for each in claim.inside:
        least = jnp.min(each(problem, point, constants)) - edge
        value = jnp.where(least >= 0, value, jnp.minimum(value, OUTSIDE + jnp.where(least < 0, least, -jnp.inf)))
    return value


def _near(problem: Problem, point: Point):
    """Whether W is where rounding does not drown what is compared: logits below `WIDEST`, a model's outputs numbers."""
    if isinstance(problem.network, Model):
        return jnp.all(jnp.isfinite(outputs(problem, point.base)))
    return largest_exponent(problem, point.base) <= WIDEST


@functools.partial(jax.jit, static_argnames=("claim",))
@full_precision
def heights(claim: Claim, problem: Problem, places, constants):
    """`height` at each of many places (leading axis)."""
    return jax.lax.map(lambda place: height(claim, problem, place, constants), places)


@functools.partial(jax.jit, static_argnames=("claim",))
@full_precision
def ascend(claim: Claim, problem: Problem, places, constants, keys):
    """(heights, places): the best of `STEPS` steps of steepest ascent from each place.

    W̃ goes to the boundary of its ball along its gradient, at once or in part; X and W take shrinking
    steps.  How far the first ones go is drawn for each place: what suits one claim misses another.
    """

    def one(inputs):
        first, key = inputs
        key_share, key_stride = jax.random.split(key)
        begin = jnp.exp(jax.random.uniform(key_share, (), first[0].dtype, math.log(3e-3), 0.0))
        stride = jnp.exp(jax.random.uniform(key_stride, (), first[0].dtype, math.log(0.1), math.log(100.0)))
        R, lengths, scale = _fixed(problem)

        def step(carry, index):
            place, best, where = carry
            value, slopes = jax.value_and_grad(lambda at: height(claim, problem, at, constants))(place)
            better = value > best
            where = jax.tree.map(lambda new, old: jnp.where(better, new, old), place, where)
            X, W, move, a = place
            slope_X, slope_W, slope_move, _ = (jnp.where(jnp.isfinite(slope), slope, 0) for slope in slopes)
            share = begin * 0.9**index
            size = jnp.sqrt(jnp.sum(slope_X**2, axis=1, keepdims=True))
            X = on_sphere((X + share * lengths * slope_X / jnp.where(size > 0, size, 1)).T, lengths.T).T
            W = W + on_sphere(slope_W, share * scale)
            move = on_sphere(move + stride * on_sphere(slope_move, R), R)
            return ((X, W, move, a), jnp.maximum(value, best), where), None

        start = first, jnp.asarray(OUTSIDE, first[0].dtype), first
        (_, best, where), _ = jax.lax.scan(step, start, jnp.arange(STEPS, dtype=first[0].dtype))
        return best, where

    return jax.lax.map(one, (places, keys))


@jax.jit
def proposals(problem: Problem, places, keys):
    """From each place (leading axis), a place that one to `CHAINED` random moves away lead to.

    Knows no claim, so that one compiled program serves all of them.
    """

    def one(inputs):
        place, key = inputs
        fixed, key_count, key_moves = _fixed(problem), *jax.random.split(key)
        count = jax.random.randint(key_count, (), 1, CHAINED + 1)
        keys = jax.random.split(key_moves, CHAINED)
        return jax.lax.fori_loop(0, count, lambda index, place: _random_move(problem, place, fixed, keys[index]), place)

    return jax.lax.map(one, (places, keys))


def _fixed(problem: Problem):
    """R and the lengths of the rows of X, so far below R and 1 that no rounding brings them beyond, and the scale of
    steps of W."""
    R, one = (shortened(length, 0.0, max(problem.d_in, problem.p), problem.X.dtype) for length in (problem.radius, 1.0))
    lengths = jnp.minimum(jnp.sqrt(jnp.sum(problem.X**2, axis=1, keepdims=True)), one)
    return R, lengths, jnp.maximum(problem.sigma, 0.1)


def _random_move(problem, place, fixed, key):
    """One of the moves below, of a size drawn over four decades: all of an array, one column or row of it, or
    a choice that no small step reaches (equal inputs, a neuron along an input, a flipped sign)."""
    (X, W, move, a), (R, lengths, scale) = place, fixed
    kind, noise, which, other, size, sign = jax.random.split(key, 6)
    size = jnp.exp(jax.random.uniform(size, (), X.dtype, math.log(1e-4), 0.0))
    row, (neuron, twin) = jax.random.randint(which, (), 0, X.shape[0]), jax.random.randint(other, (2,), 0, W.shape[1])
    near = jax.random.randint(jax.random.fold_in(other, 1), (), 0, X.shape[0])
    output = jax.random.randint(jax.random.fold_in(other, 2), (2,), 0, max(a.shape[0], 1))
    flip = jax.random.rademacher(sign, (), X.dtype)
    # Drawn once, outside the choice, which halves the time to compile.
    noise_X, noise_W, noise_move = (
        jax.random.normal(each, leaf.shape, leaf.dtype)
        for each, leaf in zip(jax.random.split(noise, 3), (X, W, move), strict=True)
    )
    along = flip * X[near]
    raising = flip * up(problem, Params(W, a), X[near])
    spread = raising * jnp.where(jnp.arange(W.shape[1]) == neuron, 0, 1).astype(X.dtype)[None]

    def turned(X):
        return on_sphere(X.T, lengths.T).T, W, move, a

    def moved(direction):
        return X, W, on_sphere(direction, R), a

    moves = [
        lambda: turned(X + size * lengths * noise_X),
        lambda: turned(X.at[row].add(size * lengths[row, 0] * noise_X[row])),
        lambda: turned(X.at[row].set(along)),
        lambda: turned(X + size * lengths * along[None]),
        lambda: (X, W + size * scale * noise_W, move, a),
        lambda: (X, W.at[:, neuron].add(size * scale * noise_W[:, neuron]), move, a),
        lambda: (X, W * jnp.exp(size * noise_W[0, 0]), move, a),
        lambda: (X, W.at[:, neuron].set(W[:, twin]), move, a),
        lambda: (X, W.at[:, neuron].add(size * 10 * scale * raising[:, neuron]), move, a),
        lambda: (X, W + size * 10 * scale * spread, move, a),
        lambda: moved(move + size * R * noise_move),
        lambda: moved(move.at[:, neuron].add(size * R * noise_move[:, neuron])),
        lambda: moved(move.at[:, neuron].set(raising[:, neuron])),
        lambda: moved(move.at[:, neuron].multiply(-1)),
    ]
    of_signs = [
        lambda: moved(raising * (a[output[0]] * a[output[1]])[None]),
        lambda: moved(raising * a[output[0]][None]),
        lambda: (X, W, move, a.at[output[0], neuron].multiply(-1)),
        lambda: (X, W, move, a.at[:, neuron].multiply(-1)),
        lambda: (X, W, move, a.at[output[0]].set(flip * a[output[1]])),
    ]
    moves += [] if isinstance(problem.network, Model) else of_signs
    return jax.lax.switch(jax.random.randint(kind, (), 0, len(moves)), moves)
