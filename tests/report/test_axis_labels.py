"""What the axes of a claim's figure are called."""

import dataclasses

import pytest

from ntkverify import catalogue
from ntkverify.report.axis_labels import LEFT, RIGHT, sides

SEVERAL = {"step-terms", "liu", "oymak", "bartlett", "chatterjee", "theorem-five", "logistic-movement"}
"""Claims that state several inequalities in one."""


def labels(name: str, form: str) -> tuple[str, str]:
    return sides(dataclasses.asdict(catalogue.statements(name)[form]))


@pytest.mark.parametrize("name", catalogue.CLAIMS)
def test_axes_bear_the_sides_of_the_formula(name):
    for form, stated in catalogue.statements(name).items():
        if stated.direction in ("equality", "order"):
            continue
        small, large = labels(name, form)
        if name not in SEVERAL:
            assert (small, large) != (LEFT, RIGHT)
        assert small
        assert large
        assert not any(sign in small + large for sign in (" ≤ ", " ≥ ", "⟹", "$", "\\"))


def test_the_smaller_side_comes_first_whatever_is_written_first():
    assert labels("kernel-perturbation", "derived") == ("‖H(W̃) − H(W)‖_F", "(e²ᴿ − 1) d κ ‖XXᵀ‖_F")
    assert labels("eigenvalue-kept", "reconstructed") == ("λ/2", "λₘᵢₙ(H(τ))")
    assert labels("convex-region", "derived") == ("λ/2", "λₘᵢₙ(H(W̃))")
