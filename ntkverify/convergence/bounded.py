"""Two-layer networks enclosed at any size, in floats whose errors are bounded by norms: F, what its derivative is made of, H, and the
constants of docs/proofs/convergence.md.  They are sums Σ_r φ(⟨w_r,x⟩) a_r with φ'' bounded or φ = exp, sums of neurons z(w_r; x) of a
known bend, and a softmax over either, m Σ_r S_r a_r.

Neurons are streamed in blocks of one size, so that one compiled program serves every width.  ⟨w_r,x_i⟩ is a sum of d_in
products, so what is computed errs by at most α = γ ‖x_i‖‖w_r‖; φ and φ' of what was computed come with bounds of their own
(`with_error`), and |φ(u) − φ(û)| ≤ (|φ'(û)| + b|u − û|)|u − û|, |φ'(u) − φ'(û)| ≤ b|u − û|, b = sup|φ''|; of exp both are
at most e^û (e^α − 1).  Sums of k products err by at most γ_k times the sum of their sizes, in any order.

Softmax: q_{ir} = m p_{ir} / Σ_r p_{ir}, p = e^{u − c_i}, whatever the c_i are.  With p up to ρ_{ir} and its sum up to ς_i, q is known up to
m ρ_{ir} / (Σ p − ς_i) + q_{ir} ς_i / (Σ p − ς_i).

Neurons that are functions: z and g, where ∇z = g ⊗ h, come with bounds of their own too.  A slope is g, or q g, of k numbers.
"""

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

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
from ntkverify.networks.activations.identity import identity
from ntkverify.networks.activations.softmax import SOFTMAX
from ntkverify.networks.growth import Constants
from ntkverify.networks.kinds import smooth
from ntkverify.networks.logits import bends_of, inner, inner_length, logits, outer, steeps_of
from ntkverify.networks.nouns import Network, Params, Problem, TwoLayer

BLOCK, WEIGHTS = 1024, 2**22
"""Neurons a block, and where they are functions their weights for all samples, at most."""
ROOM, SHARE, COARSE, COARSER = 4.0, 1 + 1e-5, 6000.0, 2e5
"""Whoever checks ‖e‖ by other sums and other functions shall find no more: so many times its own rounding is added to it, that
share, and so many units of u a neuron.  The last: units of u that H may err by where neurons are functions, of which a gradient is a
difference of what is larger."""
POWER = 12
"""Steps of the power method towards the vectors of Collatz's quotients; any positive vector gives a bound."""


EXPONENTIALS = {EXPONENTIAL.value, SOFTMAX.value}
"""The functions φ = φ' = exp, told by what they are and not by a network's name."""


def covers(network: Network) -> bool:
    """Whether this file speaks of the network."""
    if not isinstance(network, TwoLayer) or network.root_scaled or not smooth(network):
        return False
    exponential = {network.value, network.slope} <= EXPONENTIALS
    if network.normalised:
        return exponential and network.bend is None
    if network.neuron is not None:
        return network.value is identity
    return exponential if network.bend is None else math.isfinite(network.bend)


@dataclass(frozen=True)
class Seen:
    """A network at one W; every bound is rounded up."""

    F: np.ndarray
    """(n, d)."""
    uncertain: np.ndarray
    """(n,): a bound on the error of each F_{il}."""
    slopes: np.ndarray
    """What a derivative is made of beside h(x_i) and a_r − f_i: φ'(⟨w_r,x_i⟩) or q_{ir}, times g(w_r; x_i) of neurons that are
    functions; (n, k, m), k = 1 of the others."""
    lengths: np.ndarray
    """(n,): their length over k and the neurons."""
    errors: np.ndarray
    """(n,): bounds on the length of what they err by."""
    tops: np.ndarray | None
    """(n, m): bounds on φ(⟨w_r,x_i⟩) or q_{ir} where φ'' grows with them; None where it is bounded."""

    @property
    def m(self) -> int:
        """Neurons."""
        return self.slopes.shape[2]


def neurons_at_once(n: int, weights: int) -> int:
    """Of functions of so many weights, for n samples."""
    return min(BLOCK, 2 ** max(4, int(math.log2(WEIGHTS / (n * weights)))))


