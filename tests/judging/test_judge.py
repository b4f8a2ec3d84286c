"""Verdicts follow the rules."""

import dataclasses

import numpy as np
import pytest

from ntkverify import catalogue
from ntkverify.ground.numerics import hold_rate_interval, trials_needed
from ntkverify.judging.evidence import Evidence
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
