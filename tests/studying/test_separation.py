"""λ of inputs that come close: many digits, the law, and what is said of it."""

import math

import flint
import numpy as np
import pytest

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.arithmetic.arb import precision
from ntkverify.networks.kernels.many_digits import hermite, on_the_sphere, smallest_eigenvalue, unit
from ntkverify.studies import separation
from ntkverify.studying.run import configuration, study


@pytest.mark.parametrize(
    "network", ["softmax", "exponential", "relu", "tanh", "sigmoid", "swish", "softplus", "gelu", "erf"]
)
def test_the_limit_with_many_digits_is_the_limit(network):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    question = nv.problem((X, np.ones((4, 1))), network=network, m=4, sigma=0.8)
    X = np.asarray(question.X)
    with precision(200):
        of = on_the_sphere(catalogue.two_layer(network), 0.8)
        K = [[float(of(flint.arb(1) if i == j else flint.arb(float(X[i] @ X[j])))) for j in range(4)] for i in range(4)]
        least = smallest_eigenvalue(of, unit([[flint.arb(float(x)) for x in row] for row in X]))
    there = np.asarray(nv.kernel(question, route="infinite-width"))
    np.testing.assert_allclose(K, there, rtol=0, atol=1e-12 * there.max())
    assert float(least.rad()) < 1e-30
    assert float(least) == pytest.approx(np.linalg.eigvalsh(there)[0], abs=1e-12)


def test_hermite_coefficients_of_a_polynomial_are_its_own():
    """φ' = σ(u) of swish is 1/2 plus an odd function: c_0 = 1/2, even coefficients vanish; Parseval holds."""
    network = catalogue.two_layer("swish")
    with precision(200):
        found = hermite(network, 1.0)
        squares = sum((c * c for c in found), flint.arb(0))
        k = on_the_sphere(network, 1.0)
        assert abs(k(flint.arb(1)) - squares) < flint.arb("1e-40")
    assert float(found[0]) == pytest.approx(0.5, abs=1e-30)
    question = nv.problem((np.ones((1, 1)), np.ones((1, 1))), network="swish", m=4)
    assert float(squares) == pytest.approx(float(nv.kernel(question, route="infinite-width")[0, 0]), rel=1e-11)


def test_polynomials_tell_points_apart():
    assert [separation.degree(n, 2) for n in (1, 2, 3, 6)] == [0, 1, 2, 5]  # one variable: n − 1
    assert [separation.degree(n, 3) for n in (3, 4, 6, 7, 10, 11)] == [1, 2, 2, 3, 3, 4]
    assert [separation.degree(n, 16) for n in (10, 16, 17)] == [1, 1, 2]
    rng = np.random.default_rng(0)
    for n, d_in in ((5, 2), (7, 3), (9, 4)):
        points, degree = rng.standard_normal((n, d_in - 1)), separation.degree(n, d_in)
        for most, rank in ((degree, n), (degree - 1, math.comb(d_in - 2 + degree, degree - 1))):
            powers = np.array([p for p in np.ndindex(*[most + 1] * (d_in - 1)) if sum(p) <= most])
            assert np.linalg.matrix_rank(np.prod(points[:, None] ** powers[None], axis=2)) == rank


CHANGES = ["network=softmax,relu", "n=3,4", "d_in=2", "theta=0.1,0.05,0.025", "draws=2", "trained=1", "m=8", "nets=1"]


def test_the_law_lies_in_the_intervals(tmp_path):
    found = study(configuration("separation", "quick", CHANGES), tmp_path)
    assert found["complete"]
    assert len(found["fits"]) == 4
    for fit in found["fits"]:
        assert fit["low"] <= fit["predicted"] <= fit["high"]
        assert fit["high"] - fit["low"] < 0.2
    assert {fit["predicted"] for fit in found["fits"]} == {1.0, 4.0, 6.0}
    assert "4 of 4 intervals" in found["answer"]
    softmax = [cell["metrics"]["lambda"] for cell in found["cells"] if cell["params"]["network"] == "softmax"]
    assert min(softmax) < 1e-12  # float64 cannot see it


def test_a_law_that_is_wrong_is_seen():
    cells = [
        {
            "params": {"network": "softmax", "n": 3, "d_in": 2, "theta": theta},
            "seed": 0,
            "metrics": {"lambda": theta**3},
        }
        for theta in (0.1, 0.05, 0.025)
    ]
    (fit,) = separation.fits(cells)
    assert fit["exponent"] == pytest.approx(3)
    assert not fit["low"] <= fit["predicted"] <= fit["high"]
    assert separation.tables(cells[:0], [fit])[0]["rows"][0][-1] == "no"
