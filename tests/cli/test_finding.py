"""Claims and studies are found by what people type, and a terminal shows them readably."""

import csv
import doctest
import json
import re
import shlex
from pathlib import Path

import pytest
import tyro

from ntkverify import catalogue
from ntkverify.cli import list as listing
from ntkverify.cli import main as cli
from ntkverify.cli import options, show, verbs
from ntkverify.ground import errors
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.terminal import Terminal
from ntkverify.networks import kinds

README = Path(__file__).parents[2] / "README.md"


def rows(capsys, *words: str) -> list[dict[str, str]]:
    """What `list` prints where stdout is no terminal."""
    assert cli.main(["list", *words]) == 0
    printed = capsys.readouterr().out
    return list(csv.DictReader(printed.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def on_a_terminal(monkeypatch, verb, asked) -> str:
    console = Terminal(width=100, force_terminal=True, color_system=None, record=True)
    with console.capture() as said:
        assert verb.run(asked, console) == 0
    return said.get()


@pytest.mark.parametrize(
    ("names", "claims"),
    [
        (["Lemma 5.1"], {"kernel-perturbation"}),
        (["lemma-5.1", "LEMMA_5.1"], {"kernel-perturbation"}),
        (["Theorem 5"], {"theorem-five"}),  # and not Theorem 5.1
        (["kernel-n*", "liu"], {"kernel-norm", "liu"}),
        (["criteria"], set(catalogue.THEOREMS["criteria"])),
        (["mine.py", "zero-output", "zero-*"], {"mine.py", "zero-output"}),
        (["5"], {"5"}),  # no source: a number alone would mean too much
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_names_mean_claims(names, claims):
    found = catalogue.expanded(names)
    assert set(found) == claims
    assert len(found) == len(claims)


def test_a_paper_means_every_claim_that_names_it():
    found = catalogue.expanded(["arXiv:1810.02054"])
    assert set(found) == {
        name
        for name in catalogue.CLAIMS
        if any("1810.02054" in statement.source for statement in catalogue.statements(name).values())
    }
    assert len(found) > 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "kernel-nrom"], "try: 'kernel-norm'"),
        (["show", "Kernel-Norms"], "try: 'kernel-norm'"),
        (["verify", "kernal-*"], "which no claim matches"),
        (["list", "softmx"], "try: 'softmax'"),
        (["list", "--theorem", "relus"], "try: 'relu'"),
        (["list", "--network", "tahn"], "try: 'tanh'"),
        (["list", "--network", "gone.py"], "no file gone.py"),
        (["falsify", "kernel-*"], "one of those: kernel-entries"),
        (["falsify", "softmax"], "`ntkverify list 'softmax'` lists"),
        (["study", "drifd"], "try: 'drift'"),
        (["study", "nonsense"], "try: ntkverify study --help"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_a_typo_gets_one_suggestion(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert len(printed) < 300


def test_few_names_are_listed_and_many_are_not():
    with pytest.raises(BadInput, match=r"one of softmax, kernel, .*, prefix; try: ntkverify list$"):
        choose("theorem", "zzz", catalogue.THEOREMS, "ntkverify list")
    with pytest.raises(BadInput) as refused:
        choose("claim", "zzz", catalogue.CLAIMS, "ntkverify list")
    assert str(refused.value) == "unknown claim 'zzz'; wanted: a claim that `ntkverify list` lists"
    with pytest.raises(BadInput, match="kernel-norm, "):  # nothing else lists them
        choose("claim", "zzz", catalogue.CLAIMS)
    assert choose("claim", "liu", catalogue.CLAIMS, "ntkverify list") == "liu"


@pytest.mark.parametrize("module", [errors, catalogue], ids=lambda module: module.__name__)
def test_the_examples(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_the_register_knows_of_which_kinds_a_network_is():
    """Without JAX, and as networks/kinds.py computes it."""
    for name in catalogue.NETWORKS:
        of = {word for word, (_, includes) in kinds.KINDS.items() if includes(catalogue.network(name))}
        assert {word for word in kinds.KINDS if catalogue.speaks_of(word, name)} == of, name


def test_a_file_of_a_network_is_not_executed(tmp_path, capsys):
    (tmp_path / "net.py").write_text("raise SystemExit(1)")
    found = rows(capsys, "--network", str(tmp_path / "net.py"))
    assert {row["networks"] for row in found} == {"any"}


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        (["-k", "CHATTERJEE"], {"chatterjee"}),
        (["-k", "λ_min", "--theorem", "kernel"], {"positive-semidefinite"}),
        (["-k", r"\lambda_{\min}", "--theorem", "kernel"], {"positive-semidefinite"}),
        (["kernel-*", "--network", "attention"], {"kernel-factorisation", "kernel-limit", "kernel-step"}),
        (["Lemma 5.1", "--theorem", "relu"], set()),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_filters_are_joined(words, claims, capsys):
    assert cli.main(["list", *words, "--json"]) == 0
    assert {row["id"] for row in json.loads(capsys.readouterr().out)} == claims


def test_where_stdout_is_no_terminal_a_form_is_a_line(capsys):
    found = rows(capsys)
    assert [(row["id"], row["form"]) for row in found] == [
        (name, form) for name in catalogue.CLAIMS for form in catalogue.statements(name)
    ]
    assert all(row.keys() == set(listing.COLUMNS) and all(row.values()) for row in found)
    assert not any("$" in text for row in found for text in row.values())


def test_a_terminal_of_100_columns_shows_every_claim(monkeypatch):
    said = on_a_terminal(monkeypatch, listing, options.List(formulas=True))
    assert max(map(len, said.splitlines())) <= 100 + 10  # combining characters have no width
    for name in catalogue.CLAIMS:
        assert f"  {name} " in said
    assert "      ‖H(W̃) − H(W)‖_F ≤ R nd e¹⁰ᴮ  (with probability ≥ 1 − δ)" in said
    assert "…" not in said.replace("y₁, …, yₙ", "")  # nothing cut


def test_a_theorem_is_shown_with_its_claims(monkeypatch):
    said = on_a_terminal(monkeypatch, show, options.Show("criteria"))
    assert "Chatterjee (arXiv:2203.16462)" in said
    assert all(name in said for name in catalogue.THEOREMS["criteria"])
    assert "‖e(τ)‖ ≤ (1 − μ/β)^{τ/2} ‖e(0)‖" in said


def test_a_file_of_ones_own_is_listed_and_shown(tmp_path, capsys):
    mine = tmp_path / "mine.py"
    assert cli.main(["new", "claim", str(mine)]) == 0
    capsys.readouterr()
    (row,) = rows(capsys, str(mine))
    assert (row["id"], row["theorem"]) == (str(mine), "")
    assert cli.main(["show", str(mine)]) == 0
    assert row["statement"] in capsys.readouterr().out


def help_of(capsys, *words: str) -> str:
    with pytest.raises(SystemExit):
        cli.main([*words, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", verbs.VERBS, ids=lambda verb: verb.__name__.lower())
def test_examples_stand_on_lines_of_their_own_and_can_be_typed(verb, capsys):
    said = help_of(capsys, verb.__name__.lower())
    examples = [line.strip() for line in said.splitlines() if re.match("  +ntkverify ", line)]
    assert examples
    for example in examples:
        assert example.count("ntkverify") == 1 + example.count(", then ntkverify")
        asked = tyro.cli(verbs.verbs(""), args=shlex.split(example.partition(", then")[0])[1:])
        assert type(asked) is verb
        asked.refuse()


def test_help_tells_what_each_study_asks(capsys):
    said, readme = help_of(capsys, "study"), README.read_text("utf-8")
    for name in catalogue.STUDIES:
        question, example = catalogue.question(name)
        assert question.endswith("?")
        assert f"  {name} " in said
        assert question in said
        assert f"  {example}\n" in said
        assert f"ntkverify study {name}" in example
        assert f"`{name}` (" in readme


def test_the_overview_fits_a_screen(capsys):
    said = help_of(capsys)
    assert len(said.splitlines()) < 50
    assert all(f"• {verb.__name__.lower()} " in said for verb in verbs.VERBS)


def test_two_claims_of_one_name_are_refused(tmp_path, capsys):
    """What was decided of the one was once put down to the other, and an equality was called proved."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        assert cli.main(["new", "claim", str(tmp_path / folder / "mine.py")]) == 0
    same = tmp_path / "zero_output.py"
    same.write_text((tmp_path / "a" / "mine.py").read_text())
    for words in ([str(tmp_path / "a" / "mine.py"), str(tmp_path / "b" / "mine.py")], ["zero-output", str(same)]):
        for verb in ("verify", "certify"):
            capsys.readouterr()
            assert cli.main([verb, *words]) == 2
            assert "names of their own" in capsys.readouterr().err
