"""What each stage's predictions must satisfy, by a route that did not compute them.

Arrays that stand in each other's place break their laws, where a telescoped sum would not notice.
"""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import simpson

from ntkverify.diffusion.lesson import Lesson
from ntkverify.diffusion.regression import clipped
from ntkverify.diffusion.stages import CLEAN, CUTOFF, LIMIT, NETWORK, NOISY, SEEN, TRUTH, recursion
from ntkverify.ground.numerics import gamma
from ntkverify.networks.training import CHUNK, train
from ntkverify.truths.mixtures import differentiated_score, log_density
from ntkverify.truths.process import noise, signal

RAYS = 32
"""Clipped rows, evenly chosen, at which g* is integrated again."""


@dataclass(frozen=True)
class Laws:
    """The laws of one lesson's stages; what does not depend on their arrays is computed once."""

    lesson: Lesson

    def gaps(self, stages: dict) -> dict[str, tuple[float, float]]:
        """For each stage: how far its array is from its law, and what rounding allows.

        network: the losses that `train` records on its own way.  kernel on noisy: each mode of the error is
        (1 − rate λ)^τ of what it was.  kernel on clean: the recursion.  limit: H (prediction − y) vanishes up
        to the modes left out.  seen, truth: Tweedie's formula with the differentiated log density; on
        clipped rows Simpson's rule.
        """
        own, n, times = self.lesson, self.lesson.problem.n, len(self.lesson.times)
        H, (values, V) = np.asarray(own.kernel), self.modes
        at = {name: np.asarray(array) for name, array in stages.items()}
        fitted = {name: at[name][:, :n].reshape(times, -1) for name in (NETWORK, NOISY, CLEAN, LIMIT)}
        noisy, clean = (np.asarray(problem.y).ravel()[None] for problem in (own.problem, own.clean))
        size = float(max(np.linalg.norm(noisy), np.linalg.norm(clean)))
        share = np.clip(float(own.rate) * values, 0, 1 - np.finfo(float).eps)
        left = np.exp(np.asarray(own.times)[:, None] * np.log1p(-share)[None]) * (noisy @ V)
        losses, early = self.losses, len(self.losses)
        stepped = gamma(len(H) + own.problem.m, H.dtype) * size * (1 + int(own.times[-1]))
        found = {
            NETWORK: (np.sum((fitted[NETWORK] - noisy) ** 2, axis=1)[:early] - losses, CHUNK * gamma(len(H) + own.problem.m, H.dtype) * size**2),
            NOISY: ((noisy - fitted[NOISY]) @ V - left, stepped),
            CLEAN: (fitted[CLEAN] - self.replayed, stepped),
            LIMIT: ((fitted[LIMIT] - clean) @ H, len(H) * CUTOFF * float(values[-1]) * size),
        }  # fmt: skip
        rows, averages, coarse = self.averages
        near = averaging_error(own)
        found[SEEN] = own.scale * at[SEEN][:, rows] - averages[None], near + float(np.abs(averages - coarse).max())
        found[TRUTH] = own.scale * at[TRUTH] - self.differentiated[None], near
        return {name: (float(np.abs(gap).max()), allowed) for name, (gap, allowed) in found.items()}

    @functools.cached_property
    def modes(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and eigenvectors of H(0)."""
        values, V = np.linalg.eigh(np.asarray(self.lesson.kernel))
        return values, V

    @functools.cached_property
    def losses(self) -> np.ndarray:
        """‖F − Y‖² at the times up to `CHUNK`, as `train` records it."""
        own, times = self.lesson, np.asarray(self.lesson.times)
        early = times[times <= CHUNK]
        start = jax.tree.map(lambda leaf: leaf[None], own.start)
        run = train(own.problem, start, own.eta[None], target=0.0, budget=int(early[-1]))
        return run.losses[0, early]

    @functools.cached_property
    def replayed(self) -> np.ndarray:
        """Kernel gradient descent on clean labels at the training rows, step by step; (times, nd)."""
        own = self.lesson
        return np.asarray(recursion(own.kernel, own.clean.y.ravel(), own.rate, own.times)) @ np.asarray(own.kernel)

    @functools.cached_property
    def differentiated(self) -> np.ndarray:
        """f* by differentiating the log density, (rows, d)."""
        return np.asarray(_tweedie(self.lesson.mixture, self.lesson.t, self.lesson.x))

    @functools.cached_property
    def averages(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, and g* there with fine and with coarse steps along rays: those inside, and `RAYS` of those clipped."""
        own = self.lesson
        out = np.asarray(clipped(own.x, own.radius)[1])
        outside = np.flatnonzero(out)
        chosen = outside[:: max(1, -(-len(outside) // RAYS))]
        inside = self.differentiated[~out]
        fine, coarse = (np.concatenate([inside, _along_rays(own, chosen, points)]) for points in (8001, 4001))
        return np.concatenate([np.flatnonzero(~out), chosen]), fine, coarse


def averaging_error(lesson: Lesson) -> float:
    """What rounding does to a softmax average of the components: their spread times the error of the logits."""
    mixture, h = lesson.mixture, float(jnp.min(noise(lesson.t)))
    far = float(jnp.max(jnp.linalg.norm(lesson.x, axis=1)) + jnp.max(jnp.linalg.norm(mixture.means, axis=1)))
    return gamma(mixture.k + 4 * mixture.d, lesson.x.dtype) * (1 + far**2 / h) * 2 * far


@jax.jit
def _tweedie(mixture, t, x):
    return (x + noise(t)[:, None] * differentiated_score(mixture, t, x)) / signal(t)[:, None]


def _along_rays(lesson: Lesson, rows: np.ndarray, points: int) -> np.ndarray:
    """E[X_0 | t, x̂] at clipped rows by Simpson's rule along the ray, the denoiser by Tweedie's formula."""
    widest = float(jnp.sqrt(1 + jnp.max(lesson.mixture.variances)))
    reach = 12 * widest + float(jnp.max(jnp.linalg.norm(lesson.mixture.means, axis=1)))
    found = [np.zeros((0, lesson.mixture.d))]
    for row in rows:
        r = jnp.linspace(lesson.radius, lesson.radius + reach, points)
        ray = r[:, None] * (lesson.x[row] / jnp.linalg.norm(lesson.x[row]))[None]
        mass, inner = _mass_and_denoiser(lesson.mixture, jnp.full_like(r, lesson.t[row]), ray)
        mass, places = np.asarray(mass * r ** (lesson.mixture.d - 1)), np.asarray(r)
        found.append(
            (np.asarray(simpson(mass[:, None] * np.asarray(inner), places, axis=0)) / simpson(mass, places))[None]
        )
    return np.concatenate(found)


@jax.jit
def _mass_and_denoiser(mixture, t, x):
    logs = log_density(mixture, t, x)
    return jnp.exp(logs - jnp.max(logs)), _tweedie(mixture, t, x)
