"""Two runs side by side."""

import copy
import json

import pytest
from conftest import RUNS

from ntkverify.cli import main as cli
from ntkverify.exports.comparing import apart, compare
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load


def rows(comparison) -> dict:
    return {each.name: each.rows for each in comparison.tables}


@pytest.mark.parametrize("verb", RUNS)
def test_a_run_differs_from_itself_in_nothing(verb, folder):
    found = compare(load(folder(verb)), load(folder(verb)))
    assert not found.worse
    assert set(rows(found)) <= {"side-by-side"}
    assert all(before == after for *_, before, after in rows(found).get("side-by-side", ()))


@pytest.mark.parametrize(("verb", "word"), [("verify", "violated"), ("certify", "refuted"), ("falsify", "refuted")])
def test_a_verdict_that_turned_is_named_and_gives_exit_code_1(verb, word, tmp_path, capsys, folder):
    changed = load(folder(verb))
    changed["claims"][0]["verdict"] = word
    (tmp_path / "results.json").write_text(json.dumps(changed))
    assert cli.main(["compare", str(folder(verb)), str(tmp_path)]) == 1
    assert word in capsys.readouterr().out
    assert cli.main(["compare", str(tmp_path), str(folder(verb)), "--quiet"]) == 0  # it got better


def test_what_was_asked_and_what_it_ran_on_is_compared(folder):
    before = load(folder("study"))
    after = copy.deepcopy(before)
    after["config"]["grid"]["n"] = 3
    after["environment"]["packages"]["jax"] = "0.7.0"
    after["fits"][0] |= {"low": 5.0, "high": 6.0}
    found = rows(compare(before, after))
    assert [row[0] for row in found["configuration"]] == ["grid n"]
    assert found["environment"] == (("packages jax", before["environment"]["packages"]["jax"], "0.7.0"),)
    assert len(found["apart"]) == 1
    assert len(found["side-by-side"]) == len(before["fits"])


def test_problems_of_other_names_stand_in_each_others_place(folder):
    before = load(folder("verify"))
    after = json.loads(json.dumps(before).replace("sphere-softmax", "sphere-tanh"))
    assert not rows(compare(before, after))


def test_runs_of_different_verbs_are_refused(folder):
    with pytest.raises(BadInput, match="two runs of one of"):
        compare(load(folder("verify")), load(folder("study")))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((0, 1), (2, 3), True),
        ((2, 3), (0, 1), True),
        ((0, 2), (1, 3), False),
        ((0, 1), (1, 2), False),
        ((0, None), (2, 3), False),
    ],
)
def test_intervals_are_apart_when_no_number_is_in_both(one, other, said):
    assert apart(one, other) is said
