"""The lemmas of docs/gallery, each by the command that its page gives: the true ones hold and their twins are refuted."""

import json
import re
import shlex
from pathlib import Path

import jax
import pytest

from ntkverify import catalogue
from ntkverify.cli import main as cli

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "gallery"
PAGE = (ROOT / "docs" / "gallery.md").read_text("utf-8")
COMMANDS = {
    match[2]: shlex.split(match[0].removeprefix("uv run ntkverify "))
    for match in re.finditer(r"^uv run ntkverify (verify|falsify) docs/gallery/(\w+)\.py.*$", PAGE, re.MULTILINE)
}
FALSE = {"kernel_lipschitz", "total_variation"}


@pytest.fixture(autouse=True)
def as_a_user_runs_it(monkeypatch):
    """From the repository's root; the tests' strict promotion of dtypes and ranks is none of a user's."""
    monkeypatch.chdir(ROOT)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def test_each_file_has_its_command():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_file_is_a_lemma_with_twins(name):
    for form in catalogue.claims(str(FOLDER / f"{name}.py")):
        assert form.statement.proof
        assert form.twins


@pytest.mark.parametrize("name", sorted(COMMANDS))
@pytest.mark.slow
def test_the_command_gives_what_the_page_says(name, tmp_path, capsys):
    code = cli.main([*COMMANDS[name], "--out", str(tmp_path / "out")])
    assert code == (name in FALSE), capsys.readouterr()
    if name not in FALSE:
        (row,) = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["claims"]
        assert row["verdict"] == "holds"
        assert all(twin["refuted"] for twin in row["twins"])
