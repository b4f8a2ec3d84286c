"""Figures from rows: one style, each with the table it shows."""

import functools
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from ntkverify.ground.results import table

INK, VIOLATED, UNDECIDED = "#222222", "#D55E00", "#E69F00"
SERIES = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#D55E00")
"""Okabe and Ito's colour-blind safe palette."""
SHAPES = "osD^vPX"
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ntkverify",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Drawing:
    """A figure: its file name without suffix, itself, its data as CSV, and what it shows."""

    name: str
    figure: Figure
    csv: str
    caption: str

    @functools.cached_property
    def svg(self) -> str:
        """The figure as an <svg> element that does not change from run to run; drawn once, or its layout would settle further."""
        text = io.StringIO()
        with matplotlib.rc_context(STYLE):  # ticks are made when they are drawn
            self.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        found = text.getvalue()
        return found[found.index("<svg") :]

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.svg


def fitting(name: str, most: int = 40) -> str:
    """A name beside an axis: of a long one its ends, so that the axis keeps its room.

    >>> fitting("a-lemma-of-which-the-name-tells-the-whole-story [derived]")
    'a-lemma-of-which-th…hole-story [derived]'
    """
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[most // 2 - most :]}"


def sides(name: str, draws: Sequence[Mapping[str, str]], small: str, large: str, caption: str) -> Drawing | None:
    """Small against large over draws, on log axes, with the line where they are equal.

    None when no draw has two positive numbers to plot.
    """
    rows: list[dict[str, Any]] = [
        {"problem": row["problem"], "draw": row["draw"], "outcome": row["outcome"]}
        | {"small": float(row["small"]), "large": float(row["large"])}
        for row in draws
        if row["outcome"] != "not applicable" and row["small"] and row["large"]
    ]
    rows = [row for row in rows if row["small"] > 0 and row["large"] > 0]
    if not rows:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 3.8), layout="constrained")
        axes = figure.subplots()
        for problem, colour, shape in _series(rows, "problem"):
            own = [row for row in rows if row["problem"] == problem]
            held = [row for row in own if row["outcome"] == "held"]
            _scatter(axes, held, f"{problem}: {len(held)} held", c=colour, marker=shape)
            for outcome, mark in (("violated", VIOLATED), ("undecided", UNDECIDED)):
                chosen = [row for row in own if row["outcome"] == outcome]
                _scatter(axes, chosen, f"{problem}: {len(chosen)} {outcome}", c=mark, marker="X")
        axes.set(xscale="log", yscale="log", xlabel=large, ylabel=small)
        _window(axes, rows)
        for axis in (axes.xaxis, axes.yaxis):
            _powers_of_ten(axis)
        figure.legend(loc="outside upper center", ncols=2)
        return Drawing(name, figure, table(tuple(rows[0]), rows), caption)


FAR = 8
"""Decades between the sides beyond which each axis shows its own, and the line of equality is left out."""


def _window(axes, rows: Sequence[Mapping]) -> None:
    """Both axes alike, with the line where the sides are equal; where that lies far away, each axis as its side is."""
    (small_low, small_high), (large_low, large_high) = (
        (_decade(min(row[side] for row in rows)), _decade(max(row[side] for row in rows), up=True))
        for side in ("small", "large")
    )
    low, high = min(small_low, large_low), max(small_high, large_high)
    if math.log10(high) - math.log10(low) > FAR:
        axes.set(xlim=(large_low, large_high), ylim=(small_low, small_high))
        nearest = max(math.log10(row["small"]) - math.log10(row["large"]) for row in rows)
        side = "below" if nearest < 0 else "above"
        axes.annotate(
            f"{abs(nearest):.0f} decades {side} equality at the nearest", (0.5, 0.97), xycoords="axes fraction", ha="center",
            va="top", fontsize=8, color=VIOLATED if nearest > 0 else INK,
        )  # fmt: skip
        return
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.plot([low, high], [low, high], color=INK, linewidth=1, label="equal")
    axes.fill_between([low, high], [low, high], [high, high], color=VIOLATED, alpha=0.07, linewidth=0)


