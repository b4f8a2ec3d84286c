"""Figures from rows: one style, drawn as SVG text."""

import io
import math
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

INK, HELD, VIOLATED, UNDECIDED = "#222222", "#0072B2", "#D55E00", "#E69F00"
"""Okabe and Ito's colour-blind safe palette."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ntkverify",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MARKS = {"held": (HELD, "o"), "violated": (VIOLATED, "X"), "undecided": (UNDECIDED, "s")}


def sides(draws: list[dict[str, str]], small: str, large: str) -> str:
    """Small against large over draws, on log axes, with the line where they are equal.

    "" when no draw has two positive numbers to plot.
    """
    points = [
        (float(row["large"]), float(row["small"]), row["outcome"])
        for row in draws
        if row["outcome"] in _MARKS and row["small"] and row["large"]
    ]
    points = [(x, y, outcome) for x, y, outcome in points if x > 0 and y > 0]
    if not points:
        return ""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 3.2))
        axes = figure.add_axes((0.16, 0.15, 0.81, 0.81))
        for outcome, (colour, mark) in _MARKS.items():
            chosen = [(x, y) for x, y, word in points if word == outcome]
            if chosen:
                axes.scatter(
                    *zip(*chosen, strict=True), s=16, c=colour, marker=mark, alpha=0.6, linewidths=0,
                    label=f"{outcome} ({len(chosen)})",
                )  # fmt: skip
        values = [value for point in points for value in point[:2]]
        low, high = _decades(min(values)), _decades(max(values), up=True)
        axes.plot([low, high], [low, high], color=INK, linewidth=1, label="equal")
        axes.fill_between([low, high], [low, high], [high, high], color=VIOLATED, alpha=0.07, linewidth=0)
        axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), xlabel=large, ylabel=small)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(numticks=6))
            axis.set_major_formatter(FuncFormatter(_power_of_ten))
            axis.set_minor_locator(NullLocator())
        axes.legend(loc="upper left", fontsize=8)
        return _svg(figure)


def _decades(value: float, up: bool = False) -> float:
    exponent = math.log10(value)
    return 10.0 ** min(max(math.floor(exponent - 0.3) if not up else math.ceil(exponent + 0.3), -300), 300)


def _power_of_ten(value: float, _) -> str:
    if value <= 0:  # a locator's tick below the smallest float
        return ""
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
