"""The noun in the middle: a table, made from the rows of a run and rendered as LaTeX, Markdown, HTML, JSON or a data frame."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ntkverify.ground.rounding import above, below


class Maths(str):
    """Text with LaTeX formulas between dollar signs, as claims' docstrings have it.  Other text has none, whatever it holds."""


class Code(str):
    """What can be typed."""


@dataclass(frozen=True)
class Interval:
    """Two ends, printed on the safe side: the interval that is read contains the one that was computed."""

    low: float | None
    high: float | None
    digits: int = 3

    def __str__(self) -> str:
        low = "−∞" if self.low is None else below(self.low, self.digits)
        return f"[{low}, {'∞' if self.high is None else above(self.high, self.digits)}]"


Piece = str | Maths | Code
"""A part of a caption."""
Cell = str | Maths | Code | int | float | bool | Interval | None


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns, with what is to be known of them."""

    name: str
    """For files and labels: lower case, digits, hyphens."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str
    """A sentence."""
    setting: tuple[Piece, ...] = ()
    """How the numbers came about, for the caption."""

    def column(self, place: int) -> list[Cell]:
        """The cells of a column."""
        return [row[place] for row in self.rows]


def table(name: str, columns: Iterable[str], rows: Iterable[Iterable[Cell]], title: str) -> Table:
    """A table without its empty columns."""
    names, cells = tuple(columns), [tuple(row) for row in rows]
    used = [place for place in range(len(names)) if any(row[place] not in (None, "") for row in cells)]
    kept = tuple(tuple(row[place] for place in used) for row in cells)
    return Table(slug(name), tuple(names[place] for place in used), kept, title)


def slug(text: str) -> str:
    """A name that files and labels can have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "table"


def shown(cell: Cell) -> str:
    """A cell as words."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)