def slopes(name: str, draws: Sequence[Mapping[str, str]], claims: Sequence[Mapping], caption: str) -> Drawing | None:
    """Each draw's exponent, with the interval of their mean and the band that is claimed."""
    rows = [
        {"problem": row["problem"], "draw": row["draw"], "exponent": float(row["small"])}
        for row in draws
        if row["outcome"] != "not applicable" and row["small"]
    ]
    found = {row["problem"]: row["exponent"] for row in claims if row["exponent"]}
    if not rows or not found:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 0.9 + 0.55 * len(found)))
        axes = figure.add_axes((0.3, 0.42 / (0.9 + 0.55 * len(found)), 0.67, 0.9 - 0.42 / (0.9 + 0.55 * len(found))))
        predicted = next(iter(found.values()))
        near, far = (predicted["predicted"] + sign * predicted["tolerance"] for sign in (-1, 1))
        axes.axvspan(near, far, color=SERIES[0], alpha=0.1, linewidth=0)
        axes.axvline(predicted["predicted"], color=INK, linewidth=1)
        for place, (problem, exponent) in enumerate(found.items()):
            own = [row["exponent"] for row in rows if row["problem"] == problem]
            axes.scatter(own, np.full(len(own), place), s=10, c=SERIES[0], alpha=0.25, linewidths=0)
            axes.plot([exponent["low"], exponent["high"]], [place, place], color=VIOLATED, linewidth=4)
        axes.set(yticks=range(len(found)), ylim=(-0.6, len(found) - 0.4), xlabel="exponent of m")
        axes.set_yticklabels(list(found))
        return Drawing(name, figure, table(tuple(rows[0]), rows), caption)


def looseness(claims: Sequence[Mapping], caption: str) -> Drawing | None:
    """For each claim, median to worst log₁₀ ratio, one line a problem."""
    rows = [
        {"claim": f"{row['id']} [{row['form']}]", "problem": row["problem"], "verdict": row["verdict"]}
        | row["log10_ratio"]
        for row in claims
        if row["direction"] not in ("equality", "order") and row["log10_ratio"]["worst"] is not None
    ]
    if not rows:
        return None
    names = list(dict.fromkeys(row["claim"] for row in rows))
    with matplotlib.rc_context(STYLE):
        height = 0.9 + 0.24 * len(names)
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((0.36, 0.5 / height, 0.62, 1 - 0.85 / height))
        series = list(_series(rows, "problem"))
        for index, (problem, colour, shape) in enumerate(series):
            shift = (index - (len(series) - 1) / 2) * 0.5 / len(series)
            for row in (row for row in rows if row["problem"] == problem):
                place = names.index(row["claim"]) + shift
                ends = [row["worst"] if row["median"] is None else row["median"], row["worst"]]
                axes.plot(ends, [place, place], color=colour, linewidth=1.5)
                axes.scatter([row["worst"]], [place], s=14, c=colour, marker=shape, linewidths=0)
            axes.scatter([], [], s=14, c=colour, marker=shape, label=problem)
        axes.axvline(0, color=INK, linewidth=1)
        low, high = min(row["worst"] for row in rows), max(row["worst"] for row in rows)
        axes.set_xscale("symlog", linthresh=1)
        axes.axvspan(0, max(2 * high, 1), color=VIOLATED, alpha=0.07, linewidth=0)
        axes.set(xlim=(min(2 * low, -1), max(2 * high, 1)), ylim=(len(names) - 0.5, -0.5))
        ticks = [-300, -100, -30, -10, -3, -1, 0, 1, 3, 10]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
        axes.set_yticks(range(len(names)), map(fitting, names))
        axes.set_xlabel("log₁₀ of the ratio of the sides, median to worst draw")
        figure.legend(loc="upper center", ncols=len(series), bbox_to_anchor=(0.66, 1))
        return Drawing("looseness", figure, table(tuple(rows[0]), rows), caption)


