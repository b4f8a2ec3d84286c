"""The notebooks themselves run under nbmake; here their two files say the same."""

from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


def cells(path):
    return [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_files_of_a_notebook_agree(path):
    assert cells(path) == cells(path.with_suffix(".ipynb")), f"run: jupytext --to ipynb {path}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short(path):
    lines = [line for kind, source in cells(path) if kind == "code" for line in source.splitlines() if line.strip()]
    assert len(lines) <= 100
