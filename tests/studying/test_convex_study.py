"""The study `convex`: from cells to verdicts, figures and an answer; what it refuses; a bound that is crossed."""

import numpy as np
import pytest

from ntkverify.cli.main import main
from ntkverify.diffusion.denoising import noised
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load
from ntkverify.studies import convex
from ntkverify.studying.run import configuration, study
from ntkverify.truths.line import line

SMALL = ["data=points", "n=32", "beta=0.02", "tau=0.5", "m=64,2", "starts=2", "draws=2", "steps=3000", "test=200"]


@pytest.mark.slow
def test_a_small_study_from_end_to_end(tmp_path):
    words = ["study", "convex", "--out", str(tmp_path), "--grid", *SMALL]
    assert main(words) == 0
    found = load(tmp_path)
    assert found["complete"]
    bounds, widths, scores = (table["rows"] for table in found["tables"])
    assert bounds[0][-1] == "proved"
    assert bounds[0][-4:-1] == ["8", "0", "0"]  # two widths, draws and starts
    assert [row[1] for row in widths] == ["2", "64"]
    assert len(scores) == 1
    cells = [cell["metrics"] for cell in found["cells"]]
    assert all(0 < cell["least gap"] <= cell["gap"] <= cell["largest gap"] for cell in cells)
    wide, narrow = (max(cell["gap"] for cell in cells[place : place + 2]) for place in (0, 2))
    assert wide < 1e-4 < 1e-2 < narrow
    assert found["answer"].startswith(
        "8 of 8 trained networks are proved to lie above the certified bound, 0 lie below"
    )
    assert {path.name for path in (tmp_path / "figures").glob("*.svg")} == {"scores.svg", "gap-against-width.svg"}
    assert main(words) == 0  # resumed: the ledger has all cells


@pytest.mark.slow
def test_a_score_is_compared_with_the_exact_one(tmp_path):
    """With ever more samples the convex score comes near the exact one, whose own error is 0."""
    few, many = (
        study(configuration("convex", "quick", [*SMALL, f"n={n}", "m=2", "beta=0.01", "draws=1"]), tmp_path / str(n))["cells"][0]
        for n in (8, 200)
    )  # fmt: skip
    assert many["metrics"]["score error"] < few["metrics"]["score error"]
    assert many["metrics"]["score error"] < 0.1 * many["metrics"]["trivial"]


def test_a_bound_that_is_too_high_is_violated(monkeypatch):
    params = {"data": "points", "n": 6, "noises": 2, "tau": 0.5, "beta": 0.05, "m": 16, "starts": 2, "draws": 1, "steps": 1500, "rate": 0.03, "test": 50}  # fmt: skip
    (row,) = convex.evaluate(params)
    whole = convex._optimum("points", 6, 2, 0.5, 0.05, 0)

    class High:
        bound, objective, gap, neurons = whole.objective * (1 + 1e-3), whole.objective, 0.0, whole.neurons
        score = staticmethod(whole.score)

    monkeypatch.setattr(convex, "_optimum", lambda *_: High)
    (planted,) = convex.evaluate(params)
    assert row["metrics"]["violated"] == 0
    assert planted["metrics"]["violated"] > 0
    cell = {"params": params | {"n": 6}, "seed": 0, **planted}
    assert convex.tables([cell], [])[0]["rows"][0][-1] == "violated"


def test_a_program_that_is_not_solved_is_no_result(monkeypatch):
    params = {"data": "points", "n": 6, "noises": 2, "tau": 0.5, "beta": 0.05, "m": 2, "starts": 2, "draws": 1, "steps": 5, "rate": 0.03, "test": 50}  # fmt: skip
    monkeypatch.setattr("ntkverify.diffusion.convex._solved", lambda D, task: np.zeros(D.shape[1]))
    convex._optimum.cache_clear()
    (row,) = convex.evaluate(params)
    convex._optimum.cache_clear()
    assert row["outcome"] == convex.UNSOLVED
    assert "exceeds the bound" in row["sentence"]
    assert convex.answer([{"params": params, "seed": 0, **row}], []) == "No program has been solved yet."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("beta=-1", "beta=-1"), ("tau=0", "tau=0"), ("data=point", "'points'"), ("test=1", "test = 1"),
        ("n=1000000", "memory is estimated"), ("network=tanh", "unknown parameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(change, said, tmp_path, capsys):
    assert main(["study", "convex", "--out", str(tmp_path), "--grid", *SMALL, change]) == 2
    assert said in capsys.readouterr().err


def test_a_single_noisy_input_is_named():
    with pytest.raises(BadInput, match="n = 1"):
        convex.bytes_needed({name: each[0] if isinstance(each, tuple) else each for name, each in convex.COMMON.items()} | {"n": 1, "noises": 1})  # fmt: skip
    assert len(noised(line("points"), 1, 2, 0.5, 0.1, 0).noisy) == 2
