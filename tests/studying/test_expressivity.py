"""The study of what two segments cannot do: end to end, and what it says of networks that are not what they should be."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ntkverify.ground.errors import BadInput
from ntkverify.networks.lipschitz import zigzag
from ntkverify.networks.lipschitz.kinks import Layer
from ntkverify.report.study import draw_study
from ntkverify.studies import expressivity
from ntkverify.studying.run import configuration, study

CHANGES = ["depth=1", "width=4", "steps=1500", "seeds=3"]


def judged(layers: list[Layer], activation: str, depth: int, L: float = 9.0) -> dict:
    return expressivity.judged({"activation": activation, "depth": depth, "L": L}, layers)


def in_floats(layers: list[Layer]) -> list[Layer]:
    def array(value):
        return value.astype(float)

    def of(activation):
        return activation and dataclasses.replace(
            activation, kinks=array(activation.kinks), slopes=array(activation.slopes)
        )

    return [Layer(array(layer.W), array(layer.b), of(layer.activation)) for layer in layers]


def test_one_layer_of_every_kind(tmp_path):
    found = study(configuration("expressivity", "quick", CHANGES), tmp_path)
    assert found["complete"]
    assert len(found["cells"]) == 4 * 2 * 3
    by = {}
    for cell in found["cells"]:
        params, metrics = cell["params"], cell["metrics"]
        by.setdefault((params["activation"], params["L"]), []).append(metrics["error"])
        speaks = params["activation"] != "n"
        assert cell["outcome"] == (expressivity.ABOVE if speaks else expressivity.SILENT)
        assert (metrics["bound"] is not None) == speaks
        assert not speaks or metrics["error"] >= metrics["bound"]
    for L in (9.0, 3.0):
        bound = float(zigzag.least_error(L, 1) or 0)
        assert min(by["n", L]) < bound / 10  # three segments come where two cannot
        assert min(by["two-segment", L]) < 1.3 * bound  # and the bound is near what two reach
    assert "18 of 18 trained networks" in found["answer"]
    (tmp_path / "results.json").write_text(json.dumps(found))
    draw_study(tmp_path)
    assert (tmp_path / "figures" / "best-fits.svg").exists()


def test_a_network_that_is_not_normalised_is_found_out():
    """Its error is below the bound, and it is not counted as a refutation but as what it is."""
    layers = in_floats(zigzag.two_folds())
    good = judged(layers, "absolute", 2, 3.0)
    assert good["outcome"] == expressivity.SILENT
    wide = [dataclasses.replace(layers[0], W=layers[0].W * 1.001), *layers[1:]]
    assert judged(wide, "absolute", 2, 3.0)["outcome"] == expressivity.UNPROVED


def test_a_network_below_the_bound_would_be_told():
    """N handed in as if it had two segments: the comparison can fail."""
    row = judged(in_floats(zigzag.n_network()), "two-segment", 1)
    assert row["outcome"] == expressivity.BELOW
    assert "is below 1.33" in row["sentence"]
    cell = row | {"params": {"activation": "two-segment", "depth": 1, "L": 9.0, "width": 1}}
    assert "0 of 1" in expressivity.answer([cell], [])
    assert "1 networks refute it" in expressivity.answer([cell], [])
    assert expressivity.BELOW not in expressivity.DONE


def test_what_the_theorem_does_not_speak_of_has_a_reason():
    folds = in_floats(zigzag.two_folds())
    assert "two folds" in judged(folds, "absolute", 2, 3.0)["sentence"]
    assert "three" in judged(in_floats(zigzag.n_network()), "n", 1)["sentence"]
    assert "straight" in judged(folds, "absolute", 2, 0.5)["sentence"]
    np.testing.assert_allclose(judged(folds, "absolute", 2, 4.0)["metrics"]["error"], 2)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["activation=maxmin", "width=3"], "width=4"),
        (["width=0"], "at least 1"),
        (["activation=relu6"], "one of absolute"),
        (["L=-1"], "above 0"),
    ],
)
def test_bad_grids_are_told(tmp_path, changes, told):
    with pytest.raises(BadInput, match=told):
        study(configuration("expressivity", "quick", changes), tmp_path)


def test_committed_errors_are_above_the_bound():
    path = Path(__file__).parents[2] / "docs" / "results" / "expressivity" / "results.json"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    spoken_of = [cell for cell in cells if cell["outcome"] != expressivity.SILENT]
    assert {cell["params"]["depth"] for cell in spoken_of} == {1, 2, 3}
    for cell in spoken_of:
        bound = zigzag.least_error(cell["params"]["L"], cell["params"]["depth"])
        assert bound is not None
        assert cell["metrics"]["error"] >= bound
