"""--json, --quiet and --version; pages of every verb; what notebooks show."""

import json
import re
import subprocess
import sys

import jax
import pytest
from conftest import PRINTED, RUNS
from matplotlib.figure import Figure

import ntkverify as nv
from ntkverify.cli import main as cli
from ntkverify.ground.results import load
from ntkverify.ground.shown import Shown


@pytest.mark.parametrize("verb", RUNS)
def test_json_is_what_results_json_holds(verb, folder):
    """And nothing else."""
    assert json.loads((folder(verb) / PRINTED).read_text("utf-8")) == load(folder(verb))


@pytest.mark.parametrize("words", [["list"], ["show", "zero-output"], ["new", "claim", "NEW"], ["report", "RUN"],
                                   ["export", "RUN"], ["compare", "RUN", "RUN"], ["check", "RUN/worst-derived.npz"]], ids=" ".join)  # fmt: skip
def test_every_verb_answers_in_json_or_in_silence(words, tmp_path, capsys, folder):
    for option in ("--json", "--quiet"):
        put = {"NEW": str(tmp_path / f"mine{option[2:]}.py")}
        given = [put[word] if word in put else word.replace("RUN", str(folder("falsify"))) for word in words]
        assert cli.main([*given, option]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        assert json.loads(printed.out) if option == "--json" else printed.out == ""


def test_both_are_refused_and_errors_are_said(capsys):
    assert cli.main(["list", "--json", "--quiet"]) == 2
    assert cli.main(["show", "nothing", "--quiet"]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_the_version_is_said_without_jax():
    script = "import sys\nfrom ntkverify.cli import main as cli\nassert cli.main(['--version']) == 0\nassert 'jax' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert re.fullmatch(rf"ntkverify {re.escape(nv.__version__)} \(JAX {re.escape(jax.__version__)}\)\n", done.stdout), done.stderr  # fmt: skip


@pytest.mark.parametrize("verb", ["export", "compare", "report"])
def test_folders_are_read_without_jax(verb, folder):
    run = str(folder("certify"))
    words = [verb, run, run] if verb == "compare" else [verb, run]
    script = f"import sys\nfrom ntkverify.cli import main as cli\nassert cli.main({words!r}) == 0\nassert 'jax' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", RUNS)
def test_every_verb_has_a_page_that_report_draws_again(verb, folder):
    page = folder(verb) / "report.html"
    before = page.read_text("utf-8")
    assert cli.main(["report", str(folder(verb)), "--quiet"]) == 0
    assert page.read_text("utf-8") == before
    assert not re.search(r"\bNone\b|Undefined", before)


def test_the_page_of_a_search_says_what_was_found(folder):
    (row,) = load(folder("falsify"))["claims"]
    page = (folder("falsify") / "report.html").read_text("utf-8")
    assert f"{row['ratio']:.3g}" in page
    assert "no counterexample" in page
    assert "ntkverify falsify kernel-entries --data sphere" in page


def test_the_page_of_decisions_encloses_every_eigenvalue(folder):
    found = load(folder("certify"))
    page = (folder("certify") / "report.html").read_text("utf-8")
    printed = re.findall(r"<tr><td>\d+</td><td>([\d.e-]+)</td><td>([\d.e-]+)</td></tr>", page)
    assert len(printed) == 2
    for ends, (low, high) in zip(printed, found["lambda_certified"], strict=True):
        assert float(ends[0]) <= low <= high <= float(ends[1])


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> dict[str, Shown]:
    question = nv.problem("sphere", n=3, d_in=3, d_out=1, m=8, radius=0.1)
    grid = {"network": "softmax", "init": "coupled", "m": (8, 16, 32), "n": 2, "d_in": 4, "d_out": 1, "seeds": 2}
    return {
        "train": nv.train(question, nv.draw(question, jax.random.key(0)), budget=20),
        "certify": nv.certify(["kernel-entries"], question),
        "falsify": nv.falsify("kernel-entries", question, budget=0.1),
        "verify": nv.verify(["zero-output"], data="sphere", n=4, d_in=4, d_out=1, m=16, seeds=20),
        "realise": nv.realise(nv.problem("orthonormal", n=3)),
        "study": nv.study("drift", tmp_path_factory.mktemp("study"), **grid),
    }


SAID = {"train": "converged", "certify": "proved", "falsify": "kernel-entries", "verify": "holds", "realise": "Proved", "study": "softmax, coupled"}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("verb", SAID)
def test_results_show_themselves(verb, shown):
    found = shown[verb]
    assert SAID[verb] in found._repr_html_()
    assert r"\begin{tabular}" in found.to_latex()
    assert len(found.to_markdown().splitlines()) > 3
    frame = found.to_pandas()
    assert len(frame) >= 1
    pictures = found.plot()
    assert pictures._repr_html_().count("<svg") == len(pictures) == len(pictures.names) > 0
    assert isinstance(found.plot(pictures.names[0]), Figure)


@pytest.mark.slow
def test_verdicts_are_coloured_as_in_the_report(shown):
    assert "color:#0072B2;font-weight:600'>enclosed at 1 point<" in shown["certify"]._repr_html_()


@pytest.mark.slow
def test_results_are_mappings_still(shown):
    assert shown["study"]["complete"]
    assert [row["verdict"] for row in shown["certify"]["claims"]] == ["proved"]
    assert json.loads(json.dumps(shown["study"])) == shown["study"]


@pytest.mark.slow
def test_draws_and_cells_are_frames(shown):
    assert len(shown["verify"].to_pandas("draws")) == 20
    cells = shown["study"].to_pandas("cells")
    assert list(cells["m"]) == [8, 8, 16, 16, 32, 32]
    assert cells["drift"].dtype == float


@pytest.mark.slow
def test_pandas_and_names_that_are_not_there_are_said(shown, monkeypatch):
    with pytest.raises(nv.BadInput, match="unknown table"):
        shown["verify"].to_pandas("nothing")
    with pytest.raises(nv.BadInput, match="unknown figure"):
        shown["verify"].plot("nothing")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(nv.BadInput, match="pip install"):
        shown["verify"].to_pandas()