def seen(problem: Problem, net: Params) -> Seen:
    """The network at `net`."""
    X, W, a = (np.asarray(each, np.float64) for each in (problem.X, net.W, net.a))
    network, n, m = problem.activation, len(X), int(net.m)
    W, a = W[:, :m], a[:, :m]  # without padding
    block = BLOCK if network.neuron is None else neurons_at_once(n, len(W))
    blocks = [slice(first, min(first + block, m)) for first in range(0, m, block)]

    def padded(here: slice):
        found = np.zeros((len(W), block))
        found[:, : here.stop - here.start] = W[:, here]
        return jnp.asarray(found)

    top = np.zeros((n, 1))
    if network.normalised:  # whatever it is, what follows is right
        top = np.max([np.max(_logits(network, problem.X, padded(here)), axis=1, keepdims=True) for here in blocks], 0)
    grows = network.normalised or (network.neuron is None and network.bend is None)
    F, tops = np.zeros((n, len(a))), np.empty((n, m)) if grows else None
    slopes = np.empty((n, inner_length(network, len(W), problem.X), m))
    sizes, errors, squares, worst = (np.zeros(n) for _ in range(4))
    for here in blocks:
        found = _block(network, problem.X, padded(here), jnp.asarray(top))
        value, slope, of_value, of_slope = (np.asarray(each)[..., : here.stop - here.start] for each in found)
        F += value @ a[:, here].T
        slopes[:, :, here] = slope
        if tops is not None:
            tops[:, here] = value
        sizes += np.abs(value).sum(axis=1)
        errors += of_value.sum(axis=1)
        squares += (of_slope**2).sum(axis=(1, 2))
        worst = np.maximum(worst, of_value.max(axis=1))
    missed = np.sqrt(squares) * SUMS + FLOOR
    # A term goes through the sum of its block, then through those of the blocks.
    of_sum = gamma(BLOCK + len(blocks))
    uncertain = (of_sum * sizes + errors) * SUMS + TINY
    if network.normalised:
        assert tops is not None
        least = sizes - uncertain  # the sum of all p, from below
        least = np.where(least > 0, least, np.nan)
        scale, share = m / least * (1 + 4 * U), (uncertain / least + 4 * U) * SUMS
        tops *= (m / sizes)[:, None]
        slopes *= (m / sizes)[:, None, None]
        F = np.sum([tops[:, here] @ a[:, here].T for here in blocks], axis=0)
        sizes = tops.sum(axis=1) * SUMS
        uncertain = (of_sum * sizes + scale * errors + share * sizes) * SUMS + TINY
        missed = (scale * missed + share * length(slopes, (1, 2))) * SUMS
        worst = (scale * worst + share * tops.max(axis=1)) * SUMS
    if tops is not None:
        tops += (worst + TINY)[:, None]
        tops *= SUMS
    return Seen(F, uncertain, slopes, length(slopes, (1, 2)), missed, tops)


@functools.partial(jax.jit, static_argnames="network")
@full_precision
def _logits(network: TwoLayer, X, W):
    return logits(network, W, X)


@functools.partial(jax.jit, static_argnames="network")
@full_precision
def _block(network: TwoLayer, X, W, top):
    if network.neuron is not None:
        return functions(network, X, W, top)
    value, slope, of_value, of_slope = enclosed(network, X, W, length(X, 1, jnp)[:, None], top)
    return value, slope[:, None], of_value, of_slope[:, None]


def _grown(away):
    """At least e^away − 1."""
    return jnp.where(away < 1, away + away**2, jnp.inf)


def enclosed(network: TwoLayer, X, W, lengths, top):
    """φ, φ' of ⟨w,x⟩ and bounds on the errors of both, (n, m) each; `lengths` are the ‖x_i‖, (n, 1), `top` what softmax subtracts from its
    logits."""
    away = gamma(X.shape[1]) * lengths * length(W, 0, jnp)[None] * SUMS + TINY
    if network.bend is None:
        value, of_value = with_error(_lowered)(X @ W, top)
        of_value = (of_value + (value + of_value) * _grown(away)) * SUMS
        return value, value, of_value, of_value
    (value, slope), (of_value, of_slope) = with_error(lambda u: (network.value(u), network.slope(u)))(X @ W)
    bent = network.bend * away
    of_value = (of_value + (jnp.abs(slope) + of_slope + bent) * away) * SUMS
    return value, slope, of_value, (of_slope + bent) * SUMS


def _lowered(u, top):
    return jnp.exp(u - top)


