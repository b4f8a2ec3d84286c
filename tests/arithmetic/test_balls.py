"""Balls in float64 contain what fifty digits say, at every operation."""

import flint
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from conftest import make
from hypothesis import given, settings
from hypothesis import strategies as st
from test_enclosures import FORMS, constants

from ntkverify.arithmetic import balls
from ntkverify.arithmetic.arb import FIFTY_DIGITS, enclosed, precision
from ntkverify.arithmetic.balls import Ball
from ntkverify.arithmetic.float64 import FLOAT64, enclosed_in_float64
from ntkverify.certifying.at_points import smallest_eigenvalue
from ntkverify.certifying.decision import PROVED, UNDECIDED, decide
from ntkverify.judging.draws import chunks
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import IN_BALL, ON_PATH, Params

NUMBERS = st.floats(-650, 650) | st.floats(-1e-6, 1e-6)
EXACT = 2500
"""Bits at which sums and products of these numbers are exact."""
RADII = st.sampled_from([0.0, 1e-300, 1e-12, 0.3])
PAIRS = {
    "add": (balls.add, lambda x, y: x + y),
    "subtract": (balls.subtract, lambda x, y: x - y),
    "multiply": (balls.multiply, lambda x, y: x * y),
    "divide": (balls.divide, lambda x, y: x / y),
}


def contains(ball: Ball, truth) -> bool:
    mid, rad = flint.arb(float(ball.mid)), float(ball.rad)
    return rad == np.inf or not abs(truth - mid) > flint.arb(rad)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(PAIRS)), NUMBERS, RADII, NUMBERS, RADII, st.floats(-1, 1), st.floats(-1, 1))
def test_arithmetic_contains_every_member(name, a, ra, b, rb, s, t):
    ours, true = PAIRS[name]
    with precision(EXACT):
        x, y = (flint.arb(mid) + flint.arb(rad) * flint.arb(at) for mid, rad, at in ((a, ra, s), (b, rb, t)))
        if not (name == "divide" and y.contains(0)):
            found = ours(*(Ball(np.array(mid), np.array(rad)) for mid, rad in ((a, ra), (b, rb))))
            assert contains(found, true(x, y))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["exp", "root"]), NUMBERS, RADII, st.floats(-1, 1))
def test_functions_contain_every_member(name, a, ra, s):
    with precision(EXACT):
        x = flint.arb(a) + flint.arb(ra) * flint.arb(s)
        if name == "exp" or x >= 0:
            found = getattr(balls, name)(Ball(np.array(a), np.array(ra)))
            assert contains(found, x.exp() if name == "exp" else x.sqrt())


def test_exp_is_sharp_and_its_radius_could_fail():
    x = np.linspace(-20, 20, 4001)
    found = balls.exp(balls.exact(x))
    assert np.all(found.rad <= 1e-13 * found.mid)
    with precision(FIFTY_DIGITS):
        share = [float(abs(flint.arb(t).exp() - flint.arb(m)) / flint.arb(r)) for t, m, r in zip(x, found.mid, found.rad, strict=True)]  # fmt: skip
    assert 0.05 < max(share) <= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10**6), st.sampled_from([0.0, 1e-9, 1.0]), st.sampled_from([1e-6, 1.0, 1e6]))