def certificates(claims: Sequence[Mapping], draws: Sequence[Mapping[str, str]], caption: str) -> Drawing | None:
    """For each claim with a bracket: log₁₀ ratio of every draw, of the worst point found, and what it was
    proved to be at most there.  None where nothing was certified."""
    chosen = [row for row in claims if row["bracket"] and row["bracket"]["found"] is not None]
    rows: list[dict[str, Any]] = []
    clouds: dict[tuple, list[float]] = {}
    for draw in draws:
        if draw["outcome"] != "not applicable" and draw["ratio"] and float(draw["ratio"]) > 0:
            key = draw["problem"], draw["claim"], draw["form"]
            clouds.setdefault(key, []).append(math.log10(float(draw["ratio"])))
    for row in chosen:
        about = {"claim": f"{row['id']} [{row['form']}]", "problem": row["problem"]}
        bracket = row["bracket"]
        word = next(word for word in ("refuted", "undecided", "proved") if bracket["points"][word])
        cloud = clouds.get((row["problem"], row["id"], row["form"]), [])
        rows += [about | {"what": "draw", "log10_ratio": value} for value in cloud]
        rows += [about | {"what": f"found, {word}", "log10_ratio": bracket["found"]}]
        rows += [about | {"what": "enclosed", "log10_ratio": bracket["above"]}] if bracket["above"] is not None else []
    if not chosen:
        return None
    names = list(dict.fromkeys(row["claim"] for row in rows))
    series = list(_series(chosen, "problem"))
    marks = {"proved": (INK, "D"), "undecided": (UNDECIDED, "o"), "refuted": (VIOLATED, "X")}
    with matplotlib.rc_context(STYLE):
        height = 1.1 + 0.2 * len(names) * max(len(series), 1.3)
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((0.36, 0.5 / height, 0.62, 1 - 1.05 / height))
        for index, (problem, colour, shape) in enumerate(series):
            shift = (index - (len(series) - 1) / 2) * 0.7 / len(series)
            own, above = [row for row in rows if row["problem"] == problem], shift - 0.16 / len(series)

            def put(what, own=own, shift=shift, **style):
                x = [row["log10_ratio"] for row in own if row["what"] == what]
                y = [names.index(row["claim"]) + shift for row in own if row["what"] == what]
                axes.scatter(x, y, **style)

            put("draw", shift=above, s=9, c=colour, marker=shape, alpha=0.15, linewidths=0)
            put("enclosed", s=90, c=INK, marker="|", linewidths=1.2)
            for word, (mark, form) in marks.items():
                put(f"found, {word}", s=22, c=mark, marker=form, edgecolors="white", linewidths=0.5, zorder=3)
            axes.scatter([], [], s=14, c=colour, marker=shape, linewidths=0, label=f"draws, {problem}")
        for word, (mark, form) in marks.items():
            if any(row["what"] == f"found, {word}" for row in rows):
                axes.scatter([], [], s=22, c=mark, marker=form, linewidths=0, label=f"worst found, {word}")
        axes.scatter([], [], s=70, c=INK, marker="|", linewidths=1.2, label="enclosed: at most")
        values = [row["log10_ratio"] for row in rows]
        low, high = min(2 * min(values), -1), max(2 * max(values), 1)
        axes.axvline(0, color=INK, linewidth=1)
        axes.axvspan(0, high, color=VIOLATED, alpha=0.07, linewidth=0)
        axes.set_xscale("symlog", linthresh=1)
        axes.set(xlim=(low, high), ylim=(len(names) - 0.5, -0.5))
        ticks = [tick for tick in (-300, -100, -30, -10, -3, -1, 0, 1, 3, 10) if low <= tick <= high]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: "ratio 1" if value == 0 else f"{value:g}".replace("-", "−"))
        )
        axes.set_yticks(range(len(names)), map(fitting, names))
        axes.set_xlabel("log₁₀ of the ratio of the sides")
        figure.legend(loc="upper right", ncols=3, bbox_to_anchor=(0.99, 1))
        return Drawing("certificates", figure, table(tuple(rows[0]), rows), caption)


PANELS = 4
"""Kernels beside each other, so that their names can be read on a telephone."""


