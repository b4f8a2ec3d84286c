"""Verdicts follow the rules."""

import dataclasses

import numpy as np
import pytest

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.ground.numerics import hold_rate_interval, trials_needed
from ntkverify.judging.evidence import Evidence, silent
from ntkverify.judging.verdict import judge

DETERMINISTIC = catalogue.claims("kernel-perturbation")[1]
PROBABLE = catalogue.claims("kernel-perturbation")[0]


def evidence(held=0, violated=0, undecided=0, inapplicable=0, small=1.0, large=2.0):
    draws = held + violated + undecided + inapplicable
    index = np.arange(draws)
    return Evidence(
        applicable=index < draws - inapplicable,
        held=index < held,
        violated=(index >= held) & (index < held + violated),
        small=np.full(draws, small),
        large=np.full(draws, large),
        allowance=np.zeros(draws),
        tested=np.ones(draws, bool),
        beyond=np.full(draws, -np.inf),
        place=np.zeros(draws, int),
    )


@pytest.mark.parametrize(
    ("form", "counts", "verdict"),
    [
        (DETERMINISTIC, {"held": 200}, "holds"),
        (DETERMINISTIC, {"held": 199, "violated": 1}, "violated"),
        (DETERMINISTIC, {"violated": 1, "inapplicable": 199}, "violated"),
        (DETERMINISTIC, {"held": 199, "undecided": 1}, "undecided"),
        (DETERMINISTIC, {"held": 19, "inapplicable": 181}, "vacuous"),
        (DETERMINISTIC, {"inapplicable": 200}, "vacuous"),
        (PROBABLE, {"held": 195, "violated": 5}, "holds"),
        (PROBABLE, {"held": 150, "violated": 50}, "violated"),
        (PROBABLE, {"held": 180, "violated": 20}, "undecided"),
        (PROBABLE, {"held": 19, "inapplicable": 100}, "vacuous"),
    ],
)
def test_verdict(form, counts, verdict):
    assert judge(form, evidence(**counts), delta=0.1).verdict == verdict


def test_undecided_names_the_draws_that_would_decide():
    assert "about" in judge(PROBABLE, evidence(held=19, violated=1), delta=0.1).sentence


def test_overflow_is_undecided_and_says_so():
    found = judge(DETERMINISTIC, evidence(undecided=50, large=np.inf), delta=0.1)
    assert (found.verdict, "overflow" in found.sentence) == ("undecided", True)


def test_infinite_ratios_are_counted_not_printed():
    found = judge(DETERMINISTIC, evidence(violated=30, large=0.0), delta=0.1)
    assert (found.worst, found.median, found.infinite) == (None, None, 30)


def test_clopper_pearson_against_published_values():
    low, high = hold_rate_interval(0, 10)
    assert (low, round(high, 4)) == (0.0, 0.3085)
    assert [round(x, 4) for x in hold_rate_interval(8, 10)] == [0.4439, 0.9748]
    assert hold_rate_interval(0, 0) == (0.0, 1.0)


def test_enough_trials_decide():
    needed = trials_needed(0.93, 0.9)
    assert needed is not None
    low, high = hold_rate_interval(round(0.93 * needed), needed)
    assert low >= 0.9 or high < 0.9
    assert trials_needed(0.9, 0.9, most=10**5) is None


def test_a_mutated_claim_is_another_claim():
    (form,) = catalogue.claims("zero-output")
    assert form.mutated(form.twins[0]) != form
    assert dataclasses.replace(form, constants={"C": 1.0}) == form


def test_data_that_a_theorem_does_not_speak_of_are_not_applicable():
    found = judge(DETERMINISTIC, evidence(inapplicable=200), 0.1, "It assumes: a margin.")
    assert (found.verdict, found.sentence) == ("not applicable", "It assumes: a margin.")


@pytest.mark.parametrize(
    ("name", "network", "X", "y", "words"),
    [
        ("label-measure", "relu", [[1, 0], [1, 0]], [[1], [-1]], "of one direction"),
        ("label-measure", "relu", [[1, 0], [0, 0.5]], [[1], [-1]], "length 1"),
        ("initial-kernel", "relu", [[1, 0], [0, 1]], [[1, 1], [-1, 1]], "one output"),
        ("logistic-movement", "relu", [[1, 0], [1, 0]], [[1], [-1]], "a margin"),
        ("logistic-movement", "relu", [[1, 0], [0, 1]], [[1], [0.5]], "labels ±1"),
        ("logistic-movement", "relu-sum", [[1, 0], [0, 1]], [[1], [-1]], "output scale"),
        ("separated-data", "relu", [[1, 0, 0], [-1, 0, 0]], [[1], [-1]], "no two inputs on one line"),
        ("separated-data", "relu", [[1, 0], [0, 1]], [[1], [-1]], "d ≥ 3"),
        ("power-floor", "softmax", [[1, 0], [0, 0]], [[1], [-1]], "no input is 0"),
        ("taylor-floor", "softmax", [[1, 0], [1, 0]], [[1], [-1]], "a floor above 0"),
        ("eigenvalue-kept", "softmax", [[1, 0], [1, 0]], [[1], [-1]], "two equal inputs"),
        ("theorem-five", "tanh", [[1, 0], [1, 0]], [[1], [-1]], "two equal inputs"),
    ],
)  # fmt: skip
def test_the_assumption_that_a_problem_does_not_meet_is_named(name, network, X, y, words):
    problem = nv.problem((np.array(X, float), np.array(y, float)), network, m=8)
    assert words in silent(catalogue.claims(name)[0], problem)


def test_a_search_on_data_that_a_theorem_does_not_speak_of_is_refused_with_the_reason():
    problem = nv.problem((np.array([[1.0, 0], [1, 0]]), np.array([[1.0], [-1]])), "softmax", m=8)
    with pytest.raises(nv.BadInput, match="two equal inputs"):
        nv.falsify("convex-region", problem)
    assert "two equal inputs" in nv.certify("convex-region", problem)["claims"][0]["sentence"]
