"""The checker's numbers where Arb would take hours: in float64, every error bounded by norms, for networks of ⟨w,x⟩: those whose φ''
is bounded, exponential, and softmax.

Nothing here is shared with what made the certificate.  What is taken for granted: IEEE arithmetic, and that a product of
matrices is a sum of products in some order, so that it errs by at most γ_k |A||B| (Higham 2002, §3.5).

**φ.**  `functions`; ⟨w,x⟩ errs by at most α = γ‖w‖‖x‖, e^⟨w,x⟩ so by e^α − 1 of itself.
**Softmax.**  q_r = m p_r/Σp, p_r = e^{⟨w_r,x⟩ − c}, c the largest logit as computed.  p up to ρ and Σp up to ς give q up to
mρ_r/(Σp − ς) + q_r ς/(Σp − ς).
**H.**  Rows φ'_{ir} (a_{lr} − f_{il}), f = 0 under a sum.  With row lengths α and bounds ρ on their errors an entry errs by at most
‖x_i‖‖x_j‖(γ αα' + ρα' + αρ' + ρρ')/m, the matrix in Frobenius norm by their sums.
**λ.**  H − λ'I = LLᵀ + Δ gives λ_min(H) ≥ λ' − ‖Δ‖ for any lower triangular L.
"""

import math
from typing import NamedTuple

import numpy as np
from flint import arb
from scipy.linalg import cholesky, get_blas_funcs

from ntkverify.checking.certificate_file import Claimed, Malformed
from ntkverify.checking.functions import EPS, FAR, RELATIVE, SHAPES, decay, exponential
from ntkverify.checking.theorem import Finding, Scalars, amplitude, at_most, below, hypotheses, length, most, positive

WIDE = 1 + 1e-6
"""More than sums of 2³² nonnegative numbers lose to rounding."""
LEAST, SHORTEST = 1e-280, 1e-145
"""More than underflow takes from a sum, and from a length, where squares are lost: √(2³² · 2.3·10⁻³⁰⁸) < 10⁻¹⁴⁸."""
COLUMNS = 512
POWER = 20
"""Steps towards the vectors of Collatz's quotients."""
NEAR = 0.25
"""The growth of a logarithm of φ'' at which a centre is left."""
GROWING = ("exponential", "softmax")
"""Networks whose φ'' is φ."""
BYTES, WORK = 2**36, 2e14
"""Most memory and floating-point operations: about an hour on two cores."""


def covers(certificate: Claimed) -> bool:
    """Whether this file speaks of the network."""
    return certificate.network in SHAPES or _kind(certificate) in GROWING


def _kind(certificate: Claimed) -> str:
    return certificate.network.removesuffix("-bias")  # the 1 is in x


def refused(certificate: Claimed) -> None:
    """`Malformed` where checking would not end in about an hour, or needs too much memory."""
    n, d, m = *certificate.arrays["y"].shape, certificate.arrays["W"].shape[1]
    width, rows, steps = len(certificate.arrays["W"]), n * d, certificate.steps
    work = rows**2 * m + 2.0 * rows**3 + (steps + 3) * n * m * (4.0 * width + 4 * d + 1000)
    work += 2.0 * POWER * n**2 * (m if _kind(certificate) in GROWING else 1)
    memory = 8.0 * (2 * rows**2 + 4 * rows * COLUMNS + 8 * n * m)
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
    mean: np.ndarray
    """(n, d): f, of softmax."""
    unsure: np.ndarray
    """(n,): of each f."""


def _gamma(terms: int) -> float:
    return terms * EPS / (1 - terms * EPS) * (1 + 1e-9)


def _lengths(array: np.ndarray, axis: int) -> np.ndarray:
    return np.sqrt(np.sum(array * array, axis=axis)) * WIDE + SHORTEST


def _size(array: np.ndarray) -> float:
    return float(np.sqrt(np.sum(array * array)) * WIDE + SHORTEST)


def _parts(m: int) -> list[slice]:
    return [slice(first, min(first + COLUMNS, m)) for first in range(0, m, COLUMNS)]


