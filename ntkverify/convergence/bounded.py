"""Networks under a sum whose φ'' is bounded, F = Σ_r φ(⟨w_r,x⟩) a_r, enclosed at any size: F, φ' and H in floats, their
errors bounded by norms.

Neurons are streamed in blocks of one size, so that one compiled program serves every width.  ⟨w_r,x_i⟩ is a sum of d_in
products, so what is computed errs by at most γ ‖x_i‖‖w_r‖; φ and φ' of what was computed come with bounds of their own
(`with_error`), and |φ(u) − φ(û)| ≤ (|φ'(û)| + b|u − û|)|u − û|, |φ'(u) − φ'(û)| ≤ b|u − û|, b = sup|φ''|.  Sums of k products
err by at most γ_k times the sum of their sizes, in any order.
"""

import functools
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.balls import TINY, U
from ntkverify.arithmetic.definite import FLOOR, SUMS, Near, gamma, length
from ntkverify.arithmetic.definite import bytes_needed as matrices_needed
from ntkverify.arithmetic.running import with_error
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import Network, Params, Problem, TwoLayer

BLOCK = 1024
"""Neurons a block."""
ROOM, SHARE, COARSE = 4.0, 1 + 1e-5, 3000.0
"""Whoever checks ‖e‖ by other sums and other functions shall find no more: so many times its own rounding is added to it, that
share, and so many units of u a neuron."""


def covers(network: Network) -> bool:
    """Whether this file speaks of the network."""
    return (
        isinstance(network, TwoLayer)
        and network.neuron is None
        and not network.normalised
        and not network.root_scaled
        and network.bend is not None
        and math.isfinite(network.bend)
    )


@dataclass(frozen=True)
class Seen:
    """A network at one W; every bound is rounded up."""

    F: np.ndarray
    """(n, d)."""
    uncertain: np.ndarray
    """(n,): a bound on the error of each F_{il}."""
    slopes: np.ndarray
    """φ'(⟨w_r,x_i⟩), (n, m)."""
    lengths: np.ndarray
    """(n,): ‖φ'_i‖ over the neurons."""
    errors: np.ndarray
    """(n,): bounds on the length of what the slopes of a sample err by."""


def seen(problem: Problem, net: Params) -> Seen:
    """The network at `net`."""
    X, W, a = (np.asarray(each, np.float64) for each in (problem.X, net.W, net.a))
    n, m = len(X), W.shape[1]
    F, slopes = np.zeros((n, len(a))), np.empty((n, m))
    sizes, errors, squares = np.zeros(n), np.zeros(n), np.zeros(n)
    for first in range(0, m, BLOCK):
        part = W[:, first : first + BLOCK]
        count = part.shape[1]
        padded = np.zeros((len(W), BLOCK))
        padded[:, :count] = part
        found = _block(problem.network, problem.X, jnp.asarray(padded))
        value, slope, of_value, of_slope = (np.asarray(each)[:, :count] for each in found)
        F += value @ a[:, first : first + count].T
        slopes[:, first : first + count] = slope
        sizes += np.abs(value).sum(axis=1)
        errors += of_value.sum(axis=1)
        squares += (of_slope**2).sum(axis=1)
    # A term goes through the sum of its block, then through those of the blocks.
    uncertain = (gamma(BLOCK - -m // BLOCK) * sizes + errors) * SUMS + TINY
    return Seen(F, uncertain, slopes, length(slopes, 1), np.sqrt(squares) * SUMS + FLOOR)


@functools.partial(jax.jit, static_argnames="network")
@full_precision
def _block(network: TwoLayer, X, W):
    return enclosed(network, X, W, length(X, 1, jnp)[:, None])


def enclosed(network: TwoLayer, X, W, lengths):
    """φ, φ' and bounds on the errors of both, (n, m) each; `lengths` are the ‖x_i‖, (n, 1)."""
    (value, slope), (of_value, of_slope) = with_error(lambda u: (network.value(u), network.slope(u)))(X @ W)
    away = gamma(X.shape[1]) * lengths * length(W, 0, jnp)[None] * SUMS + TINY
    bent = (network.bend or 0.0) * away
    of_value = (of_value + (jnp.abs(slope) + of_slope + bent) * away) * SUMS
    return value, slope, of_value, (of_slope + bent) * SUMS


def error(problem: Problem, found: Seen, less: Seen | None = None) -> tuple[np.ndarray, float]:
    """e = F − F_0 − Y in floats, (n, d), F_0 that of `less`, and a bound on ‖e‖."""
    y = np.asarray(problem.y, np.float64)
    e = (found.F if less is None else found.F - less.F) - y
    sizes, unsure = np.abs(found.F) + np.abs(y), found.uncertain
    if less is not None:
        sizes, unsure = sizes + np.abs(less.F), unsure + less.uncertain
    looks = 1 if less is None else 2
    unsure = ROOM * (unsure[:, None] + 2 * U * sizes) + looks * COARSE * U * found.slopes.shape[1]
    return e, float((length(e) + length(unsure)) * SHARE)


def kernel(problem: Problem, net: Params, found: Seen) -> Near:
    """H, output slow: entry (l n + i, k n + j) is ⟨x_i,x_j⟩ Σ_r a_{lr}a_{kr} φ'_{ir} φ'_{jr} / m.  The signs are ±1, so one product
    of (n, m) matrices serves each pair of outputs, and one all of their diagonal blocks.

    With α_i = ‖φ'_i‖ and ρ_i the bound on its error an entry errs by at most ‖x_i‖‖x_j‖ (γ α_iα_j + ρ_iα_j + α_iρ_j + ρ_iρ_j)/m,
    γ that of the m products, the d_in of ⟨x_i,x_j⟩ and what joins them; so the matrix by at most d (γ A² + 2 A R + R²)/m, A and R the
    lengths of (‖x_i‖α_i) and (‖x_i‖ρ_i).
    """
    X, a = np.asarray(problem.X, np.float64), np.asarray(net.a, np.float64)
    n, d, m = len(X), len(a), found.slopes.shape[1]
    H, share = np.zeros((n * d, n * d), order="F"), (X @ X.T) / m
    same = (found.slopes @ found.slopes.T) * share
    for k in range(d):
        H[k * n : (k + 1) * n, k * n : (k + 1) * n] = same
        for l in range(k + 1, d):
            H[l * n : (l + 1) * n, k * n : (k + 1) * n] = ((found.slopes * (a[l] * a[k])) @ found.slopes.T) * share
    sizes = length(X, 1)
    A, R = (float(length(sizes * part)) for part in (found.lengths, found.errors))
    return Near(H, float(d * (gamma(m + X.shape[1] + 8) * A**2 + 2 * A * R + R**2) / m * SUMS + TINY))


def bytes_needed(n: int, width: int, d: int, m: int) -> int:
    """About what `kernel` and its spectrum take at the largest moment, and a Gauss–Newton step."""
    return 2**29 + 8 * (4 * n * m + 64 * n * BLOCK + 3 * width * m) + matrices_needed(n * d)
