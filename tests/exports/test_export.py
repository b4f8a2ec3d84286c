"""From a run's folder to files for a paper: they compile, they are of the width asked for, they say what was found."""

import json
import re
import shutil
import subprocess

import pytest
from conftest import RUNS

from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.exports.latex import latex
from ntkverify.exports.paper import PACKAGES
from ntkverify.exports.table import Code, Interval, Maths, table
from ntkverify.exports.tables import tables
from ntkverify.exports.text import markdown, plain
from ntkverify.ground.results import load

TEX = shutil.which("pdflatex")
needs_tex = pytest.mark.skipif(TEX is None, reason="there is no pdflatex")
HOSTILE = [
    r"\input{/etc/passwd} & % $ # _ { } ~ ^ < > | \\", "λ_min(H(0)) ‖W̃ − W‖ ≤ 10⁻⁹ log₁₀ Σ_r xᵀ √2 ∞ ∈ ⟨a⟩ · × … – § é Δ φ ∂ ∫", "漢 ⚠ \x07 \ud7ff",
    "-2.00 [-2.02, 1.5e-08] --m 4", "https://a.b/c_d?e=%20", "`back` 'quote' \"double\"",
]  # fmt: skip


def compiled(where, name="paper.tex"):
    """What pdflatex says; references are known to its second run."""
    said = ""
    for _ in range(2):
        command = [str(TEX), "-interaction=nonstopmode", "-halt-on-error", name]
        done = subprocess.run(command, check=False, capture_output=True, cwd=where, text=True, errors="replace")
        said = done.stdout
        assert done.returncode == 0, said[-2000:]
    return said


@needs_tex
@pytest.mark.parametrize("verb", RUNS)
def test_the_paper_of_each_verb_compiles(verb, tmp_path, folder):
    assert cli.main(["export", str(folder(verb)), "--out", str(tmp_path), "--quiet"]) == 0
    said = compiled(tmp_path)
    assert (tmp_path / "paper.pdf").stat().st_size > 1000
    assert not re.findall(r"Overfull|undefined|Missing character", said)


@needs_tex
def test_text_is_printed_whatever_it_holds(tmp_path):
    rows = [(text, Code(text), Maths(r"$\|H\| \le λ$ beside " + text.replace("$", ""))) for text in HOSTILE]
    made = latex(table("hostile", HOSTILE[:3], rows, HOSTILE[0]), "test")
    document(tmp_path, made)
    compiled(tmp_path)
    assert r"\input{" not in made


@needs_tex
def test_the_formulas_of_every_claim_compile(tmp_path):
    rows = [
        (name, each.form, Maths(each.statement))
        for name in catalogue.CLAIMS
        for each in catalogue.statements(name).values()
    ]
    document(tmp_path, latex(table("claims", ("claim", "form", "statement"), rows, "All."), "test"))
    assert not re.findall(r"Overfull|undefined|Missing character", compiled(tmp_path))


def document(where, body):
    packages = "".join(rf"\usepackage{{{name}}}" for name in PACKAGES)
    text = rf"\documentclass{{article}}\usepackage[margin=1in]{{geometry}}{packages}\begin{{document}}{body}\end{{document}}"
    (where / "paper.tex").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("verb", RUNS)
def test_captions_hold_the_setting_and_the_command(verb, folder):
    for each in tables(load(folder(verb))):
        text = "".join(map(str, each.setting))
        (command,) = (piece for piece in each.setting if isinstance(piece, Code))
        assert command.startswith(f"ntkverify {verb}")
        assert "float64 on cpu" in text
        assert "jax 0." in text
        assert rf"\label{{tab:x-{each.name}}}" in latex(each, "x")


def test_claims_keep_their_formulas(folder):
    (statements,) = (each for each in tables(load(folder("verify"))) if each.name == "claims")
    assert r"$\|H(\widetilde W) - H(W)\|_F \le" in latex(statements, "x")
    for line in markdown(statements).splitlines()[2:]:
        assert not re.search(r"\\\||\$\$", line)  # either would break the table
        assert line.count("|") in (0, 4)


@pytest.mark.parametrize(("low", "high"), [(1 / 3, 2 / 3), (-2 / 3, -1 / 3), (1e-17, 0.99999), (0.0, 1.0)])
def test_a_printed_interval_contains_the_one_computed(low, high):
    printed = json.loads(str(Interval(low, high)))
    assert printed[0] <= low < high <= printed[1]
    assert printed == pytest.approx([low, high], rel=0.01, abs=1e-15)


def test_a_long_table_is_parted():
    made = latex(table("long", ("a", "b"), [(str(row), row) for row in range(90)], "Long."), "x")
    assert made.count(r"\begin{table}") == 3
    assert made.count(r"\label") == 1


@pytest.mark.parametrize("width", [3.25, 6.75])
def test_figures_have_the_width_and_carry_their_fonts(width, tmp_path, folder):
    words = ["export", str(folder("realise")), "--to", "pdf", "--width", str(width), "--out", str(tmp_path), "--quiet"]
    assert cli.main(words) == 0
    files = sorted((tmp_path / "figures").iterdir())
    assert [file.name for file in files] == ["eigenvalue.pdf", "error.pdf", "path.pdf"]
    for file in files:
        content = file.read_bytes()
        (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) [\d.]+ \]", content)
        assert float(box) == pytest.approx(72 * width, abs=0.1)
        assert b"/Type3" not in content
        assert b"/FontFile2" in content


def test_pictures_are_fine_and_the_same_each_time(tmp_path, folder):
    for name in ("one", "two"):
        words = ["export", str(folder("study")), "--to", "png", "--out", str(tmp_path / name), "--quiet"]
        assert cli.main(words) == 0
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / name / "figures").iterdir()} for name in ("one", "two")
    )
    assert one == two
    assert all(int.from_bytes(content[16:20], "big") == round(3.25 * 300) for content in one.values())


def test_json_and_markdown_hold_every_row(tmp_path, capsys, folder):
    every = tables(load(folder("verify")))
    for form in ("json", "markdown"):
        assert cli.main(["export", str(folder("verify")), "--to", form, "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "tables.json").read_text("utf-8")) == [plain(each) for each in every]
    assert "| kernel-perturbation | derived | here | holds |" in (tmp_path / "tables.md").read_text("utf-8")
    assert str(tmp_path / "tables.md") in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "nowhere"], "no nowhere/results.json"),
        (["export", "here", "--width", "0"], "inches"),
        (["compare", "nowhere", "here"], "no nowhere/results.json"),
    ],
)
def test_bad_input_is_one_sentence(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