def functions(network: TwoLayer, X, W, top):
    """The same of neurons that are functions: z and g, or p = e^{z − top} and p g; (n, m), (n, k, m), and bounds of these shapes."""
    (z, g), (of_z, of_g) = with_error(lambda W, X: (logits(network, W, X), inner(network, W, X)))(W, X)
    if not network.normalised:
        return z, g, of_z, of_g
    p, of_p = with_error(_lowered)(z, top)
    of_p = (of_p + (p + of_p) * _grown(of_z * SUMS)) * SUMS
    slope = p[:, None] * g
    of_slope = (p[:, None] * of_g + (jnp.abs(g) + of_g) * of_p[:, None] + 2 * U * jnp.abs(slope)) * SUMS + TINY
    return p, slope, of_p, of_slope


class Fixed(NamedTuple):
    """What does not depend on W; every bound is rounded up."""

    outer: np.ndarray
    """h(x_i), (n, l): x_i itself of networks of ⟨w,x⟩."""
    off: np.ndarray
    """(n,): of the length of each."""
    sizes: np.ndarray
    """(n,): ‖h(x_i)‖."""
    bends: np.ndarray
    """(n,): b_i of neurons that are functions, g_i² + b_i under a softmax; 1 of the others."""
    paces: np.ndarray
    """(n,): ‖x_i‖, or g_i ‖h(x_i)‖ of functions under a softmax."""


def fixed(problem: Problem) -> Fixed:
    """Of a problem's samples."""
    network, X = problem.activation, np.asarray(problem.X, np.float64)
    if network.neuron is None:
        sizes = length(X, 1)
        return Fixed(X, np.zeros(len(X)), sizes, np.ones(len(X)), sizes)
    (h, bends, steeps), (of_h, of_bends, of_steeps) = _outside(network, problem.X)
    off = length(np.asarray(of_h), 1) * bool(np.any(of_h))
    sizes, bends = length(np.asarray(h), 1) + off, np.asarray(bends + of_bends) * SUMS
    if not network.normalised:
        return Fixed(np.asarray(h), off, sizes, bends, length(X, 1))
    steeps = np.asarray(steeps + of_steeps) * SUMS
    return Fixed(np.asarray(h), off, sizes, (bends + steeps**2) * SUMS, sizes * steeps * SUMS)


@functools.partial(jax.jit, static_argnames="network")
@full_precision
def _outside(network: TwoLayer, X):
    def found(X):
        bends = bends_of(network, X)
        return outer(network, X), bends, steeps_of(network, X) if network.normalised else bends

    return with_error(found)(X)


def error(problem: Problem, found: Seen, less: Seen | None = None) -> tuple[np.ndarray, float]:
    """e = F − F_0 − Y in floats, (n, d), F_0 that of `less`, and a bound on ‖e‖."""
    y = np.asarray(problem.y, np.float64)
    e = (found.F if less is None else found.F - less.F) - y
    sizes, unsure = np.abs(found.F) + np.abs(y), found.uncertain
    if less is not None:
        sizes, unsure = sizes + np.abs(less.F), unsure + less.uncertain
    looks = 1 if less is None else 2
    unsure = ROOM * (unsure[:, None] + 2 * U * sizes) + looks * COARSE * U * found.m * _wide(problem)
    return e, float((length(e) + length(unsure)) * SHARE)


def _wide(problem: Problem) -> float:
    """By how much a neuron that is a function errs more where inputs are long: the range of what it gives."""
    if problem.activation.neuron is None:
        return 1.0
    return max(1.0, 2 * float(np.max(length(np.asarray(problem.X, np.float64), 1))))


def _means(problem: Problem, found: Seen) -> tuple[np.ndarray, np.ndarray]:
    """f, what a softmax takes from each sign, (n, d), 0 under a sum, and bounds on its errors, (n,)."""
    if not problem.activation.normalised:
        return np.zeros_like(found.F), np.zeros(problem.n)
    f = found.F / found.m
    return f, (found.uncertain / found.m + U * np.abs(f).max(axis=1)) * SUMS


