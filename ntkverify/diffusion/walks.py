"""Samples with the learned score beside the exact one, from the same start and noise: distances and pictures."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.diffusion.distances import compared
from ntkverify.diffusion.learned import plain
from ntkverify.diffusion.lesson import Lesson
from ntkverify.diffusion.sampling import (
    ODE,
    SDE,
    Score,
    Walk,
    denoised,
    evaluated,
    fresh,
    grid,
    of_mixture,
    of_network,
    walked,
)
from ntkverify.ground.numerics import random_key
from ntkverify.truths.population import Population

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
        fresh(of.mixture, params["horizon"], keys[0], params["paths"]),
    )
    truth = np.asarray(fresh(of.mixture, params["earliest"], keys[1], params["paths"]))
    net = own.net(np.asarray(own.times).tolist().index(int(row["metrics"]["stop"])))
    scores = {
        "exact": of_mixture(of.mixture),
        "learned": of_network(own.problem.activation, net, own.radius, own.scale),
    }
    walks = {
        (kind, name): walked(kind, score, start, at, keys[2])
        for kind, at in ((SDE, times), (ODE, times[::2])) for name, score in scores.items()
    }  # fmt: skip
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


def _pictures(
    params: dict, of: Population, scores: dict, walks: dict[tuple[str, str], Walk], truth: np.ndarray
) -> dict:
    """Points of each sample, a score field in the first two coordinates, and digits, rounded for their size."""
    clouds = {"truth": truth} | {f"{kind}, {name}": walk.last for (kind, name), walk in walks.items()}
    found: dict = {
        "clouds": {name: np.round(np.nan_to_num(each[:SHOWN, :2]), 3).tolist() for name, each in clouds.items()}
    }
    if of.mixture.d >= 2:
        found["field"] = {"t": FIELD_TIME} | {
            name: np.round(each, 3).tolist() for name, each in arrows(scores, of.mixture.d).items()
        }
    if len(of.centre):
        ends = {"truth": truth, "exact": walks[SDE, "exact"].last, "learned": walks[SDE, "learned"].last}
        when = jnp.full(IMAGES, params["earliest"])
        found["images"] = {}
        for name, each in ends.items():
            score = scores["learned" if name == "learned" else "exact"]
            clean = denoised(score, when, jnp.asarray(np.nan_to_num(each[:IMAGES])))
            found["images"][name] = np.round(of.images(np.asarray(clean)), 2).tolist()
    return found


def places(d: int) -> np.ndarray:
    """A grid in the plane of the first two coordinates, (arrows, d)."""
    side = np.linspace(-FIELD_REACH, FIELD_REACH, ARROWS)
    x = np.zeros((ARROWS**2, d))
    x[:, :2] = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return x


def arrows(scores: dict[str, Score], d: int) -> dict[str, np.ndarray]:
    """Places x on a grid in the first two coordinates, the others 0, and each score there; (arrows, 2)."""
    x = places(d)
    t = jnp.full(len(x), FIELD_TIME)
    found = {name: np.asarray(evaluated(score, t, jnp.asarray(x)))[:, :2] for name, score in scores.items()}
    return {"x": x[:, :2]} | found
