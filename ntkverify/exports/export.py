"""The verb `export`: a run's folder → files for a paper."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntkverify.exports import paper
from ntkverify.exports.figures import COLUMN, save_drawing
from ntkverify.exports.latex import latex
from ntkverify.exports.table import Table
from ntkverify.exports.tables import tables
from ntkverify.exports.text import markdown, plain
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.results import load, load_arrays, load_draws, write
from ntkverify.ground.settings import configuration_hash
from ntkverify.report.figures import Drawing
from ntkverify.report.pages import drawings, known


@dataclass(frozen=True)
class Run:
    """What a folder holds, ready to be written in any form."""

    results: dict[str, Any]
    tables: list[Table]
    drawings: list[Drawing]

    @property
    def prefix(self) -> str:
        """The same for the same question, so that labels of several runs do not meet in one paper."""
        return f"{self.results['verb']}-{configuration_hash(self.results['config'])}"


@dataclass(frozen=True)
class Exported:
    """The files that were written, and how they are used."""

    files: list[Path]
    use: list[str]


def export(path: Path, to: str, out: Path | None = None, width: float = COLUMN) -> Exported:
    """Write the run that a folder holds as `to`: latex, markdown, json, pdf or png, into `out` (default: paper/ in the folder).

    Raises `BadInput` for a folder that no verb wrote, and for one that cannot be written.
    """
    write_as = FORMATS[choose("format", to, FORMATS)]
    results = load(path)
    known(path, results)
    run = Run(results, tables(results), drawings(results, load_draws(path), load_arrays(path)))
    return write_as(run, _made(out or path / "paper"), width)


def _latex(run: Run, folder: Path, width: float) -> Exported:
    files = []
    for table in run.tables:
        files.append(_made(folder / paper.TABLES) / f"{table.name}.tex")
        write(files[-1], latex(table, run.prefix))
    files += _figures("pdf", run, folder, width)
    for name, content in (
        (paper.PAPER, paper.paper(run.results, run.tables, run.drawings, run.prefix, width)), (paper.REFERENCES, paper.references(run.results)),
    ):  # fmt: skip
        files.append(folder / name)
        write(files[-1], content)
    needed = "".join(rf"\usepackage{{{package}}}" for package in paper.PACKAGES)
    use = [f"pdflatex {paper.PAPER}   (in {folder}: all of it at once)", f"{needed}   (in your own paper)"]
    use += [rf"\input{{{paper.TABLES}/{table.name}}}   \ref{{tab:{run.prefix}-{table.name}}}" for table in run.tables]
    return Exported(files, [*use, *_included(run, width)])


def _markdown(run: Run, folder: Path, width: float) -> Exported:
    file = folder / "tables.md"
    head = f"# {paper.title(run.results)}\n\n{paper.said(run.results)}\n\n"
    write(file, head + "\n".join(map(markdown, run.tables)))
    return Exported([file], [])


def _json(run: Run, folder: Path, width: float) -> Exported:
    file = folder / "tables.json"
    write(file, json.dumps([plain(table) for table in run.tables], indent=1, allow_nan=False) + "\n")
    return Exported([file], [])


def _pictures(suffix: str) -> Callable[[Run, Path, float], Exported]:
    def write_as(run: Run, folder: Path, width: float) -> Exported:
        return Exported(_figures(suffix, run, folder, width), _included(run, width))

    return write_as


def _figures(suffix: str, run: Run, folder: Path, width: float) -> list[Path]:
    if not run.drawings:
        return []
    return [save_drawing(drawing, _made(folder / paper.FIGURES), suffix, width) for drawing in run.drawings]


def _included(run: Run, width: float) -> list[str]:
    return [rf"\includegraphics[width={width:g}in]{{{paper.FIGURES}/{drawing.name}}}" for drawing in run.drawings]


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: {error.strerror}", "a folder that can be written") from None
    return folder


FORMATS: dict[str, Callable[[Run, Path, float], Exported]] = {
    "latex": _latex, "markdown": _markdown, "json": _json, "pdf": _pictures("pdf"), "png": _pictures("png"),
}  # fmt: skip
