"""What the library's verbs return, shown: behind the methods of `ground.shown.Shown`."""

import html
import importlib
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from ntkverify.exports.latex import latex
from ntkverify.exports.paper import said
from ntkverify.exports.table import Interval, Table, shown
from ntkverify.exports.tables import raw, tables
from ntkverify.exports.text import markdown
from ntkverify.exports.text import web as web_table
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.settings import configuration_hash
from ntkverify.ground.shown import Shown
from ntkverify.report.figures import Drawing
from ntkverify.report.pages import drawings

FITTING = "<svg style='max-width:100%;height:auto' "


class Pictures(tuple[Figure, ...]):
    """Figures that a notebook shows."""

    drawn: Sequence[Drawing]

    def __new__(cls, drawn: Sequence[Drawing]):
        """Of these drawings, in their order."""
        self = super().__new__(cls, (drawing.figure for drawing in drawn))
        self.drawn = drawn
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The figures' names."""
        return tuple(drawing.name for drawing in self.drawn)

    def _repr_html_(self) -> str:
        figure = "<figure style='margin:0 0 1em'>{}<figcaption>{}</figcaption></figure>"
        return "".join(
            figure.format(drawing.svg.replace("<svg ", FITTING, 1), html.escape(drawing.caption))
            for drawing in self.drawn
        )


def web(found: Shown) -> str:
    """A sentence and the tables."""
    results, _, _ = found.kept()
    every = tables(results)
    parts = [f"<p>{html.escape(said(results))}</p>"]
    for table in every:
        parts += [f"<p><b>{html.escape(table.title)}</b></p>"] * (len(every) > 1) + [web_table(table)]
    return "".join(parts)


def plot(found: Shown, name: str | None) -> Pictures | Figure:
    """All figures, or the one of that name."""
    results, draws, arrays = found.kept()
    written = [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in draws
    ]  # as in draws.csv
    every = Pictures(drawings(results, written, arrays))
    return every if name is None else every[every.names.index(choose("figure", name, every.names))]


def to_latex(found: Shown) -> str:
    """Every table."""
    results, _, _ = found.kept()
    prefix = f"{results['verb']}-{configuration_hash(dict(results.get('config', {})))}"
    return "\n".join(latex(table, prefix) for table in tables(results))


def to_markdown(found: Shown) -> str:
    """Every table."""
    return "\n".join(map(markdown, tables(found.kept()[0])))


def to_pandas(found: Shown, name: str | None) -> Any:
    """A table as a data frame."""
    try:
        pandas = importlib.import_module("pandas")
    except ModuleNotFoundError:
        raise BadInput("to_pandas without pandas", "that package", "pip install 'ntkverify[pandas]'") from None
    results, draws, _ = found.kept()
    every = {table.name: table for table in [*tables(results), *raw(results, draws)]}
    if not every:
        return pandas.DataFrame()
    return pandas.DataFrame(_columns(every[next(iter(every)) if name is None else choose("table", name, every)]))


def _columns(table: Table) -> dict[str, list]:
    found: dict[str, list] = {}
    for place, name in enumerate(table.columns):
        cells = table.column(place)
        if any(isinstance(cell, Interval) for cell in cells):
            for end in ("low", "high"):
                found[f"{name}, {end}"] = [getattr(cell, end) if isinstance(cell, Interval) else None for cell in cells]
        else:
            found[name] = [shown(cell) if isinstance(cell, str) else cell for cell in cells]
    return found
