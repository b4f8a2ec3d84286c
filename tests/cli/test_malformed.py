"""Whatever is typed or put into a file: one message, exit code 2, no traceback, nothing half-written."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ntkverify import catalogue
from ntkverify.cli import main as cli
from ntkverify.ground.errors import BadInput
from ntkverify.networks.inputs.file import load
from ntkverify.networks.problems import problem
from ntkverify.verifying import verify as verifying

SOFTMAX = catalogue.network("softmax")
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.one_of(
    st.integers(-3, 40).map(str), st.floats().map(str), st.sampled_from(["", "x", "1e400", "-", "10" * 9, "½", "\x00"])
)
OPTIONS = ("n", "d-in", "d-out", "m", "sigma", "delta", "radius", "seeds", "seed")
NAMES = {
    "data": st.sampled_from(["sphere", "digits", "irs", "", ".", "gone.npz", "mine.csv", "/", "a\nb.csv"]),
    "network": st.sampled_from(["softmax", "sofmax", "tanh", "", "relu--"]),
    "init": st.sampled_from(["coupled", "independent", "copled"]),
    "dtype": st.sampled_from(["float64", "float32", "float16"]),
}


@st.composite
def words(draw):
    found = [draw(st.sampled_from(["verify", "show", "report", "list", "verfy", ""]))]
    found += draw(st.lists(st.sampled_from(["rank-floor", "rank-flor", "", "--", "-1", "\u2603"]), max_size=2))
    for name in draw(st.lists(st.sampled_from([*OPTIONS, *NAMES, "nonsense"]), max_size=4)):
        found += [f"--{name}", draw(NAMES.get(name, NUMBERS))]
    return found


@QUICK
@given(words=words())
@pytest.mark.slow
def test_any_words_give_an_exit_code_and_a_message(words, monkeypatch, capsys, tmp_path_factory):
    """Only the numerical work is left out."""
    monkeypatch.chdir(tmp_path_factory.mktemp("words"))
    monkeypatch.setattr(verifying, "gather", lambda *args: ([], False))
    monkeypatch.setattr(verifying, "describe", lambda *args: None)
    monkeypatch.setattr(verifying.Rows, "describe", lambda *args: None)
    try:
        code = cli.main(words)
    except SystemExit as exit:  # how the option parser refuses
        code = exit.code
    printed = capsys.readouterr()
    assert code in (0, 2), words
    assert (code == 2) == bool(printed.err.strip()), (words, printed.err)
    assert "Traceback" not in printed.err


def refuses_or_loads(path, d_out=None):
    with contextlib.suppress(BadInput):
        dataset = load(str(path), None, None, d_out, 0)
        instance, _ = problem(dataset, SOFTMAX, m=4)
        assert np.isfinite(instance.X).all()
        assert np.linalg.norm(instance.X, axis=1).max() <= 1 + 1e-12


CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "1_2", "½", "-2.5", "nan", "inf", "x", " ", '"', "1e999", "0x1"]),
    st.text(max_size=4),
)


@QUICK
@given(
    content=st.one_of(
        st.binary(max_size=80),
        st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=5).map(lambda rows: "\n".join(rows).encode()),
    ),
    d_out=st.one_of(st.none(), st.integers(1, 3)),
    suffix=st.sampled_from([".csv", ".tsv", ".CSV"]),
)
def test_any_csv_is_loaded_or_refused(content, d_out, suffix, tmp_path):
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    refuses_or_loads(path, d_out)


ARRAYS = st.one_of(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).map(np.ones),
    st.sampled_from([np.ones(3), np.array(1.0), np.array([["a"]]), np.array([[None]], object), np.ones((2, 2), bool)]),
    st.sampled_from([np.array([[np.nan]]), np.array([[np.inf, 1.0]]), np.array([[1j]]), np.full((2, 2), 1e300)]),
)


@QUICK
@given(arrays=st.dictionaries(st.sampled_from(["X", "y", "Y", "x"]), ARRAYS), cut=st.integers(0, 400))
def test_any_npz_is_loaded_or_refused(arrays, cut, tmp_path):
    whole = io.BytesIO()
    np.savez(whole, **arrays)
    content = whole.getvalue()
    for part in (content, content[:-cut] if cut else content, content[cut:]):
        path = tmp_path / "mine.npz"
        path.write_bytes(part)
        refuses_or_loads(path)


@pytest.mark.parametrize("name", ["folder.csv", "folder.npz"])
def test_a_folder_is_no_file(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(BadInput):
        load(str(tmp_path / name), None, None, None, 0)
