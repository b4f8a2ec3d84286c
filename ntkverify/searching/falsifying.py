"""The verb `falsify`: search the worst point of an inequality, from below.

Free are W̃ in the product of balls around W, W itself, the inputs on their spheres and the signs a: in the setting
exactly, not up to rounding.
The worst of fresh draws, as they are and with W shrunk and stretched, and the best places so far are
improved by random moves, kept where they lead up, which need no gradient and are all there is where a
side cannot be differentiated; then by steepest ascent, in turns.

A form that promises 1 − δ because its assumptions are an event of that probability is searched where
the event happens: there it is deterministic.
"""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.ground.devices import alone, plain
from ntkverify.ground.environment import environment
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.numerics import random_key
from ntkverify.ground.shown import Kept, Shown
from ntkverify.judging.draws import CHUNK, point_bytes
from ntkverify.judging.evidence import silent
from ntkverify.judging.trial import tried
from ntkverify.networks.described import described
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import IN_BALL, Point, Problem
from ntkverify.networks.points import DIRECTIONS, draw_points
from ntkverify.networks.setting import rank
from ntkverify.searching.climbing import OUTSIDE, ascend, heights, point_at, proposals
from ntkverify.statements.claim import Claim
from ntkverify.statements.form import always

TAKEN, KEPT = 4, 8
"""Places that a round begins at; places that are kept, the best first."""
SCALES = (1.0, 0.1, 4.0)
"""What the drawn W is multiplied by."""
BATCH = CHUNK * len(DIRECTIONS)
"""Places whose heights are computed together, in one compiled program: the points of a chunk of draws."""
FRESH, WALKED = 4, 8
"""Every how many rounds the draws are new; batches of random moves in a round."""


@dataclass(frozen=True)
class Found(Shown):
    """The worst point, its ratio small / large, the worst that drawing alone gave, and the effort."""

    problem: Problem
    point: Point
    ratio: float
    """`OUTSIDE` if the assumptions held at no point that was tried."""
    drawn: float
    restarts: int
    seconds: float
    places: Any
    """The best places, stacked, for a search that goes on."""
    interrupted: bool
    claim: str
    form: str

    def kept(self) -> Kept:
        """One row, which no enclosure has decided; there are no draws and no arrays."""
        ratio, drawn = (value if 0 <= value < math.inf else None for value in (self.ratio, self.drawn))
        row = {
            "id": self.claim, "form": self.form, "verdict": "", "ratio": ratio, "infinite": self.ratio == math.inf, "drawn": drawn,
            "restarts": self.restarts, "tightest": [],
        }  # fmt: skip
        asked = {"claim": self.claim, "radius": float(self.problem.radius), "delta": float(self.problem.delta)}
        sentence = (
            f"{self.claim} [{self.form}]: the worst ratio that was found is {self.ratio:.6g}, drawing alone {self.drawn:.6g}; above 1 "
            "the floats violate the claim, below no search proves it."
        ) if self.ratio >= 0 else "The assumptions held at no point that was tried."  # fmt: skip
        results = {
            "verb": "falsify", "config": asked, "complete": not self.interrupted, "environment": environment(), "sentence": sentence,
            "problems": [described(self.problem)], "claims": [row],
        }  # fmt: skip
        return results, (), {}


def conditional(claim: Claim) -> bool:
    """Whether the claim's probability is that of its own assumptions, so that it is certain where they hold."""
    return claim.statement.promise != "1" and bool(claim.statement.assumes) and claim.assumptions is not always


def searchable(claim: Claim) -> None:
    """`BadInput` for a claim that has nothing to search over."""
    if claim.where != IN_BALL or claim.direction not in ("upper", "lower", "tight"):
        raise BadInput(
            f"{claim.id} [{claim.form}] has no free variables", "an inequality about a ball of weights, such as kernel-perturbation",
            f"ntkverify verify {claim.id}, or certify",
        )  # fmt: skip
    if claim.statement.promise != "1" and not conditional(claim):
        raise BadInput(
            f"{claim.id} [{claim.form}] holds with a probability",
            "a deterministic claim, or one whose assumptions are the event that has this probability",
            f"ntkverify verify {claim.id}",
        )


def is_searchable(claim: Claim) -> bool:
    """Whether `searchable` lets the claim pass."""
    try:
        searchable(claim)
    except BadInput:
        return False
    return True


def forms_to_search(name: str, problem: Problem, form: str | None = None) -> tuple[Claim, ...]:
    """The form so called of a claim, or all that can be searched; `BadInput` where there is none.  Those of a user's own
    file are tried first."""
    forms = catalogue.claims(name)
    if form is not None:
        named = {each.form: each for each in forms}
        forms = (named[choose("form", form, named)],)
    forms = _speaking(name, forms, problem, lambda each: elsewhere(each.statement.networks, problem.network))
    if catalogue.own(name):
        tried(forms, problem)
    forms = _speaking(name, forms, problem, lambda each: silent(each, problem))
    free = tuple(each for each in forms if is_searchable(each))
    if not free:
        searchable(forms[0])
    return free


