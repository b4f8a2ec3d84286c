"""`ntkverify docs`: the first page's path, and one sentence where there is none."""

import webbrowser

import pytest

from ntkverify.cli import docs
from ntkverify.cli import main as cli


@pytest.fixture
def opened(monkeypatch):
    found = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    return found


def test_where_it_was_not_built_the_command_is_named(tmp_path, monkeypatch, capsys, opened):
    monkeypatch.setattr(docs, "SITE", tmp_path)
    assert cli.main(["docs"]) == 2
    said = capsys.readouterr().err
    assert "make docs" in said
    assert said.count("\n") == 1
    assert not opened


@pytest.mark.parametrize("words", [["docs"], ["docs", "--no-open"]])
def test_the_first_page_is_named_and_opened(words, tmp_path, monkeypatch, capsys, opened):
    page = tmp_path / "index.html"
    page.write_text("<html></html>")
    monkeypatch.setattr(docs, "SITE", tmp_path)
    assert cli.main(words) == 0
    assert capsys.readouterr().out.strip() == str(page)
    assert opened == ([] if "--no-open" in words else [page.as_uri()])
