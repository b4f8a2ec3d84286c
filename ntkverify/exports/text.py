"""Tables → Markdown, HTML, JSON."""

import html
import re
from collections.abc import Sequence

from ntkverify.exports.table import Cell, Code, Interval, Maths, Piece, Table, shown
from ntkverify.report.mathml import rendered

COLOURS = {
    "holds": "#0072B2", "proved": "#0072B2", "violated": "#B84A00", "refuted": "#B84A00", "undecided": "#8A5A00", "vacuous": "#595959",
    "not applicable": "#595959", "converged": "#0072B2", "diverged": "#B84A00", "unfinished": "#8A5A00",
}  # fmt: skip
"""Those of the report."""
ENCLOSED = "enclosed at"
"""How the word of a verdict begins that names its reach."""
MOST = 60
"""Rows that a notebook shows."""


def markdown(table: Table) -> str:
    """The table as GitHub's Markdown."""
    lines = [
        _line(map(_escaped, table.columns)),
        _line("---:" if _numbers(table.column(place)) else "---" for place in range(len(table.columns))),
    ]
    lines += [_line(map(_markdown, row)) for row in table.rows]
    about = " ".join([_escaped(table.title), "".join(map(_markdown, table.setting))]).strip()
    return "\n".join([f"**{table.name.replace('-', ' ').capitalize()}.** {about}", "", *lines, ""])


def _line(cells) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown(cell: Cell) -> str:
    if isinstance(cell, Code):
        return f"`{cell}`" if "`" not in cell else _escaped(cell)
    if isinstance(cell, Maths):  # a bar would end the cell, and a formula on a line of its own the table
        return " ".join(
            re.sub(r"\$\$\s*(.+?)\s*\$\$", r"$\1$", cell, flags=re.DOTALL).replace(r"\|", r"\Vert ").replace("|", r"\vert ").split()
        )  # fmt: skip
    return _escaped(shown(cell))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_|<>$])", r"\\\1", " ".join(text.split()))


def web(table: Table) -> str:
    """The table as HTML for a notebook: words of verdicts coloured as in the report, formulas as MathML."""
    head = "".join(f"<th style='text-align:left'>{html.escape(column)}</th>" for column in table.columns)
    body = "".join(f"<tr>{''.join(map(_web, row))}</tr>" for row in table.rows[:MOST])
    rest = len(table.rows) - MOST
    more = f"<p>… and {rest} more rows.</p>" if rest > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _web(cell: Cell) -> str:
    style = "text-align:right" if isinstance(cell, int | float | Interval) else "text-align:left"
    if isinstance(cell, str) and (colour := COLOURS["proved"] if cell.startswith(ENCLOSED) else COLOURS.get(cell)):
        style += f";color:{colour};font-weight:600"
    return f"<td style='{style}'>{rendered(cell) if isinstance(cell, Maths) else html.escape(shown(cell))}</td>"


def plain(table: Table) -> dict:
    """The table as JSON: numbers as they were computed, intervals as [low, high]."""
    return {
        "name": table.name, "title": table.title, "setting": "".join(map(_words, table.setting)), "columns": list(table.columns),
        "rows": [[value(cell) for cell in row] for row in table.rows],
    }  # fmt: skip


def value(cell: Cell) -> str | int | float | bool | list | None:
    """A cell as JSON."""
    return [cell.low, cell.high] if isinstance(cell, Interval) else str(cell) if isinstance(cell, str) else cell


def _words(piece: Piece) -> str:
    return piece.replace("$", "") if isinstance(piece, Maths) else str(piece)


def _numbers(cells: Sequence[Cell]) -> bool:
    return all(each is None or isinstance(each, int | float | Interval) for each in cells)
