"""A study's results.json → report.html and figures/.  Needs neither JAX nor the runs.

Which figures a study has is told by its results: `figures` is a list of records whose `kind` names
one of the drawers here.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from ntkverify.ground.results import REPORT, load, table, write
from ntkverify.report.figures import INK, SERIES, SHAPES, STYLE, VIOLATED, Drawing
from ntkverify.report.glossary import GLOSSARY
from ntkverify.report.page import command, environment, save_figures
from ntkverify.report.parameters import meaning
from ntkverify.report.pictures import clouds, field, images, lines


def draw_study(path: Path) -> Path:
    """Write `report.html` and `figures/` from a study's folder.  Returns the report's path."""
    results = load(path)
    found = drawings(results, (), {})
    page = environment().get_template("study.html").render(
        results=results, command=command(results), drawings=found, asked=_asked(results), words=_words(results),
        failed=[cell for cell in results["cells"] if cell["outcome"] not in results["done"]],
    )  # fmt: skip
    save_figures(path, found)
    write(path / REPORT, page)
    return path / REPORT


def drawings(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """The figures of the report, each caption with what is the same everywhere."""
    every = [drawing for spec in results["figures"] if (drawing := DRAWERS[spec["kind"]](results, spec))]
    return [dataclasses.replace(each, caption=f"{each.caption} {_setting(results)}") for each in every]


def _asked(results: Mapping) -> list[dict]:
    """The grid's parameters, with what each is."""
    return [
        {"name": name, "given": ", ".join(map(_value, value if isinstance(value, list) else [value]))}
        | {"meaning": meaning(results["study"], name)}
        for name, value in results["config"]["grid"].items()
    ]


TOLD = ("data", "network", "n", "d", "d_in", "d_out", "m", "sigma", "target", "epsilon", "seeds", "draws")
"""What a caption tells of the grid, where it has one value."""


def _setting(results: Mapping) -> str:
    """What is the same everywhere in the figures."""
    fixed = {
        name: value[0] if isinstance(value, list) else value
        for name, value in results["config"]["grid"].items()
        if name in TOLD and (not isinstance(value, list) or len(value) == 1)
    }
    said = ", ".join(f"{name} = {_value(value)}" for name, value in fixed.items())
    return f"Everywhere {said}." if said else ""