def test_eigenvalues_and_the_smallest_are_inside(size, seed, spread, scale):
    """Repeated and zero eigenvalues included: spread 0 makes all but one equal to 0."""
    rng = np.random.default_rng(seed)
    v, noise = rng.integers(-3, 4, (size, 1)).astype(float), rng.standard_normal((size, size))
    A = scale * (v @ v.T + spread * (noise + noise.T))
    low, high = balls.smallest_eigenvalue(balls.exact(A))
    found, top = FLOAT64.eigenvalues(balls.exact(A)), balls.largest_eigenvalue(balls.exact(A))
    with precision(FIFTY_DIGITS):
        truth = [float(value) for value in sorted(mpmath.eigsy(mpmath.matrix(A.tolist()), eigvals_only=True))]
        ulp = 1e-16 * max(abs(truth[0]), abs(truth[-1]))  # float() of the truth
        assert low - ulp <= truth[0] <= high + ulp
        assert high - low <= 1e-12 * max(1.0, np.abs(A).max())
        assert truth[-1] <= top + ulp
        for k, value in enumerate(truth):
            assert found.lower[k] - ulp <= value <= found.upper[k] + ulp


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 300), st.integers(0, 10**6))
def test_products_and_sums_contain_the_exact_ones(rows, terms, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.standard_normal((rows, terms)) * 10.0 ** rng.integers(-8, 9, (rows, terms)) for _ in range(2))
    found, added = balls.product(balls.exact(a), balls.exact(b.T)), balls.total(balls.exact(a), 1)
    with precision(EXACT):
        exact = flint.arb_mat(a.tolist()) * flint.arb_mat(b.T.tolist())
        for i in range(rows):
            assert contains(added[i], sum(map(flint.arb, a[i].tolist()), flint.arb(0)))
            for j in range(rows):
                assert contains(found[i, j], exact[i, j])


@pytest.fixture(scope="module")
def problem():
    return make(n=3, d_in=3, d_out=2, m=8, radius=0.1)


@pytest.fixture(scope="module")
def points(problem):
    places = {where: next(chunks(problem, 1, 0, where))[1] for where in (IN_BALL, ON_PATH)}
    return {where: jax.tree.map(lambda leaf: leaf[0, 1], found) for where, found in places.items()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.id}-{form.form}")
def test_float64_balls_agree_with_arb_on_every_claim(form, problem, points):
    point = points[ON_PATH if form.where == ON_PATH else IN_BALL]
    for side in (form.lhs, form.rhs):
        fine = np.ravel(enclosed(side)(problem, point, constants(form)))
        rough = np.ravel(enclosed_in_float64(side)(problem, point, constants(form)))
        for arb, ball in zip(fine, rough, strict=True):
            assert arb.overlaps(ball)
            assert float(ball.rad()) <= 1e-9 * max(1.0, abs(float(ball.mid())))


def test_a_large_kernel_has_a_certified_eigenvalue():
    problem = make(n=256, d_in=64, d_out=4, m=512)
    low, high = smallest_eigenvalue(problem, initialise(problem, jax.random.key(0)))
    assert low is not None
    assert high is not None
    assert 0 < low <= high <= low * (1 + 1e-8)


def test_a_kernel_without_smallest_eigenvalue_is_near_zero_from_both_sides():
    problem = make(n=4, d_in=2, d_out=2, m=64)
    twice = problem.X.at[1].set(problem.X[0])
    net = initialise(problem, jax.random.key(0))
    low, high = smallest_eigenvalue(type(problem)(**{**vars(problem), "X": twice}), net)
    assert low is not None
    assert high is not None
    assert -1e-11 < low <= 0 <= high < 1e-11  # nd · u · ‖H‖ is 1e-13 here


@pytest.mark.slow
def test_large_problems_are_decided_in_float64():
    problem = make(n=24, d_in=8, d_out=2, m=1024, radius=0.05)
    point = jax.tree.map(lambda leaf: leaf[0, 1], next(chunks(problem, 1, 0))[1])
    verdicts = {}
    for form in FORMS:
        if form.id in ("kernel-norm", "kernel-perturbation", "gradient-formula") and form.form == "derived":
            verdicts[form.id] = decide(form, problem, point).verdict
    assert verdicts == {
        "kernel-norm": PROVED,
        "kernel-perturbation": PROVED,
        "gradient-formula": UNDECIDED,
    }  # an equality


def test_what_is_not_finite_is_undecided():
    nothing = Ball(np.eye(2), np.full((2, 2), np.inf))
    assert balls.smallest_eigenvalue(nothing) == (-np.inf, np.inf)
    assert np.isinf(FLOAT64.eigenvalues(nothing).rad).all()
    assert np.isinf(balls.exp(balls.exact(np.array([800.0]))).rad).all()
    params = Params(jnp.full((2, 4), jnp.inf), jnp.ones((1, 4)))
    found = enclosed_in_float64(lambda params: jnp.exp(params.W).sum())(params)
    assert not found.item().is_finite()
