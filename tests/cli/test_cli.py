"""The command line keeps its promises: files, exit codes, sentences."""

import dataclasses
import importlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
import tempfile

import jax
import numpy as np
import pytest
from conftest import numbers_of
from markupsafe import escape

from ntkverify import catalogue
from ntkverify.checking import certificate_file
from ntkverify.cli import main as cli
from ntkverify.cli.options import Asked
from ntkverify.ground import terminal
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import SCHEMA, load, load_arrays
from ntkverify.ground.settings import Settings
from ntkverify.verifying import gathering, instances

CLAIMS = ["gradient-formula", "zero-output", "gradient-bound", "kernel-perturbation"]
"""Each kind of claim once; tests/claims/test_claims.py evaluates them all."""
SMALL = ["--n", "5", "--d-out", "2", "--m", "32", "--seeds", "20"]
CLAIM_KEYS = {
    "problem", "id", "title", "source", "label", "form", "direction", "promised_probability", "draws", "applicable",
    "held", "undecided", "hold_rate_interval", "log10_ratio", "verdict", "sentence", "seconds", "bracket",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert cli.main(["verify", *CLAIMS, *SMALL, "--out", str(folder)]) == 0
    return folder


def test_results_follow_the_contract(run):
    results = load(run)
    assert (results["schema"], results["verb"], results["complete"]) == (1, "verify", True)
    assert [problem["data"] for problem in results["problems"]] == ["sphere", "digits"]
    for problem in results["problems"]:
        assert problem["lambda"] > 0 < problem["lambda_inf"]
    forms = [(name, form) for name in CLAIMS for form in catalogue.statements(name)]
    assert [(row["id"], row["form"]) for row in results["claims"]] == 2 * forms
    assert all(row.keys() >= CLAIM_KEYS for row in results["claims"])
    assert {row["dtype"] for row in results["kernels"]} == {"float64", "float32"}
    assert all(row["agree"] in (True, None) for row in results["kernels"])


def test_the_report_stands_alone_and_states_every_claim(run):
    page = (run / "report.html").read_text()
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert "<script" not in page
    for name in CLAIMS:
        for statement in catalogue.statements(name).values():
            assert page.count(str(escape(statement.title))) >= 2
    assert "<math" in page
    assert "<svg" in page


def test_the_report_prints_no_number_that_the_results_do_not_hold(run):
    assert numbers_of(run) == set()


def test_every_figure_is_a_file_with_its_data(run):
    page = (run / "report.html").read_text()
    drawn = sorted(path.stem for path in (run / "figures").glob("*.svg"))
    assert page.count("<svg") == len(drawn) >= len(CLAIMS)
    for name in drawn:
        assert (run / "figures" / f"{name}.svg").read_text() in page
        assert len((run / "figures" / f"{name}.csv").read_text().splitlines()) > 1


def test_the_report_is_drawn_again_without_jax(run):
    before = (run / "report.html").read_text()
    (run / "report.html").unlink()
    script = (
        "import sys\nfrom ntkverify.cli import main as cli\n"
        f"code = cli.main(['report', {str(run)!r}])\nassert 'jax' not in sys.modules\nsys.exit(code)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, capture_output=True).returncode == 0
    assert (run / "report.html").read_text() == before


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["list"],
        ["list", "--json"],
        ["list", "kernel-*", "--network", "tanh", "-k", "jacobian"],
        ["show", "rank-floor"],
        ["show", "Lemma 5.1"],
        ["verify", "--help"],
        ["study", "--help"],
    ],
)
def test_help_and_lists_start_without_jax(words):
    script = f"import sys\nfrom ntkverify.cli import main as cli\ntry:\n    cli.main({words!r})\nfinally:\n    assert 'jax' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_each_verb_is_run_by_the_file_of_its_name():
    for verb in Asked.__subclasses__():
        module = importlib.import_module(f"ntkverify.cli.{verb.__name__.lower()}")
        assert next(iter(inspect.signature(module.run).parameters.values())).annotation is verb
        assert len(inspect.getsource(module).splitlines()) <= 120


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--help"], b"usage: ntkverify"),
        (["list"], b"kernel-limit"),
        (["show", "kernel-limit"], b"m^{-1/2}"),
        (["list", "--json"], b"kernel-limit"),
        (["verify", "--help"], b"--radius"),
    ],
)
def test_every_terminal_can_be_written_to(encoding, words, said):
    command = [sys.executable, "-m", "ntkverify", *words]
    done = subprocess.run(command, check=False, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert said in done.stdout
    assert done.stdout.decode(encoding)


def test_a_run_is_told_in_ascii_where_the_terminal_has_no_more(tmp_path, monkeypatch):
    bytes_written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_written, encoding="ascii"))
    assert cli.main(["verify", "zero-output", *SMALL, "--data", "sphere", "--out", str(tmp_path)]) == 0
    sys.stdout.flush()
    printed = bytes_written.getvalue().decode("ascii")
    assert re.search(r"sigma=1  lambda\(H\(0\)\)=\d", printed)
    assert "log_10 ratio" in printed


