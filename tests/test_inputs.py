"""Data come in as they should, and bad data are refused with a sentence."""

import numpy as np
import pytest
from conftest import make

from ntkverify import catalogue
from ntkverify.errors import BadInput
from ntkverify.nouns import Dataset
from ntkverify.problems import problem


def load(name, n=None, d_in=None, d_out=None, seed=0):
    return catalogue.load_input(str(name))(str(name), n, d_in, d_out, seed)


def test_digits_are_one_hot_of_the_first_classes():
    data = load("digits", n=24, d_out=3)
    assert data.X.shape == (24, 64)
    assert data.y.shape == (24, 3)
    assert set(data.y.sum(axis=1)) == {1.0}
    assert set(data.y.argmax(axis=1)) <= {0, 1, 2}


def test_sphere_is_reproducible():
    np.testing.assert_array_equal(load("sphere", seed=3).X, load("sphere", seed=3).X)
    np.testing.assert_allclose(np.linalg.norm(load("sphere").X, axis=1), 1)


@pytest.mark.parametrize(("name", "shape"), [("iris", (4, 3)), ("diabetes", (10, 1))])
def test_bundled_data_have_their_shapes(name, shape):
    data = load(name, n=20)
    assert (data.X.shape, data.y.shape) == ((20, shape[0]), (20, shape[1]))
    with pytest.raises(BadInput, match="--d-in 7"):
        load(name, d_in=7)
    with pytest.raises(BadInput, match="at most"):
        load(name, n=100_000)


def test_files_are_read(tmp_path):
    X, y = np.arange(6.0).reshape(3, 2), np.ones((3, 1))
    np.savez(tmp_path / "a.npz", X=X, y=y)
    (tmp_path / "a.csv").write_text("u,v,target\n" + "\n".join(f"{r[0]},{r[1]},1" for r in X))
    for name in ("a.npz", "a.csv"):
        data = load(tmp_path / name)
        np.testing.assert_array_equal(data.X, X)
        np.testing.assert_array_equal(data.y, y)
    assert load(tmp_path / "a.csv", d_out=2).y.shape == (3, 2)
    assert len(load(tmp_path / "a.csv", n=2).X) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no rows"),
        ("a,b\n", "holds no rows"),
        ("1,2\n3\n", "1 columns"),
        ("1,2\n3,x\n", "'x'"),
        ("1\n2\n", "1 columns"),
    ],
)
def test_bad_csv_is_refused(tmp_path, content, said):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(BadInput, match=said):
        load(tmp_path / "bad.csv")


def test_bad_npz_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "b.npz", X=np.ones((2, 2)))
    np.savez(tmp_path / "c.npz", X=np.ones((2, 2)), y=np.ones((3, 1)))
    np.savez(tmp_path / "d.npz", X=np.array(["a", "b"]), y=np.ones((2, 1)))
    for name, said in (
        ("a", "cannot be read"),
        ("b", "holds X"),
        ("c", "2 rows"),
        ("d", "real numbers"),
        ("e", "no file"),
    ):
        with pytest.raises(BadInput, match=said):
            load(tmp_path / f"{name}.npz")


def test_scaling_is_stated_or_refused():
    data = Dataset("big", np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[0.5], [1.0]]), "")
    softmax = catalogue.activation("softmax")
    scaled, sentence = problem(data, softmax, m=4)
    assert "X divided by its largest row norm, 5" in sentence
    assert "y" not in sentence.replace("by", "")
    assert float((scaled.X**2).sum(axis=1).max()) <= 1
    with pytest.raises(BadInput, match="norm 5"):
        problem(data, softmax, m=4, scale=False)


def test_rank_counts_independent_inputs():
    assert make(n=6, d_in=4).rank == 4
    duplicated = Dataset("d", np.ones((3, 2)) / 2, np.ones((3, 1)), "")
    assert problem(duplicated, catalogue.activation("softmax"), m=4)[0].rank == 1


def test_nan_and_odd_width_are_refused():
    softmax = catalogue.activation("softmax")
    with pytest.raises(BadInput, match="row 1"):
        problem(Dataset("d", np.array([[0.0], [np.nan]]), np.ones((2, 1)), ""), softmax, m=4)
    with pytest.raises(BadInput, match="m = 3"):
        problem(Dataset("d", np.ones((1, 1)), np.ones((1, 1)), ""), softmax, m=3)