def kernel(problem: Problem, net: Params, found: Seen) -> Near:
    """H, output slow: entry (l n + i, k n + j) is ⟨h_i,h_j⟩ Σ_r ⟨G_{ilr}, G_{jkr}⟩ / m, G_{ilr} = slope_{ir} (a_{lr} − f_{il}).

    With α_i = ‖G_{il}‖ and ρ_i the bound on its error an entry errs by at most ‖h_i‖‖h_j‖ (γ α_iα_j + ρ_iα_j + α_iρ_j + ρ_iρ_j)/m,
    γ that of the products, those of ⟨h_i,h_j⟩ and what joins them; so the matrix by at most d (γ A² + 2 A R + R²)/m, A and R the
    lengths of (‖h_i‖α_i) and (‖h_i‖ρ_i), where an error of h_i counts as α_i of it.  γ has `COARSE` or `COARSER` terms more,
    for whoever checks by other functions.
    """
    a, of = np.asarray(net.a, np.float64), fixed(problem)
    n, d, m, inner = problem.n, len(a), found.m, found.slopes.shape[1]  # `a` may be padded beyond m
    mean, unsure = _means(problem, found)
    H = np.zeros((n * d, n * d), order="F")
    (add,) = get_blas_funcs(("syrk",), (H,))
    block = max(1, BLOCK // inner)
    for first in range(0, m, block):
        here = slice(first, min(first + block, m))
        signs = a[:, None, None, here] - mean.T[:, :, None, None]
        G = (signs * found.slopes[None, :, :, here]).reshape(n * d, -1)
        H = add(1.0, G.T, beta=1.0, c=H, trans=1, lower=1, overwrite_c=1)
    share = (of.outer @ of.outer.T) / m
    for k in range(d):
        for l in range(k, d):
            H[l * n : (l + 1) * n, k * n : (k + 1) * n] *= share
    wide = 1 + np.abs(mean).max(axis=1) + unsure
    A = float(length(of.sizes * found.lengths * wide)) * SUMS
    missed = found.errors * wide + found.lengths * (unsure + 3 * U * wide)
    if of.off.any():
        missed = missed * (1 + of.off / of.sizes) + of.off / of.sizes * found.lengths * wide
    R = float(length(of.sizes * missed)) * SUMS
    terms = m * inner + of.outer.shape[1] + int(COARSE if problem.activation.neuron is None else COARSER)
    return Near(H, float(d * (gamma(terms) * A**2 + 2 * A * R + R**2) / m * SUMS + TINY))


def constants(problem: Problem, found: Seen) -> Constants:
    """Upper bounds on the constants where the network was seen, with `SHARE` for whoever finds them by other functions."""
    network, of, d = problem.activation, fixed(problem), problem.d_out
    mean = weight = rate = 0.0
    own = network.neuron is not None or network.bend is None
    bends = of.bends[:, None] if own else np.full((problem.n, 1), network.bend)
    if found.tops is not None:
        bends, rate = bends * found.tops, float(np.max(of.paces))
    if network.normalised:
        assert found.tops is not None
        f, unsure = _means(problem, found)
        # Of f nothing else is left where the neurons come in pairs.
        unsure = ROOM * unsure + COARSE * U * _wide(problem)
        mean = float(np.max(length(np.abs(f) + unsure[:, None], 1)))
        weight = float(np.max(found.tops)) * SUMS
        rate = float(np.max(of.paces * np.sqrt(1 + (length(found.tops, 1) / found.m) ** 2)))
    mean, weight, sharp, rate = (np.float64(each * SHARE) for each in (mean, weight, _sharpness(of, bends), rate))
    longest, m = np.float64(np.max(of.paces)), np.float64(found.m)
    return Constants(longest, mean, weight, sharp, rate, m, np.float64(d), found.tops is None)


def _sharpness(of: Fixed, bends: np.ndarray) -> float:
    """max_r λ_max(D_r K₂ D_r)^{1/2}, D_r of the r-th column, by Collatz's quotients; all numbers are at least 0, so that each errs by less
    than `SUMS`."""
    sizes = of.sizes + of.off
    unsure = gamma(of.outer.shape[1]) * np.outer(sizes, sizes) + np.outer(of.off, sizes) + np.outer(sizes, of.off)
    near = np.abs(of.outer @ of.outer.T) + unsure * SUMS
    squares, most = near * near * SUMS + TINY, 0.0
    for first in range(0, bends.shape[1], BLOCK):
        b = bends[:, first : first + BLOCK]
        p = np.ones_like(b)
        for _ in range(POWER):
            p = b * (squares @ (b * p))
            p = p / np.maximum(p.max(axis=0), TINY) + 1e-6
        most = np.maximum(most, np.max(b * (squares @ (b * p)) / p))
    return float(np.sqrt(most * SUMS + TINY) * SUMS)


def bytes_needed(problem: Problem, m: int) -> int:
    """About what `kernel` and its spectrum take at the largest moment, and a Gauss–Newton step."""
    n, d, p, inner = problem.n, problem.d_out, problem.p, inner_length(problem.activation, problem.p, problem.X)
    own = 0 if problem.activation.neuron is None else 4 * n * m * inner + 24 * WEIGHTS
    return 2**29 + 8 * (4 * n * m + own + (64 + d) * n * BLOCK + 3 * p * m) + matrices_needed(n * d)
