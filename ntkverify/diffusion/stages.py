"""From the trained network to the truth in five steps, each prediction computed by code of its own.

    network              trained on noisy labels                     training.py
    kernel on noisy      gradient descent with H(0) of `kernels/`    its recursion, step by step
    kernel on clean      the same on f*(t_i, x_i)                    eigenvectors, and the tangent network
    limit                of that as τ → ∞                            a direct solve (least norm)
    seen                 g* = E[X_0 | t, x̂]                          quadrature along rays
    truth                f*                                          the mixture in closed form

Predictions are (times, rows, d_out) arrays over training and test rows alike, in label units.  A sum of
differences of neighbours closes whatever the arrays hold; what each array must satisfy is in `laws.py`.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.linalg import lstsq

from ntkverify.diffusion.lesson import Lesson, Regression
from ntkverify.diffusion.regression import seen
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.quantities import pulled_back
from ntkverify.networks.training import weights_at
from ntkverify.truths.mixtures import denoiser, differentiated_score
from ntkverify.truths.process import score, weight

NETWORK, NOISY, CLEAN, LIMIT, SEEN, TRUTH = (
    "network", "kernel on noisy", "kernel on clean", "limit", "seen", "truth",
)  # fmt: skip
STAGES = (NETWORK, NOISY, CLEAN, LIMIT, SEEN, TRUTH)
PARTS = ("coupling", "label mismatch", "early stopping", "approximation", "clipping")
"""The differences of neighbouring stages (docs/theory.md §6, after arXiv:2401.15604)."""
WITHOUT_TRUTH = STAGES[:2]
"""What asks for no f*; between them lies the first part."""
CUTOFF = 1e-10
"""Modes of the kernel below this share of its largest eigenvalue are left out of the limit: gradient
descent at η = 1/λ_max needs 10¹⁰ steps to see them, and rounding decides what they hold."""


def trained(lesson: Regression) -> Float[Array, "times rows d"]:
    """The network after gradient descent on the noisy labels."""
    return _outputs(lesson.problem.network, lesson.start, lesson.weights, lesson.X)


def trained_on_clean(lesson: Lesson) -> Float[Array, "times rows d"]:
    """The control: the same network after gradient descent on the labels f*."""
    weights = weights_at(lesson.clean, lesson.start, lesson.eta, lesson.times)
    return _outputs(lesson.problem.network, lesson.start, weights, lesson.X)


@functools.partial(jax.jit, static_argnames=("network",))
def _outputs(network, start, weights, X):
    return jax.lax.map(lambda W: forward(network, dataclasses.replace(start, W=W), X), weights)


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


def stepped(lesson: Regression) -> Float[Array, "times rows d"]:
    """Kernel gradient descent on noisy labels by its recursion, predictions by the entries of H(0)."""
    c = recursion(lesson.kernel, lesson.problem.y.ravel(), lesson.rate, lesson.times)
    return _by_entries(lesson, c)


@full_precision
def _by_entries(lesson: Regression, c: Float[Array, "times p"]) -> Float[Array, "times rows d"]:
    """H(0)(rows, training rows) c."""
    return (c @ lesson.across).reshape(len(c), -1, lesson.problem.d_out)


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
            lambda W: forward(problem.network, dataclasses.replace(start, W=W), X), (start.W,), (along,)
        )
        return change / kernel_scale(problem.network, problem.m)

    return jax.lax.map(one, c)


def solved(lesson: Lesson) -> Float[Array, "1 rows d"]:
    """The limit of kernel gradient descent on clean labels: the least-norm solution of H c = y."""
    c, *_ = lstsq(np.asarray(lesson.kernel), np.asarray(lesson.clean.y).ravel(), cond=CUTOFF, lapack_driver="gelsy")  # type: ignore[misc]
    return _by_entries(lesson, jnp.asarray(c)[None])


def _seen(lesson: Lesson) -> Float[Array, "1 rows d"]:
    return seen(lesson.mixture, lesson.t, lesson.x, lesson.radius)[None] / lesson.scale


def _truth(lesson: Lesson) -> Float[Array, "1 rows d"]:
    return denoiser(lesson.mixture, lesson.t, lesson.x)[None] / lesson.scale


COMPUTED: dict[str, Callable] = {
    NETWORK: trained, NOISY: stepped, CLEAN: spectral, LIMIT: solved, SEEN: _seen, TRUTH: _truth,
}  # fmt: skip


def predictions(
    lesson: Regression, names: Sequence[str] = STAGES, heard: Callable[[str], None] = lambda what: None
) -> dict[str, Float[Array, "times rows d"]]:
    """Each stage's array, those without a time repeated over the times; only of `WITHOUT_TRUTH` where f* is not known."""
    found, times = {}, len(lesson.times)
    for place, name in enumerate(names, 1):
        heard(f"{name}, stage {place} of {len(names)}")
        array = jax.block_until_ready(COMPUTED[name](lesson))
        found[name] = jnp.repeat(array, times // len(array), axis=0)
    return found


@dataclass(frozen=True)
class Split:
    """The error over time, in units of ‖X_0‖²: its parts, their cross terms, and their sum."""

    parts: np.ndarray
    """(5, times), mean over test rows of ‖difference‖²."""
    cross: np.ndarray
    """(times,), 2 Σ_{j<k} ⟨difference_j, difference_k⟩."""
    bias: np.ndarray
    """(times,), kernel on clean against seen: early stopping and approximation together."""

    @property
    def total(self) -> np.ndarray:
        """(times,)"""
        return self.parts.sum(axis=0) + self.cross


def split(lesson: Lesson, stages: dict) -> Split:
    """Mean squared differences of neighbours over the test rows, and all cross terms one by one."""
    steps = differences(lesson, stages, STAGES)
    products = np.einsum("jtrd,ktrd->jkt", steps, steps) / steps.shape[2]
    cross = 2 * sum(products[j, k] for j in range(len(PARTS)) for k in range(j))
    bias = np.mean(np.sum((steps[2] + steps[3]) ** 2, axis=2), axis=1)
    return Split(np.stack([products[j, j] for j in range(len(PARTS))]), np.asarray(cross), bias)


def differences(lesson: Regression, stages: dict, names: Sequence[str]) -> np.ndarray:
    """Of neighbours at the test rows, in the units of X_0; (names less one, times, rows, d)."""
    arrays = [np.asarray(stages[name])[:, lesson.problem.n :] * lesson.scale for name in names]
    return np.stack([after - before for before, after in zip(arrays[1:], arrays[:-1], strict=True)])


def score_error(lesson: Lesson, fitted: Float[Array, "rows d"]) -> float:
    """E (h²/α²) ‖s_W − ∇log p_t‖² over the test rows, the score of the density by differentiation.

    `fitted` are the network's outputs there, in label units.
    """
    return float(_score_error(lesson.mixture, lesson.test.t, lesson.test.x, lesson.scale * fitted))


@jax.jit
def _score_error(mixture, t, x, f):
    away = score(t, x, f) - differentiated_score(mixture, t, x)
    return jnp.mean(weight(t) * jnp.sum(away**2, axis=1))
