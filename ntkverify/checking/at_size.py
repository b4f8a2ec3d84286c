"""A certificate checked where Arb would take hours: in float64, every error bounded by norms (`in_norms`).

C and P of Theorem 7 are those of Lemmas 2 and 3 at a distance from a centre, W(0) or, where φ'' grows, a later point.
"""

import math

import numpy as np
from flint import arb

from ntkverify.checking import in_norms
from ntkverify.checking.certificate_file import Claimed, Malformed
from ntkverify.checking.functions import EPS, FUNCTIONS, LEAST, SHAPES, SHORTEST, WIDE, gamma, lengths
from ntkverify.checking.in_norms import (
    GROWING,
    POWER,
    Given,
    Look,
    given,
    kernel,
    kind,
    least,
    look,
    norm,
    off,
    sharpness,
)
from ntkverify.checking.neurons import NEURONS
from ntkverify.checking.theorem import Finding, Scalars, amplitude, at_most, below, hypotheses, length, positive

NEAR = 0.25
"""The growth of a logarithm of φ'' at which a centre is left."""
BYTES, WORK, BALL = 2**36, 2e14, 2000
"""Most memory and floating-point operations: about an hour on two cores; what an operation on balls costs of them."""


def covers(certificate: Claimed) -> bool:
    """Whether this file speaks of the network."""
    return kind(certificate) in (*SHAPES, *GROWING, *FUNCTIONS)


def refused(certificate: Claimed) -> None:
    """`Malformed` where checking would not end in about an hour, or needs too much memory."""
    n, d, m = *certificate.arrays["y"].shape, certificate.arrays["W"].shape[1]
    width, rows, steps = len(certificate.arrays["W"]), n * d, certificate.steps
    neuron = NEURONS.get(kind(certificate))
    inner, value, bound = neuron.work(certificate.shape) if neuron else (1, 0, 0)
    work = rows**2 * m * inner + 2.0 * rows**3 + (steps + 3) * n * m * (4.0 * width + value + 4 * d * inner + 1000)
    work += 2.0 * POWER * n**2 * (m if kind(certificate) in GROWING else 1) + BALL * n * bound
    memory = 8.0 * (2 * rows**2 + 4 * rows * in_norms.COLUMNS * inner + (6 + 2 * inner) * n * m)
    memory += 8.0 * n * math.prod(certificate.shape) * (width + 16 * in_norms.COLUMNS) * bool(neuron)
    if work > WORK or memory > BYTES:
        raise Malformed(
            f"it is too large to be checked: about {work:.3g} operations and {memory:.3g} bytes, more than {WORK:.0e} or {BYTES:.3g}"
        )


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """At least ‖one − other‖."""
    return norm(one - other) * (1 + 4 * EPS)


