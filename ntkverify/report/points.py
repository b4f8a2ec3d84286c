"""results.json of `certify` and of `falsify` → report.html and figures/.  Needs neither JAX nor the run."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ntkverify.ground.results import REPORT, load, table, write
from ntkverify.report import words
from ntkverify.report.figures import INK, SERIES, STYLE, VIOLATED, Drawing, certificates, fitting
from ntkverify.report.page import command, environment, save_figures

_DECIDED = (
    "The mark is the largest ratio of the two sides at the points that were decided, the bar what it was proved to be at most "
    "there. It speaks of these points, not of what lies between them."
)
_SEARCHED = (
    "The worst ratio that drawing alone gave, and what the search made of it; the shaded side would be a violation."
)


def draw_decisions(path: Path) -> Path:
    """Write `report.html` and `figures/` from a folder that `certify` wrote.  Returns the report's path."""
    return _draw(path, "decisions.html", decided)


def draw_search(path: Path) -> Path:
    """Write `report.html` and `figures/` from a folder that `falsify` wrote.  Returns the report's path."""
    return _draw(path, "search.html", searched)


def _draw(path: Path, template: str, drawings) -> Path:
    results = load(path)
    found = drawings(results, (), {})
    page = environment().get_template(template).render(
        results=results, problem=results["problems"][0], command=command(results), drawings=found, words=words,
    )  # fmt: skip
    save_figures(path, found)
    write(path / REPORT, page)
    return path / REPORT


def decided(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """What was decided of each claim."""
    problem = results["problems"][0]["id"]
    drawing = certificates([row | {"problem": problem} for row in results["claims"]], draws, _DECIDED)
    return [drawing] if drawing else []


def searched(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """What was found of each form."""
    rows = [
        {"claim": f"{row['id']} [{row['form']}]", "drawn": math.log10(row["drawn"] or ratio), "searched": math.log10(ratio)}
        for row in results["claims"] if (ratio := row["ratio"])
    ]  # fmt: skip
    if not rows:
        return []
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 1.2 + 0.3 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows):
            axes.plot([row["drawn"], row["searched"]], [place, place], color=SERIES[0], lw=1.5)
        places = range(len(rows))
        axes.scatter(
            [row["drawn"] for row in rows], places, s=22, c="white", edgecolors=SERIES[0], zorder=3, label="drawn"
        )
        axes.scatter([row["searched"] for row in rows], places, s=22, c=SERIES[0], zorder=3, label="searched")
        low, high = (end(row["searched"] for row in rows) for end in (min, max))
        low = min(low, *(row["drawn"] for row in rows))
        axes.axvline(0, color=INK, lw=1)
        axes.axvspan(0, max(2 * high, 1), color=VIOLATED, alpha=0.07, lw=0)
        axes.set_xscale("symlog", linthresh=1)
        axes.set(
            xlim=(min(2 * low, -1), max(2 * high, 1)),
            ylim=(len(rows) - 0.5, -0.5),
            xlabel="log₁₀ of the ratio of the sides",
        )
        axes.set_yticks(places, [fitting(row["claim"]) for row in rows])
        figure.legend(loc="outside upper right", ncols=2)
        return [Drawing("search", figure, table(tuple(rows[0]), rows), _SEARCHED)]
