"""claim × problem × draws → Evidence → Verdict.

Every inequality is put as small ≤ large, each side with its rounding error.  A draw holds when
small + error ≤ large − error at every point and entry, is violated when some small exceeds large by
more than the errors, and is undecided otherwise; an equality, and a bound that is attained
(`tight`), holds within its errors.  Where these are not small beside the entry itself (`DECISIVE`) nothing was tested, and
each entry must be tested at one of the draw's points.

Assumptions are evaluated with their errors too: a draw on which they are not certainly true is not applicable.  A point whose
W̃ equals W bit for bit tests nothing of a claim that speaks of W̃.

A claim of direction `order`, lhs ∝ rhs^exponent, gives each draw a slope; the verdict is that of a
t-interval of their mean.  There small is the slope, large the exponent claimed, and allowance the
tolerance that the claim states: rounding is far below the scatter of the slopes.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.arithmetic.running import with_error
from ntkverify.ground.numerics import (
    full_precision,
    hold_rate_interval,
    mean_interval,
    random_key,
    trials_needed,
    unit_roundoff,
)
from ntkverify.networks.nouns import AT_START, IN_BALL, ON_PATH, Point, Problem
from ntkverify.networks.paths import draw_paths
from ntkverify.networks.points import DIRECTIONS, draw_points, over_draws
from ntkverify.statements.claim import Claim

DECISIVE = 0.48
"""An entry of an equality or of an attained bound is tested where the allowance is below u^DECISIVE of its larger side:
2e-8 in float64, 3e-4 in float32."""
FEWEST = 20
"""Applicable draws below which a claim was not tested."""
CHUNK = 20
"""Draws between two reports of progress; a draw's points live only that long."""
BUDGET = 2**28
"""Bytes that the points under evaluation may take together."""


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["applicable", "held", "violated", "small", "large", "allowance", "tested", "beyond", "place"],
    meta_fields=[],
)
@dataclass(frozen=True)
class Evidence:
    """What the draws showed, one array entry a draw; small, large, allowance: the worst entry's."""

    applicable: Any
    held: Any
    violated: Any
    small: Any
    large: Any
    allowance: Any
    tested: Any
    """Whether it said anything of each entry: rounding was small beside it, where the claim is one that holds within it.
    At one point an array of the sides' shape."""
    beyond: Any
    """log₁₀ of the factor by which an assumed width or step size is missed; −inf where none is assumed."""
    place: Any
    """Which of a draw's points is the worst."""

    @property
    def draws(self) -> int:
        return len(self.applicable)

    @property
    def ratio(self) -> np.ndarray:
        """small / large at the worst entry; > 1 is a violation; inf when large ≤ 0 < small."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.small > 0, self.small / np.maximum(self.large, 0), 0.0)
        return np.where(np.isnan(self.small) | np.isnan(self.large), np.nan, ratio)

    @property
    def outcome(self) -> np.ndarray:
        """One word a draw: held, violated, undecided or not applicable."""
        words = np.where(self.held, "held", np.where(self.violated, "violated", "undecided"))
        return np.where(self.applicable, words, "not applicable")


@dataclass(frozen=True)
class Verdict:
    """holds | violated | vacuous | undecided, with the counts and the sentence that explains it."""

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


@functools.partial(jax.jit, static_argnames=("forms", "batch"))
@full_precision
def check(
    forms: tuple[Claim, ...], constants: tuple[dict, ...], problem: Problem, points: Point, batch: int
) -> tuple[Evidence, ...]:
    """Evaluate a claim's forms at all points, (draws, directions), and keep each draw's worst.

    `batch` points are evaluated at a time, by `vmap`.  What the forms share is computed once.
    """
    if all(form.where == AT_START for form in forms):
        points = jax.tree.map(lambda leaf: leaf[:, :1], points)
    shape = jax.tree.leaves(points)[0].shape[:2]
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), points)
    at = functools.partial(_at_point, forms, constants, problem)
    found = jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), over_draws(at, flat, batch))
    return jax.vmap(lambda of: tuple(map(_worst_point, of)))(found)


def _at_point(
    forms: tuple[Claim, ...], constants: tuple[dict, ...], problem: Problem, point: Point
) -> tuple[Evidence, ...]:
    def sides(problem, point, constants):
        start = Point(point.base, point.base, point.probe, point.path)
        known = {}  # forms of one claim often have a side in common

        def side(formula, form, constants):
            key = formula, form.where, tuple(map(id, constants.values()))
            if key not in known:
                known[key] = formula(problem, start if form.where == AT_START else point, constants)
            return known[key]

        return tuple(
            (side(form.lhs, form, own), side(form.rhs, form, own)) for form, own in zip(forms, constants, strict=True)
        )

    if all(form.direction == "order" for form in forms):
        values = sides(problem, point, constants)
        return tuple(
            _compare_slope(form.assumptions(problem, point, own), *value, own)
            for form, own, value in zip(forms, constants, values, strict=True)
        )

    def all_of(problem, point, constants):
        assumed = tuple(form.assumptions(problem, point, own) for form, own in zip(forms, constants, strict=True))
        beyond = tuple(
            -jnp.asarray(jnp.inf, problem.X.dtype) if form.beyond is None else form.beyond(problem, point, own)
            for form, own in zip(forms, constants, strict=True)
        )
        return assumed, beyond, sides(problem, point, constants)

    (assumed, beyond, values), (doubt, far, errors) = with_error(all_of)(problem, point, constants)
    found = []
    for index, form in enumerate(forms):
        applicable = assumed[index] & ~doubt[index] & (beyond[index] + far[index] <= 0) & _tests(form, point)
        found.append(_compare(form.direction, applicable, beyond[index], *values[index], *errors[index]))
    return tuple(found)


def _tests(form: Claim, point: Point):
    """Whether there is a W̃ beside W, where the form speaks of both."""
    return jnp.any(point.moved.W != point.base.W) if form.where == IN_BALL else jnp.asarray(True)


def _compare_slope(applicable, measured, against, own) -> Evidence:
    """Least-squares slope of log measured on log against, beside the exponent that is claimed."""
    x, y = jnp.log(against), jnp.log(measured)
    x = x - jnp.mean(x)
    slope = jnp.sum(x * y) / jnp.sum(x**2)
    exponent, tolerance = (jnp.asarray(own[name], slope.dtype) for name in ("exponent", "tolerance"))
    near = jnp.abs(slope - exponent) <= tolerance
    return Evidence(
        applicable=applicable,
        held=near,
        violated=jnp.isfinite(slope) & ~near,
        small=slope,
        large=exponent,
        allowance=tolerance,
        tested=jnp.asarray(True),
        beyond=-jnp.inf * tolerance,
        place=jnp.zeros((), int),
    )


def _compare(direction: str, applicable, beyond, left, right, left_error, right_error) -> Evidence:
    allowance = left_error + right_error
    larger = jnp.maximum(jnp.abs(left), jnp.abs(right))
    decisive = allowance <= unit_roundoff(allowance.dtype) ** DECISIVE * larger
    if direction == "equality":
        small, large, allowance = jnp.broadcast_arrays(jnp.abs(left - right), allowance, allowance)
        violated = small > large
        within, tested = ~violated, decisive
    else:
        small, large = (right, left) if direction == "lower" else (left, right)
        small, large, allowance = jnp.broadcast_arrays(small, large, allowance)
        violated, clear = small > large + allowance, small + allowance <= large
        # A tight bound is attained: there, as for an equality, equal to rounding is what it says.
        within, tested = (~violated, clear | decisive) if direction == "tight" else (clear, jnp.asarray(True))
    known = jnp.isfinite(small) & jnp.isfinite(large) & jnp.isfinite(allowance)
    worst = jnp.argmax(jnp.where(known, _ratio(small, large), jnp.inf))
    return Evidence(
        applicable=applicable,
        held=jnp.all(known & within),
        violated=jnp.any(known & violated),
        small=small.ravel()[worst],
        large=large.ravel()[worst],
        allowance=allowance.ravel()[worst],
        tested=tested,
        beyond=jnp.asarray(beyond, small.dtype),
        place=jnp.zeros((), int),
    )


def _ratio(small, large):
    return jnp.where(large > 0, small / jnp.where(large > 0, large, 1), jnp.where(small > 0, jnp.inf, 0))


def _worst_point(found: Evidence) -> Evidence:
    """One draw's evidence from that of its points, those left out that the claim says nothing of.

    An entry that no point tests leaves the draw undecided.
    """
    entries = found.tested.reshape(len(found.tested), -1)
    tells = found.applicable & (jnp.any(entries, 1) | found.violated)
    tells = jnp.where(jnp.any(tells), tells, found.applicable)
    ratio = jnp.where(tells, _ratio(found.small, found.large), -1)
    worst = jnp.argmax(jnp.where(jnp.isnan(ratio), jnp.inf, ratio))
    tested = jnp.all(jnp.any(entries & found.applicable[:, None], 0))
    return Evidence(
        applicable=jnp.any(found.applicable),
        held=jnp.all(found.held | ~found.applicable) & tested,
        violated=jnp.any(found.violated & found.applicable),
        small=found.small[worst],
        large=found.large[worst],
        allowance=found.allowance[worst],
        tested=tested,
        beyond=jnp.min(found.beyond),
        place=worst,
    )


def point_bytes(n: int, d_in: int, d_out: int, m: int, itemsize: int) -> int:
    """About what evaluating a claim at one point takes: kernels, G and weights, each with its error
    bound and a few temporaries."""
    nd = n * d_out
    return 8 * (2 * nd * nd + nd * m + (n + 2 * d_in) * m) * itemsize


def chunk_bytes(n: int, d_in: int, d_out: int, m: int, itemsize: int) -> int:
    """What the points of one chunk take, while they are drawn and while they are evaluated."""
    return 2 * CHUNK * len(DIRECTIONS) * (2 * (d_in + d_out) * m + n * d_out) * itemsize


def sizes(problem: Problem) -> tuple[int, int, int, int, int]:
    """n, d_in, d_out, m, and the bytes of a number."""
    return problem.n, problem.d_in, problem.d_out, problem.m, problem.X.dtype.itemsize


def batch_size(problem: Problem) -> int:
    """How many points to evaluate at a time: one on a CPU, where more only compiles longer.

    A divisor of `CHUNK`, because a remainder would be compiled apart.
    """
    most = min(1 if jax.default_backend() == "cpu" else CHUNK, BUDGET // point_bytes(*sizes(problem)))
    return max((size for size in range(1, CHUNK + 1) if CHUNK % size == 0 and size <= most), default=1)


def chunks(problem: Problem, draws: int, seed: int, where: str = IN_BALL) -> Iterator[tuple[int, Point]]:
    """`CHUNK` draws at a time: how many of them count, and their points (draws, points of a draw)."""
    keys = jax.random.split(random_key(seed), draws)
    points = draw_paths if where == ON_PATH else draw_points
    for begin in range(0, draws, CHUNK):
        part = keys[jnp.minimum(jnp.arange(begin, begin + CHUNK), draws - 1)]
        yield min(CHUNK, draws - begin), points(problem, part, batch_size(problem))


def examine(forms: tuple[Claim, ...], problem: Problem, points: Point, count: int) -> list[Evidence]:
    """The evidence of the first `count` draws of a chunk, for each form."""
    constants = tuple(dict(form.constants) for form in forms)
    found = check(forms, constants, problem, points, batch_size(problem))
    return [jax.tree.map(lambda leaf: np.asarray(leaf)[:count], evidence) for evidence in found]


def unjudged(draws: int, reason: str) -> Verdict:
    """The verdict on a claim that could not be evaluated."""
    return Verdict("undecided", reason, draws, 0, 0, 0, (0.0, 1.0), None, None, 0)


def joined(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several chunks as one."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def judge(claim: Claim, evidence: Evidence, delta: float) -> Verdict:
    """The verdict by the rules of docs/design.md, with its sentence."""
    use = evidence.applicable
    applicable, held = int(use.sum()), int((evidence.held & use).sum())
    violated = int((evidence.violated & use).sum())
    undecided = applicable - held - violated
    low, _ = hold_rate_interval(held, applicable)
    _, high = hold_rate_interval(held + undecided, applicable)
    promised = claim.promised(delta)
    beyond = _beyond(evidence) if claim.beyond else None
    exponent = None
    if promised == 1 and violated and claim.direction != "order":
        verdict = "violated"
        sentence = f"{violated} of {applicable} applicable draws violate it; one is enough for a deterministic claim."
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
        f"{unknown} evaluated to no finite number (overflow, or a number below the normal range)"
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
    said = f"Exponent {mean:.3f}, 95% interval [{low:.3f}, {high:.3f}], against {predicted:g} ± {tolerance:g}"
    if predicted - tolerance <= low and high <= predicted + tolerance:
        return "holds", f"{said}: inside.", exponent
    if high < predicted - tolerance or low > predicted + tolerance:
        return "violated", f"{said}: outside.", exponent
    return "undecided", f"{said}: the interval crosses the band's edge; more draws would decide.", exponent


def _log10(ratio: float) -> float | None:
    return math.log10(ratio) if 0 < ratio < math.inf else None