def _speaking(
    name: str, forms: tuple[Claim, ...], problem: Problem, why_not: Callable[[Claim], str]
) -> tuple[Claim, ...]:
    """The forms that say something of the problem; `BadInput` where none does."""
    reasons = [why_not(each) for each in forms]
    if all(reasons):
        raise BadInput(f"{name} and --network {problem.network.name}", reasons[0], f"ntkverify show {name}")
    return tuple(each for each, reason in zip(forms, reasons, strict=True) if not reason)


def falsify(
    claim: Claim, problem: Problem, budget: float, seed: int = 0,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
    changed: dict[str, float] | None = None, known: Any = None,
) -> Found:  # fmt: skip
    """The worst point found within `budget` seconds, compiling aside (at least one round); Ctrl-C keeps the
    best so far.

    `changed` are constants to be used in place of the claim's own, `known` the `places` of an earlier
    search of the same problem to begin with.
    """
    searchable(claim)
    values = {**claim.constants, **(changed or {})}
    constants = {name: jnp.asarray(value, problem.X.dtype) for name, value in values.items()}
    rounds, smooth, interrupted, key = 0, True, False, random_key(seed)

    def weighed(places):
        return np.asarray(heights(claim, problem, places, constants)), places

    def walked(begin, key):
        """The best after `WALKED` batches of random moves from the best, fewer where time is up."""
        for each in jax.random.split(key, WALKED):
            there = proposals(problem, _taken(begin, _SHARES), jax.random.split(each, BATCH))
            begin = _best(begin, weighed(there))
            if time.monotonic() - began > budget:
                break
        return begin

    fresh = [weighed(places) for places in _drawn(problem, key)]
    drawn = float(fresh[0][0].max())
    jax.block_until_ready(
        proposals(problem, fresh[0][1], jax.random.split(key, BATCH))
    )  # compiled before the clock starts
    began, compiled = time.monotonic(), False
    kept = _best(*fresh) if known is None else _best(*fresh, weighed(_taken((None, known), np.arange(BATCH))))
    try:
        while rounds == 0 or time.monotonic() - began < budget:
            key_draw, key_walk, key_ascend = jax.random.split(jax.random.fold_in(key, rounds), 3)
            begin = kept
            if rounds % FRESH == FRESH - 1:
                fresh = [weighed(places) for places in _drawn(problem, key_draw)]
                drawn, begin = max(drawn, float(fresh[0][0].max())), _best(*fresh)
            begin = walked(begin, key_walk)
            kept = _best(kept, begin)
            rounds += 1
            if smooth and (rounds == 1 or time.monotonic() - began < budget):
                top = _taken(begin, np.array([0, 0, 1, 1 + rounds % (KEPT - 1)]))
                paused = time.monotonic()
                try:
                    climbed = ascend(claim, problem, top, constants, jax.random.split(key_ascend, TAKEN))
                    kept = _best(kept, climbed)
                except Exception:  # whatever differentiating the user's code raises: random moves go on
                    smooth = False
                if not compiled:  # the first ascent is mostly that
                    compiled, began = True, began + time.monotonic() - paused
            spent = time.monotonic() - began
            heard(f"{claim.id}: best ratio {kept[0][0]:.4g}", min(int(spent), int(budget)), max(int(budget), 1))
    except KeyboardInterrupt:
        interrupted = True
    place = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), kept[1])
    moved = dataclasses.replace(problem, X=place[0], rank=rank(place[0]))
    best, drawn = (max(float(ratio), OUTSIDE) for ratio in (kept[0][0], drawn))
    spent = time.monotonic() - began
    return Found(
        moved, point_at(problem, place), best, drawn, rounds, spent, kept[1], interrupted, claim.id, claim.form
    )


def search_bytes(n: int, d_in: int, d_out: int, m: int, itemsize: int) -> int:
    """About what a search takes: its batches of places, drawn, proposed and kept, and one ascent."""
    place = (2 * d_in + d_out) * m + n * d_in
    return (len(SCALES) + 5) * BATCH * place * itemsize + 3 * point_bytes(n, d_in, d_out, m, itemsize)


_SHARES = np.where(np.arange(BATCH) % 2 == 0, 0, np.arange(BATCH) // 2 % KEPT)
"""Which place each proposal of a batch begins at: every second one at the best."""


def _drawn(problem: Problem, key) -> list:
    """Fresh draws as places, `BATCH` for each of `SCALES`."""
    points = plain(draw_points(problem, jax.random.split(key, CHUNK), 1, alone()), alone())
    flat = jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:]), points)
    X = jnp.broadcast_to(problem.X, (BATCH, *problem.X.shape))
    return [(X, scale * flat.base.W, flat.moved.W - flat.base.W, flat.base.a) for scale in SCALES]


def _taken(group, order):
    """The places of a group, (heights, places), in that order; the last one where it holds fewer."""
    order = np.minimum(order, len(jax.tree.leaves(group[1])[0]) - 1)
    return jax.tree.map(lambda leaf: leaf[order], group[1])


def _best(*groups):
    """(heights, places) of the `KEPT` highest of several groups, the highest first."""
    values = np.concatenate([np.asarray(group[0]) for group in groups])
    order = np.argsort(-values, kind="stable")[:KEPT]
    places = jax.tree.map(lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves])[order], *(group[1] for group in groups))  # fmt: skip
    return values[order], places
