"""The verb `falsify`: the worst point of each form that a search finds, decided with every rounding enclosed and kept in
a file that `check` judges, and the smallest constants that the search leaves standing."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ntkverify import catalogue
from ntkverify.certifying.decision import PROVED, REFUTED, Decision, decide
from ntkverify.certifying.pointfile import save_point
from ntkverify.networks.nouns import Problem
from ntkverify.searching.falsifying import Found, conditional, falsify
from ntkverify.searching.tightening import tightest
from ntkverify.statements.claim import Claim


@dataclass(frozen=True)
class Falsified:
    """What became of one form."""

    form: Claim
    worst: Found
    decision: Decision
    """At the worst point."""
    path: Path
    """The point's file."""
    tightest: list[dict]
    """Rows of `tightest`; none after an interruption."""

    @property
    def refuted(self) -> bool:
        """Whether the point is a counterexample."""
        return self.decision.verdict == REFUTED

    @property
    def in_event(self) -> bool | None:
        """Whether the point satisfies the event whose probability the form promises; None where it promises none."""
        return self.decision.verdict in (PROVED, REFUTED) if conditional(self.form) else None

    def row(self) -> dict:
        """For results.json."""
        return _effort(self.worst) | {
            "form": self.form.form, "verdict": self.decision.verdict, "sentence": self.decision.sentence,
            "file": self.path.name, "satisfies_event": self.in_event, "tightest": self.tightest,
        }  # fmt: skip


def falsify_all(
    name: str, forms: Sequence[Claim], problem: Problem, folder: Path, budget: float, seed: int = 0,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Iterator[Falsified]:  # fmt: skip
    """The forms of the claim of that name (or file) one after the other, each searched for `budget` seconds and a quarter of
    it for each constant, compiling aside; the one that Ctrl-C interrupts is the last.

    Each point is in the folder before it is yielded: counterexample-FORM.npz, or worst-FORM.npz.
    """
    source = str(Path(name).resolve()) if catalogue.own(name) else ""
    for form in forms:
        worst = falsify(form, problem, budget, seed, heard)
        decision = decide(form, worst.problem, worst.point)
        path = folder / f"{'counterexample' if decision.verdict == REFUTED else 'worst'}-{form.form}.npz"
        save_point(path, form, worst.problem, worst.point, _effort(worst), source)
        yield Falsified(
            form, worst, decision, path,
            [] if worst.interrupted else tightest(form, problem, worst, budget / 4, seed),
        )  # fmt: skip
        if worst.interrupted:
            return


def _effort(worst: Found) -> dict:
    """The ratios as JSON holds them, and how many rounds they took."""
    return {
        "ratio": _finite(worst.ratio), "infinite": worst.ratio == math.inf, "drawn": _finite(worst.drawn),
        "restarts": worst.restarts,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    """None where the ratio is infinite, or the assumptions held nowhere."""
    return value if 0 <= value < math.inf else None
