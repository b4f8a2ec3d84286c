"""The checker's network at one W in float64, every error bounded by norms: its outputs, its kernel, the constants of
docs/proofs/convergence.md, and λ_min.

Nothing here is shared with what made the certificate.  What is taken for granted: IEEE arithmetic, and that a product of
matrices is a sum of products in some order, so that it errs by at most γ_k |A||B| (Higham 2002, §3.5).

**φ.**  `functions`; ⟨w,x⟩ errs by at most α = γ‖w‖‖x‖, e^⟨w,x⟩ so by e^α − 1 of itself.
**z(w; x).**  `functions` too, with its gradient g ⊗ h.
**Softmax.**  q_r = m p_r/Σp, p_r = e^{z_r − c}, c the largest logit as computed.  p up to ρ_r and Σp up to ς give q up to
mρ_r/(Σp − ς) + q_r ς/(Σp − ς).
**H.**  Rows s_{ir} (a_{lr} − f_{il}), s = φ', q, g or q g, f = 0 under a sum.  With row lengths α and bounds ρ on their errors an entry errs by at
most ‖h_i‖‖h_j‖(γ αα' + ρα' + αρ' + ρρ')/m, the matrix in Frobenius norm by their sums.
**λ.**  H − λ'I = LLᵀ + Δ gives λ_min(H) ≥ λ' − ‖Δ‖ for any lower triangular L.
"""

import math
from typing import NamedTuple

import numpy as np
from flint import arb
from scipy.linalg import cholesky, get_blas_funcs

from ntkverify.checking.certificate_file import NORMALISED, Claimed
from ntkverify.checking.functions import (
    EPS,
    FAR,
    FUNCTIONS,
    LEAST,
    RELATIVE,
    SHAPES,
    SHORTEST,
    WIDE,
    decay,
    exponential,
    gamma,
    grown,
    lengths,
)
from ntkverify.checking.neurons import NEURONS
from ntkverify.checking.theorem import length, most

COLUMNS = 512
POWER = 20
"""Steps towards the vectors of Collatz's quotients."""
GROWING = ("exponential", *NORMALISED)
"""Networks whose φ'' is made of φ."""


class Given(NamedTuple):
    """What of a certificate does not depend on W."""

    network: str
    X: np.ndarray
    a: np.ndarray
    shape: tuple[int, ...]
    outer: np.ndarray
    """h(x_i); x_i itself of networks of ⟨w,x⟩."""
    bends: np.ndarray
    """(n, 1): at least what of |φ''| or |∇²z| does not depend on w."""
    paces: np.ndarray
    """(n,): at least ‖x_i‖, or of functions under a softmax how fast one changes."""
    longest: arb
    """The largest of them."""


def given(certificate: Claimed) -> Given:
    """What of this certificate does not depend on W."""
    X, a, network = certificate.arrays["X"], certificate.arrays["a"], kind(certificate)
    neuron, shape = NEURONS.get(network), certificate.shape
    rows = [[arb(value) for value in row] for row in X.tolist()]
    paces = [length(row) for row in rows]
    if neuron is None:
        bend = SHAPES[network].bend if network in SHAPES else 1.0
        return Given(network, X, a, shape, X, np.full((len(X), 1), bend), _above(paces), most(paces))
    outer = [neuron.outer(row, shape) for row in rows]
    bends, steeps = map(list, zip(*[neuron.bounds(row, shape) for row in rows], strict=True))
    if network in NORMALISED:
        bends = [steep * steep + bend for steep, bend in zip(steeps, bends, strict=True)]
        paces = [steep * length(part) for steep, part in zip(steeps, outer, strict=True)]
    floats = np.array([[float(value.mid()) for value in part] for part in outer])  # of the floats of X, so exactly
    return Given(network, X, a, shape, floats, _above(bends)[:, None], _above(paces), most(paces))


def _above(balls: list) -> np.ndarray:
    return np.array([float(ball.upper()) for ball in balls]) * (1 + 2 * EPS) + LEAST


def kind(certificate: Claimed) -> str:
    """The network's name, where a 1 in x makes no difference."""
    return certificate.network.removesuffix("-bias")


class Look(NamedTuple):
    """What is computed at one W, each bound rounded up."""

    F: np.ndarray
    uncertain: np.ndarray
    """(n,): of each output."""
    slopes: np.ndarray
    """s_{ir}, (n, k, m)."""
    wrong: np.ndarray
    """(n, m): bounds on the length over k of what the slopes err by."""
    tops: np.ndarray | None
    """(n, m): at least φ or q, where φ'' is made of them."""
    mean: np.ndarray
    """(n, d): f, of softmax."""
    unsure: np.ndarray
    """(n,): of each f."""


def norm(array: np.ndarray) -> float:
    """At least its length, of all numbers."""
    return float(np.sqrt(np.sum(array * array)) * WIDE + SHORTEST)


def _parts(m: int) -> list[slice]:
    return [slice(first, min(first + COLUMNS, m)) for first in range(0, m, COLUMNS)]


