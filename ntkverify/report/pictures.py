"""Figures whose data stand in the results themselves: curves with bands, samples, vector fields, images."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ntkverify.ground.results import table
from ntkverify.report.figures import INK, SERIES, SHAPES, STYLE, Drawing

QUIET = {**STYLE, "axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}


def lines(results: Mapping, spec: Mapping) -> Drawing | None:
    """Curves with their bands on log-log axes, one panel a value of `panel`; `marks` are vertical lines.  With `scale` linear, on plain
    axes and dashed in turn, so that curves that coincide are seen.

    Rows are {panel, series, x, value, low, high}; `bold` names the series drawn thick, `floor` cuts the axis
    below that share of the largest value.
    """
    scale = spec.get("scale", "log")
    rows = [row for row in spec["rows"] if row["value"] > 0 or scale == "linear"]
    if not rows:
        return None
    panels, series = (list(dict.fromkeys(row[key] for row in rows)) for key in ("panel", "series"))
    palette = [colour for colour in SERIES if colour != "#000000"]  # black is for what is bold
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.6 if len(panels) > 1 else 5.0, 3.4), layout="constrained")
        every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(every, panels, strict=True):
            for index, name in enumerate(series):
                own = sorted((r for r in rows if (r["panel"], r["series"]) == (panel, name)), key=lambda r: r["x"])
                bold = name == spec.get("bold")
                colour = INK if bold else palette[index % len(palette)]
                x, value, low, high = ([row[key] for row in own] for key in ("x", "value", "low", "high"))
                least = low if scale == "linear" else np.maximum(low, 1e-300)
                axes.fill_between(x, least, high, color=colour, alpha=0.15, lw=0)
                style: dict = {
                    "marker": None if bold else SHAPES[index % len(SHAPES)],
                    "ms": 3,
                    "lw": 2 if bold else 1.2,
                }
                if scale == "linear":
                    style |= {"marker": None, "lw": 2, "ls": ("-", "-", "--", ":")[index % 4]}
                axes.plot(x, value, color=colour, label=name, **style)
            for mark in spec["marks"]:
                if mark["panel"] == panel:
                    axes.axvline(mark["x"], color=INK, lw=1, ls=mark["style"], alpha=0.7)
            axes.set(xscale=scale, yscale=scale, xlabel=spec["xlabel"], title=panel)
        top = max(row["value"] for row in rows)
        if "floor" in spec:
            every[0].set_ylim(max(spec["floor"] * top, min(row["value"] for row in rows) / 1.5), 2 * top)
        every[0].set_ylabel(spec["ylabel"])
        handles = {label: handle for axes in every for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}  # fmt: skip
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=min(len(handles), 4))
        columns = ("panel", "series", "x", "value", "low", "high")
        return Drawing(spec["name"], figure, table(columns, rows), spec["caption"])


def clouds(results: Mapping, spec: Mapping) -> Drawing | None:
    """Samples in the plane, one panel each, on common axes, which `limits` may move."""
    panels = [panel for panel in spec["panels"] if panel["points"]]
    if not panels:
        return None
    wide, high = spec.get("limits", ((-3, 3), (-3, 3)))
    with matplotlib.rc_context(QUIET):
        figure, every = _panels(len(panels))
        for axes, panel in zip(every, panels, strict=True):
            points = _pairs(panel["points"])
            axes.scatter(points[:, 0], points[:, 1], s=5, color=SERIES[0], alpha=0.5, linewidths=0)
            axes.set(xlim=wide, ylim=high, aspect="equal", xticks=[], yticks=[])
            axes.set_title(panel["title"], fontsize=8)
        rows = [
            {"panel": panel["title"], "x": x, "y": y} for panel in panels for x, y in _pairs(panel["points"]).tolist()
        ]
        return Drawing(spec["name"], figure, table(("panel", "x", "y"), rows), spec["caption"])


def field(results: Mapping, spec: Mapping) -> Drawing | None:
    """Arrows on a grid, one panel each, all to one scale."""
    longest = max(float(np.linalg.norm(np.asarray(panel["v"]), axis=1).max()) for panel in spec["panels"])
    with matplotlib.rc_context(QUIET):
        figure, every = _panels(len(spec["panels"]))
        for axes, panel in zip(every, spec["panels"], strict=True):
            x, v = np.asarray(panel["x"]), np.asarray(panel["v"])
            axes.quiver(x[:, 0], x[:, 1], v[:, 0], v[:, 1], color=SERIES[0], scale=8 * longest, width=0.008)
            axes.set(aspect="equal", xticks=[], yticks=[])
            axes.set_title(panel["title"], fontsize=8)
        rows = [
            {"panel": panel["title"], "x": x, "y": y, "sx": sx, "sy": sy}
            for panel in spec["panels"] for (x, y), (sx, sy) in zip(panel["x"], panel["v"], strict=True)
        ]  # fmt: skip
        return Drawing(spec["name"], figure, table(("panel", "x", "y", "sx", "sy"), rows), spec["caption"])


def images(results: Mapping, spec: Mapping) -> Drawing | None:
    """Rows of small square images, each row with its label."""
    side, rows = spec["side"], spec["rows"]
    count = max(len(row["images"]) for row in rows)
    with matplotlib.rc_context(QUIET):
        figure = Figure(figsize=(1.3 + 0.55 * count, 0.6 * len(rows)))
        for line, row in enumerate(rows):
            for place, image in enumerate(row["images"]):
                width, height = 0.98 / (count + 2), 1 / len(rows)
                axes = figure.add_axes(((place + 2) * width, 1 - (line + 0.95) * height, 0.92 * width, 0.9 * height))
                axes.imshow(
                    np.asarray(image).reshape(side, side), cmap="gray_r", vmin=0, vmax=16, interpolation="nearest"
                )
                axes.set(xticks=[], yticks=[])
            figure.text(0, 1 - (line + 0.5) / len(rows), row["label"], va="center", fontsize=8)
        listed = [
            {"row": row["label"], "image": place, "pixel": pixel, "value": value}
            for row in rows for place, image in enumerate(row["images"]) for pixel, value in enumerate(image)
        ]  # fmt: skip
        return Drawing(spec["name"], figure, table(("row", "image", "pixel", "value"), listed), spec["caption"])


def _panels(count: int):
    columns = min(count, 5)
    lines_needed = -(-count // columns)
    figure = Figure(figsize=(1.65 * columns, 1.85 * lines_needed), layout="constrained")
    every = figure.subplots(lines_needed, columns, squeeze=False).ravel()
    for axes in every[count:]:
        axes.set_visible(False)
    return figure, every[:count]


def _pairs(points: Sequence[Sequence[float]]) -> np.ndarray:
    """(n, 2): the first two coordinates, 0 where there is only one."""
    found = np.asarray(points, float)
    return np.column_stack([found[:, 0], found[:, 1] if found.shape[1] > 1 else np.zeros(len(found))])
