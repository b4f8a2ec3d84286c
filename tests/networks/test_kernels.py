"""Routes to the kernel agree; the index order is what it says; memory does not grow with width."""

import dataclasses
import itertools
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import in_float32, make

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.ground.numerics import relative_difference
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.infinite_width import infinite_width, sample_kernel
from ntkverify.networks.kernels.shared_products import shared_products
from ntkverify.networks.network import forward, initialise, kernel_scale, narrowed
from ntkverify.networks.nouns import Params
from ntkverify.verifying.kernels import TOLERANCE, samples_within_budget

FINITE = [route for route in catalogue.KERNELS if route != "infinite-width"]


def somewhere(problem, seed=0):
    """A generic point: away from the coupled start, where the mean f vanishes."""
    base = initialise(problem, jax.random.key(seed))
    return Params(base.W + 0.3 * jax.random.normal(jax.random.key(seed + 1), base.W.shape), base.a)


@pytest.mark.parametrize(
    ("network", "init"), [(name, "coupled") for name in catalogue.NETWORKS] + [("softmax", "independent")]
)
@pytest.mark.slow
def test_routes_agree(network, init):
    problem = make(network, n=5, d_in=3, d_out=2, m=520, init=init)
    at = somewhere(problem)
    for cast, tolerance in ((lambda tree: tree, TOLERANCE["float64"]), (in_float32, TOLERANCE["float32"])):
        kernels = [jax.jit(catalogue.kernel(route))(*cast((problem, at))) for route in FINITE]
        for A, B in itertools.combinations(kernels, 2):
            assert relative_difference(A, B) <= tolerance


@pytest.mark.parametrize("network", ["softmax", "tanh"])
@pytest.mark.parametrize("d_out", [1, 3, 10])
def test_products_that_outputs_share_give_the_closed_form(network, d_out):
    problem = make(network, n=7, d_in=3, d_out=d_out, m=700)
    at = somewhere(problem)
    weighed = Params(at.W, at.a.at[1 % d_out, 5].set(0.7))
    saturated = Params(400 * at.W, at.a)
    padded = jax.jit(narrowed)(at, 300)
    for params in (at, weighed, saturated, padded):
        H, direct = (jax.jit(route)(problem, params) for route in (shared_products, closed_form))
        assert relative_difference(direct, H) <= 1e-13
        # Where the difference would lose digits, every one is the closed form's.
        if d_out < 3 or params is weighed or (params is saturated and network == "softmax"):
            assert jnp.array_equal(H, direct)


@pytest.mark.parametrize("route", [closed_form, shared_products])
@pytest.mark.parametrize("m", [2, 300])
def test_padding_counts_for_nothing_however_small_the_logits(route, m):
    problem = make(n=2, d_in=2, d_out=3, m=600)
    problem = dataclasses.replace(problem, X=jnp.eye(2))
    W = -800.0 - jax.random.uniform(jax.random.key(0), (2, 600))
    wide = Params(W, jax.random.rademacher(jax.random.key(1), (3, 600), W.dtype))
    H = jax.jit(route)(problem, narrowed(wide, m))
    alone = closed_form(dataclasses.replace(problem, m=m), Params(W[:, :m], wide.a[:, :m]))
    assert relative_difference(alone, H) <= 1e-12


@pytest.mark.parametrize("network", catalogue.NETWORKS)
def test_index_order_has_the_sample_slow(network):
    problem = make(network, n=3, d_in=2, d_out=2, m=8)
    at = somewhere(problem)
    H = closed_form(problem, at).reshape(3, 2, 3, 2)
    for i, l, j, k in itertools.product(range(3), range(2), range(3), range(2)):

        def output(W, i, l):
            return forward(problem.network, Params(W, at.a), problem.X)[i, l]

        entry = jnp.vdot(jax.grad(output)(at.W, i, l), jax.grad(output)(at.W, j, k))
        np.testing.assert_allclose(H[i, l, j, k], entry / kernel_scale(problem.network, 8), rtol=1e-11)


@pytest.mark.parametrize("network", catalogue.NETWORKS)
@pytest.mark.slow
def test_infinite_width_is_the_mean_of_wide_kernels(network):
    problem = make(network, n=4, d_in=3, d_out=2, m=20000, sigma=0.5)
    keys = jax.random.split(jax.random.key(0), 8)
    kernels = np.stack([closed_form(problem, initialise(problem, key)) for key in keys])
    error = kernels.std(axis=0) / np.sqrt(len(keys)) + 1e-3
    assert np.all(np.abs(kernels.mean(axis=0) - infinite_width(problem)) < 5 * error)


