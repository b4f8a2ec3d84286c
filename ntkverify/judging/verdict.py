"""Evidence → Verdict: one word for a form on a problem, with the counts and the sentence that explains it."""

import math
from dataclasses import dataclass

import numpy as np

from ntkverify.ground.numerics import hold_rate_interval, mean_interval, trials_needed
from ntkverify.judging.evidence import Evidence
from ntkverify.statements.claim import Claim

FEWEST = 20
"""Applicable draws below which a claim was not tested."""


NOT_APPLICABLE = "not applicable"
"""The word on a claim that does not speak of the network, or of the problem."""


@dataclass(frozen=True)
class Verdict:
    """holds | violated | vacuous | undecided | not applicable, with the counts and the sentence that explains it."""

    verdict: str
    sentence: str
    draws: int
    applicable: int
    held: int
    undecided: int
    interval: tuple[float, float]
    median: float | None
    """Median over the applicable draws of log10(small / large); None when it has no logarithm."""
    worst: float | None
    infinite: int
    """Applicable draws whose ratio is infinite: large ≤ 0 < small."""
    beyond: dict | None = None
    """log₁₀ of the factor by which an assumed width or step size is missed: its range over draws."""
    exponent: dict | None = None
    """For claims of direction `order`: mean, low and high of the slope, the exponent claimed, its tolerance."""


def unjudged(draws: int, reason: str, verdict: str = "undecided") -> Verdict:
    """The verdict on a claim that could not be evaluated, or does not speak of the network."""
    return Verdict(verdict, reason, draws, 0, 0, 0, (0.0, 1.0), None, None, 0)


def judge(claim: Claim, evidence: Evidence, delta: float, silent: str = "") -> Verdict:
    """The verdict by the rules of docs/design.md, with its sentence; `silent` says why the claim says nothing of the
    problem."""
    use = evidence.applicable
    applicable, held = int(use.sum()), int((evidence.held & use).sum())
    violated = int((evidence.violated & use).sum())
    undecided = applicable - held - violated
    low, _ = hold_rate_interval(held, applicable)
    _, high = hold_rate_interval(held + undecided, applicable)
    promised = claim.promised(delta)
    beyond = _beyond(evidence) if claim.beyond else None
    exponent = None
    if violated and claim.only_confirmed:
        verdict = "undecided"
        sentence = f"{violated} of {applicable} applicable draws exceed what was computed, and refute nothing: {claim.only_confirmed}"
    elif promised == 1 and violated and claim.direction != "order":
        verdict = "violated"
        sentence = f"{violated} of {applicable} applicable draws violate it; one is enough for a deterministic claim."
    elif silent and not applicable:
        verdict, sentence = NOT_APPLICABLE, silent
    elif applicable < FEWEST:
        verdict = "vacuous"
        sentence = f"Its assumptions held on {applicable} of {evidence.draws} draws, fewer than {FEWEST}: not tested."
        if beyond:
            sentence += " What it assumes lies a factor 10^{low:.1f} to 10^{high:.1f} beyond these draws.".format(
                **beyond
            )
    elif claim.direction == "order":
        verdict, sentence, exponent = _of_order(claim, evidence)
    elif promised == 1:
        verdict, sentence = _of_certain(evidence, applicable, undecided)
    else:
        verdict, sentence = _of_rate(evidence, held, undecided, promised)
    ratio = evidence.ratio[use]
    ratio = ratio[~np.isnan(ratio)]
    return Verdict(
        verdict=verdict,
        sentence=sentence,
        draws=evidence.draws,
        applicable=applicable,
        held=held,
        undecided=undecided,
        interval=(low, high),
        median=_log10(float(np.median(ratio))) if len(ratio) else None,
        worst=_log10(float(ratio.max())) if len(ratio) else None,
        infinite=int(np.isinf(ratio).sum()),
        beyond=beyond,
        exponent=exponent,
    )


def _beyond(evidence: Evidence) -> dict | None:
    found = evidence.beyond[np.isfinite(evidence.beyond)]
    return {"low": float(found.min()), "high": float(found.max())} if len(found) else None


def _unknown(evidence: Evidence) -> int:
    """Applicable draws that evaluated to no finite number."""
    finite = np.isfinite(evidence.small) & np.isfinite(evidence.large) & np.isfinite(evidence.allowance)
    return int((evidence.applicable & ~finite).sum())


def _of_certain(evidence: Evidence, applicable: int, undecided: int) -> tuple[str, str]:
    if not undecided:
        return "holds", f"Held on all {applicable} applicable draws."
    unknown = _unknown(evidence)
    why = (
        f"{unknown} evaluated to no finite number (overflow, NaN, or a number below the normal range)"
        if unknown
        else "the two sides are closer than rounding, or rounding is not small beside them"
    )
    return "undecided", f"{undecided} of {applicable} applicable draws are undecided: {why}."


def _of_rate(evidence: Evidence, held: int, undecided: int, promised: float) -> tuple[str, str]:
    applicable = int(evidence.applicable.sum())
    on = f"Held on {held} of {applicable} applicable draws"
    if hold_rate_interval(held, applicable)[0] >= promised:
        return "holds", f"{on}; the hold rate is at least {promised:g} with 95% confidence."
    if hold_rate_interval(held + undecided, applicable)[1] < promised:
        return "violated", f"{on}; the hold rate is below the promised {promised:g}."
    if unknown := _unknown(evidence):
        return "undecided", f"{unknown} of {applicable} applicable draws evaluated to no finite number (overflow)."
    if undecided:
        return "undecided", f"{on}; on {undecided} the two sides are closer than rounding."
    needed = trials_needed(held / applicable, promised)
    wanted = f"about {needed} draws would decide" if needed else "no number of draws up to 10⁷ would decide"
    return "undecided", f"{on}, too few to tell whether the rate reaches {promised:g}; {wanted}."


def _of_order(claim: Claim, evidence: Evidence) -> tuple[str, str, dict | None]:
    """The mean slope's t-interval against the band around the exponent that is claimed."""
    slopes = evidence.small[evidence.applicable]
    if not np.isfinite(slopes).all():
        return "undecided", f"{int((~np.isfinite(slopes)).sum())} draws have no finite slope.", None
    mean, low, high = mean_interval(slopes)
    predicted, tolerance = float(claim.constants["exponent"]), float(claim.constants["tolerance"])
    exponent = {"mean": mean, "low": low, "high": high, "predicted": predicted, "tolerance": tolerance}
    said = f"Exponent {mean:z.3f}, 95% interval [{low:z.3f}, {high:z.3f}], against {predicted:g} ± {tolerance:g}"
    if predicted - tolerance <= low and high <= predicted + tolerance:
        return "holds", f"{said}: inside.", exponent
    if high < predicted - tolerance or low > predicted + tolerance:
        return "violated", f"{said}: outside.", exponent
    return "undecided", f"{said}: the interval crosses the band's edge; more draws would decide.", exponent


def _log10(ratio: float) -> float | None:
    return math.log10(ratio) if 0 < ratio < math.inf else None
