"""What pages and the terminal say of a row: whose theorem, which points, how many draws."""

import importlib

import pytest

from ntkverify import catalogue
from ntkverify.report import words
from ntkverify.report.mathml import rendered
from ntkverify.report.page import _shelf
from ntkverify.report.parameters import meaning
from ntkverify.report.points import searched

ROW = {
    "form": "derived", "yours": False, "verdict": "proved", "draws": 40, "applicable": 40, "held": 40, "hold_rate_interval": [0.9119, 1.0],
    "bracket": {"points": {"proved": 4, "refuted": 0, "undecided": 0}, "above": -0.2961},
}  # fmt: skip


def test_the_word_of_a_verdict_names_its_reach():
    assert words.verdict(ROW) == "enclosed at 4 points"
    assert words.verdict(ROW | {"verdict": "holds"}) == "holds"
    assert (words.theorem(ROW), words.points(ROW), words.draws(ROW)) == ("here", "≤ −0.296", "40/40 ≥ 0.91")


def test_bounds_are_rounded_to_the_side_on_which_they_stay_bounds():
    assert words.points(ROW | {"bracket": ROW["bracket"] | {"above": -0.29999}}) == "≤ −0.299"
    assert words.draws(ROW | {"hold_rate_interval": [0.9199, 1.0]}) == "40/40 ≥ 0.91"


def test_a_lemma_of_ones_own_is_never_said_to_be_proved_here():
    mine = ROW | {"yours": True}
    assert words.theorem(mine) == "yours"
    assert "no proof known here" in words.EXPLAINED[words.kind(mine)]


def test_points_that_were_not_decided_are_counted():
    some = {"points": {"proved": 1, "refuted": 0, "undecided": 2}, "above": None}
    assert words.points(ROW | {"bracket": some}) == "1 of 3"
    assert words.points(ROW | {"bracket": None}) == ""


def test_draws_of_which_it_does_not_speak_are_counted():
    assert words.draws(ROW | {"applicable": 0, "held": 0}) == "0/0 of 40"


def test_what_is_no_formula_is_shown_as_it_was_written():
    assert rendered(r"so $\left( a$ < 1") == r"so <code>$\left( a$</code> &lt; 1"
    assert "<math" in rendered("$a$")


def test_a_lemma_with_the_name_of_a_claim_stands_apart():
    theorem = {"name": "kernel", "title": "", "about": "", "claims": ["rank-floor"]}
    claims = [{"statement": {"id": "rank-floor"}, "rows": [ROW | {"yours": yours}]} for yours in (True, False)]
    assert [(each["name"], each["claims"]) for each in _shelf([theorem], claims)] == [
        ("kernel", claims[1:]),
        ("rest", claims[:1]),
    ]
    assert [each["name"] for each in _shelf([theorem], claims[:1])] == ["rest"]


@pytest.mark.parametrize("study", catalogue.STUDIES)
def test_every_parameter_of_a_study_is_explained(study):
    for preset in importlib.import_module(f"ntkverify.studies.{study}").PRESETS.values():
        assert all(meaning(study, name) for name in preset)


def test_a_long_name_leaves_its_figure_room():
    """A lemma's file in a deep folder once made the report of a search fail."""
    row = {"id": "x" * 120, "form": "derived", "ratio": 0.5, "drawn": 0.25}
    (drawing,) = searched({"claims": [row]}, (), {})
    assert "…" in drawing.svg
    assert "x" * 120 in drawing.csv
