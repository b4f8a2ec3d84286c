"""Networks of ⟨w_r,x⟩ enclosed at any size, in floats whose errors are bounded by norms: F, what its derivative is made of, H, and the
constants of docs/proofs/convergence.md.  They are sums Σ_r φ(⟨w_r,x⟩) a_r with φ'' bounded or φ = exp, and softmax, m Σ_r S_r a_r.

Neurons are streamed in blocks of one size, so that one compiled program serves every width.  ⟨w_r,x_i⟩ is a sum of d_in
products, so what is computed errs by at most α = γ ‖x_i‖‖w_r‖; φ and φ' of what was computed come with bounds of their own
(`with_error`), and |φ(u) − φ(û)| ≤ (|φ'(û)| + b|u − û|)|u − û|, |φ'(u) − φ'(û)| ≤ b|u − û|, b = sup|φ''|; of exp both are
at most e^û (e^α − 1).  Sums of k products err by at most γ_k times the sum of their sizes, in any order.

Softmax: q_{ir} = m p_{ir} / Σ_r p_{ir}, p = e^{u − c_i}, whatever the c_i are.  With p up to ρ_{ir} and its sum up to ς_i, q is known up to
m ρ_{ir} / (Σ p − ς_i) + q_{ir} ς_i / (Σ p − ς_i).
"""

import functools
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import get_blas_funcs

from ntkverify.arithmetic.balls import TINY, U
from ntkverify.arithmetic.definite import FLOOR, SUMS, Near, gamma, length
from ntkverify.arithmetic.definite import bytes_needed as matrices_needed
from ntkverify.arithmetic.running import with_error
from ntkverify.ground.numerics import full_precision
from ntkverify.networks.activations.exponential import EXPONENTIAL
from ntkverify.networks.activations.softmax import SOFTMAX
from ntkverify.networks.growth import Constants
from ntkverify.networks.nouns import Network, Params, Problem, TwoLayer

BLOCK = 1024
"""Neurons a block."""
ROOM, SHARE, COARSE = 4.0, 1 + 1e-5, 6000.0
"""Whoever checks ‖e‖ by other sums and other functions shall find no more: so many times its own rounding is added to it, that
share, and so many units of u a neuron."""
POWER = 12
"""Steps of the power method towards the vectors of Collatz's quotients; any positive vector gives a bound."""


EXPONENTIALS = {EXPONENTIAL.value, SOFTMAX.value}
"""The functions φ = φ' = exp, told by what they are and not by a network's name."""


def covers(network: Network) -> bool:
    """Whether this file speaks of the network."""
    return (
        isinstance(network, TwoLayer)
        and network.neuron is None
        and not network.root_scaled
        and (
            math.isfinite(network.bend) if network.bend is not None else {network.value, network.slope} <= EXPONENTIALS
        )
    )


@dataclass(frozen=True)
class Seen:
    """A network at one W; every bound is rounded up."""

    F: np.ndarray
    """(n, d)."""
    uncertain: np.ndarray
    """(n,): a bound on the error of each F_{il}."""
    slopes: np.ndarray
    """φ'(⟨w_r,x_i⟩), or q_{ir}, (n, m)."""
    lengths: np.ndarray
    """(n,): ‖φ'_i‖ over the neurons."""
    errors: np.ndarray
    """(n,): bounds on the length of what the slopes of a sample err by."""
    worst: np.ndarray
    """(n,): bounds on what one of them errs by."""


