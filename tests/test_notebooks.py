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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_three_things_to_try(path):
    kind, last = cells(path)[-1]
    assert kind == "markdown"
    tries = last.partition("**Three things to try**")[2]
    assert [line[:3] for line in tries.splitlines() if line] == ["1. ", "2. ", "3. "]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_a_sentence_where_a_value_is_wrong_and_is_listed(path):
    code = "\n".join(source for kind, source in cells(path) if kind == "code")
    assert "get_ipython().set_custom_exc((nv.BadInput,)" in code
    assert "# @param" in code
    assert f"({path.stem}.ipynb)" in (path.parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_installs_as_all_do_and_keeps_no_outputs(path):
    setups = {next(source for kind, source in cells(each) if "google.colab" in source) for each in NOTEBOOKS}
    assert len(setups) == 1
    assert not any(cell.get("outputs") for cell in jupytext.read(path.with_suffix(".ipynb")).cells)