def test_infinite_width_puts_the_sample_slow():
    problem = make(n=3, d_out=2)
    K, full = sample_kernel(problem)[0], infinite_width(problem).reshape(3, 2, 3, 2)
    for l, k in itertools.product(range(2), range(2)):
        np.testing.assert_array_equal(full[:, l, :, k], K if l == k else 0 * K)


@pytest.mark.parametrize("network", catalogue.NETWORKS)
@pytest.mark.slow
def test_cross_kernels_are_blocks_of_the_whole_by_every_route(network):
    problem = make(network, n=5, d_in=3, d_out=2, m=520)
    at = somewhere(problem)
    first = dataclasses.replace(problem, X=problem.X[:2], y=problem.y[:2])
    for route in catalogue.KERNELS:
        whole, cross = nv.kernel(problem, at, route), nv.kernel(first, at, route, X2=problem.X[2:])
        assert cross.shape == (4, 6)
        assert relative_difference(cross, whole[:4, 4:]) < 1e-12
        np.testing.assert_allclose(nv.kernel(first, at, route, X2=np.asarray(problem.X[:2])), whole[:4, :4], atol=1e-12 * float(abs(whole).max()))  # fmt: skip


@pytest.mark.parametrize("network", [name for name in catalogue.NETWORKS if catalogue.two_layer(name).neuron is None])
def test_the_limit_has_derivatives(network):
    """Also at inputs that are equal, opposite or zero, where angles and norms have none."""
    X = jnp.asarray([[0.6, 0.8, 0.0], [0.6, 0.8, 0.0], [-0.6, -0.8, 0.0], [0.0, 0.5, 0.1], [0.0, 0.0, 0.0]])
    X = jnp.pad(X, ((0, 0), (0, int(network.endswith("bias")))))
    problem = make(network, n=5, d_in=3, d_out=1, sigma=0.7)

    def K(X, sigma):
        return nv.kernel(dataclasses.replace(problem, X=X, sigma=sigma), route="infinite-width")

    def apart(X, sigma):
        """What is smooth: entries of different directions, and of an input with itself."""
        entries = K(X, sigma)
        return jnp.sum(jnp.sin(entries[3])) + jnp.sum(jnp.diag(entries) ** 2)

    for total in (lambda X, sigma: jnp.sum(jnp.sin(K(X, sigma))), apart):
        slopes = jax.grad(total, argnums=(0, 1))(X, problem.sigma)
        assert all(np.all(np.isfinite(slope)) for slope in slopes)
    step = 1e-5
    by_sigma = (apart(X, problem.sigma + step) - apart(X, problem.sigma - step)) / (2 * step)
    np.testing.assert_allclose(slopes[1], by_sigma, atol=1e-8)
    for i, k in itertools.product(range(4), range(3)):
        by_entry = (apart(X.at[i, k].add(step), problem.sigma) - apart(X.at[i, k].add(-step), problem.sigma)) / (
            2 * step
        )
        np.testing.assert_allclose(slopes[0][i, k], by_entry, atol=1e-8)


def test_temporary_memory_does_not_grow_with_width():
    def temporary(m):
        problem = make(m=m)
        params = initialise(problem, jax.random.key(0))
        found = jax.jit(closed_form).lower(problem, params).compile().memory_analysis()
        assert found is not None
        return found.temp_size_in_bytes

    assert temporary(2**16) <= temporary(2**12) * 1.01


def test_softmax_kernel_survives_large_logits():
    problem = make(sigma=300.0)
    H = closed_form(problem, somewhere(problem))
    assert np.all(np.isfinite(H))
    assert relative_difference(H, catalogue.kernel("autodiff")(problem, somewhere(problem))) < 1e-10


def test_reference_routes_stay_within_memory():
    small, large = make(), make(n=64, d_in=64, m=2**16)
    assert len(samples_within_budget(small, 0)) == small.n
    rows = samples_within_budget(large, 0)
    assert 0 < len(rows) < large.n
    assert 3 * len(rows) * large.d_out * large.m * large.d_in * 8 <= 2**30


@pytest.mark.slow
def test_a_planted_error_in_the_closed_form_is_reported(monkeypatch, tmp_path, capsys):
    module = sys.modules["ntkverify.networks.kernels.closed_form"]
    monkeypatch.setattr(module, "closed_form", lambda problem, params: closed_form(problem, params) * (1 + 1e-9))
    code = cli.main(["verify", "zero-output", "--data", "sphere", "--n", "5", "--d-in", "4", "--m", "32", "--seeds", "20", "--out", str(tmp_path)])  # fmt: skip
    assert code == 1
    assert "kernel routes closed-form and autodiff disagree in float64" in capsys.readouterr().out.replace("\n", " ")
    rows = json.loads((tmp_path / "results.json").read_text())["kernels"]
    assert {(row["a"], row["b"]) for row in rows if row["agree"] is False} == {("closed-form", b) for b in FINITE[1:]}