def kernels(problem: str, arrays: Mapping[str, np.ndarray], caption: str) -> Drawing | None:
    """The kernel by each route, side by side on one colour scale."""
    prefix = f"{problem}/kernel/"
    found = {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
    top = max((float(np.abs(kernel).max()) for kernel in found.values() if np.isfinite(kernel).all()), default=0)
    if not top:
        return None
    with matplotlib.rc_context({**STYLE, "axes.grid": False}):
        columns = min(len(found), PANELS)
        figure = Figure(figsize=(1.75 * columns, 0.5 + 1.95 * -(-len(found) // columns)), layout="constrained")
        every = figure.subplots(-(-len(found) // columns), columns, squeeze=False).ravel()
        shown = None
        for axes, (route, kernel) in zip(every, found.items(), strict=False):
            shown = axes.imshow(kernel, cmap="PuOr_r", vmin=-top, vmax=top, interpolation="nearest")
            axes.set_title(route, fontsize=8)
            axes.set(xticks=[], yticks=[])
        for axes in every[len(found) :]:
            axes.remove()
        bar = figure.colorbar(
            shown,  # type: ignore[arg-type]
            ax=every[: len(found)].tolist(), orientation="horizontal", shrink=0.6, aspect=40,
        )  # fmt: skip
        bar.ax.tick_params(labelsize=7, length=2)
        bar.outline.set_visible(False)  # type: ignore[operator]
        entries = (
            {"route": route, "row": row, "column": column, "entry": float(kernel[row, column])}
            for route, kernel in found.items()
            for row, column in np.ndindex(*kernel.shape)
        )
        return Drawing(f"kernels-{problem}", figure, table(("route", "row", "column", "entry"), entries), caption)


def spectrum(problem: str, arrays: Mapping[str, np.ndarray], caption: str) -> Drawing | None:
    """The eigenvalues of H(0), median and range over draws, beside those of the limit."""
    drawn, limit = (arrays.get(f"{problem}/eigenvalues/{name}") for name in ("drawn", "infinite-width"))
    if drawn is None or not drawn.any():
        return None
    limit = np.full(drawn.shape[1], np.nan) if limit is None else limit
    rank = np.arange(1, len(limit) + 1)
    low, middle, high = np.min(drawn, axis=0), np.median(drawn, axis=0), np.max(drawn, axis=0)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        axes = figure.subplots()
        positive = high > 0
        axes.fill_between(rank[positive], low[positive], high[positive], color=SERIES[0], alpha=0.2, linewidth=0)
        axes.plot(
            rank[middle > 0], middle[middle > 0], color=SERIES[0], label=f"H(0), median and range of {len(drawn)} draws"
        )
        if np.isfinite(limit).any():
            axes.plot(rank[limit > 0], limit[limit > 0], color=VIOLATED, dashes=(4, 2), label="infinite width, K ⊗ I")
        if middle[0] > 0:
            axes.scatter([1], [middle[0]], s=24, c=SERIES[0], zorder=3)
            axes.annotate("λ", (1, middle[0]), (5, -9), textcoords="offset points")
        axes.set(yscale="log", xlabel="index, ascending", ylabel="eigenvalue")
        _powers_of_ten(axes.yaxis)
        figure.legend(loc="outside upper center", ncols=2)
        rows = [
            dict(zip(("index", "low", "median", "high", "limit"), map(float, values), strict=True))
            for values in zip(rank, low, middle, high, limit, strict=True)
        ]
        return Drawing(f"spectrum-{problem}", figure, table(tuple(rows[0]), rows), caption)


def _series(rows: Sequence[Mapping], key: str):
    names = dict.fromkeys(row[key] for row in rows)
    return [(name, SERIES[i % len(SERIES)], SHAPES[i % len(SHAPES)]) for i, name in enumerate(names)]


def _scatter(axes, rows: Sequence[Mapping], label: str, **style) -> None:
    if rows:
        x, y = [row["large"] for row in rows], [row["small"] for row in rows]
        axes.scatter(x, y, s=14, alpha=0.6, linewidths=0, label=label, **style)


def _powers_of_ten(axis) -> None:
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(_power_of_ten))
    axis.set_minor_locator(NullLocator())


def _decade(value: float, up: bool = False) -> float:
    exponent = math.log10(value)
    return 10.0 ** min(max(math.floor(exponent - 0.3) if not up else math.ceil(exponent + 0.3), -300), 300)


def _power_of_ten(value: float, _) -> str:
    if value <= 0:  # a locator's tick below the smallest float
        return ""
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)
