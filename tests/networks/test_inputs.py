"""Data come in as they should, and bad data are refused with a sentence."""

from pathlib import Path

import numpy as np
import pytest
from conftest import make

from ntkverify import catalogue
from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import problem

CASES = Path(__file__).parents[1] / "cases"


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


def test_column_numbers_without_an_index_are_a_header():
    data = load(CASES / "default_header.csv")
    assert (data.X.shape, data.y.shape) == ((8, 3), (8, 1))
    assert data.X[0, 0] == 0.345584192064786
    assert "line 1, 0,1,2,3, was read as a header" in data.origin


@pytest.mark.parametrize("chosen", [{}, {"n": 4, "seed": 1}])
def test_a_value_that_is_no_number_is_reported_by_line_and_column(chosen):
    with pytest.raises(BadInput, match=r"nan_row6\.csv, line 7, column 'x1': nan"):
        load(CASES / "nan_row6.csv", **chosen)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no rows"),
        ("a,b\n", "holds no rows"),
        ("1,2\n3\n", "line 2: 1 columns"),
        ("a,b\n1,2,3\n", "line 2: 3 columns; wanted: 2 columns, as line 1 has"),
        ("1,2\n3,x\n", "line 2, column 2: 'x'"),
        ("a,b\n\n1,2\n\n3,x\n", "line 5, column 'b': 'x'"),
        ('a,b\n"1\n",2\n3,\n', "line 4, column 'b' is empty"),
        ("a,b\n1_2,3\n", "line 2, column 'a': '1_2'"),
        ("a,b\n１,3\n", "line 2, column 'a': '１'"),
        ("a,b\n1,-inf\n", "line 2, column 'b': -inf"),
        ("a,b\n1,1e999\n", "line 2, column 'b': 1e999 is beyond"),
        (",a,b\n0,1.5,2.5\n", "line 1: the first column has no name.*index=False"),
        (",0,1\n0,1.5,2.5\n", "line 1: the first column has no name"),
        ("Unnamed: 0,a,b\n0,1.5,2.5\n", "line 1: the first column has no name"),
        ("0,1\n1,0\n", "0,1 may be a header or a sample"),
        ("a;b\n1;2\n", "line 1: semicolons"),
        ("1\n2\n", "1 columns"),
    ],
)
def test_bad_csv_is_refused(tmp_path, content, said):
    (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        load(tmp_path / "bad.csv")


def test_numbers_that_do_not_count_the_columns_are_a_sample(tmp_path):
    for first in ("0.0,1.0", "1,0", "0,2"):
        (tmp_path / "a.csv").write_text(f"{first}\n0.5,0.25\n")
        assert load(tmp_path / "a.csv").X.shape == (2, 1)


def test_suffixes_are_read_or_refused_with_what_is_wanted(tmp_path):
    table = np.arange(6.0).reshape(2, 3)
    np.savetxt(tmp_path / "a.CSV", table, delimiter=",")
    np.savetxt(tmp_path / "a.tsv", table, delimiter="\t", header="u\tv\tw", comments="")
    np.savez(tmp_path / "a", X=table[:, :2], y=table[:, 2:])
    (tmp_path / "a.npz").rename(tmp_path / "a.NPZ")
    for name in ("a.CSV", "a.tsv", "a.NPZ"):
        data = load(tmp_path / name)
        np.testing.assert_array_equal(np.hstack([data.X, data.y]), table)
    for name, said in (("a.npy", "savez"), ("a.txt", "savetxt"), ("a.parquet", "to_csv"), ("a.xlsx", "to_csv")):
        with pytest.raises(BadInput, match=f"{name}; wanted: .*csv.*try: .*{said}"):
            load(tmp_path / name)


def test_bad_npz_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "b.npz", X=np.ones((2, 2)))
    np.savez(tmp_path / "c.npz", X=np.ones((2, 2)), y=np.ones((3, 1)))
    np.savez(tmp_path / "d.npz", X=np.array(["a", "b"]), y=np.ones((2, 1)))
    np.savez(tmp_path / "f.npz", X=np.array([[1.0, 2.0], [3.0, np.nan]]), y=np.ones((2, 1)))
    for name, said in (
        ("a", "cannot be read"),
        ("b", "holds X"),
        ("c", "2 rows"),
        ("d", "real numbers"),
        ("e", "no file"),
        ("f", r"X\[1, 1\] is nan"),
    ):
        with pytest.raises(BadInput, match=said):
            load(tmp_path / f"{name}.npz")


def test_scaling_is_stated_or_refused():
    data = Dataset("big", np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[0.5], [1.0]]), "")
    softmax = catalogue.network("softmax")
    scaled, sentence = problem(data, softmax, m=4)
    assert "X divided by its largest row norm, 5" in sentence
    assert "y" not in sentence.replace("by", "")
    assert float((scaled.X**2).sum(axis=1).max()) <= 1
    with pytest.raises(BadInput, match="norm 5"):
        problem(data, softmax, m=4, scale=False)


def test_rank_counts_independent_inputs():
    assert make(n=6, d_in=4).rank == 4
    duplicated = Dataset("d", np.ones((3, 2)) / 2, np.ones((3, 1)), "")
    assert problem(duplicated, catalogue.network("softmax"), m=4)[0].rank == 1


def test_nan_and_odd_width_are_refused():
    softmax = catalogue.network("softmax")
    with pytest.raises(BadInput, match="row 1"):
        problem(Dataset("d", np.array([[0.0], [np.nan]]), np.ones((2, 1)), ""), softmax, m=4)
    with pytest.raises(BadInput, match="m = 3"):
        problem(Dataset("d", np.ones((1, 1)), np.ones((1, 1)), ""), softmax, m=3)
