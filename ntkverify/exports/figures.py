"""Figures of the report → files at the width of a column, laid out anew so that their words stay readable."""

import io
import textwrap
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from ntkverify.ground.results import write
from ntkverify.report.figures import STYLE, Drawing

COLUMN = 3.25
"""Inches: a column of two on a page."""
POINTS, SMALLEST = 7.0, 5.0
"""Size of words; what is shrunk as a whole (small images) goes no lower than the second."""
PANEL, SMALL, LOWEST = 1.45, 1.0, 1.9
"""Inches: the least width of one of several panels, of one that is an image, and the least height."""
TALL = 4.0
"""Natural heights above belong to lists, which get as many lines at any width."""
GAP = 3.0
"""Dots between two numbers of an axis."""
STILL = {"pdf": {"CreationDate": None, "Creator": None, "Producer": None}, "png": {"Software": None}}
"""What would change from run to run or from version to version."""


def save_drawing(drawing: Drawing, folder: Path, suffix: str, width: float) -> Path:
    """Write the figure, fonts embedded, 300 dots an inch; returns the file."""
    with matplotlib.rc_context(STYLE | {"pdf.fonttype": 42}):
        at_width(drawing.figure, width)
        packed = io.BytesIO()
        drawing.figure.savefig(packed, format=suffix, dpi=300, metadata=STILL[suffix])
    write(folder / f"{drawing.name}.{suffix}", packed.getvalue())
    return folder / f"{drawing.name}.{suffix}"


def at_width(figure: Figure, width: float) -> None:
    """Lay the figure out for so many inches: panels in rows of as many as fit, words of seven points, keys below."""
    natural, height = (float(side) for side in figure.get_size_inches())
    panels, bar = _panels(figure)
    if (
        len(panels) > 1 and not any(panel.get_subplotspec() for panel in panels) and bar is None
    ):  # images placed one by one
        _sized(figure, max(SMALLEST, 9 * width / natural) / 9)
        figure.set_size_inches(width, height * width / natural)
        return
    _sized(figure, POINTS / 9)
    keys = _keys(figure)
    shown = [panel for panel in panels if panel.get_visible()]
    square = all(panel.get_aspect() != "auto" for panel in shown)
    columns = min(len(shown), max(1, int(width / (SMALL if square else PANEL))))
    rows = -(-len(shown) // columns)
    _place(figure, shown, rows, columns)
    if bar is not None:
        figure.colorbar(bar, ax=shown, orientation="horizontal", shrink=0.6, aspect=30).ax.tick_params(
            labelsize=SMALLEST
        )
    lines = _legend(figure, keys, width)
    if len(shown) == 1 and (natural > 6 or height > TALL):  # a list has as many lines at any width
        each = height * POINTS / 9
    else:
        each = width / columns + 0.12 if square else max(0.72 * width / columns, LOWEST)
    figure.set_size_inches(width, each * rows + 0.14 * lines + 0.35 * (bar is not None))
    for _ in range(2):  # a broken label gives the axes another size
        for panel in shown:
            _fit(figure, panel)


def _panels(figure: Figure):
    """The axes that hold data, and what a colour bar beside them explains."""
    images = [image for axes in figure.axes for image in axes.images if image.colorbar is not None]
    bars = {image.colorbar.ax for image in images if image.colorbar is not None}
    panels = [axes for axes in figure.axes if axes not in bars]
    for bar in bars:
        bar.remove()
    return panels, images[0] if images else None


def _sized(figure: Figure, factor: float) -> None:
    for text in {id(text): text for text in figure.findobj(Text)}.values():  # some are found twice
        text.set_fontsize(text.get_fontsize() * factor)  # type: ignore[attr-defined]
    for axes in figure.axes:
        axes.tick_params(labelsize=9 * factor, which="both")


def _keys(figure: Figure) -> dict:
    """What legends say; they are taken away, to be put below."""
    keys = {}
    for legend in [*figure.legends, *(legend for axes in figure.axes if (legend := axes.get_legend()))]:
        keys |= {
            text.get_text(): handle for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        }
        legend.remove()
    return keys


def _place(figure: Figure, panels: list, rows: int, columns: int) -> None:
    """Panels on a grid that the layout knows; those at its left edge have the labels that all share."""
    figure.set_layout_engine("constrained")
    grid = GridSpec(rows, columns, figure=figure)
    for place, panel in enumerate(panels):
        panel.set_subplotspec(grid[divmod(place, columns)])
        if place % columns == 0 and place:
            panel.tick_params(labelleft=panels[0].yaxis.get_tick_params().get("labelleft", True))
            panel.set_ylabel(panels[0].get_ylabel())


def _fit(figure: Figure, panel) -> None:
    """Break labels where they are longer than their axis, and leave out numbers that would touch."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, room = canvas.get_renderer(), panel.get_window_extent()
    for axis, side in ((panel.xaxis, "width"), (panel.yaxis, "height")):
        words, wide = axis.label.get_text(), getattr(axis.label.get_window_extent(renderer), side)
        if wide > getattr(room, side):
            axis.label.set_text(textwrap.fill(words, max(12, int(len(words) * getattr(room, side) / wide))))
    kept: list = []
    ticks = _ticks(panel, renderer)
    for tick, box in sorted(ticks, key=lambda pair: (pair[0] != 0, -abs(pair[0]))):  # zero is kept, then the ends
        if all(box.x1 + GAP < other.x0 or other.x1 + GAP < box.x0 for _, other in kept):
            kept.append((tick, box))
    if len(kept) < len(ticks):
        panel.xaxis.set_major_locator(FixedLocator(sorted(tick for tick, _ in kept)))


def _ticks(panel, renderer) -> list:
    low, high = sorted(panel.get_xlim())
    ticks = zip(panel.xaxis.get_majorticklocs(), panel.xaxis.get_majorticklabels(), strict=False)
    return [(float(place), label.get_window_extent(renderer)) for place, label in ticks if low <= place <= high]


def _legend(figure: Figure, keys: dict, width: float) -> int:
    """The keys below, in as many columns as fit; returns the number of their lines."""
    if not keys:
        return 0
    canvas = FigureCanvasAgg(figure)
    for columns in range(min(len(keys), 4), 0, -1):
        legend = figure.legend(
            list(keys.values()), list(keys), loc="outside lower center", ncols=columns, fontsize=POINTS - 0.5
        )
        wide = legend.get_window_extent(canvas.get_renderer()).width / figure.dpi
        if wide <= width or columns == 1:
            return -(-len(keys) // columns)
        legend.remove()
    return 0
