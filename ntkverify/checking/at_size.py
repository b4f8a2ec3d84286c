"""The checker's numbers where Arb would take hours: in float64, every error bounded by norms, for networks under a sum with
bounded φ''.

Nothing here is shared with what made the certificate.  What is taken for granted: IEEE arithmetic, and that a product of
matrices is a sum of products in some order, so that it errs by at most γ_k |A||B| (Higham 2002, §3.5).

**φ.**  E = e^{−z}, z ≥ 0, is the sixty-fourth power of a Taylor sum at z/64 ≤ 1; tanh, the logistic function and what is made of
them are quotients and products of it.
**H.**  Rows φ'_i ⊗ a_l.  With row lengths α and bounds ρ on their errors an entry errs by at most
‖x_i‖‖x_j‖(γ αα' + ρα' + αρ' + ρρ')/m, the matrix in Frobenius norm by their sums.
**λ.**  H − λ'I = LLᵀ + Δ gives λ_min(H) ≥ λ' − ‖Δ‖ for any lower triangular L.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from flint import arb
from scipy.linalg import cholesky, get_blas_funcs

from ntkverify.checking.certificate_file import Claimed, Malformed
from ntkverify.checking.theorem import Finding, Scalars, at_most, below, hypotheses, length, most, positive

EPS = 2.0**-53
WIDE = 1 + 1e-6
"""More than sums of 2³² nonnegative numbers lose to rounding."""
LEAST, SHORTEST = 1e-280, 1e-145
"""More than underflow takes from a sum, and from a length, where squares are lost: √(2³² · 2.3·10⁻³⁰⁸) < 10⁻¹⁴⁸."""
COLUMNS = 512
BYTES, WORK = 2**36, 2e14
"""Most memory and floating-point operations: about an hour on two cores."""


DEGREE, HALVINGS, FAR = 20, 6, 64.0
OFF = 1000 * EPS
"""A bound on the error of `_decay`.  With y ≥ −1 a stage 1 + y p/k, 0 < p ≤ 1, adds at most 4 u and passes on 1/k of the error before
it: 4 u e in all, below 11 u.  What the sum leaves out is below 1/21! < u.  A square of a number ≤ 1 passes on twice the error, and
adds u: after six at most 64 · 12 u + 63 u.  Beyond `FAR` the value is below e^{−64} < u."""


def _decay(z: np.ndarray) -> np.ndarray:
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
    E = _decay(2 * np.abs(u))
    t = np.copysign((1 - E) / (1 + E), u)
    wrong = 2 * OFF + 4 * EPS
    return t, 1 - t * t, wrong, 2 * wrong + wrong**2 + 3 * EPS


def _logistic(u):
    """1/(1 + e^{−u}) and its error."""
    E = _decay(np.abs(u))
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


class _Shape(NamedTuple):
    both: Callable
    """u → (φ, φ', bounds on their errors)."""
    steep: float
    """At least sup|φ'|."""
    bend: float
    """At least sup|φ''|."""


SHAPES = {
    "tanh": _Shape(_of_tanh, 1.0, 4 / (3 * math.sqrt(3)) * (1 + 1e-12)),
    "sigmoid": _Shape(_of_sigmoid, 0.25, 1 / (6 * math.sqrt(3)) * (1 + 1e-12)),
    "swish": _Shape(_of_swish, 1.1, 0.5),
    "gelu": _Shape(_of_gelu, 1.13, _RATE * (1 + 1e-9) * (1 + 1e-15)),
}
"""Network → φ.  |swish'| ≤ 1.0999: its largest value is where u tanh(u/2) = 2; |gelu'| likewise (a test encloses both)."""


def covers(certificate: Claimed) -> bool:
    """Whether this file speaks of the network."""
    return certificate.network in SHAPES


def refused(certificate: Claimed) -> None:
    """`Malformed` where checking would not end in about an hour, or needs too much memory."""
    n, d, m = *certificate.arrays["y"].shape, certificate.arrays["W"].shape[1]
    width, rows, steps = len(certificate.arrays["W"]), n * d, certificate.steps
    work = rows**2 * m + 2.0 * rows**3 + (steps + 3) * n * m * (4.0 * width + 4 * d + 600)
    memory = 8.0 * (2 * rows**2 + 4 * rows * COLUMNS + 6 * n * m)
    if work > WORK or memory > BYTES:
        raise Malformed(
            f"it is too large to be checked: about {work:.3g} operations and {memory:.3g} bytes, more than {WORK:.0e} or {BYTES:.3g}"
        )


class Look(NamedTuple):
    """What is computed at one W, each bound rounded up."""

    F: np.ndarray
    uncertain: np.ndarray
    """(n,): of each output."""
    slopes: np.ndarray
    wrong: np.ndarray
    """(n, m): bounds on what the slopes err by."""


def _gamma(terms: int) -> float:
    return terms * EPS / (1 - terms * EPS) * (1 + 1e-9)


def _lengths(array: np.ndarray, axis: int) -> np.ndarray:
    return np.sqrt(np.sum(array * array, axis=axis)) * WIDE + SHORTEST


def _size(array: np.ndarray) -> float:
    return float(np.sqrt(np.sum(array * array)) * WIDE + SHORTEST)


def look(network: str, X: np.ndarray, W: np.ndarray, a: np.ndarray) -> Look:
    """The network at W, neurons a few at a time."""
    shape, (n, width), m = SHAPES[network], X.shape, W.shape[1]
    F, sizes, errors = np.zeros((n, len(a))), np.zeros(n), np.zeros(n)
    slopes, wrong, long = np.empty((n, m)), np.empty((n, m)), _lengths(X, 1)
    for first in range(0, m, COLUMNS):
        here = slice(first, min(first + COLUMNS, m))
        u = X @ W[:, here]
        away = _gamma(width) * np.outer(long, _lengths(W[:, here], 0)) * WIDE
        value, slope, of_value, of_slope = shape.both(u)
        F += value @ a[:, here].T
        sizes += np.sum(np.abs(value), axis=1)
        errors += np.sum(of_value + shape.steep * away, axis=1)
        slopes[:, here], wrong[:, here] = slope, (of_slope + shape.bend * away) * WIDE
    parts = -(-m // COLUMNS)
    return Look(F, (_gamma(COLUMNS + parts) * sizes + errors) * WIDE + LEAST, slopes, wrong)


def off(one: Look, y: np.ndarray, F0: Look | None) -> tuple[np.ndarray, float, float]:
    """e = F − F_0 − Y in floats, a bound on its length, and on what it errs by."""
    e = (one.F if F0 is None else one.F - F0.F) - y
    unsure = one.uncertain + (0.0 if F0 is None else F0.uncertain)
    scale = np.abs(one.F) + (0.0 if F0 is None else np.abs(F0.F)) + np.abs(y)
    wrong = _size(unsure[:, None] + 2 * EPS * scale)
    return e, (_size(e) + wrong) * WIDE, wrong


def kernel(X: np.ndarray, a: np.ndarray, one: Look) -> tuple[np.ndarray, float]:
    """The lower half of H, sample slow, and a bound on its error."""
    (n, width), d, m = X.shape, len(a), a.shape[1]
    H = np.zeros((n * d, n * d), order="F")
    (add,) = get_blas_funcs(("syrk",), (H,))
    for first in range(0, m, COLUMNS):
        here = slice(first, min(first + COLUMNS, m))
        G = np.asfortranarray((one.slopes[:, None, here] * a[None, :, here]).reshape(n * d, -1))
        H = add(1.0, G, beta=1.0, c=H, lower=1, overwrite_c=1)
    gram = X @ X.T / m
    for k in range(n):
        H[k * d :, k * d : (k + 1) * d] *= np.repeat(gram[k:, k : k + 1], d, axis=0)
    long = _lengths(X, 1)
    A, R = _size(long * _lengths(one.slopes, 1)), _size(long * _lengths(one.wrong, 1))
    terms = COLUMNS - -m // COLUMNS + width + 8
    return H, float(d * (_gamma(terms) * A * A + 2 * A * R + R * R) / m * WIDE + LEAST)


def least(H: np.ndarray, wrong: float, line: float, sign: int) -> float:
    """A lower bound on λ_min of sign·(H − line I); it is looked for a little above 0, where it is above 0 at all."""
    size, own = len(H), np.arange(len(H))
    trace = float(np.sum(np.abs(H[own, own] - line))) * WIDE
    # What Δ will be, about: LLᵀ is known up to γ ‖L‖_F² = γ trace.
    raised = 2 * (wrong + _gamma(size) * trace + 4 * EPS * (trace + abs(line) * math.sqrt(size)))
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
    rounding = 3 * EPS * (_size(H[own, own]) + abs(shift) * math.sqrt(size))
    delta = (math.sqrt(over) * WIDE + SHORTEST) * (1 + 4 * EPS) + _gamma(size) * mass * WIDE + rounding + wrong
    return raised - delta * WIDE - LEAST


def sharpness(network: str, X: np.ndarray) -> float:
    """sup|φ''| λ_max(K₂)^{1/2}, by a quotient of Collatz; K₂ has squares, whose errors make it larger."""
    long = _lengths(X, 1)
    K2 = (np.abs(X @ X.T) + _gamma(X.shape[1]) * np.outer(long, long) * WIDE) ** 2 * (1 + 8 * EPS) + LEAST
    p = np.ones(len(X))
    for _ in range(20):
        p = K2 @ p
        p = p / p.max() + 1e-7
    quotient = float(np.max((K2 @ p) / p)) * (1 + _gamma(len(X)) + 4 * EPS)
    return float(SHAPES[network].bend * math.sqrt(quotient) * (1 + 8 * EPS))


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """At least ‖one − other‖."""
    return _size(one - other) * (1 + 4 * EPS)


class Follower:
    """Theorem 7 along floats of its own, every rounding bounded by norms.

    J moves by at most C ‖ΔW‖, so its norm on the way is known from where the way began.
    """

    def __init__(self, certificate: Claimed):
        self.network, arrays = certificate.network, certificate.arrays
        self.X, self.y, self.a, self.W = (arrays[name] for name in ("X", "y", "a", "W"))
        self.d, self.m, self.eta = self.y.shape[1], self.W.shape[1], certificate.numbers["eta"]
        first = look(self.network, self.X, self.W, self.a)
        self.F0 = first if certificate.start == "independent" else None
        H, wrong = kernel(self.X, self.a, first)
        whole = 2 * float(np.sum(np.tril(H, -1) ** 2)) + float(np.sum(np.diagonal(H) ** 2))
        self.reach = math.sqrt(self.m * (math.sqrt(whole) * WIDE + SHORTEST + wrong)) * WIDE
        self.C = math.sqrt(self.d) * sharpness(self.network, self.X) * (1 + 8 * EPS)
        self.away, self.drift, self.fastest, self.long = 0.0, 0.0, 0.0, _size(self.X)

    def step(self) -> None:
        """One step of exact gradient descent, and how far it may be from the floats."""
        X, W, eta = self.X, self.W, self.eta
        one = look(self.network, X, W, self.a)
        e, size, unsure = off(one, self.y, self.F0)
        pull = e @ self.a
        M = one.slopes * pull
        T = X.T @ M
        after = W - eta * T
        # Errors: of ⟨e_i, a_r⟩ (sums of d), of the slopes, of their product, of the sum over samples, of the step.
        wide = math.sqrt(self.d * self.m)
        largest, wrong = float(np.max(np.abs(one.slopes))), float(np.max(one.wrong))
        of_M = wrong * wide * size + (largest + wrong) * wide * (unsure + _gamma(self.d) * size) + EPS * _size(M)
        of_T = self.long * (of_M + LEAST) + _gamma(len(X)) * self.long * _size(M) + LEAST
        rounding = (eta * (of_T + 2 * EPS * _size(T)) + EPS * _size(after)) * WIDE + LEAST
        P = self.reach + self.C * (self.away + self.drift)
        E = size + P * self.drift
        self.fastest = float(np.maximum(self.fastest, eta * (P * P + self.C * E) * WIDE))  # NaN stays
        self.drift = ((1 + eta * self.C * E * WIDE) * self.drift + rounding) * WIDE
        self.away += _size(after - W)
        self.W = after


def findings(certificate: Claimed, heard) -> tuple[Finding, ...]:
    """Every statement of a certificate, checked; `heard(done, total)` is told of the steps that are followed."""
    arrays, bounds, numbers, steps = certificate.arrays, certificate.bounds, certificate.numbers, certificate.steps
    X, y, a, network = arrays["X"], arrays["y"], arrays["a"], certificate.network
    followed: tuple[Finding, ...] = ()
    with np.errstate(all="ignore"):  # what is not finite fails every comparison
        if steps:
            on_the_way = Follower(certificate)
            for step in range(steps):
                on_the_way.step()
                heard(step + 1, steps)
                if not (on_the_way.fastest <= 2 and on_the_way.drift <= numbers["omega"]):
                    break
            away = distance(on_the_way.W, certificate.base)
            drift = arb(on_the_way.drift) + arb(away)
            followed = (
                below("η(P² + CE) ≤ 2 on the way", on_the_way.fastest, 2.0),
                at_most("distance of exact gradient descent from the later start ≤ ω", drift, numbers["omega"]),
            )
        here = start = look(network, X, certificate.base, a)
        shift = look(network, X, arrays["W"], a) if certificate.start == "independent" else None
        beside: tuple[Finding, ...] = ()
        if certificate.beside:
            here = look(network, X, certificate.centre, a)
            away = distance(certificate.base, certificate.centre)
            beside = (
                below("‖W* − W‖ ≤ away", away, certificate.beside["away"]),
                below("‖F(W*) − F_0 − Y‖ ≤ off", off(here, y, shift)[1], certificate.beside["off"]),
            )
        if certificate.start != "trained" and not steps:
            size = length([arb(float(value)) for value in y.ravel()])
        else:
            size = arb(off(start, y, shift)[1])
        H, wrong = kernel(X, a, here)
        low = least(H, wrong, bounds["lambda"], 1)
        high = least(H, wrong, bounds["norm"], -1)
        sharp = sharpness(network, X)
    longest = most([length([arb(float(value)) for value in row]) for row in X])
    found = (
        positive("λ ≤ λ_min(H): 0 < λ_min(H − λI)", low, bounds["lambda"] > 0),
        positive("‖H‖ ≤ norm: 0 < λ_min(norm I − H)", high),
        at_most("‖e‖ ≤ size", size, bounds["size"]),
        at_most("‖x_i‖ ≤ longest", longest, bounds["longest"]),
        below("B ≤ sharpness", sharp, bounds["sharpness"]),
    )
    return *followed, *beside, *found, *hypotheses(Scalars(certificate), bounds, certificate.conclusions)
