"""λ_min(K) is bounded from below by what is proved, and where nothing is, the reason is said."""

import numpy as np
import pytest
from flint import arb

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.arithmetic.arb import precision
from ntkverify.convergence.positivity import BITS, coefficients, floor, rank_of_power
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.kernels.many_digits import hermite

ELEMENTWISE = ["tanh", "sigmoid", "swish", "softplus", "gelu", "erf"]


def question(X, network):
    return nv.problem((X, np.ones((len(X), 1)) / 2), network, m=8)


@pytest.mark.parametrize("network", ["softmax", "exponential", "relu", *ELEMENTWISE])
@pytest.mark.slow
def test_the_floor_lies_just_below_the_eigenvalue(network):
    """Inputs of different norms, so that every row has coefficients of its own."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 3)) * rng.uniform(0.2, 0.5, (4, 1))
    problem = question(X, network)
    found = floor(problem)
    there = np.linalg.eigvalsh(sample_kernel(problem)[0])[0]
    assert 0.9 * there < found.value <= there * (1 + 1e-6)


@pytest.mark.parametrize("network", ELEMENTWISE)
def test_coefficients_agree_with_another_quadrature(network):
    with precision(BITS):
        mine = coefficients(catalogue.two_layer(network), arb(1), 6)
        theirs = hermite(catalogue.two_layer(network), 1.0, 6)
        for one, other in zip(mine, theirs, strict=True):
            assert float(one.rad()) < 1e-25
            assert abs(float(one.mid()) - float(other.mid())) < 1e-12


def test_an_antipodal_pair_is_lost_by_an_even_slope_and_by_no_other():
    x = np.array([0.1, 0.7]) / np.linalg.norm([0.1, 0.7])  # of a length that is not exactly 1
    X = np.array([x, -x, [0.6, 0.8]])
    for network, positive in (("tanh", False), ("sigmoid", False), ("swish", True), ("softmax", True), ("relu", True)):
        found = floor(question(X, network))
        assert (found.value > 0) == positive
        assert positive or found.said == "inputs 0 and 1 are parallel"


def test_what_is_not_covered_says_so():
    assert "many variables" in floor(nv.problem("sphere", "gated", m=8, n=3, d_in=3)).said
    assert "zero" in floor(question(np.array([[0.0, 0.0], [1.0, 0.0]]), "softmax")).said
    close = np.array([[1.0, 0.0], [1.0, 1e-9], [1.0, -1e-9]])
    assert "do not tell" in floor(question(close, "tanh"), terms=3).said


@pytest.mark.parametrize(("d", "degree"), [(2, 1), (2, 3), (3, 2)])
def test_the_kernel_of_a_polynomial_has_the_rank_of_its_tensors(d, degree):
    """Against the definition: E[φ'φ'] by an exact Gauss–Hermite rule."""
    X = np.random.default_rng(d).standard_normal((12, d))
    rank, most = rank_of_power(X, degree)
    assert rank == most < len(X)
    z, w = np.polynomial.hermite_e.hermegauss(8)
    grid = np.stack(np.meshgrid(*[z] * d), axis=-1).reshape(-1, d)
    weights = np.prod(np.stack(np.meshgrid(*[w] * d), axis=-1).reshape(-1, d), axis=1) / np.sqrt(2 * np.pi) ** d
    slopes = (grid @ X.T) ** (degree - 1)
    K = X @ X.T * (slopes.T @ (weights[:, None] * slopes))
    values = np.linalg.eigvalsh(K)
    assert (values > 1e-9 * values[-1]).sum() == rank
