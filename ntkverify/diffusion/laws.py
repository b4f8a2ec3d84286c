"""What each stage's predictions must satisfy, by a route that did not compute them.

Arrays that stand in each other's place break their laws, where a telescoped sum would not notice.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import simpson

from ntkverify.diffusion.lesson import Lesson
from ntkverify.diffusion.process import noise, signal
from ntkverify.diffusion.regression import clipped
from ntkverify.diffusion.stages import CLEAN, CUTOFF, LIMIT, NETWORK, NOISY, SEEN, TRUTH, recursion
from ntkverify.diffusion.truth import differentiated_score, log_density
from ntkverify.numerics import gamma
from ntkverify.training import CHUNK, train


def discrepancies(lesson: Lesson, stages: dict) -> dict[str, tuple[float, float]]:
    """For each stage: how far its array is from the law that it must satisfy, and what rounding allows.

    network: the losses that `train` records on its own way.  kernel on noisy: each mode of the error is
    (1 − rate λ)^τ of what it was.  kernel on clean: the recursion.  limit: H (prediction − y) vanishes up
    to the modes left out.  seen, truth: Tweedie's formula with the differentiated log density; on
    clipped rows Simpson's rule.
    """
    n, y, clean = lesson.problem.n, np.asarray(lesson.problem.y), np.asarray(lesson.clean.y)
    at = {name: np.asarray(array) for name, array in stages.items()}
    H, rate, times = np.asarray(lesson.kernel), float(lesson.rate), np.asarray(lesson.times)
    size = float(max(np.linalg.norm(y), np.linalg.norm(clean)))
    rounding = gamma(len(H) + lesson.problem.m, y.dtype) * size * (1 + int(times[-1]))
    found = {NETWORK: _loss_gap(lesson, at[NETWORK][:, :n], times)}

    values, V = np.linalg.eigh(H)
    left = (V.T @ (y[None] - at[NOISY][:, :n]).reshape(len(times), -1).T).T
    law = np.exp(times[:, None] * np.log1p(-np.clip(rate * values, 0, 1 - 1e-16))) * (V.T @ y.ravel())
    found[NOISY] = float(np.abs(left - law).max()), rounding

    c = recursion(lesson.kernel, jnp.asarray(clean.ravel()), lesson.rate, lesson.times)
    found[CLEAN] = float(np.abs(np.asarray(c) @ H - at[CLEAN][:, :n].reshape(len(times), -1)).max()), rounding

    residual = H @ (at[LIMIT][:, :n] - clean[None]).reshape(len(times), -1).T
    found[LIMIT] = float(np.abs(residual).max()), len(H) * CUTOFF * float(values[-1]) * size

    differentiated = np.array(_tweedie(lesson.mixture, lesson.t, lesson.x))
    near = averaging_error(lesson)
    found[TRUTH] = float(np.abs(at[TRUTH] - differentiated[None] / lesson.scale).max()), near / lesson.scale
    outside = np.flatnonzero(np.asarray(clipped(lesson.x, lesson.radius)[1]))
    expected, coarse = _along_rays(lesson, outside, 8001), _along_rays(lesson, outside, 4001)
    differentiated[outside] = expected
    allowed = near + float(np.abs(expected - coarse).max(initial=0))
    found[SEEN] = float(np.abs(at[SEEN] - differentiated[None] / lesson.scale).max()), allowed / lesson.scale
    return found


def averaging_error(lesson: Lesson) -> float:
    """What rounding does to a softmax average of the components: their spread times the error of the logits."""
    mixture, h = lesson.mixture, float(jnp.min(noise(lesson.t)))
    far = float(jnp.max(jnp.linalg.norm(lesson.x, axis=1)) + jnp.max(jnp.linalg.norm(mixture.means, axis=1)))
    return gamma(mixture.k + 4 * mixture.d, lesson.x.dtype) * (1 + far**2 / h) * 2 * far


def _loss_gap(lesson: Lesson, fitted: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """‖F − Y‖² from the predictions, against what `train` records over its first chunk of steps."""
    early = times <= CHUNK
    start = jax.tree.map(lambda leaf: leaf[None], lesson.start)
    run = train(lesson.problem, start, lesson.eta[None], target=0.0, budget=int(times[early][-1]), levels=(1.0,))
    own = np.sum((fitted - np.asarray(lesson.problem.y)[None]) ** 2, axis=(1, 2))
    terms = lesson.problem.m + lesson.problem.y.size
    allowed = CHUNK * gamma(terms, fitted.dtype) * float(run.losses[0, 0])
    return float(np.abs(own[early] - run.losses[0, times[early]]).max()), allowed


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
        mass = np.asarray(mass * r ** (lesson.mixture.d - 1))
        found.append((simpson(mass[:, None] * np.asarray(inner), r, axis=0) / simpson(mass, r))[None])
    return np.concatenate(found)


@jax.jit
def _mass_and_denoiser(mixture, t, x):
    logs = log_density(mixture, t, x)
    return jnp.exp(logs - jnp.max(logs)), _tweedie(mixture, t, x)
