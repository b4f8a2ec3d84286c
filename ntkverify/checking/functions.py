"""What neurons are made of, as the checker has it in float64: φ and φ' with bounds on their errors, from IEEE arithmetic alone.

E = e^{−z}, z ≥ 0, is the sixty-fourth power of a Taylor sum at z/64 ≤ 1; the logistic function, tanh and what is made of them are
quotients and products of it.  log(1 + E) is taken from any library and proved afterwards: with l the value found,
log(1 + E) − l = log ((1 + E) e^{−l}).  ∫₀ᵘ e^{−t²}dt = u e^{−u²} Σ_k Π_{j≤k} 2u²/(2j+1), all terms positive.  Products of matrices err by at most γ_k|A||B|.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EPS = 2.0**-53
WIDE = 1 + 1e-6
"""More than sums of 2³² nonnegative numbers lose to rounding."""
LEAST, SHORTEST = 1e-280, 1e-145
"""More than underflow takes from a sum, and from a length, where squares are lost: √(2³² · 2.3·10⁻³⁰⁸) < 10⁻¹⁴⁸."""
DEGREE, HALVINGS, FAR = 20, 6, 64.0
OFF = 1000 * EPS
"""A bound on the error of `decay`.  With y ≥ −1 a stage 1 + y p/k, 0 < p ≤ 1, adds at most 4 u and passes on 1/k of the error before
it: 4 u e in all, below 11 u.  What the sum leaves out is below 1/21! < u.  A square of a number ≤ 1 passes on twice the error, and
adds u: after six at most 64 · 12 u + 63 u.  Beyond `FAR` the value is below e^{−64} < u."""
RELATIVE = 2300 * EPS
"""A bound on its relative error up to `FAR`, and up to another 65 u for the rounding of z: the sum is at least e^{−1}, so it errs by
12 e u of itself; each square doubles that, and adds u: 64 · 33 u + 63 u < 2200 u."""


def decay(z: np.ndarray) -> np.ndarray:
    """e^{−z} for z ≥ 0, up to `OFF`."""
    y = np.minimum(z, FAR) / -(2**HALVINGS)
    p = np.ones_like(y)
    for k in range(DEGREE, 0, -1):
        p *= y
        p /= k
        p += 1.0
    for _ in range(HALVINGS):
        p *= p
    return p


# Each gives φ, φ' and bounds on their errors at floats u.  A quotient (1 − E)/(1 + E) errs by at most 2 `OFF` for that of E, as
# 1 + E ≥ 1, and 4 u for its own roundings.


def _of_tanh(u):
    E = decay(2 * np.abs(u))
    t = np.copysign((1 - E) / (1 + E), u)
    wrong = 2 * OFF + 4 * EPS
    return t, 1 - t * t, wrong, 2 * wrong + wrong**2 + 3 * EPS


def _logistic(u):
    """1/(1 + e^{−u}) and its error."""
    E = decay(np.abs(u))
    return np.where(u < 0, E, 1.0) / (1 + E), 2 * OFF + 4 * EPS


def _of_sigmoid(u):
    s, wrong = _logistic(u)
    return s, s * (1 - s), wrong, wrong + wrong**2 + 3 * EPS  # |1 − 2s| ≤ 1


def _of_swish(u):
    s, wrong = _logistic(u)
    size = np.abs(u)
    # φ' = s + u s(1 − s) changes with s by at most 1 + |u|.
    return u * s, s + u * s * (1 - s), size * (wrong + 2 * EPS), (1 + size) * (wrong + wrong**2 + 8 * EPS)


_RATE, _CUBE = math.sqrt(2 / math.pi), 0.044715  # the floats that the network has


def _of_gelu(u):
    size, square = np.abs(u), u * u
    bent, fast = _RATE * (u + _CUBE * square * u), _RATE * (1 + 3 * _CUBE * square)
    t, _, wrong, _ = _of_tanh(bent)
    wrong = wrong + 8 * EPS * np.abs(bent)  # tanh changes no faster than its argument, whose terms have one sign
    value, slope = u * (1 + t) / 2, (1 + t + u * (1 - t * t) * fast) / 2
    # φ' changes with t by at most ½ + |u| fast.
    return value, slope, size * (wrong + 4 * EPS), (1 + 2 * size * fast) * (wrong + wrong**2 + 16 * EPS)


def _of_softplus(u):
    E = decay(np.abs(u))
    l = np.log1p(E)
    # (1 + E) e^{−l} − 1, up to 2 `OFF` for e^{−l} and roundings; log(1 + E) changes no faster than E.
    gap = np.abs((1 + E) * decay(np.maximum(l, 0.0)) - 1) + 2 * OFF + 6 * EPS
    value = np.maximum(u, 0.0) + l
    s, wrong = _logistic(u)
    return value, s, np.where((l >= 0) & (l < 1) & (gap < 0.1), 1.2 * gap + OFF + 2 * EPS * value, np.inf), wrong


FLAT, TERMS, ROOT = 6.0, 150, math.sqrt(math.pi) / 2


def _of_erf(u):
    z = np.minimum(np.abs(u), FLAT)
    y = z * z
    p = np.ones_like(y)
    for k in range(TERMS, 0, -1):
        p = 1 + (2 * y / (2 * k + 1)) * p
    # Each stage adds at most 5 u of what it gives: 750 u.  At z ≤ 6 the terms left out are below 10⁻²⁸ of the sum.  e^{−y} errs by
    # `RELATIVE` of itself and y u for y; what lies beyond `FLAT` is below 10⁻¹⁶; the integral is below 0.9.
    value = np.copysign(z * (decay(y) * p), u)
    square = u * u
    slope = decay(square)
    return value, slope, RELATIVE + 900 * EPS, slope * np.where(square <= FAR, RELATIVE, 1 + 1e-9)


class _Shape(NamedTuple):
    both: Callable
    """u → (φ, φ', bounds on their errors)."""
    steep: float
    """At least sup|φ'|."""
    bend: float
    """At least sup|φ''|."""


SHAPES = {
    "softplus": _Shape(_of_softplus, 1.0, 0.25),
    "erf": _Shape(_of_erf, 1.0, math.sqrt(2 / math.e) * (1 + 1e-12)),
    "tanh": _Shape(_of_tanh, 1.0, 4 / (3 * math.sqrt(3)) * (1 + 1e-12)),
    "sigmoid": _Shape(_of_sigmoid, 0.25, 1 / (6 * math.sqrt(3)) * (1 + 1e-12)),
    "swish": _Shape(_of_swish, 1.1, 0.5),
    "gelu": _Shape(_of_gelu, 1.13, _RATE * (1 + 1e-9) * (1 + 1e-15)),
}
"""Network → φ, of those whose φ'' is bounded.  |swish'| ≤ 1.0999: its largest value is where u tanh(u/2) = 2; |gelu'| likewise (a test encloses both)."""


def exponential(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """e^u, and a bound on its relative error."""
    E = decay(np.abs(u))
    beyond = np.where(u < 0, 1 + 1e-9, np.inf)  # e^u < e^{−64}, which is computed
    return np.where(u > 0, 1 / E, E), np.where(np.abs(u) <= FAR, RELATIVE + 4 * EPS, beyond)


def gamma(terms: int) -> float:
    """What a sum of so many products errs by, of the sum of their sizes."""
    return terms * EPS / (1 - terms * EPS) * (1 + 1e-9)


def lengths(array: np.ndarray, axis) -> np.ndarray:
    """At least the lengths over some axes."""
    return np.sqrt(np.sum(array * array, axis=axis)) * WIDE + SHORTEST


def grown(away: np.ndarray) -> np.ndarray:
    """At least e^away − 1, and its product with 1 + `RELATIVE`."""
    return np.where(away < 1, (away + away * away) * WIDE, np.inf)


# Neurons that are functions z(w; x): (W (p, neurons), X (n, d_in), the shape of an x) → z (n, neurons), g (n, k, neurons), and bounds on the
# error of z and on the length of that of g, (n, neurons).


def _heads(W, X, shape):
    """⟨v, Σ_j S_j t_j⟩, S = softmax(t_jᵀ W q), q the last token, v = (1, …, 1)/√d_t.  With b_j = ⟨v, t_j⟩ and c_j = S_j(b_j − b̄), b̄ = Σ S_j b_j:
    g = Σ c_j t_j.  p_j up to ρ_j give S_j up to σ_j = ρ_j/P + S_j Σρ/P, P ≤ Σp; b̄ is up to Σ σ_j|b_j − b̄| and rounding, since Σ S_j = 1 of
    both; c_j up to σ_j|b_j − b̄| and the errors of b."""
    (n, (count, side)), heads = (len(X), shape), W.shape[1]
    tokens = X.reshape(n, count, side)
    long = lengths(tokens, 2)[:, :, None]
    asked = np.tensordot(tokens[:, -1], W.reshape(side, side, heads), (1, 1))  # W q, (n, side, heads)
    scores = np.matmul(tokens, asked)
    away = gamma(2 * side) * long * long[:, -1:] * lengths(W, 0) * WIDE + LEAST
    z = np.max(scores, axis=1, keepdims=True) - scores
    p, rounded = decay(z), EPS * z
    unsure = p * np.where(z <= FAR, RELATIVE + grown((away + rounded) * WIDE), 1 + 1e-9 + grown(away))
    mass = np.sum(p, axis=1, keepdims=True)
    total = (np.sum(unsure, axis=1, keepdims=True) + gamma(count) * mass) * WIDE
    least = np.where(mass > total, mass - total, np.nan) * (1 - 2 * EPS)
    S = p / mass
    of_S = (unsure / least + S * (total / least + 4 * EPS)) * WIDE
    seen = (np.sum(tokens, axis=2) / math.sqrt(side))[:, :, None]
    of_seen = gamma(side + 4) * np.max(long, axis=1)  # Σ|t| ≤ √d_t ‖t‖
    mean = np.sum(S * seen, axis=1, keepdims=True)
    apart = seen - mean
    rounding = gamma(count + 4) * (np.max(np.abs(seen), axis=1) + of_seen)
    of_mean = (np.sum(of_S * np.abs(apart), axis=1) + of_seen + 2 * rounding) * WIDE + LEAST
    c = S * apart
    of_c = of_S * np.abs(apart) + (S + of_S) * (of_seen + of_mean)[:, None] + 4 * EPS * (np.abs(c) + S * np.abs(seen))
    g = np.matmul(tokens.transpose(0, 2, 1), c)
    of_g = np.sum((of_c + gamma(count + 2) * np.abs(c)) * long, axis=1) * WIDE + LEAST
    return mean[:, 0], g, of_mean, of_g


def _pooled(W, X, shape):
    """mean_p tanh⟨w, x_p⟩ over the patches x_p of an image; g = mean_p tanh'(⟨w, x_p⟩) x_p."""
    side, tanh = math.isqrt(len(W)), SHAPES["tanh"]
    images = X.reshape(len(X), *shape)
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), (1, 2)).reshape(len(X), -1, side * side)
    count = windows.shape[1]
    u = np.matmul(windows, W)
    long = lengths(windows, 2)[:, :, None]
    away = gamma(len(W)) * long * lengths(W, 0) * WIDE + LEAST
    value, slope, of_value, of_slope = tanh.both(u)
    z, g = np.sum(value, axis=1) / count, np.matmul(windows.transpose(0, 2, 1), slope) / count
    of_z = (np.sum(of_value + away, axis=1) / count + gamma(count + 2)) * WIDE
    bent = np.minimum(tanh.bend * away, (slope + of_slope) * grown(2 * away))  # |tanh''| ≤ 2 tanh'
    of_g = np.sum((of_slope + bent + gamma(count + 2)) * long, axis=1) / count * WIDE + LEAST
    return z, g, of_z, of_g


FUNCTIONS = {"attention": _heads, "softmax-heads": _heads, "patches": _pooled}
"""Network → its neuron, whose value and gradient are what a derivative needs."""
