"""From the trained network to the truth in five steps, each prediction computed by code of its own.

    network              trained on noisy labels                     training.py
    kernel on noisy      gradient descent with H(0) of `kernels/`    its recursion, step by step
    kernel on clean      the same on f*(t_i, x_i)                    eigenvectors, and the tangent network
    limit                of that as τ → ∞                            a direct solve (least norm)
    seen                 g* = E[X_0 | t, x̂]                          quadrature along rays
    truth                f*                                          the mixture in closed form

Predictions are (times, rows, d_out) arrays over training and test rows alike, in label units.  A sum of
differences of neighbours closes whatever the arrays hold, so `discrepancies` holds each array to a
law of its own, which its computation did not use; arrays in the wrong place break theirs.
"""

import dataclasses
import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.integrate import simpson
from scipy.linalg import lstsq

from ntkverify.diffusion.process import noise, score, signal, weight
from ntkverify.diffusion.regression import Sample, clipped, embedded, seen
from ntkverify.diffusion.truth import Mixture, denoiser, differentiated_score, log_density
from ntkverify.kernels.closed_form import closed_form
from ntkverify.network import forward, kernel_scale
from ntkverify.nouns import Params, Problem
from ntkverify.numerics import full_precision, gamma
from ntkverify.quantities import pulled_back
from ntkverify.training import CHUNK, train, weights_at

NETWORK, NOISY, CLEAN, LIMIT, SEEN, TRUTH = (
    "network", "kernel on noisy", "kernel on clean", "limit", "seen", "truth",
)  # fmt: skip
STAGES = (NETWORK, NOISY, CLEAN, LIMIT, SEEN, TRUTH)
PARTS = ("coupling", "label mismatch", "early stopping", "approximation", "clipping")
"""The differences of neighbouring stages (docs/theory.md §6, after arXiv:2401.15604)."""
CUTOFF = 1e-10
"""Modes of the kernel below this share of its largest eigenvalue are left out of the limit: gradient
descent at η = 1/λ_max needs 10¹⁰ steps to see them, and rounding decides what they hold."""


@dataclass(frozen=True)
class Lesson:
    """One regression: its rows, and the network at its start."""

    mixture: Mixture
    learn: Sample
    test: Sample
    radius: float
    """ρ, where inputs are clipped."""
    scale: float
    """L, what labels are divided by."""
    problem: Problem
    """Of the training inputs x̂; its y are the noisy labels over L."""
    start: Params
    eta: jax.Array
    times: jax.Array
    """Steps at which predictions are compared, ascending."""

    @functools.cached_property
    def X(self) -> Float[Array, "rows d_in"]:
        """x̂ of the training rows, then of the test rows."""
        return jnp.concatenate([self.problem.X, embedded(self.test.t, self.test.x, self.radius)])

    @functools.cached_property
    def t(self) -> Float[Array, " rows"]:
        return jnp.concatenate([self.learn.t, self.test.t])

    @functools.cached_property
    def x(self) -> Float[Array, "rows d"]:
        return jnp.concatenate([self.learn.x, self.test.x])

    @functools.cached_property
    def clean(self) -> Problem:
        """The same regression with the labels f*."""
        return dataclasses.replace(self.problem, y=self.learn.clean / self.scale)

    @functools.cached_property
    def kernel(self) -> Float[Array, "nd nd"]:
        """H(0) over the training rows."""
        return closed_form(self.problem, self.start)

    @functools.cached_property
    def weights(self) -> Float[Array, "times d_in m"]:
        """W at each of the times, trained on the noisy labels."""
        return weights_at(self.problem, self.start, self.eta, self.times)

    @property
    def rate(self) -> jax.Array:
        """η s_m: the error shrinks by I − rate·H(0) a step in the linearised network."""
        return self.eta * kernel_scale(self.problem.activation, self.problem.m)


def trained(lesson: Lesson) -> Float[Array, "times rows d"]:
    """The network after gradient descent on the noisy labels."""
    return _outputs(lesson.problem.activation, lesson.start, lesson.weights, lesson.X)


def trained_on_clean(lesson: Lesson) -> Float[Array, "times rows d"]:
    """The control: the same network after gradient descent on the labels f*."""
    weights = weights_at(lesson.clean, lesson.start, lesson.eta, lesson.times)
    return _outputs(lesson.problem.activation, lesson.start, weights, lesson.X)


@functools.partial(jax.jit, static_argnames=("activation",))
def _outputs(activation, start, weights, X):
    return jax.lax.map(lambda W: forward(activation, dataclasses.replace(start, W=W), X), weights)


@jax.jit
@full_precision
def recursion(H: Float[Array, "p p"], y: Float[Array, " p"], rate, times: Int[Array, " times"]):
    """c after each of `times` steps of c ← c + rate (y − H c) from c = 0; (times, p).

    Predictions H c then follow gradient descent of the linearised network, step by step.
    """

    def until(state, time):
        c, now = state
        c = jax.lax.fori_loop(now, time, lambda _, c: c + rate * (y - H @ c), c)
        return (c, time), c

    return jax.lax.scan(until, (jnp.zeros_like(y), jnp.zeros_like(times[0])), times)[1]