class Follower:
    """Theorem 7 along floats of its own, every rounding bounded by norms."""

    def __init__(self, certificate: Claimed, of: Given):
        self.of, self.y, self.W = of, certificate.arrays["y"], certificate.arrays["W"]
        self.d, self.m, self.eta = self.y.shape[1], self.W.shape[1], certificate.numbers["eta"]
        first = look(self.of, self.W)
        self.F0 = first if certificate.start == "independent" else None
        self.drift, self.spent = 0.0, 0.0
        self.centred(first)
        self.fastest, self.long = 0.0, norm(self.of.outer)

    def centred(self, one: Look) -> None:
        """Know what `within` asks for where the network was looked at; nothing more is known once that has taken too long."""
        n, inner, m = one.slopes.shape
        self.spent += float((n * self.d) ** 2 * m * inner + 2 * POWER * n**2 * m)
        if self.spent > WORK:
            self.drift = math.inf
        H, wrong = kernel(self.of, one)
        whole = 2 * float(np.sum(np.tril(H, -1) ** 2)) + float(np.sum(np.diagonal(H) ** 2))
        self.reach = math.sqrt(self.m * (math.sqrt(whole) * WIDE + SHORTEST + wrong)) * WIDE
        self.sharp, self.away = arb(sharpness(self.of, one)), 0.0
        self.mean, self.weight, self.rate = map(arb, in_norms.growth(self.of, one))
        self.longest = self.of.longest

    def within(self, t: float) -> tuple[float, float]:
        """(C, P) up to the distance t from the centre."""
        far, nu = arb(t), self.rate
        bend = self.sharp * amplitude(arb(self.d), self.longest, self.weight, nu, self.mean, arb(self.m), far)
        stretched = far if nu == 0 else (nu * far).expm1() / nu
        return float((bend * (nu * far).exp()).upper()), float((self.reach + bend * stretched).upper())

    def step(self) -> None:
        """One step of exact gradient descent, and how far it may be from the floats."""
        h, a, W, eta = self.of.outer, self.of.a, self.W, self.eta
        one = look(self.of, W)
        if float(self.rate.upper()) * (self.away + self.drift) > NEAR:
            self.centred(one)
        e, size, unsure = off(one, self.y, self.F0)
        pull = e @ a - np.sum(e * one.mean, axis=1, keepdims=True)
        M = one.slopes * pull[:, None]
        # Rows of W are those of g ⊗ h, h fast.
        T = np.concatenate([(h.T @ M[:, k])[None] for k in range(M.shape[1])]).reshape(W.shape)
        after = W - eta * T
        # Errors: of ⟨e_i, a_r − f_i⟩ (sums of d, of a difference, of f), of the slopes, of their product, of the sum over samples, of
        # the step.  No |a_r − f_i| is longer than `most` √d.
        most = 1 + float(np.max(np.abs(one.mean)) + np.max(one.unsure))
        wide = math.sqrt(self.d * self.m) * most
        largest, wrong = float(np.max(lengths(one.slopes, 1))), float(np.max(one.wrong))
        of_pull = unsure + (gamma(self.d + 2) + float(np.max(one.unsure))) * size
        of_M = wrong * wide * size + (largest + wrong) * wide * of_pull + EPS * norm(M)
        of_T = self.long * (of_M + LEAST) + gamma(len(h)) * self.long * norm(M) + LEAST
        rounding = (eta * (of_T + 2 * EPS * norm(T)) + EPS * norm(after)) * WIDE + LEAST
        C, P = self.within(self.away + self.drift)
        E = size + P * self.drift
        self.fastest = float(np.maximum(self.fastest, eta * (P * P + C * E) * WIDE))  # NaN stays
        self.drift = ((1 + eta * C * E * WIDE) * self.drift + rounding) * WIDE
        self.away += norm(after - W)
        self.W = after


def findings(certificate: Claimed, heard) -> tuple[Finding, ...]:
    """Every statement of a certificate, checked; `heard(done, total)` is told of the steps that are followed."""
    arrays, bounds, numbers, steps = certificate.arrays, certificate.bounds, certificate.numbers, certificate.steps
    of, y = given(certificate), arrays["y"]
    followed: tuple[Finding, ...] = ()
    with np.errstate(all="ignore"):  # what is not finite fails every comparison
        if steps:
            on_the_way = Follower(certificate, of)
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
        here = start = look(of, certificate.base)
        shift = look(of, arrays["W"]) if certificate.start == "independent" else None
        beside: tuple[Finding, ...] = ()
        if certificate.beside:
            here = look(of, certificate.centre)
            away = distance(certificate.base, certificate.centre)
            beside = (
                below("‖W* − W‖ ≤ away", away, certificate.beside["away"]),
                below("‖F(W*) − F_0 − Y‖ ≤ off", off(here, y, shift)[1], certificate.beside["off"]),
            )
        if certificate.start != "trained" and not steps:
            error = length([arb(float(value)) for value in y.ravel()])
        else:
            error = arb(off(start, y, shift)[1])
        H, wrong = kernel(of, here)
        low = least(H, wrong, bounds["lambda"], 1)
        high = least(H, wrong, bounds["norm"], -1)
        sharp = sharpness(of, here)
        mean, weight, rate = in_norms.growth(of, here)
    found = (
        positive("λ ≤ λ_min(H): 0 < λ_min(H − λI)", low, bounds["lambda"] > 0),
        positive("‖H‖ ≤ norm: 0 < λ_min(norm I − H)", high),
        at_most("‖e‖ ≤ size", error, bounds["size"]),
        at_most("‖x_i‖ ≤ longest", of.longest, bounds["longest"]),
        below("‖f_i‖ ≤ mean", mean, bounds["mean"]),
        below("κ ≤ weight", weight, bounds["weight"]),
        below("ν ≤ rate", rate, bounds["rate"]),
        below("B ≤ sharpness", sharp, bounds["sharpness"]),
    )
    return *followed, *beside, *found, *hypotheses(Scalars(certificate), bounds, certificate.conclusions)
