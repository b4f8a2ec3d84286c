"""The rows of claims, settled by decisions at points with every rounding enclosed."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ntkverify.certifying.at_points import POINTS, Certificate, Drawn, certified
from ntkverify.certifying.decision import PROVED, REFUTED
from ntkverify.ground.settings import Settings
from ntkverify.networks.nouns import IN_BALL, ON_PATH, Point, Problem
from ntkverify.statements.claim import Claim
from ntkverify.verifying.gathering import draws
from ntkverify.verifying.instances import Instance


class Counterexample(NamedTuple):
    """A point that refutes a form; `source` is the file of a user's own claim, or nothing."""

    form: Claim
    problem: Problem
    point: Point
    source: str


def settle(
    rows: Sequence[dict], instance: Instance, chosen: Sequence[tuple[Claim, ...]], sources: Mapping[str, str],
    settings: Settings, seconds: float, refuting: dict[str, Counterexample], progress,
    kept: Callable[[], None] = lambda: None,
) -> bool:  # fmt: skip
    """Decide each form at the worst of the first chunk of draws and of a search, and say so in its row of `rows`; whether
    Ctrl-C cut it short.

    Counterexamples go to `refuting`, by the name of the file that `check` reads; `kept` is called after each form.
    """
    problem = instance.problem
    drawn = Drawn(problem, {where: draws(settings, where) for where in (IN_BALL, ON_PATH)}, settings.seed, 1)
    judged = {(row["id"], row["form"]): row for row in rows}
    for forms in chosen:
        applicable = [judged[form.id, form.form]["applicable"] for form in forms]
        worst = drawn.worst(forms) if any(applicable) else [[] for _ in forms]
        for form, points in zip(forms, worst, strict=True):
            what = f"{instance.id}: certify {form.id} [{form.form}]"
            progress(what)
            began, row = time.perf_counter(), judged[form.id, form.form]
            if not row["applicable"]:
                progress(what, 1)
                continue
            found = certified(form, problem, points[:POINTS], seconds, settings.seed)
            file = f"counterexample-{instance.id}-{form.id}-{form.form}.npz" if found.counterexample else None
            if found.counterexample and file:
                refuting[file] = Counterexample(form, *found.counterexample, sources[form.id])
            put(row, found, file)
            row["seconds"] = round(row["seconds"] + time.perf_counter() - began, 3)
            progress(what, 1)
            if found.interrupted:
                return True
            kept()
    return False


def put(row: dict, found: Certificate, file: str | None) -> None:
    """Put a certificate into a claim's row: bracket, verdict and sentence."""
    if not found.decisions:
        return
    row["bracket"] = found.bracket(file)
    row["sentence"] += " " + found.sentence()
    if found.verdict == REFUTED and found.certain:
        row["verdict"] = "violated"
    elif found.verdict == PROVED and found.certain and row["verdict"] == "holds":
        row["verdict"] = PROVED  # points say nothing of a rate
    if file:
        row["sentence"] += f" The point is in {file}; ntkverify check judges it again."