def _value(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(results: Mapping) -> dict[str, str]:
    """The words of the glossary that the page uses."""
    said = [results["answer"], results["title"], *results["notes"]]
    said += [spec[key] for spec in results["figures"] for key in ("caption", "xlabel", "ylabel") if key in spec]
    for each in results["tables"]:
        said += [each["name"], *each["columns"], *(row[0] for row in each["rows"])]
    text = " ".join(said)
    return {
        words: sentence
        for words, sentence in GLOSSARY.items()
        if any(re.search(rf"(?<![\w*]){re.escape(word)}(?![\w*])", text) for word in words.split(", "))
    }


def curves(results: Mapping, spec: Mapping) -> Drawing | None:
    """A quantity against a parameter, median and range over seeds, one panel a value of another parameter.

    `references` are lines drawn beside: {label, exponent}, put through the first series' first point, or
    {label, points}.
    """
    rows = _ranges(results, spec)
    if not rows:
        return None
    series = list(dict.fromkeys(row["series"] for row in rows))
    panels = list(dict.fromkeys(row["panel"] for row in rows))
    with matplotlib.rc_context(STYLE):
        keys = len(series) + len(spec.get("references", ()))
        columns = min(keys, 4 if len(panels) > 1 else 2)
        height = 3.1 + 0.17 * -(-keys // columns)
        figure = Figure(figsize=(7.4 if len(panels) > 1 else 5.0, height), layout="constrained")
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for panel, name in zip(every, panels, strict=True):
            for index, one in enumerate(series):
                own = sorted((r for r in rows if (r["series"], r["panel"]) == (one, name)), key=lambda r: r["x"])
                x, colour = [row["x"] for row in own], SERIES[index % len(SERIES)]
                panel.fill_between(x, [r["low"] for r in own], [r["high"] for r in own], color=colour, alpha=0.15, lw=0)
                middle = [row["median"] for row in own]
                panel.plot(x, middle, color=colour, marker=SHAPES[index % len(SHAPES)], ms=4, label=str(one))
            _references(panel, [row for row in rows if row["panel"] == name], spec.get("references", ()))
            kind = spec.get("panels", spec.get("panel"))
            title = f"{name} start" if kind == "init" else f"{kind}: {name}" if name else ""
            panel.set(xscale="log", yscale=spec.get("yscale", "log"), xlabel=spec["xlabel"], title=title)
            places = sorted({row["x"] for row in rows})
            places = places[:: -(-len(places) // 5)]
            panel.set_xticks(places, labels=[f"{place:g}" for place in places])
            panel.xaxis.set_minor_locator(NullLocator())
        if spec.get("references"):  # steep lines shall not flatten what was measured
            every[0].set_ylim(min(row["low"] for row in rows) / 1.5, 6 * max(row["high"] for row in rows))
        every[0].set_ylabel(spec["ylabel"])
        figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=7)
        return Drawing(spec["name"], figure, table(tuple(rows[0]), rows), spec["caption"])


def metrics(results: Mapping, spec: Mapping) -> Drawing | None:
    """Several widths against one parameter as log₁₀, median and range over seeds, one panel a value of another."""
    rows = []
    for cell in results["cells"]:
        wanted = all(cell["params"][name] == value for name, value in spec["where"].items())
        for metric in spec["metrics"] if wanted and cell["outcome"] in results["done"] else ():
            if value := cell["metrics"].get(metric["y"]):
                place = {
                    "panel": cell["params"][spec["panel"]],
                    "series": metric["label"],
                    "x": cell["params"][spec["x"]],
                }
                rows.append(place | {"log10": value if metric.get("log") else float(np.log10(value))})
    if not rows:
        return None
    panels, series = (list(dict.fromkeys(row[key] for row in rows)) for key in ("panel", "series"))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 2.4 * len(panels), 3.4 + 0.1 * len(series)), layout="constrained")
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, name in zip(every, panels, strict=True):
            for index, one in enumerate(series):
                own = [row for row in rows if (row["panel"], row["series"]) == (name, one)]
                places = sorted({row["x"] for row in own})
                found = [[row["log10"] for row in own if row["x"] == place] for place in places]
                colour = (*SERIES, "#999999")[index % 8]
                axes.fill_between(
                    places, [min(v) for v in found], [max(v) for v in found], color=colour, alpha=0.15, lw=0
                )
                middle = [float(np.median(v)) for v in found]
                axes.plot(places, middle, color=colour, marker=SHAPES[index % len(SHAPES)], ms=4, label=one)
            axes.set(xscale="log", yscale="log", xlabel=spec["xlabel"], title=name)
            places = sorted({row["x"] for row in rows})
            axes.set_xticks(places, labels=[f"{place:g}" for place in places])
            axes.xaxis.set_minor_locator(NullLocator())
            least, most = (end(row["log10"] for row in rows) for end in (min, max))
            every_tick = (0.5, 1, 2, 5, 10, 20, 50, 100, 200) if most > 20 else (0.5, 1, 1.5, 2, 3, 4, 5, 7, 10)
            ticks = [tick for tick in every_tick if 0.7 * least <= tick <= 1.5 * most]
            axes.set_yticks(ticks, labels=[f"{t:g}" for t in ticks])
            axes.yaxis.set_minor_locator(NullLocator())
        every[0].set_ylabel(spec["ylabel"])
        figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
        return Drawing(spec["name"], figure, table(tuple(rows[0]), rows), spec["caption"])


def _references(panel, rows: Sequence[Mapping], references: Sequence[Mapping]) -> None:
    places = sorted({row["x"] for row in rows})
    for index, reference in enumerate(references):
        if "points" in reference:
            x, y = zip(*reference["points"], strict=True)
        else:
            first = next(row for row in rows if row["x"] == places[0])
            x, y = places, [first["median"] * (place / places[0]) ** reference["exponent"] for place in places]
        panel.plot(x, y, color=INK, alpha=0.6, lw=1, dashes=(1 + index, 1 + index % 3), label=reference["label"])


def _ranges(results: Mapping, spec: Mapping) -> list[dict]:
    """Low, median and high of `y` over the seeds of each cell; `low` and `high` may be metrics of their own."""
    found: dict[tuple, list[tuple]] = {}
    for cell in results["cells"]:
        values = [cell["metrics"].get(spec.get(name, spec["y"])) for name in ("low", "y", "high")]
        keys = tuple(cell["params"][spec[key]] if spec.get(key) else "" for key in ("series", "panel", "x"))
        wanted = all(cell["params"][name] == value for name, value in spec.get("where", {}).items())
        shown = values[1] is not None and (values[1] > 0 or spec.get("yscale") == "linear")  # no zero on log axes
        if cell["outcome"] in results["done"] and wanted and shown:
            found.setdefault(keys, []).append(tuple(value or values[1] for value in values))
    return [
        dict(zip(("series", "panel", "x"), key, strict=True))
        | {"low": min(low), "median": float(np.median(middle)), "high": max(high), "seeds": len(values)}
        for key, values in found.items()
        for low, middle, high in [zip(*values, strict=True)]
    ]


def forest(results: Mapping, spec: Mapping) -> Drawing | None:
    """Values with their intervals, one a line, beside what was predicted."""
    rows = spec["rows"]
    if not rows:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 1.15 + 0.27 * len(rows)))
        axes = figure.subplots()
        for place, row in enumerate(rows):
            axes.plot([row["low"], row["high"]], [place, place], color=SERIES[0], linewidth=2)
            axes.scatter([row["value"]], [place], s=20, color=SERIES[0])
            if row.get("predicted") is not None:
                axes.scatter([row["predicted"]], [place], s=30, marker="|", color=VIOLATED)
        if spec.get("predicted"):
            axes.scatter([], [], s=30, marker="|", color=VIOLATED, label=spec["predicted"])
            axes.plot([], [], color=SERIES[0], lw=2, marker="o", ms=4, label="measured, 95% interval")
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        if spec["log"]:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_formatter(
                FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
            )
            axes.axvline(1, color=INK, linewidth=1)
        elif spec.get("zero"):
            axes.axvline(0, color=INK, linewidth=1)
        axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel=spec["xlabel"])
        figure.tight_layout()
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        return Drawing(spec["name"], figure, table(columns, rows), spec["caption"])


DRAWERS = {
    "curves": curves, "forest": forest, "metrics": metrics, "lines": lines, "clouds": clouds, "field": field, "images": images,
}  # fmt: skip