def test_characters_are_spelled_as_they_are_meant():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal.spell_out(stream)
    stream.write("λ ≤ ‖W̃‖_F · 10⁻⁹, log₁₀ Σ ϑ û xᵀ 😀 \ud800")
    stream.flush()
    written = stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert written == rb"lambda <= ||W~||_F * 10^-9, log_10 Sum theta u^ x^T \U0001f600 \ud800"


def test_a_reader_that_leaves_changes_no_exit_code():
    for words in (["list"], ["list", "--json"]):
        command = f"{sys.executable} -m ntkverify {' '.join(words)} | head -c 1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], check=False, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("raised", [ZeroDivisionError("two\nlines"), SystemExit(1), MemoryError()], ids=repr)
def test_a_crash_is_no_finding(raised, monkeypatch, capsys, tmp_path):
    """1 would say that something is violated."""

    def crash(*_):
        raise raised

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(catalogue, "statements", crash)
    assert cli.main(["list"]) == 70
    printed = capsys.readouterr().err
    (file,) = tmp_path.iterdir()
    assert printed.count("\n") == 1
    assert printed.endswith(f"the traceback lies in {file}\n")
    assert "in crash\n    raise raised" in file.read_text("utf-8")


@pytest.mark.parametrize("where", ["import sys\nsys.exit(1)\n", "lhs = lambda p, q, c: __import__('sys').exit(1)\n"])
def test_an_exit_in_a_lemma_is_bad_input(where, tmp_path, capsys):
    mine = tmp_path / "mine.py"
    assert cli.main(["new", "claim", str(mine)]) == 0
    before, binding, after = mine.read_text("utf-8").partition("derived = ")
    mine.write_text(before + where + binding + after, encoding="utf-8")
    words = ["--data", "sphere", "--n", "4", "--d-in", "4", "--m", "16", "--out", str(tmp_path / "out")]
    assert cli.main(["verify", str(mine), *words]) == 2
    assert "raised SystemExit" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["doctor"], ["verify", "zero-output"], ["study", "drift"]], ids=" ".join)
@pytest.mark.slow
def test_a_platform_that_is_not_there_is_bad_input(verb, tmp_path):
    command = [sys.executable, "-m", "ntkverify", *verb]
    settings = os.environ | {"JAX_PLATFORMS": "rocm"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=settings, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("ntkverify: JAX_PLATFORMS=rocm")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_list_json_has_a_row_for_each_form(capsys):
    assert cli.main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == set(catalogue.CLAIMS)


def test_doctor_reports_the_bridge(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "this process's JAX is not altered" in found["found"]["neural-tangents routes"]
    assert found["packages"]["jax"] == jax.__version__


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "kernel-pertubation"], "kernel-perturbation"),
        (["verify", "--network", "sofmax"], "'softmax'"),
        (["verify", "--data", "digit"], "'digits'"),
        (["verify", "--m", "7"], "even width"),
        (["verify", "--delta", "1"], "strictly between 0 and 1"),
        (["verify", "--sigma", "-1"], "at least 0"),
        (["verify", "--n", "0"], "at least 1"),
        (["verify", "--seeds", "0"], "at least 1"),
        (["verify", "--data", "digits", "--d-out", "11", "--out", "unused"], "at most 10"),
        (["verify", "--data", "nowhere.npz", "--out", "unused"], "no file"),
        (["verify", "--data", "nowhere.txt"], "numpy.savetxt"),
        (["verify", "--data", "digits", "sphere", "digits"], "each only once"),
        (["verify", "--m", "100000000"], "GiB of memory is estimated"),
        (["verify", "--n", "100000000", "--data", "sphere"], "GiB of memory is estimated"),
        (["show", "nothing"], "unknown claim"),
        (["report", "nowhere"], "no nowhere/results.json"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.rglob("*.*"))


