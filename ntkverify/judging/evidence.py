"""claim × problem × points → Evidence.

Every inequality is put as small ≤ large, each side with its rounding error.  A draw holds when
small + error ≤ large − error at every point and entry, is violated when some small exceeds large by
more than the errors, and is undecided otherwise; an equality, and a bound that is attained
(`tight`), holds within its errors.  Where these are not small beside the entry (`DECISIVE`; its size is the
largest at the draw's points, because entries pass through zero) nothing was tested, and every point must test every entry.

Assumptions are evaluated with their errors too: a draw on which they are not certainly true is not applicable.  A point whose
W̃ equals W bit for bit tests nothing of a claim that speaks of W̃.

A claim of direction `order`, lhs ∝ rhs^exponent, gives each draw a slope; the verdict is that of a
t-interval of their mean.  There small is the slope, large the exponent claimed, and allowance the
tolerance that the claim states: rounding is far below the scatter of the slopes.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from ntkverify.arithmetic.running import with_error
from ntkverify.ground.devices import by_rows, mesh, whole
from ntkverify.ground.numerics import full_precision, unit_roundoff
from ntkverify.judging.draws import batch_size
from ntkverify.networks.nouns import AT_START, IN_BALL, Point, Problem
from ntkverify.networks.points import over_draws
from ntkverify.statements.claim import Claim

DECISIVE = 0.48
"""An entry of an equality or of an attained bound is tested where the allowance is below u^DECISIVE of its larger side:
2e-8 in float64, 3e-4 in float32."""


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
    At one point (whether it did in any case, the allowance, the larger side), arrays of the sides' shape."""
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


@functools.partial(jax.jit, static_argnames=("forms", "batch", "mesh"))
@full_precision
def check(
    forms: tuple[Claim, ...], constants: tuple[dict, ...], problem: Problem, points: Point, batch: int, mesh: Mesh
) -> tuple[Evidence, ...]:
    """Evaluate a claim's forms at all points, (draws, directions), and keep each draw's worst.

    Each device of the mesh has its part of the draws, and evaluates `batch` points at a time, by `vmap`.  What the forms
    share is computed once.
    """
    if all(form.where == AT_START for form in forms):
        points = jax.tree.map(lambda leaf: leaf[:, :1], points)

    def part(shared, points):
        shape = jax.tree.leaves(points)[0].shape[:2]
        flat = jax.tree.map(lambda leaf: leaf.reshape(shape[0] * shape[1], *leaf.shape[2:]), points)
        at = functools.partial(_at_point, forms, *shared)
        found = jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), over_draws(at, flat, batch))
        return jax.vmap(lambda of: tuple(map(_worst_point, of)))(found)

    return by_rows(part, mesh)((constants, problem), points)


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
        tested=(jnp.asarray(True), tolerance, exponent),
        beyond=-jnp.inf * tolerance,
        place=jnp.zeros((), int),
    )


def _compare(direction: str, applicable, beyond, left, right, left_error, right_error) -> Evidence:
    allowance = left_error + right_error
    larger = jnp.maximum(jnp.abs(left), jnp.abs(right))
    if direction == "equality":
        small, large, allowance = jnp.broadcast_arrays(jnp.abs(left - right), allowance, allowance)
        violated = small > large
        within, clear = ~violated, jnp.zeros_like(violated)
    else:
        small, large = (right, left) if direction == "lower" else (left, right)
        small, large, allowance = jnp.broadcast_arrays(small, large, allowance)
        violated, clear = small > large + allowance, small + allowance <= large
        # A tight bound is attained: there, as for an equality, equal to rounding is what it says.
        within, clear = (~violated, clear) if direction == "tight" else (clear, jnp.ones_like(clear))
    known = jnp.isfinite(small) & jnp.isfinite(large) & jnp.isfinite(allowance)
    worst = jnp.argmax(jnp.where(known, _ratio(small, large), jnp.inf))
    return Evidence(
        applicable=applicable,
        held=jnp.all(known & within),
        violated=jnp.any(known & violated),
        small=small.ravel()[worst],
        large=large.ravel()[worst],
        allowance=allowance.ravel()[worst],
        tested=(clear, allowance, jnp.broadcast_to(larger, allowance.shape)),
        beyond=jnp.asarray(beyond, small.dtype),
        place=jnp.zeros((), int),
    )


def _ratio(small, large):
    return jnp.where(large > 0, small / jnp.where(large > 0, large, 1), jnp.where(small > 0, jnp.inf, 0))


def _worst_point(found: Evidence) -> Evidence:
    """One draw's evidence from that of its points, those left out that the claim says nothing of.

    An entry that a point does not test leaves the draw undecided.
    """
    clear, allowance, larger = (each.reshape(len(each), -1) for each in found.tested)
    size = jnp.max(jnp.where(found.applicable[:, None], larger, 0), 0, keepdims=True)
    entries = clear | (allowance <= unit_roundoff(allowance.dtype) ** DECISIVE * size)
    tells = found.applicable & (jnp.any(entries, 1) | found.violated)
    tells = jnp.where(jnp.any(tells), tells, found.applicable)
    ratio = jnp.where(tells, _ratio(found.small, found.large), -1)
    worst = jnp.argmax(jnp.where(jnp.isnan(ratio), jnp.inf, ratio))
    tested = jnp.all(entries | ~found.applicable[:, None])
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


def examine(
    forms: tuple[Claim, ...], problem: Problem, points: Point, count: int, over: Mesh | None = None
) -> list[Evidence]:
    """The evidence of the first `count` draws of a chunk, for each form."""
    return collected(begun(forms, problem, points, over), count)


def silent(form: Claim, problem: Problem) -> str:
    """The sentence that names what a form assumes of the problem and is not certainly so; empty where all of it is."""
    if not form.of_problem:
        return ""

    def conditions(problem, constants):
        return tuple(condition(problem, constants) for _, condition in form.of_problem)

    true, doubt = jax.jit(full_precision(with_error(conditions)))(problem, dict(form.constants))
    lacking = [words for (words, _), yes, no in zip(form.of_problem, true, doubt, strict=True) if not yes or no]
    return f"It says nothing of this problem. It assumes: {'; '.join(lacking)}." if lacking else ""


def begun(forms: tuple[Claim, ...], problem: Problem, points: Point, over: Mesh | None = None) -> tuple[Evidence, ...]:
    """`check` of a chunk's points on the devices that they were drawn on (those that share the work), which keep what they
    find."""
    over, constants = over or mesh(), tuple(dict(form.constants) for form in forms)
    each = len(points.probe) // over.size
    return jax.block_until_ready(check(forms, constants, problem, points, batch_size(problem, each), over))


def collected(found: tuple[Evidence, ...], count: int) -> list[Evidence]:
    """What `begun` found of the first `count` draws, as NumPy's arrays."""
    return [jax.tree.map(lambda leaf: leaf[:count], whole(evidence)) for evidence in found]


def joined(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several chunks as one."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
