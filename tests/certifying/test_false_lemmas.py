"""Lemma files that hide a falsehood are never proved, and never hold; other small files get the answers that they ought to."""

import json
from pathlib import Path

import jax
import pytest

from ntkverify.cli import main as cli

CASES = Path(__file__).parents[1] / "cases"
SMALL = ("--n", "4", "--d-in", "4", "--m", "16")
FALSE = (
    "above_minus_infinity", "beside_a_giant", "callback", "cancelled_noise", "count_ratio", "denormal_constant", "filled_gather",
    "guarded_eigenvectors", "half_precision", "isnan_constant", "nan_to_num", "near_count", "noise_at_some_points", "one_half_of_a_matrix",
    "own_derivative", "own_given", "own_second_order", "rounded_down", "two_loops", "unsigned_count", "wrapped_count",
)  # fmt: skip


@pytest.fixture(autouse=True)
def as_a_user_runs_it():
    """The tests' strict promotion of dtypes and ranks is none of a user's."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def verdicts(words, tmp_path) -> set[str]:
    """What a run says, or the empty set where it refuses its input."""
    if cli.main([*words, "--out", str(tmp_path / words[0])]) == 2:
        return set()
    return {row["verdict"] for row in json.loads((tmp_path / words[0] / "results.json").read_text())["claims"]}


@pytest.mark.parametrize("name", FALSE)
@pytest.mark.slow
def test_what_is_false_is_never_proved_and_never_holds(name, tmp_path, capsys):
    file = str(CASES / f"{name}.py")
    found = verdicts(("certify", file, *SMALL, "--seeds", "2"), tmp_path)
    assert found, capsys.readouterr()
    assert found <= {"refuted", "undecided"}
    found = verdicts(("verify", file, "--data", "sphere", *SMALL, "--seeds", "20"), tmp_path)
    assert found, capsys.readouterr()
    assert found <= {"violated", "undecided", "vacuous"}


@pytest.mark.slow
def test_what_the_float_at_hand_absorbs_is_refuted_at_a_point(tmp_path):
    """On draws it holds, of the floats that `given` marks (docs/trust.md); an enclosure takes the number itself."""
    assert verdicts(("certify", str(CASES / "absorbed.py"), *SMALL, "--seeds", "2"), tmp_path) == {"refuted"}


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (("log1p_identity.py", "--data", "sphere", *SMALL), {"holds"}),
        (("noisy_equality.py", "--data", "sphere", *SMALL), {"undecided"}),
        (("empty_side.py", "--data", "sphere", *SMALL), set()),
        (("column_against_row.py", "--data", "column_against_row.npz", "--m", "16"), set()),
    ],
)
def test_other_cases(words, right, tmp_path):
    paths = [str(CASES / word) if (CASES / word).is_file() else word for word in words]
    assert verdicts(("verify", *paths, "--seeds", "20"), tmp_path) == right


@pytest.mark.slow
def test_units_whose_squares_leave_the_range_violate_nothing(tmp_path):
    words = ("--data", str(CASES / "tiny_units.npz"), "--m", "32", "--dtype", "float32", "--seeds", "40")
    assert verdicts(("verify", "kernel-factorisation", *words), tmp_path) <= {"undecided", "vacuous"}