def test_another_configuration_is_not_overwritten(run, capsys):
    other = ["verify", "zero-output", *SMALL, "--seed", "1", "--data", "sphere", "--out", str(run)]
    before = (run / "results.json").read_bytes()
    assert cli.main(other) == 2
    assert "--force" in capsys.readouterr().err
    assert (run / "results.json").read_bytes() == before


def test_an_unwritable_folder_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["verify", *SMALL, "--out", str(tmp_path / "file")]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.slow
def test_an_interruption_keeps_what_was_finished(tmp_path, monkeypatch):
    right, calls = gathering.begun, []

    def begun(*args):
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return right(*args)

    monkeypatch.setattr(gathering, "begun", begun)
    words = [
        "verify",
        "zero-output",
        "--data",
        "sphere",
        "--n",
        "5",
        "--m",
        "32",
        "--seeds",
        "60",
        "--out",
        str(tmp_path),
    ]
    assert cli.main(words) == 130
    results = load(tmp_path)
    assert results["complete"] is False
    assert [row["draws"] for row in results["claims"]] == [20]
    assert "interrupted" in (tmp_path / "report.html").read_text()


def test_a_violated_claim_gives_exit_code_1(tmp_path, monkeypatch, capsys):
    (form,) = catalogue.claims("zero-output")
    monkeypatch.setattr(catalogue, "claims", lambda name: (form.mutated(form.twins[0]),))
    words = [
        "verify",
        "zero-output",
        "--data",
        "sphere",
        "--n",
        "5",
        "--m",
        "32",
        "--seeds",
        "20",
        "--out",
        str(tmp_path),
    ]
    assert cli.main(words) == 1
    assert "violated" in capsys.readouterr().out


def test_the_command_in_the_report_repeats_the_run(run, tmp_path):
    page = (run / "report.html").read_text()
    command = re.findall(r"<pre>ntkverify (.*?)</pre>", page)[-1].split()
    assert cli.main([*command, "--out", str(tmp_path)]) == 0
    old, new = load(run), load(tmp_path)
    assert new["config"] == old["config"]
    assert [row["verdict"] for row in new["claims"]] == [row["verdict"] for row in old["claims"]]


def test_environment_of_the_machine_is_recorded(run):
    found = load(run)["environment"]
    assert found["packages"]["jax"]
    assert found["cores"] >= 1
    assert os.path.basename(found["python"]) == found["python"]


@pytest.mark.slow
def test_a_seed_means_the_same_network_under_every_setting(tmp_path):
    """λ of the draws, with another default generator and the streams of older versions of JAX."""
    words = ["verify", "zero-output", "--data", "sphere", "--n", "3", "--d-in", "3", "--m", "8", "--seeds", "20"]
    found = []
    for generator, partitionable in (("threefry2x32", True), ("rbg", False)):
        jax.config.update("jax_default_prng_impl", generator)
        jax.config.update("jax_threefry_partitionable", partitionable)
        try:
            assert cli.main([*words, "--out", str(tmp_path / generator)]) == 0
        finally:
            jax.config.update("jax_default_prng_impl", "threefry2x32")
        found.append(load(tmp_path / generator))
        recorded = {"keys": "threefry2x32", "default": generator, "partitionable": True}
        assert found[-1]["environment"]["random_numbers"] == recorded
    (one,), (other,) = (results["problems"] for results in found)
    assert one["lambda_range"] == other["lambda_range"]


@pytest.mark.slow
def test_duplicates_and_zeros_explain_a_vanishing_eigenvalue(tmp_path, capsys):
    X = np.eye(4)[[0, 1, 0, 2]]
    X[3] = 0
    np.savez(tmp_path / "mine.npz", X=X, y=np.ones((4, 1)))
    words = ["verify", "convex-region", "--data", str(tmp_path / "mine.npz"), "--m", "32", "--seeds", "20"]
    assert cli.main([*words, "--out", str(tmp_path / "out")]) == 0
    (problem,) = load(tmp_path / "out")["problems"]
    assert problem["lambda"] == 0
    assert "input 3 is zero" in problem["lambda_note"]
    assert "inputs 0, 2 are equal" in problem["lambda_note"]
    assert "λ = 0 because" in capsys.readouterr().out


