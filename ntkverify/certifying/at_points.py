"""Claims decided with every rounding enclosed, at the worst points of draws and of a search: the verb
`certify`, and `verify --certify`.

`proved` speaks of exactly the points that were decided, never of what lies between them.
"""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import jax
import numpy as np

from ntkverify import catalogue
from ntkverify.arithmetic import balls
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.certifying.decision import PROVED, REFUTED, UNDECIDED, Decision, decide
from ntkverify.ground.devices import alone
from ntkverify.ground.environment import environment
from ntkverify.ground.results import SCHEMA
from ntkverify.ground.shown import Results
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import Evidence, examine, silent
from ntkverify.judging.trial import tried
from ntkverify.networks.described import described
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import IN_BALL, ON_PATH, Model, Params, Point, Problem
from ntkverify.searching.falsifying import conditional, falsify, is_searchable
from ntkverify.statements.claim import Claim

METHOD = "ball arithmetic of the claim's jaxpr"
LARGEST = 10**11
"""Multiplications of balls that a decision may take, by `multiplications`: about a minute in float64."""
POINTS = 3
"""Draws whose worst point is decided for a claim."""


@dataclass
class Certificate:
    """What was decided about one form, and at how many points."""

    form: Claim
    decisions: list[Decision] = field(default_factory=list)
    searched: bool = False
    """Whether the last decision is that of a searched point."""
    best: float | None = None
    """log₁₀ of the best ratio that the search computed."""
    counterexample: tuple[Problem, Point] | None = None
    interrupted: bool = False

    def count(self, verdict: str) -> int:
        """How many points were decided so."""
        return sum(decision.verdict == verdict for decision in self.decisions)

    @property
    def verdict(self) -> str:
        """refuted if one point is, proved if every one is, otherwise undecided."""
        proved = self.decisions and self.count(PROVED) == len(self.decisions)
        return REFUTED if self.count(REFUTED) else PROVED if proved else UNDECIDED

    @property
    def certain(self) -> bool:
        """Whether one refuted point refutes the form."""
        return self.form.statement.promise == "1" or conditional(self.form)

    def bracket(self, file: str | None = None) -> dict:
        """The row's `bracket`: log₁₀ of the largest ratio found, and of what it was proved to be at most."""
        low, high = (
            [value for each in self.decisions if (value := getattr(each, name)) is not None] for name in ("low", "high")
        )
        found = low + ([self.best] if self.best is not None else [])
        return {
            "kind": "point", "found": max(found, default=None), "above": max(high, default=None),
            "proved": self.verdict == PROVED, "radius": None, "method": METHOD, "counterexample": file,
            "points": {word: self.count(word) for word in (PROVED, REFUTED, UNDECIDED)}, "searched": self.searched,
        }  # fmt: skip

    def sentence(self) -> str:
        """What was decided where, in words."""
        drawn = len(self.decisions) - self.searched
        where = [f"the worst of {drawn} draws"] if drawn else []
        where += ["the worst that a search found"] if self.searched else []
        total = len(self.decisions)
        of = f"{total} point{'s' if total > 1 else ''} ({' and '.join(where)})"
        if self.verdict == PROVED:
            return f"Proved, every rounding enclosed, at exactly {of}; not between them."
        counts = ", ".join(f"{self.count(word)} {word}" for word in (PROVED, REFUTED, UNDECIDED) if self.count(word))
        shown = next(each for each in self.decisions if each.verdict == self.verdict)
        allowed = (
            "" if self.certain or self.verdict != REFUTED else " It holds with a probability, so no point refutes it."
        )
        return f"Of {of}, every rounding enclosed: {counts}. {shown.sentence}{allowed}"


def multiplications(problem: Problem) -> int:
    """About how many products of balls it takes to enclose logits, a kernel and its eigenvalues."""
    nd = problem.n * problem.d_out
    if isinstance(problem.network, Model):  # a few passes for each output, and products of Jacobians
        return 8 * nd * problem.p + nd * nd * problem.p + 3 * nd**3
    return problem.n * problem.m * (problem.d_in + problem.d_out) + nd * nd * problem.m + 3 * nd**3


def too_large(problem: Problem) -> str:
    """Why the problem is too large to be decided, or nothing."""
    needed = multiplications(problem)
    if needed <= LARGEST:
        return ""
    return (
        f"Deciding a point takes about {needed:.0e} products of balls, more than {LARGEST:.0e}: a smaller --m or --n."
    )


def worst_points(forms: Sequence[Claim], problem: Problem, points: Point, count: int) -> list[list[Point]]:
    """For each form, each applicable draw's worst point, the worst draw first; `points` are a chunk of draws.

    A draw whose worst ratio is no number stays in, last: its point is what is to be decided.  Where no ratio can be bounded,
    because a formula uses what the running bounds do not cover, it is each draw's first point.
    """
    try:
        return [_ordered(evidence, points) for evidence in examine(tuple(forms), problem, points, count, alone())]
    except UnknownOperation:
        first = [jax.tree.map(lambda leaf, draw=draw: leaf[draw, 0], points) for draw in range(count)]
        return [first for _ in forms]


def _ordered(evidence: Evidence, points: Point) -> list[Point]:
    ratio = np.nan_to_num(evidence.ratio, nan=-1.0, posinf=np.inf)
    draws = [draw for draw in np.argsort(-ratio, kind="stable") if evidence.applicable[draw]]
    return [jax.tree.map(lambda leaf, draw=draw: leaf[draw, evidence.place[draw]], points) for draw in draws]


