"""What the theory assumes of floats, decided exactly: ranks, lengths, and where a point leaves the setting."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import in_float32, make
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ntkverify import catalogue
from ntkverify.certifying.decision import REFUTED, decide
from ntkverify.cli import main as cli
from ntkverify.ground.devices import alone
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load
from ntkverify.networks.ascent import on_sphere, within
from ntkverify.networks.nouns import AT_START, INDEPENDENT, ON_PATH, Dataset, Params, Point
from ntkverify.networks.points import draw_points
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.setting import LARGEST, excess, inside, outside, rank
from ntkverify.searching.climbing import OUTSIDE, ascend, height, point_at, proposals
from ntkverify.searching.falsifying import falsify

CASES = Path(__file__).parents[1] / "cases"
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


@pytest.mark.slow
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


def built(X, **options):
    return make_problem(Dataset("d", X, np.ones((len(X), 1)), ""), catalogue.network("softmax"), m=4, **options)


def test_data_are_inside_exactly_and_an_ulp_is_named():
    X = np.array([[1.0, 0.0], [0.5, 0.5], [np.nextafter(1, 2), 0.0]])
    scaled, sentence = built(X)
    assert not excess(scaled.X).any()
    assert "1 rows of X moved inside from norms of up to 1 + 2.2e-16" in sentence
    with pytest.raises(BadInput, match=r"1 of 3 rows of X are longer than 1, row 2 has norm 1 \+ 2.2e-16"):
        built(X, scale=False)
    same, sentence = built(X[:2], scale=False)
    assert np.array_equal(same.X, X[:2])
    assert "as they came" in sentence


@pytest.mark.parametrize("name", ["sphere", "pairs", "orthonormal", "digits", "iris", "diabetes"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_data_set_is_inside_exactly(name, dtype):
    data = catalogue.load_input(name)(name, None, None, None, 0)
    found, sentence = make_problem(data, catalogue.network("softmax"), m=4, dtype=dtype)
    assert not excess(found.X).any()
    assert not excess(found.y).any()
    assert "moved inside" not in sentence


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, (3, 4), elements=FLOATS.filter(lambda x: abs(x) < 1e10)), st.sampled_from([1e-8, 0.01, 1.0, 1e3]),
    st.floats(-300, 0), st.booleans(),
)  # fmt: skip
def test_a_moved_neuron_is_within_its_ball_exactly(W, R, decades, single):
    """Also where squares of the direction underflow, and where W is far larger than R."""
    dtype = jnp.float32 if single else jnp.float64
    direction = jnp.asarray(10.0**decades * np.cos(np.arange(12.0).reshape(3, 4)), dtype)
    W, R = jnp.asarray(W, dtype), jnp.asarray(R, dtype)
    for place in (within, jax.jit(within)):
        moved = np.asarray(place(W, on_sphere(direction, R), R))
        assert not excess(moved.T, np.asarray(W).T, float(R)).any()


def each(points):
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), points)
    return [jax.tree.map(lambda leaf, k=k: leaf[k], flat) for k in range(len(flat.probe))]


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("sigma", "radius"), [(1.0, 0.01), (1e-3, 2.0), (100.0, 1e-4)])
@pytest.mark.slow
def test_draws_and_search_stay_inside_exactly(single, sigma, radius):
    problem = make(n=3, d_in=5, d_out=2, m=8, sigma=sigma, radius=radius)
    problem = in_float32(problem) if single else problem
    problem = dataclasses.replace(problem, X=jnp.asarray(inside(np.asarray(problem.X))), y=jnp.zeros_like(problem.y))
    drawn = each(draw_points(problem, jax.random.split(jax.random.key(0), 4), 1, alone()))
    assert not any(outside(problem, point) for point in drawn)
    places = [(problem.X, point.base.W, point.moved.W - point.base.W, point.base.a) for point in drawn]
    places = jax.tree.map(lambda *leaves: jnp.stack(leaves), *places)
    for turn in range(3):  # one after the other: nothing drifts
        places = proposals(problem, places, jax.random.split(jax.random.key(turn), len(drawn)))
    form = next(form for form in catalogue.claims("kernel-perturbation") if form.form == "derived")
    few = jax.tree.map(lambda leaf: leaf[:4], places)
    _, climbed = ascend(form, problem, few, {}, jax.random.split(jax.random.key(9), 4))
    for group in (places, climbed):
        for k in range(len(group[0])):
            place = jax.tree.map(lambda leaf, k=k: leaf[k], group)
            there = dataclasses.replace(problem, X=place[0])
            assert outside(there, point_at(problem, place)) is None
    assert bool(jnp.any(places[0] != problem.X[None]))


def test_where_a_point_leaves_the_setting_is_told_by_how_much():
    problem = make(n=3, d_in=2, d_out=2, m=4, radius=0.5)
    point = each(draw_points(problem, jax.random.split(jax.random.key(0), 1), 1, alone()))[0]
    assert outside(problem, point) is None
    assert outside(problem, point, AT_START) is None
    long = dataclasses.replace(problem, X=problem.X.at[1].set(jnp.asarray([np.nextafter(1, 2), 0.0])))
    found = outside(long, point)
    assert found is not None
    assert list(found) == ["‖x_i‖² ≤ 1"]
    assert found["‖x_i‖² ≤ 1"] == pytest.approx(2 * 2.0**-52)
    far = Point(point.base, Params(point.base.W.at[0, 0].add(1.0), point.base.a), point.probe)
    found = outside(problem, far)
    assert found is not None
    assert found == {"‖w̃_r − w_r‖² ≤ R²": pytest.approx(0.75)}
    assert outside(problem, far, ON_PATH) is None
    lone = Point(far.moved, far.moved, point.probe)
    assert outside(problem, lone, AT_START) == {"neurons in pairs": pytest.approx(1.0)}
    assert outside(dataclasses.replace(problem, init=INDEPENDENT), lone, AT_START) is None
    lost = Point(point.base, Params(point.base.W * jnp.nan, point.base.a), point.probe)
    assert outside(problem, lost) == {"‖w̃_r − w_r‖² ≤ R²": np.inf}


@pytest.mark.slow
def test_a_true_lemma_that_is_attained_is_not_refuted(tmp_path):
    words = ["falsify", str(CASES / "attained_l1.py"), "--n", "4", "--d-in", "4", "--d-out", "2", "--m", "16"]
    assert cli.main([*words, "--radius", "0.5", "--budget", "4", "--out", str(tmp_path)]) == 0


@pytest.mark.slow
def test_a_lemma_that_is_false_just_outside_is_searched_inside():
    """No draw is inside as it is; the search goes to the edge and no further, and outside the way in leads up."""
    form = catalogue.claims(str(CASES / "bounded_logits.py"))[0]
    problem = make(n=3, d_in=4, d_out=2, m=16, sigma=3.0, radius=0.1)
    point = each(draw_points(problem, jax.random.split(jax.random.key(0), 1), 1, alone()))[0]
    place = problem.X, point.base.W, point.moved.W - point.base.W, point.base.a
    far, near = (height(form, problem, (place[0], by * place[1], *place[2:]), {}) for by in (1.0, 0.9))
    assert far < near < OUTSIDE
    found = falsify(form, problem, 1.0)
    assert found.drawn == OUTSIDE
    assert 0.6 < found.ratio <= 1
    assert decide(form, found.problem, found.point).verdict != REFUTED
    for twin in form.twins:
        worst = falsify(form.mutated(twin), problem, 1.0)
        assert worst.ratio > 1
        assert decide(form.mutated(twin), worst.problem, worst.point).verdict == REFUTED