def stepped(lesson: Lesson) -> Float[Array, "times rows d"]:
    """Kernel gradient descent on noisy labels by its recursion, predictions by the entries of H(0)."""
    c = recursion(lesson.kernel, lesson.problem.y.ravel(), lesson.rate, lesson.times)
    return _by_entries(lesson, c)


@full_precision
def _by_entries(lesson: Lesson, c: Float[Array, "times p"]) -> Float[Array, "times rows d"]:
    """H(0)(rows, training rows) c."""
    size, d = c.shape[1], lesson.problem.d_out
    every = closed_form(dataclasses.replace(lesson.problem, X=lesson.X), lesson.start)
    return (c @ every[:size]).reshape(len(c), -1, d)


def spectral(lesson: Lesson) -> Float[Array, "times rows d"]:
    """Kernel gradient descent on clean labels by eigenvectors, predictions by the tangent network."""
    return _by_tangent(lesson, _in_modes(lesson.kernel, lesson.clean.y.ravel(), lesson.rate, lesson.times))


@jax.jit
@full_precision
def _in_modes(H, y, rate, times):
    """c = V (1 − (1 − rate λ)^τ)/λ Vᵀ y at each time."""
    values, V = jnp.linalg.eigh(H)
    return (_growth(rate * values, times) * rate * (V.T @ y)[None]) @ V.T


def _growth(p, times):
    """(1 − (1 − p)^τ)/p, τ at p = 0, for each time and each p ≤ 1."""
    p = jnp.clip(p, 0, 1)
    safe, tau = jnp.where(p > 0, p, 1), times.astype(p.dtype)[:, None]
    grown = -jnp.expm1(tau * jnp.log1p(-safe)[None]) / safe[None]
    return jnp.where((p > 0)[None], grown, tau)


def _by_tangent(lesson: Lesson, c: Float[Array, "times p"]) -> Float[Array, "times rows d"]:
    """J(rows) Jᵀ c / s_m, by forward differentiation along Jᵀ c; no kernel entry is formed."""
    return _tangent(lesson.problem, lesson.start, lesson.X, c)


@jax.jit
@full_precision
def _tangent(problem, start, X, c):
    def one(c):
        along = pulled_back(problem, start, c.reshape(problem.y.shape))
        _, change = jax.jvp(
            lambda W: forward(problem.activation, dataclasses.replace(start, W=W), X), (start.W,), (along,)
        )
        return change / kernel_scale(problem.activation, problem.m)

    return jax.lax.map(one, c)


def solved(lesson: Lesson) -> Float[Array, "1 rows d"]:
    """The limit of kernel gradient descent on clean labels: the least-norm solution of H c = y."""
    c, *_ = lstsq(np.asarray(lesson.kernel), np.asarray(lesson.clean.y).ravel(), cond=CUTOFF, lapack_driver="gelsy")  # type: ignore[misc]
    return _by_entries(lesson, jnp.asarray(c)[None])


def predictions(lesson: Lesson) -> dict[str, Float[Array, "times rows d"]]:
    """Every stage's array, those without a time repeated over the times."""
    scale, times = lesson.scale, len(lesson.times)
    fixed = {
        LIMIT: solved(lesson),
        SEEN: seen(lesson.mixture, lesson.t, lesson.x, lesson.radius)[None] / scale,
        TRUTH: denoiser(lesson.mixture, lesson.t, lesson.x)[None] / scale,
    }
    moving = {NETWORK: trained(lesson), NOISY: stepped(lesson), CLEAN: spectral(lesson)}
    return moving | {name: jnp.repeat(array, times, axis=0) for name, array in fixed.items()}


@dataclass(frozen=True)
class Split:
    """The error over time, in units of ‖X_0‖²: its parts, their cross terms, and their sum."""

    parts: np.ndarray
    """(5, times), mean over test rows of ‖difference‖²."""
    cross: np.ndarray
    """(times,), 2 Σ_{j<k} ⟨difference_j, difference_k⟩."""

    @property
    def total(self) -> np.ndarray:
        """(times,)"""
        return self.parts.sum(axis=0) + self.cross


def split(lesson: Lesson, stages: dict) -> Split:
    """Mean squared differences of neighbours over the test rows, and all cross terms one by one."""
    arrays = [np.asarray(stages[name])[:, lesson.problem.n :] * lesson.scale for name in STAGES]
    steps = np.stack([after - before for before, after in zip(arrays[1:], arrays[:-1], strict=True)])
    products = np.einsum("jtrd,ktrd->jkt", steps, steps) / steps.shape[2]
    cross = 2 * sum(products[j, k] for j in range(len(PARTS)) for k in range(j))
    return Split(np.stack([products[j, j] for j in range(len(PARTS))]), np.asarray(cross))


def score_error(lesson: Lesson, fitted: Float[Array, "rows d"]) -> float:
    """E (h²/α²) ‖s_W − ∇log p_t‖² over the test rows, the score of the density by differentiation.

    `fitted` are the network's outputs there, in label units.
    """
    t, x = lesson.test.t, lesson.test.x
    away = score(t, x, lesson.scale * fitted) - differentiated_score(lesson.mixture, t, x)
    return float(jnp.mean(weight(t) * jnp.sum(away**2, axis=1)))


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
    allowed = 4 * CHUNK * gamma(terms, fitted.dtype) * float(run.losses[0, 0])
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