def _away(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """At least what X @ W errs by."""
    return gamma(len(W)) * np.outer(lengths(X, 1), lengths(W, 0)) * WIDE


def look(of: Given, W: np.ndarray) -> Look:
    """The network at W, neurons a few at a time."""
    if of.network in NORMALISED:
        return _normalised(of, W)
    X, a, network, m = of.X, of.a, of.network, W.shape[1]
    n, parts, grows = len(X), _parts(m), network in GROWING
    F, sizes, errors = np.zeros((n, len(a))), np.zeros(n), np.zeros(n)
    slopes, wrong = None, np.empty((n, m))
    for here in parts:
        if network in FUNCTIONS:
            value, slope, of_value, of_slope = FUNCTIONS[network](W[:, here], X, of.shape)
        elif grows:
            value, relative = exponential(X @ W[:, here])
            of_value = of_slope = value * (relative + grown(_away(X, W[:, here])))
            slope = value[:, None]
        else:
            u, away, shape = X @ W[:, here], _away(X, W[:, here]), SHAPES[network]
            value, slope, of_value, of_slope = shape.both(u)
            of_value, of_slope, slope = (
                of_value + shape.steep * away,
                (of_slope + shape.bend * away) * WIDE,
                slope[:, None],
            )
        slopes = np.empty((n, slope.shape[1], m)) if slopes is None else slopes
        F += value @ a[:, here].T
        sizes += np.sum(np.abs(value), axis=1)
        errors += np.sum(of_value, axis=1)
        slopes[:, :, here], wrong[:, here] = slope, of_slope
    assert slopes is not None
    uncertain = (gamma(COLUMNS + len(parts)) * sizes + errors) * WIDE + LEAST
    tops = (slopes[:, 0] + wrong) * (1 + 4 * EPS) if grows else None
    return Look(F, uncertain, slopes, wrong, tops, np.zeros_like(F), np.zeros(n))


def _normalised(of: Given, W: np.ndarray) -> Look:
    """Softmax; what has no bound is NaN."""
    X, a, n, m, parts = of.X, of.a, len(of.X), W.shape[1], _parts(W.shape[1])
    q, wrong = np.empty((n, m)), np.empty((n, m))
    inner, of_inner = None, np.zeros((n, m))
    for here in parts:
        if of.network in FUNCTIONS:
            q[:, here], slope, wrong[:, here], of_inner[:, here] = FUNCTIONS[of.network](W[:, here], X, of.shape)
            inner = np.empty((n, slope.shape[1], m)) if inner is None else inner
            inner[:, :, here] = slope
        else:
            q[:, here], wrong[:, here] = X @ W[:, here], _away(X, W[:, here])
    top = np.max(q, axis=1, keepdims=True)
    for here in parts:
        z, away = top - q[:, here], wrong[:, here]
        p, rounded = decay(z), EPS * z
        # Beyond `FAR` what is computed is e^{−64} nearly; the truth is less, or more by no more than this, and p away at most.
        beyond = 1 + 1e-9 + np.where(away + rounded <= (z - FAR) * (1 - 4 * EPS), 0.0, grown(away))
        wrong[:, here] = p * np.where(z <= FAR, RELATIVE + grown((away + rounded) * WIDE), beyond)
        q[:, here] = p
    mass = np.sum([np.sum(q[:, here], axis=1) for here in parts], axis=0)
    unsure = (np.sum(wrong, axis=1) + gamma(COLUMNS + len(parts)) * mass) * WIDE
    least = np.where(mass > unsure, mass - unsure, np.nan) * (1 - 2 * EPS)
    q *= (m / mass)[:, None]
    wrong *= (m / least * (1 + 4 * EPS))[:, None]
    wrong += q * (unsure / least + 8 * EPS)[:, None]
    wrong *= WIDE
    F = np.zeros((n, len(a)))
    for here in parts:
        F += q[:, here] @ a[:, here].T
    uncertain = (gamma(COLUMNS + len(parts)) * np.sum(q, axis=1) + np.sum(wrong, axis=1)) * WIDE**2 + LEAST
    mean = F / m
    tops, slopes = (q + wrong) * (1 + 4 * EPS), q[:, None]
    if inner is not None:
        long = lengths(inner, 1)
        wrong = (tops * of_inner + wrong * long + 2 * EPS * q * long) * WIDE
        slopes = q[:, None] * inner
    return Look(F, uncertain, slopes, wrong, tops, mean, (uncertain / m + EPS * np.max(np.abs(mean), axis=1)) * WIDE)


def off(one: Look, y: np.ndarray, F0: Look | None) -> tuple[np.ndarray, float, float]:
    """e = F − F_0 − Y in floats, a bound on its length, and on what it errs by."""
    e = (one.F if F0 is None else one.F - F0.F) - y
    unsure = one.uncertain + (0.0 if F0 is None else F0.uncertain)
    scale = np.abs(one.F) + (0.0 if F0 is None else np.abs(F0.F)) + np.abs(y)
    wrong = norm(unsure[:, None] + 2 * EPS * scale)
    return e, (norm(e) + wrong) * WIDE, wrong


def kernel(of: Given, one: Look) -> tuple[np.ndarray, float]:
    """The lower half of H, sample slow, and a bound on its error."""
    (n, inner, m), (d, _), h = one.slopes.shape, of.a.shape, of.outer
    H = np.zeros((n * d, n * d), order="F")
    (add,) = get_blas_funcs(("syrk",), (H,))
    for here in _parts(m):
        signs = of.a[None, :, None, here] - one.mean[:, :, None, None]
        G = np.asfortranarray((one.slopes[:, None, :, here] * signs).reshape(n * d, -1))
        H = add(1.0, G, beta=1.0, c=H, lower=1, overwrite_c=1)
    gram = h @ h.T / m
    for k in range(n):
        H[k * d :, k * d : (k + 1) * d] *= np.repeat(gram[k:, k : k + 1], d, axis=0)
    long = lengths(h, 1)
    widest = (1 + np.max(np.abs(one.mean), axis=1) + one.unsure) * WIDE  # of |a − f|
    strong = lengths(one.slopes, (1, 2))
    A = norm(long * strong * widest)
    R = norm(long * (lengths(one.wrong, 1) * widest + strong * (one.unsure + 4 * EPS * widest)))
    terms = COLUMNS * inner - -m // COLUMNS + h.shape[1] + 8
    return H, float(d * (gamma(terms) * A * A + 2 * A * R + R * R) / m * WIDE + LEAST)


def least(H: np.ndarray, wrong: float, line: float, sign: int) -> float:
    """A lower bound on λ_min of sign·(H − line I); it is looked for a little above 0, where it is above 0 at all."""
    size, own = len(H), np.arange(len(H))
    trace = float(np.sum(np.abs(H[own, own] - line))) * WIDE
    # What Δ will be, about: LLᵀ is known up to γ ‖L‖_F² = γ trace.
    raised = 2 * (wrong + gamma(size) * trace + 4 * EPS * (trace + abs(line) * math.sqrt(size)))
    shift = line + sign * raised
    L = H * sign
    L[own, own] -= sign * shift
    try:
        L = cholesky(L, lower=True, overwrite_a=True, check_finite=True)
    except (np.linalg.LinAlgError, ValueError):
        return -math.inf
    over = mass = 0.0
    for first in range(0, size, COLUMNS):
        last = min(first + COLUMNS, size)
        rows = L[first:last, :last] @ L[:last, :last].T
        gap = sign * H[first:last, :last] - rows
        k = np.arange(first, last)
        gap[k - first, k] -= sign * shift
        gap[:, first:] = np.tril(gap[:, first:])
        over += 2 * float(np.sum(gap * gap))
        mass += float(np.sum(L[first:last] ** 2))
    rounding = 3 * EPS * (norm(H[own, own]) + abs(shift) * math.sqrt(size))
    delta = (math.sqrt(over) * WIDE + SHORTEST) * (1 + 4 * EPS) + gamma(size) * mass * WIDE + rounding + wrong
    return raised - delta * WIDE - LEAST


def sharpness(of: Given, one: Look) -> float:
    """max_r λ_max(D_r K₂ D_r)^{1/2}, D_r the bounds on |φ''| of neuron r, by a quotient of Collatz; K₂ has squares, whose errors make it
    larger."""
    K2 = (np.abs(of.outer @ of.outer.T) + _away(of.outer, of.outer.T)) ** 2 * (1 + 8 * EPS) + LEAST
    largest = 0.0
    for here in _parts(1 if one.tops is None else one.tops.shape[1]):
        b = of.bends if one.tops is None else of.bends * one.tops[:, here] * (1 + 4 * EPS)
        p = np.ones_like(b)
        for _ in range(POWER):
            p = b * (K2 @ (b * p))
            p = p / np.maximum(np.max(p, axis=0), LEAST) + 1e-7
        quotient = b * (K2 @ (b * p)) / p * (1 + gamma(len(b)) + 8 * EPS)
        largest = float(np.maximum(largest, np.max(quotient)))  # NaN stays
    return math.sqrt(largest + LEAST) * (1 + 8 * EPS)


def growth(of: Given, one: Look) -> tuple[float, float, float]:
    """max‖f_i‖, κ and ν."""
    if one.tops is None:
        return 0.0, 0.0, 0.0
    if of.network not in NORMALISED:
        return 0.0, 0.0, float(np.max(of.paces))
    shares = lengths(one.tops, 1) / one.tops.shape[1]
    rate = np.max(of.paces * np.sqrt(1 + shares * shares)) * WIDE
    means = lengths(np.abs(one.mean) + one.unsure[:, None], 1)
    return float(np.max(means)), float(np.max(one.tops)) * WIDE, float(rate)
