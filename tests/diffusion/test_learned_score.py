"""A score that is used: the study's numbers, the units of the data, a file that gives the same samples."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ntkverify as nv
from ntkverify.diffusion import learned as measures
from ntkverify.diffusion.sampler import Sampler
from ntkverify.diffusion.sampling import Score, fresh, grid, of_mixture, probability_flow, reverse_sde
from ntkverify.diffusion.stages import PARTS
from ntkverify.ground import archive
from ntkverify.studies import diffusion
from ntkverify.truths.mixtures import gaussians

SMALL = {"n": 12, "m": 16, "steps": 32, "test": 16}
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def of_gaussian():
    return nv.learn_score("gaussian", **SMALL, seed=1)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).standard_normal((40, 2)) * np.array([2.0, 0.5]) + 3.0


@pytest.fixture(scope="module")
def of_rows(rows):
    return nv.learn_score(rows, **SMALL)


def test_its_numbers_are_the_studys(of_gaussian):
    params = diffusion.COMMON | diffusion.DATA["gaussian"] | {"data": "gaussian", "network": "softmax", "radius": 2.0}
    params |= {"n": 12, "m": 16, "doublings": 5, "test": 16}
    row = measures.learn(params, measures.lesson(params, measures.population(params), 1))
    assert row["outcome"] == "learned"
    for name, metric in ({name: name for name in (*PARTS, "cross", "bias", "trivial")} | {"total": "error"}).items():
        assert of_gaussian.error[name] == row["metrics"][metric], name
    assert of_gaussian.stop == row["metrics"]["stop"]
    assert of_gaussian.curves["total"] == row["curves"]["total"]
    other = nv.learn_score("gaussian", **SMALL, seed=2)
    assert other.error["total"] != of_gaussian.error["total"]


def test_its_samplers_are_the_studys(of_gaussian):
    begin, wander = jax.random.split(KEY)
    start, times = fresh(of_gaussian.mixture, 4.0, begin, 7), grid(0.05, 4.0, 12)
    exact = of_mixture(of_gaussian.mixture)
    walks = {"sde": reverse_sde(exact, start, times, wander), "ode": probability_flow(exact, start, times)}
    for method, walk in walks.items():
        found = of_gaussian.exact.sample(7, KEY, method, steps=12, denoise=False)
        assert np.array_equal(found, walk.last)
        assert not np.array_equal(of_gaussian.sample(7, KEY, method, steps=12, denoise=False), walk.last)


def test_steps_that_are_no_power_of_two_are_done_too():
    learned = nv.learn_score("gaussian", **SMALL | {"steps": 5})
    assert learned.times == [1, 2, 4, 5]


def test_a_score_in_units_is_that_of_the_forward_process():
    """Y_0 ~ N(c + s μ, s² Σ), whose Y_t is Gaussian with the mean and covariance that the process says."""
    mu, cov, c, s, t = np.array([0.4, -0.2]), np.array([[0.5, 0.2], [0.2, 0.3]]), np.array([5.0, -1.0]), 3.0, 0.7
    mixture = gaussians([1.0], mu[None], cov[None])
    sampler = Sampler(of_mixture(mixture), lambda key, n: fresh(mixture, 4.0, key, n), c, s, (0.05, 4.0), 8)
    y, alpha = np.random.default_rng(0).standard_normal((6, 2)) * 4, math.exp(-t / 2)
    centre, spread = c + alpha * s * mu, s**2 * (alpha**2 * cov + (1 - alpha**2) * np.eye(2))
    wanted = -np.linalg.solve(spread, (y - centre[None]).T).T
    assert np.allclose(sampler(y, t), wanted, rtol=1e-12)
    ends = np.asarray(sampler.sample(4000, KEY, "ode", denoise=False))
    assert np.abs(ends.mean(axis=0) - c - math.exp(-0.025) * s * mu).max() < 0.15
    clean = np.asarray(sampler.sample(4000, KEY, "ode"))
    assert np.trace(np.cov(clean.T)) < np.trace(np.cov(ends.T))


def test_scores_of_samples_move_with_their_units(rows, of_rows):
    b, a = np.array([[100.0, -7.0]]), 50.0
    moved = nv.learn_score(a * rows + b, **SMALL)
    x, t = rows[:6], np.linspace(0.1, 3, 6)
    assert np.allclose(a * moved(a * x + b, t), of_rows(x, t), rtol=1e-6)
    assert np.allclose(moved.sample(5, KEY, steps=12), a * of_rows.sample(5, KEY, steps=12) + b, rtol=1e-6)


def test_of_samples_only_what_needs_no_truth_is_known(rows, of_rows):
    assert of_rows.exact is None
    assert {name for name, value in of_rows.error.items() if value is not None} == {"coupling", "held out"}
    assert 0 < of_rows.error["coupling"] < of_rows.error["held out"] < 2 * 2
    assert "label mismatch, early stopping, approximation, clipping" in of_rows.sentence
    assert "not known" in of_rows._repr_html_()
    ends = np.asarray(of_rows.sample(300, KEY))
    assert np.abs(ends.mean(axis=0) - rows.mean(axis=0)).max() < 1


def test_it_runs_under_jit_and_is_differentiated(of_gaussian):
    x = jnp.asarray([[0.3, -0.4], [1.0, 2.0]])
    assert jnp.allclose(jax.jit(of_gaussian)(x, 0.5), of_gaussian(x, 0.5), rtol=1e-12)
    divergence = jax.vmap(lambda x: jnp.trace(jax.jacfwd(lambda x: of_gaussian(x[None], 0.5)[0])(x)))(x)
    assert jnp.isfinite(divergence).all()
    assert jnp.allclose(of_gaussian(x, np.array([0.5, 2.0]))[1], of_gaussian(x[1:], 2)[0], rtol=1e-12)


@pytest.mark.parametrize("name", ["of_gaussian", "of_rows"])
def test_a_saved_score_gives_the_same_samples(name, request, tmp_path):
    learned = request.getfixturevalue(name)
    learned.save(tmp_path / "mine.npz")
    again = nv.load_score(tmp_path / "mine.npz")
    for method in ("sde", "ode"):
        assert np.array_equal(again.sample(5, KEY, method, steps=12), learned.sample(5, KEY, method, steps=12))
    assert (again.error, again.curves, repr(again)) == (learned.error, learned.curves, repr(learned))
    assert (again.exact is None) == (learned.exact is None)
    assert again.plot().svg == learned.plot().svg


def _edited(path):
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **arrays | {"W": 2 * arrays["W"]})  # type: ignore[arg-type]


def _without_about(path):
    with np.load(path) as stored:
        np.savez(path, **{name: stored[name] for name in stored.files if name != "about"})


def _of_another_version(path):
    with np.load(path) as stored:
        arrays = dict(stored)
    said = json.loads(str(arrays["about"])) | {"schema": 99}
    np.savez(path, **arrays | {"about": np.array(json.dumps(said))})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_edited, "was edited"),
        (_without_about, "damaged or no learned score"),
        (_of_another_version, "of another version"),
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(50)), "damaged"),
        (lambda path: path.write_text("W,a"), "damaged"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: path.unlink(), "no file"),
        (lambda path: np.savez(path, about=np.array({"a": 1}, dtype=object)), "damaged"),
        (lambda path: archive.pack(path, "other thing", 1, {}, {}), "is no learned score"),
    ],
)
def test_a_file_that_is_none_is_refused(of_gaussian, tmp_path, harm, said):
    path = tmp_path / "mine.npz"
    of_gaussian.save(path)
    harm(path)
    with pytest.raises(nv.BadInput, match=said):
        nv.load_score(path)


def test_a_byte_that_is_flipped_anywhere_is_noticed(of_gaussian, tmp_path):
    path = tmp_path / "mine.npz"
    of_gaussian.save(path)
    whole, noticed = path.read_bytes(), 0
    for place in np.random.default_rng(0).integers(0, len(whole), 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            again = nv.load_score(path)  # some bytes of a zip are never read
            assert again.about == of_gaussian.about
            assert all(np.array_equal(again.arrays[name], array) for name, array in of_gaussian.arrays.items())
        except nv.BadInput:
            noticed += 1
    assert noticed > 30


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: nv.learn_score("mons"), "try: 'moons'"),
        (lambda: nv.learn_score(np.full((5, 2), np.nan)), "NaN or infinity"),
        (lambda: nv.learn_score(np.ones(5)), r"reshape\(-1, 1\)"),
        (lambda: nv.learn_score(np.ones((5, 2, 2))), r"samples \(N, d\)"),
        (lambda: nv.learn_score(np.ones((2, 2))), "at least three"),
        (lambda: nv.learn_score(np.ones((5, 2))), "without a spread"),
        (lambda: nv.learn_score(1e300 * np.eye(5)), "without a spread"),
        (lambda: nv.learn_score(None), "no array of numbers"),
        (lambda: nv.learn_score([["a", "b"]] * 5), "real numbers"),
        (lambda: nv.learn_score(np.eye(5), d=5), "d = 5 beside samples"),
        (lambda: nv.learn_score("moons", n=0), "n = 0"),
        (lambda: nv.learn_score("mixture", components=4, n=3), "at least 4"),
        (lambda: nv.learn_score("moons", m=-2), "m = -2"),
        (lambda: nv.learn_score("gaussian", **SMALL | {"m": 7}), "an even m"),
        (lambda: nv.learn_score("moons", steps=0), "steps = 0"),
        (lambda: nv.learn_score("moons", test=2), "test = 2"),
        (lambda: nv.learn_score("moons", d=3), "wanted: 2; try: d=2"),
        (lambda: nv.learn_score("moons", n=10**6), "memory is estimated"),
        (lambda: nv.learn_score("moons", "attention"), "such as softmax"),
        (lambda: nv.learn_score("moons", "sofmax"), "softmax"),
        (lambda: nv.learn_score("moons", earliest=5.0), r"times in \(0, T\]"),
        (lambda: nv.learn_score("moons", earliest=1e-12), "smallest usable t"),
        (lambda: nv.learn_score("moons", radius=0), "radius"),
        (lambda: nv.learn_score("moons", seed=-1), "seed"),
        (lambda: nv.load_score(3), "path"),
    ],
)
def test_what_cannot_be_learned_is_refused(wrong, said):
    with pytest.raises(nv.BadInput, match=said):
        wrong()


X = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda learned: learned(X, 0.01), "0.05 ≤ t ≤ 4"),
        (lambda learned: learned(X, 4.5), "t = 4.5"),
        (lambda learned: learned(X, [0.1, 0.1, 0.1, 0.0]), "t = 0"),
        (lambda learned: learned(X, np.full(3, 0.1)), r"t of shape \(3,\) for 4 points"),
        (lambda learned: learned(X, np.full((4, 1), 0.1)), r"t of shape \(4, 1\)"),
        (lambda learned: learned(X, np.nan), "NaN"),
        (lambda learned: learned(X, "now"), "real numbers"),
        (lambda learned: learned(X[0], 0.1), r"try: x\[None\]"),
        (lambda learned: learned(np.zeros((4, 3)), 0.1), r"points \(n, 2\)"),
        (lambda learned: learned(X + np.inf, 0.1), "x holds NaN or infinity"),
        (lambda learned: learned.sample(0, KEY), "n = 0"),
        (lambda learned: learned.sample(10**13, KEY), "memory is estimated"),
        (lambda learned: learned.sample(5, 3), "random key"),
        (lambda learned: learned.sample(5, KEY, "ods"), "try: 'ode'"),
        (lambda learned: learned.sample(5, KEY, steps=0), "steps = 0"),
        (lambda learned: learned.plot("filed"), "try: 'field'"),
        (lambda learned: learned.images(X), "images of gaussian"),
        (lambda learned: learned.save("/nowhere/at/all.npz"), "can be written"),
    ],
)
def test_what_cannot_be_asked_is_refused(of_gaussian, wrong, said):
    with pytest.raises(nv.BadInput, match=said):
        wrong(of_gaussian)


def away(t, x):
    return 1e6 * x


def test_paths_that_diverge_are_said():
    sampler = Sampler(Score(away), lambda key, n: jnp.ones((n, 2)), np.zeros(2), 1.0, (0.05, 4.0), 1)
    with pytest.warns(RuntimeWarning, match="3 of 3 paths"):
        assert np.isnan(sampler.sample(3, KEY, steps=5)).all()


def test_it_is_drawn(of_gaussian, of_rows):
    drawn = of_gaussian.plot()
    assert drawn._repr_svg_().count("<svg") == 1
    assert all(name in drawn.csv for name in ("data", "exact score", "learned score"))
    assert "exact" not in of_rows.plot().csv
    assert all(name in of_gaussian.plot("field").csv for name in ("exact score", "learned score"))
    assert "stopped at τ" in of_gaussian._repr_html_()


@pytest.mark.slow
def test_digits_are_images():
    digits = nv.learn_score("digits", n=12, m=16, steps=8, test=16, d=2, components=20)
    assert digits.plot().svg.count("<image") == 30
    assert digits.images(digits.sample(10, KEY)).shape == (10, 64)
