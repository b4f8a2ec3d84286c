"""What a certificate has to satisfy: the hypotheses of Theorem 10 of docs/proofs/convergence.md, of which Theorem 5 and Proposition 6 are
the case without a witness, from the claimed numbers, in Arb's balls.
"""

from dataclasses import dataclass

from flint import arb

from ntkverify.checking.certificate_file import Claimed


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: what, and whether the first of two numbers is certainly at most the second."""

    what: str
    small: float
    large: float
    holds: bool


class Scalars:
    """The numbers of a certificate that the hypotheses read."""

    def __init__(self, certificate: Claimed):
        self.m, self.d = certificate.arrays["W"].shape[1], certificate.arrays["y"].shape[1]
        self.s, self.eta, self.omega, self.keep = (
            arb(certificate.numbers[name]) for name in ("s", "eta", "omega", "keep")
        )
        # Without a witness the centre is where the steps begin, which is off by all of its error.
        self.away = arb(certificate.beside.get("away", 0.0))
        self.off = arb(certificate.beside.get("off", certificate.bounds["size"]))


def total(values):
    """The sum of balls."""
    return sum(values, arb(0))


def length(values):
    """The Euclidean length; a sum of squares is not negative, whatever its ball says."""
    return sum((value * value for value in values), arb(0)).nonnegative_part().sqrt()


def amplitude(d, longest, weight, rate, mean, m, s):
    """Ā within distance s (Lemma 2)."""
    return d.sqrt() * (1 + longest * s * ((rate * s).exp() * weight / m).sqrt()) + mean


def at_most(what: str, found, claimed: float) -> Finding:
    """Whether what was found is certainly no more than what is claimed."""
    return Finding(what, float(found.upper()), claimed, bool(found <= arb(claimed)))


def below(what: str, found: float, claimed: float) -> Finding:
    """The same of floats that are bounds."""
    return Finding(what, found, claimed, found <= claimed)


def positive(what: str, lower: float, also: bool = True) -> Finding:
    """Whether a number is above 0, of which a lower bound is given."""
    return Finding(what, 0.0, lower, also and lower > 0)


def most(values):
    """The largest of balls."""
    top = values[0]
    for value in values[1:]:
        top = top.max(value)
    return top


def hypotheses(given: Scalars, bounds: dict, claimed: dict) -> list[Finding]:
    """The hypotheses of Theorem 10, from the claimed numbers."""
    k = {name: arb(value) for name, value in bounds.items()}
    c = {name: arb(value) for name, value in claimed.items()}
    s, eta, omega, m, d = given.s, given.eta, given.omega, arb(given.m), arb(given.d)
    root, nu = (m * k["lambda"]).sqrt(), k["rate"]
    begun = given.away + omega

    def bent(t):
        return amplitude(d, k["longest"], k["weight"], nu, k["mean"], m, t) * k["sharpness"]

    bend = bent(s)
    kept = root - bend * _stretch(nu, s)
    reach = (m * k["norm"]).sqrt() + bend * _stretch(nu, s)
    theta = eta * (reach**2 + bend * (nu * s).exp() * (k["size"] + reach * omega)) / 2
    spent = (1 - c["theta"]) * (root * (s - begun) - bend * (_twice(nu, s) - _twice(nu, begun)))
    left = (bent(begun) * (nu * begun).exp() * begun**2 / 2 + given.off) / (1 - c["theta"])
    need = left.min(k["size"]) + c["reach"] * omega
    return [
        _at_least("kept ≤ p(s)", kept, claimed["kept"]),
        at_most("P ≤ reach", reach, claimed["reach"]),
        at_most("θ ≤ theta", theta, claimed["theta"]),
        _at_least("spent ≤ (1−θ)∫p", spent, claimed["spent"]),
        _at_least("contraction ≤ (1−θ)η p(s)²", (1 - c["theta"]) * eta * c["kept"] ** 2, claimed["contraction"]),
        _condition("1: √(keep · mλ) ≤ p(s)", c["kept"], (given.keep * m * k["lambda"]).sqrt(), c["kept"] > 0),
        _condition("2: θ < 1", arb(1), c["theta"], c["theta"] < 1),
        _condition("3: min(‖e‖, (½CD² + r)/(1−θ)) + Pω ≤ (1−θ)∫p", c["spent"], need, c["theta"] < 1),
        _condition("D + ω < s", s, begun, begun < s),
    ]


def _at_least(what: str, found, claimed: float) -> Finding:
    return Finding(what, claimed, float(found.lower()), bool(found >= arb(claimed)))


def _condition(what: str, large, small, also) -> Finding:
    return Finding(what, float(small.mid()), float(large.mid()), bool(large >= small) and bool(also))


def _stretch(nu, t):
    return t if nu == 0 else (nu * t).expm1() / nu


def _twice(nu, t):
    return t * t / 2 if nu == 0 else ((nu * t).expm1() - nu * t) / nu**2