def seen(problem: Problem, net: Params) -> Seen:
    """The network at `net`."""
    X, W, a = (np.asarray(each, np.float64) for each in (problem.X, net.W, net.a))
    network, n, m = problem.activation, len(X), int(net.m)
    W, a = W[:, :m], a[:, :m]  # without padding
    blocks = [slice(first, min(first + BLOCK, m)) for first in range(0, m, BLOCK)]
    top = np.zeros((n, 1))
    if network.normalised:
        top = np.max([np.max(X @ W[:, here], axis=1, keepdims=True) for here in blocks], axis=0)
    F, slopes = np.zeros((n, len(a))), np.empty((n, m))
    sizes, errors, squares, worst = (np.zeros(n) for _ in range(4))
    for here in blocks:
        count = here.stop - here.start
        padded = np.zeros((len(W), BLOCK))
        padded[:, :count] = W[:, here]
        found = _block(network, problem.X, jnp.asarray(padded), jnp.asarray(top))
        value, slope, of_value, of_slope = (np.asarray(each)[:, :count] for each in found)
        F += value @ a[:, here].T
        slopes[:, here] = slope
        sizes += np.abs(value).sum(axis=1)
        errors += of_value.sum(axis=1)
        squares += (of_slope**2).sum(axis=1)
        worst = np.maximum(worst, of_slope.max(axis=1))
    missed = np.sqrt(squares) * SUMS + FLOOR
    # A term goes through the sum of its block, then through those of the blocks.
    of_sum = gamma(BLOCK + len(blocks))
    uncertain = (of_sum * sizes + errors) * SUMS + TINY
    if network.normalised:
        least = sizes - uncertain  # the sum of all p, from below
        least = np.where(least > 0, least, np.nan)
        scale, share = m / least * (1 + 4 * U), (uncertain / least + 4 * U) * SUMS
        slopes *= (m / sizes)[:, None]
        F = np.sum([slopes[:, here] @ a[:, here].T for here in blocks], axis=0)
        sizes = slopes.sum(axis=1) * SUMS
        uncertain = (of_sum * sizes + scale * errors + share * sizes) * SUMS + TINY
        missed = (scale * missed + share * length(slopes, 1)) * SUMS
        worst = (scale * worst + share * slopes.max(axis=1)) * SUMS
    return Seen(F, uncertain, slopes, length(slopes, 1), missed, worst + TINY)


@functools.partial(jax.jit, static_argnames="network")
@full_precision
def _block(network: TwoLayer, X, W, top):
    return enclosed(network, X, W, length(X, 1, jnp)[:, None], top)


def enclosed(network: TwoLayer, X, W, lengths, top):
    """φ, φ' and bounds on the errors of both, (n, m) each; `lengths` are the ‖x_i‖, (n, 1), `top` what softmax subtracts from its
    logits."""
    away = gamma(X.shape[1]) * lengths * length(W, 0, jnp)[None] * SUMS + TINY
    if network.bend is None:
        value, of_value = with_error(lambda u, top: jnp.exp(u - top))(X @ W, top)
        more = jnp.where(away < 1, away + away**2, jnp.inf)
        of_value = (of_value + (value + of_value) * more) * SUMS
        return value, value, of_value, of_value
    (value, slope), (of_value, of_slope) = with_error(lambda u: (network.value(u), network.slope(u)))(X @ W)
    bent = network.bend * away
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


def _means(problem: Problem, found: Seen) -> tuple[np.ndarray, np.ndarray]:
    """f, what a softmax takes from each sign, (n, d), 0 under a sum, and bounds on its errors, (n,)."""
    if not problem.activation.normalised:
        return np.zeros_like(found.F), np.zeros(problem.n)
    m = found.slopes.shape[1]
    f = found.F / m
    return f, (found.uncertain / m + U * np.abs(f).max(axis=1)) * SUMS


