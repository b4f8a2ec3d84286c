"""What the theory assumes of floats, decided exactly: ranks, lengths, and where a point leaves the setting."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ntkverify import cli
from ntkverify.results import load
from ntkverify.setting import LARGEST, excess, inside, rank

CASES = Path(__file__).parent / "cases"
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e300, 5e-324])


def eliminated(X) -> int:
    """The rank by Gauss's elimination of fractions."""
    rows, found = [[Fraction(float(x)) for x in row] for row in X], 0
    for column in range(X.shape[1]):
        pivot = next((k for k in range(found, len(rows)) if rows[k][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for k in range(found + 1, len(rows)):
            share = rows[k][column] / rows[found][column]
            rows[k] = [a - share * b for a, b in zip(rows[k], rows[found], strict=True)]
        found += 1
    return found


def length(row) -> Fraction:
    return sum((Fraction(x) ** 2 for x in row), Fraction(0))


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=FLOATS), st.integers(0, 3))
def test_the_rank_is_that_of_the_fractions(X, repeated):
    X = np.concatenate([X, X[:repeated], 0.5 * X[-1:]])
    assert rank(X) == eliminated(X)
    assert rank(X.T) == eliminated(X)


@pytest.mark.parametrize("decades", [0, 150, 300])
def test_ranks_of_products_of_integers_and_far_exponents(decades):
    rng = np.random.default_rng(decades)
    low = (rng.integers(-99, 99, (40, 7)) @ rng.integers(-99, 99, (7, 30))).astype(float)
    scales = 2.0 ** rng.integers(-3 * decades, 3 * decades + 1, 30)
    assert rank(low) == 7
    assert rank(low * scales) == 7
    off = low.copy()
    off[3, 5] = np.nextafter(off[3, 5], np.inf)
    assert rank(off * scales) == 8


def test_large_data_have_their_rank_or_a_bound():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1797, 64))
    assert rank(X) == 64
    X[:, 63] = 2 * X[:, 0]
    assert rank(X) == 63
    wide = rng.standard_normal((LARGEST + 1, LARGEST + 9))
    wide[-1] = 2 * wide[0]
    assert LARGEST <= rank(wide) <= LARGEST + 1
    assert rank(np.repeat(wide[:3], 200, axis=0)) == 3


def test_inputs_that_are_nearly_parallel_do_not_refute_the_rank_floor(tmp_path):
    words = ["verify", "rank-floor", "--certify", "--certify-seconds", "0", "--data", str(CASES / "rank_near.npz")]
    assert cli.main([*words, "--m", "4", "--seeds", "20", "--out", str(tmp_path)]) == 0
    found = load(tmp_path)
    assert found["problems"][0]["rank"] == 2
    assert [row["verdict"] for row in found["claims"]] == ["vacuous"]


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, (3, 4), elements=FLOATS), arrays(np.float64, (3, 4), elements=FLOATS), st.floats(0, 1e300))
def test_the_excess_is_exact(A, B, radius):
    for row, other, found in zip(A, B, excess(A, B, radius), strict=True):
        truth = length([Fraction(float(a)) - Fraction(float(b)) for a, b in zip(row, other, strict=True)])
        truth -= Fraction(radius) ** 2
        assert (found == 0) == (truth <= 0)
        if found and np.isfinite(found):
            assert truth <= Fraction(float(found)) <= truth * (1 + Fraction(2) ** -50) + Fraction(2) ** -1073


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_moved_inside_and_no_further(dtype):
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((300, 9)) * 10.0 ** rng.integers(-30, 0, (300, 9))
    rows = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(dtype)
    moved = inside(rows)
    assert any(length(row) > 1 for row in rows.tolist())
    assert all(length(row) <= 1 for row in moved.tolist())
    assert moved.dtype == dtype
    assert np.abs(moved - rows).max() <= 4 * np.finfo(dtype).eps
    kept = np.array([length(row) <= 1 for row in rows.tolist()])
    assert np.array_equal(moved[kept], rows[kept])
