"""Samples with the learned score beside the exact one, from the same start and noise: distances and pictures."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.diffusion.distances import compared
from ntkverify.diffusion.learned import plain
from ntkverify.diffusion.lesson import Lesson
from ntkverify.diffusion.sampling import ODE, SDE, Walk, grid, of_mixture, of_network, probability_flow, reverse_sde
from ntkverify.ground.numerics import random_key
from ntkverify.truths.mixtures import Mixture, drawn
from ntkverify.truths.population import Population
from ntkverify.truths.process import noise, noised, signal

SAMPLER_DIVERGED = "sampler diverged"
SHOWN, ARROWS, IMAGES = 200, 11, 10
"""Points of a picture, arrows along each side of a score field, images in a row."""
FIELD_TIME, FIELD_REACH = 0.3, 2.0
"""Where a score field is shown: its t, and how far its square reaches."""


def sampled(params: dict, of: Population, own: Lesson, row: dict, draw: int, pictures: bool) -> dict:
    """The row of `measures.learn` with samples by both equations and their distances to the truth."""
    keys = jax.random.split(jax.random.fold_in(random_key(draw), 1), 3)
    times, start = (
        grid(params["earliest"], params["horizon"], params["walk"]),
        _at(of.mixture, params["horizon"], keys[0], params["paths"]),
    )
    truth = np.asarray(_at(of.mixture, params["earliest"], keys[1], params["paths"]))
    stop = int(row["metrics"]["stop"]).bit_length() - 1
    net = dataclasses.replace(own.start, W=own.weights[stop])
    scores = {
        "exact": of_mixture(of.mixture),
        "learned": of_network(own.problem.activation, net, own.radius, own.scale),
    }
    walks = {(SDE, name): reverse_sde(score, start, times, keys[2]) for name, score in scores.items()}
    walks |= {(ODE, name): probability_flow(score, start, times[::2]) for name, score in scores.items()}
    row = dict(row)
    for kind in (SDE, ODE):
        lost = next((walks[kind, name] for name in scores if walks[kind, name].diverged), None)
        if lost:
            row |= {"outcome": SAMPLER_DIVERGED, "sentence": f"{row['sentence']} {kind}: {lost.sentence}"}
            continue
        found = compared(walks[kind, "learned"].last, walks[kind, "exact"].last, truth, draw)
        numbers = {
            f"{kind}, {name}: {key}": each
            for name, one in found.items()
            for key, each in dataclasses.asdict(one).items()
        }
        row["metrics"] = row["metrics"] | plain(numbers)
    return row | ({"pictures": _pictures(params, of, scores, walks, truth)} if pictures else {})


@functools.partial(jax.jit, static_argnames=("count",))
def _at(mixture: Mixture, t, key, count: int):
    """Fresh draws of X_t."""
    first, wander = jax.random.split(key)
    clean = drawn(mixture, first, count)
    return noised(jnp.full(count, t, clean.dtype), clean, jax.random.normal(wander, clean.shape, clean.dtype))


def _pictures(
    params: dict, of: Population, scores: dict, walks: dict[tuple[str, str], Walk], truth: np.ndarray
) -> dict:
    """Points of each sample, a score field in the first two coordinates, and digits, rounded for their size."""
    clouds = {"truth": truth} | {f"{kind}, {name}": walk.last for (kind, name), walk in walks.items()}
    found: dict = {
        "clouds": {name: np.round(np.nan_to_num(each[:SHOWN, :2]), 3).tolist() for name, each in clouds.items()}
    }
    if of.mixture.d >= 2:
        side = np.linspace(-FIELD_REACH, FIELD_REACH, ARROWS)
        x = np.zeros((ARROWS**2, of.mixture.d))
        x[:, :2] = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        t = jnp.full(len(x), FIELD_TIME)
        arrows = {name: np.asarray(_evaluated(score, t, jnp.asarray(x)))[:, :2] for name, score in scores.items()}
        found["field"] = {"t": FIELD_TIME} | {
            name: np.round(each, 3).tolist() for name, each in ({"x": x[:, :2]} | arrows).items()
        }
    if len(of.centre):
        ends = {"truth": truth, "exact": walks[SDE, "exact"].last, "learned": walks[SDE, "learned"].last}
        when = jnp.full(IMAGES, params["earliest"])
        found["images"] = {}
        for name, each in ends.items():
            x = jnp.asarray(np.nan_to_num(each[:IMAGES]))
            score = _evaluated(scores["learned" if name == "learned" else "exact"], when, x)
            clean = (x + noise(when)[:, None] * score) / signal(when)[:, None]
            found["images"][name] = np.round(of.centre + np.asarray(clean) @ of.basis, 2).tolist()
    return found


@jax.jit
def _evaluated(score, t, x):
    return score(t, x)
