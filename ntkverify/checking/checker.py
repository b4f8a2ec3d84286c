"""Verifying a certificate of convergence, by code that shares nothing with what made it but the file.

Everything is computed again from the floats of the file: the kernel at the centre of the ball and that λ_min and ‖H‖ are as
claimed, the constants of docs/proofs/convergence.md, then the hypotheses of Theorem 10 from the claimed numbers
(`theorem`).  The numbers are Arb's, balls of `BITS` bits (`in_balls`), and where those would take hours floats with errors
bounded by norms (`at_size`).  `certificate_file` rejects what is not of the format before that.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from pathlib import Path

from flint import ctx

from ntkverify.checking import at_size, in_balls
from ntkverify.checking.certificate_file import Claimed, Malformed, digest, parsed, read
from ntkverify.checking.neurons import NEURONS
from ntkverify.checking.theorem import Finding

BITS = 128
QUICK, ENTRIES, WORK = 2e9, 10**7, 10**11
"""Operations on balls beyond which floats take their place, where they can: about a minute.  Numbers of an array, and operations,
beyond which there is no answer: about an hour."""


@dataclass(frozen=True)
class Checked:
    """What became of a certificate."""

    accepted: bool
    sentence: str
    findings: tuple[Finding, ...]


def check(path: Path, heard: Callable[[int, int], None] = lambda done, total: None) -> Checked:
    """Verify the certificate in a file; `BadInput` if it is no certificate.  `heard(done, total)` is told of the
    steps that a later start is followed for."""
    content, binary, as_written = read(path)
    if not as_written:
        return Checked(
            False,
            "It was changed after it was written: its text is not what writing its content gives, every key once and every number in its shortest form.",
            (),
        )
    if content.get("digest") != digest(content):
        return Checked(False, "It was changed after it was written: its content does not match its digest.", ())
    try:
        certificate = parsed(content, binary)
        work = _work(certificate)
        by = at_size if work > QUICK and at_size.covers(certificate) else in_balls
        if by is at_size:
            at_size.refused(certificate)
        elif work > WORK:
            raise Malformed(
                f"it is too large to be checked: about {work:.3g} operations on balls, more than {WORK:.0e}"
            )
    except Malformed as error:
        return Checked(False, f"It is malformed: {error}.", ())
    before = ctx.prec
    ctx.prec = BITS
    try:
        findings = by.findings(certificate, heard)
    finally:
        ctx.prec = before
    broken = [finding for finding in findings if not finding.holds]
    if broken:
        first = broken[0]
        said = f"{len(broken)} of {len(findings)} statements are not so, first: {first.what} asks for {first.small:.17g} ≤ {first.large:.17g}."
        return Checked(False, said, findings)
    return Checked(True, _proved(certificate), findings)


def _work(certificate: Claimed) -> float:
    """About the operations on balls that checking takes; ∞ for an array of more than `ENTRIES`."""
    (n, d), (p, m), steps = certificate.arrays["y"].shape, certificate.arrays["W"].shape, certificate.steps
    neuron, nd, width = NEURONS.get(certificate.network), n * d, max(p, certificate.arrays["X"].shape[1])
    inner, value, bound = neuron.work(certificate.shape) if neuron else (1, 0, 0)
    if max(nd, width) * max(nd, inner * m) > ENTRIES:
        return math.inf
    steps += bool(certificate.beside)
    return (steps + 2.0) * nd * inner * m * (nd + width + 50) + nd**3 + n * (bound + (steps + 2.0) * m * value)


def _proved(certificate: Claimed) -> str:
    """What a certificate whose statements are all so has proved, rounded to the safe side."""
    floats, conclusions = certificate.numbers, certificate.conclusions
    rate, size, s = _floor(conclusions["contraction"]), _ceiling(certificate.bounds["size"]), _ceiling(floats["s"])
    where, of = "W(0)" if not certificate.steps else "there", "‖Y‖"
    if certificate.start == "trained" and not certificate.steps:
        where, of = "these floats", f"· {size}"
    if beside := certificate.beside:
        off, away = _ceiling(beside["off"]), _ceiling(beside["away"])
        where = f"a network {away} away from {where} that fits the data up to {off}"
    if certificate.start == "trained" and not certificate.steps and not beside:
        # The path is no longer than ‖e‖/((1−θ) p(s)): Theorem 5.
        shrunk = (1 - Fraction(conclusions["theta"])) * Fraction(conclusions["kept"])
        away = Fraction(certificate.bounds["size"]) / shrunk
        distance = Context(6, ROUND_CEILING).divide(Decimal(away.numerator), Decimal(away.denominator))
        return (
            f"A network that fits the data exactly lies within {distance:g} of these trained floats, over all neurons, and gradient descent from "
            f"them converges to one: ‖e(τ)‖ ≤ (1 − {rate})^τ · {size}. Nothing is said of how they were found."
        )
    if certificate.steps:
        return (
            f"Gradient descent from these floats converges: after {certificate.steps} steps it is within {_ceiling(floats['omega'])} of the later start, "
            f"where ‖e‖ ≤ {size}, and from there the error shrinks by 1 − {rate}, within {s} of {where} over all neurons."
        )
    return (
        f"Gradient descent from these floats converges: ‖e(τ)‖ ≤ (1 − {rate})^τ {of}, within {s} of {where} over all "
        f"neurons; steps that are rounded by up to {_floor(floats['omega'])} in sum stay there too, and add at most "
        f"{_ceiling(conclusions['reach'])} times that sum to the error."
    )


def _floor(number: float) -> str:
    """Six digits, not above the number."""
    return f"{Context(6, ROUND_FLOOR).create_decimal_from_float(number):g}"


def _ceiling(number: float) -> str:
    """Six digits, not below the number."""
    return f"{Context(6, ROUND_CEILING).create_decimal_from_float(number):g}"