def kernel(problem: Problem, net: Params, found: Seen) -> Near:
    """H, output slow: entry (l n + i, k n + j) is ⟨x_i,x_j⟩ Σ_r G_{ilr} G_{jkr} / m, G_{ilr} = φ'_{ir} (a_{lr} − f_{il}).

    With α_i = ‖G_{il}‖ and ρ_i the bound on its error an entry errs by at most ‖x_i‖‖x_j‖ (γ α_iα_j + ρ_iα_j + α_iρ_j + ρ_iρ_j)/m,
    γ that of the m products, the d_in of ⟨x_i,x_j⟩ and what joins them; so the matrix by at most d (γ A² + 2 A R + R²)/m, A and R the
    lengths of (‖x_i‖α_i) and (‖x_i‖ρ_i).  γ has `COARSE` terms more, for whoever checks by other functions.
    """
    X, a = np.asarray(problem.X, np.float64), np.asarray(net.a, np.float64)
    n, d, m = len(X), len(a), found.slopes.shape[1]  # `a` may be padded beyond m
    mean, unsure = _means(problem, found)
    H = np.zeros((n * d, n * d), order="F")
    (add,) = get_blas_funcs(("syrk",), (H,))
    for first in range(0, m, BLOCK):
        here = slice(first, min(first + BLOCK, m))
        G = ((a[:, None, here] - mean.T[:, :, None]) * found.slopes[None, :, here]).reshape(n * d, -1)
        H = add(1.0, G.T, beta=1.0, c=H, trans=1, lower=1, overwrite_c=1)
    share = (X @ X.T) / m
    for k in range(d):
        for l in range(k, d):
            H[l * n : (l + 1) * n, k * n : (k + 1) * n] *= share
    wide = 1 + np.abs(mean).max(axis=1) + unsure
    sizes = length(X, 1)
    A = float(length(sizes * found.lengths * wide)) * SUMS
    R = float(length(sizes * (found.errors * wide + found.lengths * (unsure + 3 * U * wide)))) * SUMS
    return Near(H, float(d * (gamma(m + X.shape[1] + int(COARSE)) * A**2 + 2 * A * R + R**2) / m * SUMS + TINY))


def constants(problem: Problem, found: Seen) -> Constants:
    """Upper bounds on the constants where the network was seen, with `SHARE` for whoever finds them by other functions."""
    network, X = problem.activation, np.asarray(problem.X, np.float64)
    m, d = found.slopes.shape[1], problem.d_out
    sizes = length(X, 1)
    longest, bounded = float(np.max(sizes)), network.bend is not None
    mean = weight = rate = 0.0
    if network.normalised:
        f, unsure = _means(problem, found)
        unsure = ROOM * unsure + COARSE * U  # of which nothing else is left where the neurons come in pairs
        mean = float(np.max(length(np.abs(f) + unsure[:, None], 1)))
        weight = float(np.max(found.slopes + found.worst[:, None])) * SUMS
        shares = (found.lengths + found.errors) / m
        rate = float(np.max(sizes * np.sqrt(1 + shares * shares)))
    elif not bounded:
        rate = longest
    bends = np.full((len(X), 1), network.bend) if bounded else found.slopes + found.worst[:, None]
    mean, weight, sharp, rate = (np.float64(each * SHARE) for each in (mean, weight, _sharpness(X, bends), rate))
    return Constants(np.float64(longest), mean, weight, sharp, rate, np.float64(m), np.float64(d), bounded)


def _sharpness(X: np.ndarray, bends: np.ndarray) -> float:
    """max_r λ_max(D_r K₂ D_r)^{1/2}, D_r of the r-th column, by Collatz's quotients; all numbers are at least 0, so that each errs by less
    than `SUMS`."""
    sizes = length(X, 1)
    near = np.abs(X @ X.T) + gamma(X.shape[1]) * np.outer(sizes, sizes) * SUMS
    squares, most = near * near * SUMS + TINY, 0.0
    for first in range(0, bends.shape[1], BLOCK):
        b = bends[:, first : first + BLOCK]
        p = np.ones_like(b)
        for _ in range(POWER):
            p = b * (squares @ (b * p))
            p = p / np.maximum(p.max(axis=0), TINY) + 1e-6
        most = np.maximum(most, np.max(b * (squares @ (b * p)) / p))
    return float(np.sqrt(most * SUMS + TINY) * SUMS)


def bytes_needed(n: int, width: int, d: int, m: int) -> int:
    """About what `kernel` and its spectrum take at the largest moment, and a Gauss–Newton step."""
    return 2**29 + 8 * (4 * n * m + (64 + d) * n * BLOCK + 3 * width * m) + matrices_needed(n * d)
