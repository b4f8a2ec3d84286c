"""The documents: links resolve, tables are whole, formulas have MathML, words are explained once."""

import html
import re
from pathlib import Path

import pytest

from ntkverify import catalogue
from ntkverify.report.glossary import GLOSSARY
from ntkverify.report.mathml import mathml

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md") if "made" not in path.parts)]
LINK = re.compile(r"\]\(([^()\s:#]*)(?:#([^()\s]*))?\)")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def words(path: Path) -> str:
    """A page without its code."""
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The places of a page, as GitHub names them after its headings."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def broken(path: Path) -> list[str]:
    """The relative links of a page that lead nowhere.  What the site makes for itself, only its first page may link to."""
    found = []
    for target, anchor in LINK.findall(words(path)):
        if path.name == "index.md" and target.startswith("made/"):
            continue
        there = path.parent / target if target else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            found.append(f"{target}#{anchor}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_relative_links_resolve(path):
    assert broken(path) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A head: here\n[a](gone.md) [b](#a-head-here) [c](#nowhere) `[d](code.md)` [e](https://x.y)\n")
    assert broken(page) == ["gone.md#", "#nowhere"]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_tables_are_whole(path):
    """A row of more cells than its head loses some: a | inside a formula is written with a backslash."""
    for block in re.findall(r"(?:^\|.*\n?)+", path.read_text("utf-8"), re.MULTILINE):
        rows = block.splitlines()
        counts = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
        assert set(counts) == {counts[0]}, rows[counts.index(next(n for n in counts if n != counts[0]))]


def formulas(text: str) -> list[str]:
    return [part.strip("$").strip() for part in re.findall(r"\$\$.+?\$\$|\$.+?\$", text, re.DOTALL)]


def unknown(latex: str) -> list[str]:
    """The commands that the converter leaves as they are."""
    return re.findall(r"\\[A-Za-z]+|\\\S", html.unescape(mathml(latex, "block")))


@pytest.mark.parametrize("name", catalogue.CLAIMS)
def test_formulas_of_claims_have_mathml(name):
    for statement in catalogue.statements(name).values():
        for latex in formulas(" ".join(vars(statement).values())):
            assert not unknown(latex), latex


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_formulas_of_documents_have_mathml(path):
    for latex in formulas(words(path)):
        assert not unknown(latex), latex


def test_an_unknown_command_is_found():
    assert unknown(r"\strangecommand x") == [r"\strangecommand"]


def test_the_glossary_is_words_and_sentences():
    source = (ROOT / "ntkverify" / "report" / "glossary.py").read_text("utf-8")
    assert "import " not in source
    keys = [word for key in GLOSSARY for word in key.split(", ")]
    assert len(keys) == len(set(keys))
    assert all(said.endswith(".") and said.strip() == said for said in GLOSSARY.values())
