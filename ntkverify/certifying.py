"""The verb `certify`: claims at drawn points, decided by enclosures."""

import time
from collections.abc import Callable, Sequence

import jax
import numpy as np

from ntkverify import balls, catalogue
from ntkverify.deciding import PROVED, REFUTED, UNDECIDED, Decision, decide
from ntkverify.environment import environment
from ntkverify.float_enclosures import in_balls
from ntkverify.judge import chunks, examine
from ntkverify.kernels.closed_form import closed_form
from ntkverify.lemmas import tried
from ntkverify.nouns import AT_START, Claim, Params, Point, Problem


def certify(
    names: Sequence[str], problem: Problem, draws: int, seed: int,
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict:  # fmt: skip
    """Decide each form of the claims at each draw's worst point; `complete` is False after Ctrl-C."""
    forms = []
    for name in names:
        forms += (own := catalogue.claims(name))
        if catalogue.own(name):
            tried(own, problem)
    rows, spectra, complete = [], [], True
    try:
        _, points = next(chunks(problem, draws, seed))
        for draw in range(min(draws, len(points.probe))):
            heard("λ_min(H)", 0, len(forms))
            base = jax.tree.map(lambda leaf, draw=draw: leaf[draw, 0], points.base)
            spectra.append(smallest_eigenvalue(problem, base))
        for done, form in enumerate(forms):
            heard(f"{form.id} [{form.form}]", done, len(forms))
            began, found = time.perf_counter(), []
            if form.direction == "order":
                found = [decide(form, problem, next(chunks(problem, 1, seed))[1])]
            else:
                for count, points in chunks(problem, draws, seed, form.where):
                    worst = _worst(form, problem, points)
                    for draw in range(count):
                        at = worst[draw]
                        point = jax.tree.map(lambda leaf, draw=draw, at=at: leaf[draw, at], points)
                        found.append(decide(form, problem, point))
            rows.append(_row(form, found, time.perf_counter() - began))
    except KeyboardInterrupt:
        complete = False
    return {"complete": complete, "environment": environment(), "lambda_certified": spectra, "claims": rows}


def smallest_eigenvalue(problem: Problem, params: Params) -> list[float | None]:
    """[low, high] around λ_min(H) at these floats, every rounding enclosed; None where there is no bound."""
    H = in_balls(lambda params: closed_form(problem, params))(params)
    return [end if np.isfinite(end) else None for end in balls.smallest_eigenvalue(H)]


def _worst(form: Claim, problem: Problem, points: Point) -> np.ndarray:
    """For each draw the index of the point where small / large is largest."""
    count, places = jax.tree.leaves(points)[0].shape[:2]
    if form.where == AT_START:
        return np.zeros(count, int)
    ratios = []
    for place in range(places):
        one = jax.tree.map(lambda leaf, place=place: leaf[:, place : place + 1], points)
        (evidence,) = examine((form,), problem, one, count)
        ratios.append(np.where(evidence.applicable, np.nan_to_num(evidence.ratio, nan=-1.0, posinf=1e300), -1))
    return np.argmax(ratios, axis=0)


def _row(form: Claim, found: Sequence[Decision], seconds: float) -> dict:
    counts = {word: sum(decision.verdict == word for decision in found) for word in (PROVED, REFUTED, UNDECIDED)}
    verdict = REFUTED if counts[REFUTED] else PROVED if counts[PROVED] == len(found) else UNDECIDED
    shown = next(decision for decision in found if decision.verdict == verdict)
    low, high = ([getattr(d, name) for d in found if getattr(d, name) is not None] for name in ("low", "high"))
    return {
        "id": form.id, "form": form.form, "title": form.statement.title, "verdict": verdict, "sentence": shown.sentence,
        "points": ", ".join(f"{count} {word}" for word, count in counts.items() if count), "seconds": round(seconds, 3),
        "bracket": {
            "kind": "point", "found": max(low, default=None), "above": max(high, default=None),
            "proved": verdict == PROVED, "radius": None, "method": "ball arithmetic of the claim's jaxpr (Arb)",
            "counterexample": None,
        },
    }  # fmt: skip