@pytest.mark.slow
def test_files_of_one_name_have_ids_and_arrays_of_their_own(tmp_path, monkeypatch):
    """The id of a file is that of its content, wherever it lies and whatever stands beside it."""
    monkeypatch.chdir(tmp_path)
    for folder, X in (("a", np.eye(3)), ("b", np.eye(3)[::-1] / 2), ("copy", np.eye(3))):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "data.npz", X=X, y=np.ones((3, 1)))
    small = ["verify", "zero-output", "--m", "8", "--seeds", "20", "--out"]
    assert cli.main([*small, "all", "--data", "a/data.npz", "b/data.npz", "copy/data.npz"]) == 0
    assert cli.main([*small, "one", "--data", "b/data.npz"]) == 0
    first, second, copy = (problem["id"] for problem in load(tmp_path / "all")["problems"])
    (alone,) = (problem["id"] for problem in load(tmp_path / "one")["problems"])
    assert len({first, second, copy}) == 3
    assert second == alone
    assert [row["problem"] for row in load(tmp_path / "all")["claims"]] == [first, second, copy]
    arrays = load_arrays(tmp_path / "all")
    kernels = [arrays[f"{name}/kernel/closed-form"] for name in (first, second, copy)]
    np.testing.assert_array_equal(kernels[0], kernels[2])
    assert abs(kernels[0] - kernels[1]).max() > 0.1


@pytest.mark.parametrize(
    "options",
    [
        ["--n", "1"],
        ["--d-in", "1"],
        ["--sigma", "0"],
        ["--sigma", "400"],
        ["--m", "2"],
        ["--init", "independent", "--m", "1"],
    ],
    ids=" ".join,
)
@pytest.mark.slow
def test_corner_cases_are_legal(options, tmp_path):
    small = {"--n": "3", "--d-in": "4", "--m": "16", "--data": "sphere", "--seeds": "20"}
    small |= dict(zip(options[::2], options[1::2], strict=True))
    words = [word for pair in small.items() for word in pair]
    assert cli.main(["verify", "rank-floor", "softmax-perturbation", *words, "--out", str(tmp_path)]) == 0
    assert {row["verdict"] for row in load(tmp_path)["claims"]} <= {"holds", "undecided", "vacuous"}


def test_a_formula_without_rounding_rule_is_undecided(tmp_path, monkeypatch):
    (form,) = catalogue.claims("output-bound")
    strange = dataclasses.replace(form, lhs=lambda p, q, c: jax.lax.erf_inv(q.base.W))
    monkeypatch.setattr(catalogue, "claims", lambda name: (strange,))
    assert cli.main(["verify", "output-bound", *SMALL, "--data", "sphere", "--out", str(tmp_path)]) == 0
    (row,) = load(tmp_path)["claims"]
    assert row["verdict"] == "undecided"
    assert "erf_inv" in row["sentence"]


def test_the_searchs_batches_are_part_of_the_estimate(monkeypatch):
    settings = Settings(n=8, d_in=8, d_out=2, m=2048)
    between = sum(instances.memory_needed(8, 8, 2, 2048, 8, certified) for certified in (False, True)) // 2
    monkeypatch.setattr("ntkverify.ground.environment.available_memory", lambda: between)
    instances.make_instance(settings, "sphere", "softmax")
    with pytest.raises(BadInput, match="of memory is estimated"):
        instances.make_instance(settings, "sphere", "softmax", certified=True)


def test_a_folder_whose_verb_has_no_page_is_refused(tmp_path, capsys):
    (tmp_path / "results.json").write_text(json.dumps({"schema": SCHEMA, "verb": "merge", "config": {}}))
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "which merge wrote" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "networks"), [("verify", tuple(catalogue.NETWORKS)), ("realise", certificate_file.NETWORKS)]
)
def test_help_names_every_network(verb, networks, capsys):
    with pytest.raises(SystemExit):
        cli.main([verb, "--help"])
    words = set(re.findall(r"[a-z-]+", capsys.readouterr().out))
    assert set(networks) <= words