def _away(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """At least what X @ W errs by."""
    return _gamma(len(W)) * np.outer(_lengths(X, 1), _lengths(W, 0)) * WIDE


def _grown(away: np.ndarray) -> np.ndarray:
    """At least e^away − 1, and its product with 1 + `RELATIVE`."""
    return np.where(away < 1, (away + away * away) * WIDE, np.inf)


def look(network: str, X: np.ndarray, W: np.ndarray, a: np.ndarray) -> Look:
    """The network at W, neurons a few at a time."""
    if network == "softmax":
        return _normalised(X, W, a)
    n, m, parts = len(X), W.shape[1], _parts(W.shape[1])
    F, sizes, errors = np.zeros((n, len(a))), np.zeros(n), np.zeros(n)
    slopes, wrong = np.empty((n, m)), np.empty((n, m))
    for here in parts:
        u, away = X @ W[:, here], _away(X, W[:, here])
        if network in GROWING:
            value, relative = exponential(u)
            slope, of_value = value, value * (relative + _grown(away))
            of_slope = of_value
        else:
            shape = SHAPES[network]
            value, slope, of_value, of_slope = shape.both(u)
            of_value, of_slope = of_value + shape.steep * away, (of_slope + shape.bend * away) * WIDE
        F += value @ a[:, here].T
        sizes += np.sum(np.abs(value), axis=1)
        errors += np.sum(of_value, axis=1)
        slopes[:, here], wrong[:, here] = slope, of_slope
    uncertain = (_gamma(COLUMNS + len(parts)) * sizes + errors) * WIDE + LEAST
    return Look(F, uncertain, slopes, wrong, np.zeros_like(F), np.zeros(n))


def _normalised(X: np.ndarray, W: np.ndarray, a: np.ndarray) -> Look:
    """Softmax; what has no bound is NaN."""
    n, m, parts = len(X), W.shape[1], _parts(W.shape[1])
    q, wrong = np.empty((n, m)), np.empty((n, m))
    for here in parts:
        q[:, here] = X @ W[:, here]
    top = np.max(q, axis=1, keepdims=True)
    for here in parts:
        z = top - q[:, here]
        p = decay(z)
        away, rounded = _away(X, W[:, here]), EPS * z
        # Beyond `FAR` what is computed is e^{−64} nearly; the truth is less, or more by no more than this, and p away at most.
        beyond = 1 + 1e-9 + np.where(away + rounded <= (z - FAR) * (1 - 4 * EPS), 0.0, _grown(away))
        wrong[:, here] = p * np.where(z <= FAR, RELATIVE + _grown((away + rounded) * WIDE), beyond)
        q[:, here] = p
    mass = np.sum([np.sum(q[:, here], axis=1) for here in parts], axis=0)
    unsure = (np.sum(wrong, axis=1) + _gamma(COLUMNS + len(parts)) * mass) * WIDE
    least = np.where(mass > unsure, mass - unsure, np.nan) * (1 - 2 * EPS)
    q *= (m / mass)[:, None]
    wrong *= (m / least * (1 + 4 * EPS))[:, None]
    wrong += q * (unsure / least + 8 * EPS)[:, None]
    wrong *= WIDE
    F = np.zeros((n, len(a)))
    for here in parts:
        F += q[:, here] @ a[:, here].T
    uncertain = (_gamma(COLUMNS + len(parts)) * np.sum(q, axis=1) + np.sum(wrong, axis=1)) * WIDE**2 + LEAST
    mean = F / m
    return Look(F, uncertain, q, wrong, mean, (uncertain / m + EPS * np.max(np.abs(mean), axis=1)) * WIDE)


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
        signs = a[None, :, here] - one.mean[:, :, None]
        G = np.asfortranarray((one.slopes[:, None, here] * signs).reshape(n * d, -1))
        H = add(1.0, G, beta=1.0, c=H, lower=1, overwrite_c=1)
    gram = X @ X.T / m
    for k in range(n):
        H[k * d :, k * d : (k + 1) * d] *= np.repeat(gram[k:, k : k + 1], d, axis=0)
    long = _lengths(X, 1)
    most = (1 + np.max(np.abs(one.mean), axis=1) + one.unsure) * WIDE  # of |a − f|
    strong = _lengths(one.slopes, 1)
    A = _size(long * strong * most)
    R = _size(long * (_lengths(one.wrong, 1) * most + strong * (one.unsure + 4 * EPS * most)))
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


def sharpness(network: str, X: np.ndarray, one: Look) -> float:
    """max_r λ_max(D_r K₂ D_r)^{1/2}, D_r the bounds on |φ''| of neuron r, by a quotient of Collatz; K₂ has squares, whose errors make it
    larger."""
    K2 = (np.abs(X @ X.T) + _away(X, X.T)) ** 2 * (1 + 8 * EPS) + LEAST
    largest = 0.0
    for here in _parts(one.slopes.shape[1] if network in GROWING else 1):
        if network in GROWING:
            b = (one.slopes[:, here] + one.wrong[:, here]) * (1 + 4 * EPS)
        else:
            b = np.full((len(X), 1), SHAPES[network].bend)
        p = np.ones_like(b)
        for _ in range(POWER):
            p = b * (K2 @ (b * p))
            p = p / np.maximum(np.max(p, axis=0), LEAST) + 1e-7
        quotient = b * (K2 @ (b * p)) / p * (1 + _gamma(len(X)) + 8 * EPS)
        largest = float(np.maximum(largest, np.max(quotient)))  # NaN stays
    return math.sqrt(largest + LEAST) * (1 + 8 * EPS)


def _growth(network: str, X: np.ndarray, one: Look) -> tuple[float, float, float]:
    """max‖f_i‖, κ and ν."""
    if network not in GROWING:
        return 0.0, 0.0, 0.0
    long = _lengths(X, 1)
    if network != "softmax":
        return 0.0, 0.0, float(np.max(long))
    tops = one.slopes + one.wrong
    shares = _lengths(tops, 1) / tops.shape[1]
    rate = np.max(long * np.sqrt(1 + shares * shares)) * WIDE
    return float(np.max(_lengths(np.abs(one.mean) + one.unsure[:, None], 1))), float(np.max(tops)) * WIDE, float(rate)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """At least ‖one − other‖."""
    return _size(one - other) * (1 + 4 * EPS)


class Follower:
    """Theorem 7 along floats of its own, every rounding bounded by norms.

    The constants are those at a centre, W(0) or, where φ'' grows, a later point: at a distance t from there C and P are those of
    Lemmas 2 and 3.
    """

    def __init__(self, certificate: Claimed):
        self.network, arrays = _kind(certificate), certificate.arrays
        self.X, self.y, self.a, self.W = (arrays[name] for name in ("X", "y", "a", "W"))
        self.d, self.m, self.eta = self.y.shape[1], self.W.shape[1], certificate.numbers["eta"]
        first = look(self.network, self.X, self.W, self.a)
        self.F0 = first if certificate.start == "independent" else None
        self.drift, self.spent = 0.0, 0.0
        self.centred(first)
        self.fastest, self.long = 0.0, _size(self.X)

    def centred(self, one: Look) -> None:
        """Know what `within` asks for where the network was looked at; nothing more is known once that has taken too long."""
        n = len(self.X)
        self.spent += float((n * self.d) ** 2 * self.m + 2 * POWER * n**2 * self.m)
        if self.spent > WORK:
            self.drift = math.inf
        H, wrong = kernel(self.X, self.a, one)
        whole = 2 * float(np.sum(np.tril(H, -1) ** 2)) + float(np.sum(np.diagonal(H) ** 2))
        self.reach = math.sqrt(self.m * (math.sqrt(whole) * WIDE + SHORTEST + wrong)) * WIDE
        self.sharp, self.away = arb(sharpness(self.network, self.X, one)), 0.0
        self.mean, self.weight, self.rate = map(arb, _growth(self.network, self.X, one))
        self.longest = arb(float(np.max(_lengths(self.X, 1))))

    def within(self, t: float) -> tuple[float, float]:
        """(C, P) up to the distance t from the centre."""
        far, nu = arb(t), self.rate
        bend = self.sharp * amplitude(arb(self.d), self.longest, self.weight, nu, self.mean, arb(self.m), far)
        stretched = far if nu == 0 else (nu * far).expm1() / nu
        return float((bend * (nu * far).exp()).upper()), float((self.reach + bend * stretched).upper())

    def step(self) -> None:
        """One step of exact gradient descent, and how far it may be from the floats."""
        X, W, eta = self.X, self.W, self.eta
        one = look(self.network, X, W, self.a)
        if float(self.rate.upper()) * (self.away + self.drift) > NEAR:
            self.centred(one)
        e, size, unsure = off(one, self.y, self.F0)
        pull = e @ self.a - np.sum(e * one.mean, axis=1, keepdims=True)
        M = one.slopes * pull
        T = X.T @ M
        after = W - eta * T
        # Errors: of ⟨e_i, a_r − f_i⟩ (sums of d, of a difference, of f), of the slopes, of their product, of the sum over samples, of
        # the step.  No |a_r − f_i| is longer than `most` √d.
        most = 1 + float(np.max(np.abs(one.mean)) + np.max(one.unsure))
        wide = math.sqrt(self.d * self.m) * most
        largest, wrong = float(np.max(np.abs(one.slopes))), float(np.max(one.wrong))
        of_pull = unsure + (_gamma(self.d + 2) + float(np.max(one.unsure))) * size
        of_M = wrong * wide * size + (largest + wrong) * wide * of_pull + EPS * _size(M)
        of_T = self.long * (of_M + LEAST) + _gamma(len(X)) * self.long * _size(M) + LEAST
        rounding = (eta * (of_T + 2 * EPS * _size(T)) + EPS * _size(after)) * WIDE + LEAST
        C, P = self.within(self.away + self.drift)
        E = size + P * self.drift
        self.fastest = float(np.maximum(self.fastest, eta * (P * P + C * E) * WIDE))  # NaN stays
        self.drift = ((1 + eta * C * E * WIDE) * self.drift + rounding) * WIDE
        self.away += _size(after - W)
        self.W = after


def findings(certificate: Claimed, heard) -> tuple[Finding, ...]:
    """Every statement of a certificate, checked; `heard(done, total)` is told of the steps that are followed."""
    arrays, bounds, numbers, steps = certificate.arrays, certificate.bounds, certificate.numbers, certificate.steps
    X, y, a, network = arrays["X"], arrays["y"], arrays["a"], _kind(certificate)
    followed: tuple[Finding, ...] = ()
    with np.errstate(all="ignore"):  # what is not finite fails every comparison
        if steps:
            on_the_way = Follower(certificate)
            for step in range(steps):
                on_the_way.step()
                heard(step + 1, steps)
                if not (on_the_way.fastest <= 2 and on_the_way.drift <= numbers["omega"]):
                    break
            drift = arb(on_the_way.drift)
            if on_the_way.drift <= numbers["omega"]:
                drift += arb(distance(on_the_way.W, certificate.base))
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
        sharp = sharpness(network, X, here)
        mean, weight, rate = _growth(network, X, here)
    longest = most([length([arb(float(value)) for value in row]) for row in X])
    found = (
        positive("λ ≤ λ_min(H): 0 < λ_min(H − λI)", low, bounds["lambda"] > 0),
        positive("‖H‖ ≤ norm: 0 < λ_min(norm I − H)", high),
        at_most("‖e‖ ≤ size", size, bounds["size"]),
        at_most("‖x_i‖ ≤ longest", longest, bounds["longest"]),
        below("‖f_i‖ ≤ mean", mean, bounds["mean"]),
        below("κ ≤ weight", weight, bounds["weight"]),
        below("ν ≤ rate", rate, bounds["rate"]),
        below("B ≤ sharpness", sharp, bounds["sharpness"]),
    )
    return *followed, *beside, *found, *hypotheses(Scalars(certificate), bounds, certificate.conclusions)
