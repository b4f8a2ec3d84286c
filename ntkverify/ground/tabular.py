"""A table of numbers in a text file (`.csv`, `.tsv`); what is wrong is said with the line of the file and the column."""

import csv
import re
from pathlib import Path

import numpy as np

from ntkverify.ground.errors import BadInput

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""Narrower than Python's float(), for which 1_2 is 12."""
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
UNNAMED = re.compile(r"(Unnamed: \d+)?")
"""What stands above a data frame's index: nothing, or pandas' name for that when such a file was read and written."""
Line = tuple[int, list[str]]
"""The number of a line in the file, and its cells."""


def read_table(path: Path, delimiter: str) -> tuple[np.ndarray, str]:
    """The numbers (rows, columns), and what has to be said of the header (mostly nothing)."""
    lines = _lines(path, delimiter)
    header, said = _header(path, lines)
    rows = lines[1:] if header else lines
    if not rows:
        raise BadInput(f"{path} holds no rows of numbers", "at least one row of numbers")
    first, width = lines[0][0], len(lines[0][1])
    for number, cells in rows:
        if len(cells) != width:
            raise BadInput(f"{path}, line {number}: {len(cells)} columns", f"{width} columns, as line {first} has")
    names = [f"column {name!r}" for name in header] or [f"column {index}" for index in range(1, width + 1)]
    return np.array([[_number(path, line, *cell) for cell in zip(names, cells, strict=True)] for line, cells in rows]), said  # fmt: skip


def _lines(path: Path, delimiter: str) -> list[Line]:
    """The lines that are not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{path} cannot be read ({error})", "numbers separated by commas (.csv) or tabs (.tsv)"
        ) from None
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if lines and len(lines[0][1]) == 1 and ";" in lines[0][1][0]:
        raise BadInput(f"{path}, line {lines[0][0]}: semicolons", "commas between numbers (tabs in a .tsv)")
    return lines


def _header(path: Path, lines: list[Line]) -> tuple[list[str], str]:
    """The names in the first line (none if it is a sample), and the sentence on names that are numbers."""
    number, names = lines[0] if lines else (1, [])
    counted = [str(index) for index in range(len(names))]
    if UNNAMED.fullmatch(names[0] if names else "x") and (_named(names[1:]) or names[1:] == counted[:-1]):
        raise BadInput(
            f"{path}, line {number}: the first column has no name, as a data frame's index has none",
            "a file without the index", "DataFrame.to_csv(path, index=False)",
        )  # fmt: skip
    if _named(names):
        return names, ""
    if len(names) < 2 or names != counted:
        return [], ""
    shown = ",".join(names if len(names) < 8 else [*names[:3], "…", names[-1]])
    if not any(
        all("." in cell or "e" in cell.lower() for cell in column) for column in _columns(lines[1:], len(names))
    ):
        raise BadInput(
            f"{path}, line {number}: {shown} may be a header or a sample", "names, or numbers that do not count columns",
            "x0,x1,… for a header, 0.0,1.0,… for a sample",
        )  # fmt: skip
    return names, f"line {number}, {shown}, was read as a header, because it counts the columns"


def _named(cells: list[str]) -> bool:
    return bool(cells) and not any(NUMBER.fullmatch(cell) or NOT_FINITE.fullmatch(cell) for cell in cells)


def _columns(lines: list[Line], width: int) -> list[list[str]]:
    """The cells of each column, none where there are no lines of that width."""
    rows = [cells for _, cells in lines if len(cells) == width]
    return [list(column) for column in zip(*rows, strict=True)]


def _number(path: Path, line: int, column: str, cell: str) -> float:
    place = f"{path}, line {line}, {column}"
    if NUMBER.fullmatch(cell):
        if np.isfinite(value := float(cell)):
            return value
        raise BadInput(f"{place}: {cell} is beyond 1.8e308", "a smaller number")
    if not cell:
        raise BadInput(f"{place} is empty", "a number in every cell")
    raise BadInput(
        f"{place}: {cell if NOT_FINITE.fullmatch(cell) else repr(cell)}", "a finite number, like -1.5 or 2e-3"
    )