def certified(
    form: Claim, problem: Problem, points: Sequence[Point], seconds: float, seed: int = 0,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Certificate:  # fmt: skip
    """Decide the form at the points, and, where it can be searched, at the worst point that a search of
    `seconds` finds (0: none).  After Ctrl-C, what was decided so far."""
    found = Certificate(form)
    if reason := elsewhere(form.statement.networks, problem.network) or too_large(problem):
        found.decisions.append(Decision(UNDECIDED, reason))
        return found
    try:
        found.decisions += [decide(form, problem, point) for point in points]
        if seconds > 0 and is_searchable(form):
            worst = falsify(form, problem, seconds, seed, heard)
            found.interrupted = worst.interrupted
            if worst.ratio >= 0:
                found.decisions.append(decide(form, worst.problem, worst.point))
                found.searched = True
                found.best = math.log10(worst.ratio) if 0 < worst.ratio < math.inf else None
                if found.decisions[-1].verdict == REFUTED:
                    found.counterexample = worst.problem, worst.point
    except KeyboardInterrupt:
        found.interrupted = True
    if found.counterexample is None:
        refuted = [point for point, each in zip(points, found.decisions, strict=False) if each.verdict == REFUTED]
        found.counterexample = (problem, refuted[0]) if refuted and found.certain else None
    return found


def certify(
    names: Sequence[str], problem: Problem, draws: int, seed: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
    row: Mapping | None = None, config: Mapping | None = None,
) -> Results:  # fmt: skip
    """Decide each form of the claims at each draw's worst point; the content of results.json, whose `complete` is False after
    Ctrl-C.  `row` describes the problem, `config` what was asked, where more is known than arrays."""
    for name in names:  # all of them, before any file is executed
        catalogue.statements(name)
    claims = [(name, catalogue.claims(name)) for name in names]
    for name, forms in claims:
        if catalogue.own(name):
            tried(forms, problem)
    rows, spectra, complete, drawn = [], [], True, Drawn(problem, {IN_BALL: draws, ON_PATH: draws}, seed)
    try:
        _, points = next(chunks(problem, draws, seed, mesh=alone()))
        for draw in range(min(draws, len(points.probe))):
            heard("λ_min(H)", 0, len(claims))
            base = jax.tree.map(lambda leaf, draw=draw: leaf[draw, 0], points.base)
            spectra.append(smallest_eigenvalue(problem, base))
        for done, (_, forms) in enumerate(claims):
            heard(forms[0].id, done, len(claims))
            for form, points in zip(forms, drawn.worst(forms), strict=True):
                began = time.perf_counter()
                found = certified(form, problem, points[:draws], 0.0)
                if found.interrupted:
                    raise KeyboardInterrupt
                rows.append(_row(found, problem, time.perf_counter() - began))
    except KeyboardInterrupt:
        complete = False
    scales = {"delta": float(problem.delta), "radius": float(problem.radius)}
    return Results({
        "schema": SCHEMA, "verb": "certify", "config": config or {"claims": list(names), "seeds": draws, "seed": seed} | scales,
        "problems": [row or described(problem)], "kernels": [], "complete": complete, "environment": environment(),
        "lambda_certified": spectra, "claims": rows,
    })  # fmt: skip


def smallest_eigenvalue(problem: Problem, params: Params) -> list[float | None]:
    """[low, high] around λ_min(H) at these floats, every rounding enclosed; None where there is no bound."""
    H = in_balls(lambda params: kernel(problem, params))(params)
    return [end if np.isfinite(end) else None for end in balls.smallest_eigenvalue(H)]


class Drawn:
    """The draws of a problem, so many in the ball and on a path, made once; only the first `chunks` of them."""

    def __init__(self, problem: Problem, draws: Mapping[str, int], seed: int, chunks: int | None = None):
        self.problem, self.draws, self.seed, self.chunks = problem, draws, seed, chunks
        self.known: dict[str, list] = {}

    def worst(self, forms: Sequence[Claim]) -> list[list[Point]]:
        """`worst_points` of all draws, for each form."""
        place = ON_PATH if forms[0].where == ON_PATH else IN_BALL
        here = [form for form in forms if not elsewhere(form.statement.networks, self.problem.network)]
        if len(here) < len(forms):  # formulas about other networks may not even fit
            found = dict(zip(here, self.worst(here), strict=True)) if here else {}
            return [found.get(form, []) for form in forms]
        if forms[0].direction == "order":
            return [[jax.tree.map(lambda leaf: leaf[0, 0], self._points(place)[0][1])] for _ in forms]
        parts = [worst_points(forms, self.problem, points, count) for count, points in self._points(place)]
        return [[point for part in parts for point in part[index]] for index in range(len(forms))]

    def _points(self, place: str) -> list:
        if place not in self.known:
            every = chunks(
                self.problem, self.draws[place], self.seed, place, alone()
            )  # on however many devices the same
            self.known[place] = list(itertools.islice(every, self.chunks))
        return self.known[place]


def _row(found: Certificate, problem: Problem, seconds: float) -> dict:
    form, counts = found.form, found.bracket()["points"]
    nowhere = silent(form, problem) or "The assumptions held on no draw."
    return {
        "id": form.id, "form": form.form, "title": form.statement.title, "verdict": found.verdict,
        "sentence": found.sentence() if found.decisions else nowhere,
        "points": ", ".join(f"{count} {word}" for word, count in counts.items() if count), "seconds": round(seconds, 3),
        "bracket": found.bracket(),
    }  # fmt: skip
