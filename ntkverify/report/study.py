"""A study's results.json → report.html and figures/.  Needs neither JAX nor the runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ntkverify.report.figures import SERIES, SHAPES, STYLE, VIOLATED, Drawing, svg
from ntkverify.report.page import command, environment, save_figures
from ntkverify.results import REPORT, load, table, write


def draw_study(path: Path) -> Path:
    """Write `report.html` and `figures/` from a study's folder.  Returns the report's path."""
    results = load(path)
    drawings = [scaling(results, quantity, label) for quantity, label in results["quantities"].items()]
    drawings.append(forest(results, "drift"))
    page = environment().get_template("study.html").render(
        results=results, command=command(results), drawings=[drawing for drawing in drawings if drawing],
        failed=[cell for cell in results["cells"] if cell["outcome"] != "converged"],
    )  # fmt: skip
    save_figures(path, drawings)
    write(path / REPORT, page)
    return path / REPORT


def scaling(results: Mapping, quantity: str, label: str) -> Drawing | None:
    """A quantity against m, median and range over seeds, one panel a kind of start."""
    rows = _ranges(results["cells"], quantity)
    if not rows:
        return None
    networks = list(dict.fromkeys(row["network"] for row in rows))
    starts = list(dict.fromkeys(row["init"] for row in rows))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 3.3))
        panels = figure.subplots(1, len(starts), sharey=True, squeeze=False)[0]
        for panel, init in zip(panels, starts, strict=True):
            for index, network in enumerate(networks):
                own = [row for row in rows if (row["network"], row["init"]) == (network, init)]
                m = [row["m"] for row in own]
                panel.fill_between(
                    m, [r["low"] for r in own], [r["high"] for r in own], color=SERIES[index], alpha=0.15, lw=0
                )
                panel.plot(
                    m, [r["median"] for r in own], color=SERIES[index], marker=SHAPES[index], ms=4, label=network
                )
            panel.set(xscale="log", yscale="log", xlabel="width m", title=f"{init} start")
            widths = sorted({row["m"] for row in rows})
            panel.set_xticks(widths[:: -(-len(widths) // 5)], labels=[str(m) for m in widths[:: -(-len(widths) // 5)]])
            panel.xaxis.set_minor_locator(NullLocator())
        panels[0].set_ylabel(label)
        panels[-1].legend()
        figure.tight_layout()
        caption = "Median and range over seeds of networks that converged."
        return Drawing(f"{quantity}-against-m", svg(figure), table(tuple(rows[0]), rows), caption)


def _ranges(cells: Sequence[Mapping], quantity: str) -> list[dict]:
    found: dict[tuple, list[float]] = {}
    for cell in cells:
        value = cell["metrics"][quantity]
        if cell["outcome"] == "converged" and value:
            found.setdefault(tuple(cell["params"][key] for key in ("network", "init", "m")), []).append(value)
    return [
        dict(zip(("network", "init", "m"), key, strict=True))
        | {"low": min(values), "median": float(np.median(values)), "high": max(values), "seeds": len(values)}
        for key, values in found.items()
    ]


def forest(results: Mapping, quantity: str) -> Drawing | None:
    """The exponents with their intervals, beside what was predicted."""
    fits = [fit for fit in results["fits"] if fit["quantity"] == quantity and fit["exponent"] is not None]
    if not fits:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 0.9 + 0.27 * len(fits)))
        axes = figure.subplots()
        for place, fit in enumerate(fits):
            axes.plot([fit["low"], fit["high"]], [place, place], color=SERIES[0], linewidth=2)
            axes.scatter(
                [fit["exponent"]], [place], s=20, color=SERIES[0], label="" if place else "measured, 95% interval"
            )
            axes.scatter(
                [fit["predicted"]], [place], s=30, marker="|", color=VIOLATED, label="" if place else "linear in R"
            )
        axes.set_yticks(range(len(fits)), [fit["group"] for fit in fits])
        axes.set(ylim=(len(fits) - 0.5, -0.5), xlabel="exponent of m of the relative drift")
        axes.legend(loc="lower right")
        figure.tight_layout()
        columns = ("group", "exponent", "low", "high", "predicted", "seeds")
        rows = [{name: fit[name] for name in columns} for fit in fits]
        caption = "Exponents of the kernel's relative drift, beside what the perturbation lemma, linear in R, predicts."
        return Drawing(f"{quantity}-exponents", svg(figure), table(columns, rows), caption)
