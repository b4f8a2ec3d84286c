"""`import ntkverify as nv`: each public name documented, each example runs."""

import contextlib
import copy
import dataclasses
import doctest
import inspect
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from conftest import SHAPES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import ntkverify as nv
from ntkverify import api, catalogue, questions
from ntkverify.diffusion import learned_score, scores
from ntkverify.networks.nouns import Params


@pytest.mark.parametrize("name", nv.__all__)
def test_public_names_are_documented(name):
    text = inspect.getdoc(getattr(nv, name)) or ""
    assert len(text) > 40
    if inspect.isfunction(getattr(nv, name)):
        assert "Source:" in text
        assert ">>> " in text
        assert "rror" in text or "Raises" in text or "Exact" in text or "agree" in text


@pytest.mark.parametrize("module", [nv, api, scores, learned_score], ids=lambda module: module.__name__)
@pytest.mark.slow
def test_examples_run(module):
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0


def test_no_module_hides_a_public_name():
    for name in nv.__all__:
        assert not (Path(nv.__file__).parent / f"{name}.py").exists()


@pytest.mark.slow
def test_importing_changes_no_setting_and_loads_no_jax():
    script = "import sys, ntkverify as nv\nassert 'jax' not in sys.modules\nimport jax\nbefore = jax.config.values.copy()\nnv.problem\nassert jax.config.values == before"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_arrays_are_data():
    X, y = np.eye(3), np.ones((3, 1))
    question = nv.problem((X, y), m=8)
    assert question.X.shape == (3, 3)
    assert nv.kernel(question, nv.draw(question, jax.random.key(0))).shape == (3, 3)


EYE, ONES = np.eye(3), np.ones((3, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: nv.problem((np.eye(3), np.ones((2, 1)))),
        lambda: nv.problem("sphere", m=3),
        lambda: nv.problem("sphere", init="copled"),
        lambda: nv.problem("sphere", "sofmax"),
        lambda: nv.kernel(nv.problem("sphere", m=8)),
        lambda: nv.verify(["zero-otput"]),
        lambda: nv.verify(sgma=1),
    ],
)
def test_bad_input_is_refused_with_a_sentence(wrong):
    with pytest.raises(nv.BadInput, match="wanted"):
        wrong()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((EYE + 0j, ONES), "complex"),
        ((np.ma.masked_less(EYE, 0.5), ONES), "masked"),
        (([np.ma.masked_less(row, 0.5) for row in EYE], ONES), "masked"),
        ((EYE.astype(str), ONES), "real numbers"),
        ((EYE, None), "NoneType|None"),
        (None, "pair of arrays"),
        (EYE, "pair of arrays"),
        ((EYE,), "pair of arrays"),
        ({"X": EYE, "y": ONES}, "pair of arrays"),
        (([[1, 0], [1]], [1, 2]), "no array"),
        ((scipy.sparse.eye(3), ONES), "toarray"),
        ((EYE, ONES > 0), "bool"),
        ((EYE.astype(object), ONES), "numbers"),
        ((ONES, np.ones((3, 2, 2))), "reshape"),
        ((np.ones((3, 0, 2)), ONES), "at least one entry"),
        ((np.ones((0, 2)), np.ones((0, 1))), "at least one"),
        ((EYE.astype("datetime64[s]"), ONES), "real numbers"),
        ((jax.random.split(jax.random.key(0), 3), ONES), "real numbers|no array"),
        ((EYE * np.nan, ONES), "NaN"),
        (b"digits", "pair of arrays"),
        ("x" * 5000 + ".csv", "file"),
    ],
)
def test_what_is_no_data_is_refused(data, said):
    with pytest.raises(nv.BadInput, match=said):
        nv.problem(data, m=8)


@pytest.mark.parametrize("name", ["n", "d_in", "d_out"])
def test_sizes_may_repeat_what_arrays_have_and_not_contradict_it(name):
    right = {"n": 3, "d_in": 2, "d_out": 1}[name]
    data = np.ones((3, 2)) / 2, np.ones(3)
    assert getattr(nv.problem(data, m=8, **{name: right}), name) == right
    with pytest.raises(nv.BadInput, match=name):
        nv.problem(data, m=8, **{name: right + 1})


WRONG_NUMBERS = {
    **{name: [64.0, True, "64", 0, -2, 1j, np.array([4]), 2.5] for name in ("m", "n", "d_in", "d_out")},
    "seed": [-1, 0.0, None, 2**32, True],
    "sigma": [-1, np.nan, np.inf, "1", None, True, 1j, np.ones(2), 10**400],
    "delta": [0, 1, np.nan, None, "0.1"],
    "radius": [0, -1, np.inf, None],
    "scale": [1, None, "yes"],
    "network": [None, 3, ["softmax"], EYE],
    "init": [None, 3, EYE],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_NUMBERS.items() for value in values]
)
def test_what_is_no_such_number_is_refused(name, value):
    with pytest.raises(nv.BadInput):
        nv.problem("sphere", **{name: value})
    if not isinstance(value, list):  # verify takes several networks
        with pytest.raises(nv.BadInput):
            nv.verify(["zero-output"], data="sphere", **{name: value})


def test_each_setting_has_its_reader():
    assert set(questions.READERS) == {field.name for field in dataclasses.fields(nv.Settings)}


def test_numbers_of_numpy_are_numbers():
    question = nv.problem("sphere", m=np.int64(8), n=np.int32(3), sigma=np.float32(0.5), radius=jnp.asarray(0.1))
    assert question.n == 3
    assert type(question.m) is int


@pytest.mark.slow
def test_files_are_named_by_paths_too(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, X=EYE, y=ONES)
    assert nv.problem(path, m=8).n == 3
    rows = nv.verify("zero-output", data=path, m=8, seeds=20)
    assert rows.claims[0]["verdict"] == "holds"


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(),
    st.lists(st.floats(-2, 2), max_size=4), st.lists(st.lists(st.floats(-2, 2), max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.just(object()), st.just(scipy.sparse.eye(2)),
    arrays.arrays(
        st.one_of(
            arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.complex_number_dtypes(), arrays.boolean_dtypes(),
            arrays.unicode_string_dtypes(max_len=2), arrays.datetime64_dtypes(), st.just(np.dtype(object)),
        ),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        fill=st.nothing(),
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    data=st.one_of(
        ANYTHING,
        st.tuples(ANYTHING, ANYTHING),
        st.sampled_from(["sphere", "pairs", "orthonormal"]),
        arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.just(3))).map(lambda both: (both[:, :2], both[:, 2])),
    ),
    options=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(inspect.signature(api.problem).parameters.keys() - {"data"}, ANYTHING)
    ),
)
def test_anything_is_a_problem_or_refused(data, options):
    with contextlib.suppress(nv.BadInput):
        question = nv.problem(data, **options)
        norms = np.linalg.norm(question.X, axis=1)
        assert np.all(norms <= 1 + 1e-12)


@pytest.mark.parametrize("data", ["sphere", "pairs", "orthonormal"])
def test_data_that_do_not_fit_are_refused_before_they_are_made(data):
    with pytest.raises(nv.BadInput, match="GiB of memory is estimated"):
        nv.problem(data, n=10**8)  # orthonormal inputs are as long as there are many


@pytest.mark.parametrize("route", catalogue.KERNELS)
def test_what_is_no_network_is_refused_by_every_route(route):
    question = nv.problem("sphere", m=8, n=3, d_in=3, d_out=1)
    net = nv.draw(question, jax.random.key(0))
    wrong = [
        jax.tree.map(lambda leaf: leaf.astype(jnp.float32), net),
        nv.draw(nv.problem("sphere", m=16, n=3, d_in=3, d_out=1), jax.random.key(0)),
        nv.draw(nv.problem("sphere", m=8, n=3, d_in=3, d_out=2), jax.random.key(0)),
        Params(None, None),
        (net.W, net.a),
    ]
    for each in wrong:
        with pytest.raises(nv.BadInput):
            nv.train(question, each)
        with pytest.raises(nv.BadInput):
            nv.kernel(question, each, route)
    for other in (
        jnp.ones((2, 3), jnp.float32),
        np.ones((2, 4)),
        np.ones((0, 3)),
        np.full((1, 3), np.nan),
        "X",
        EYE + 0j,
    ):
        with pytest.raises(nv.BadInput):
            nv.kernel(question, net, route, X2=other)
    with pytest.raises(nv.BadInput):
        nv.kernel("sphere", net, route)


@pytest.mark.parametrize(
    "option", [{"eta": each} for each in (np.nan, 0, -1.0, np.inf, "1", True)] + [{"target": np.nan}, {"budget": 1.5}]
)
def test_training_is_asked_with_numbers(option):
    question = nv.problem("sphere", m=8, n=3, d_in=3, d_out=1)
    with pytest.raises(nv.BadInput):
        nv.train(question, nv.draw(question, jax.random.key(0)), **option)


@pytest.mark.parametrize("key", [0, None, jax.random.split(jax.random.key(0)), jnp.ones(2), np.zeros(2, np.uint32)])
def test_a_network_is_drawn_with_a_key(key):
    with pytest.raises(nv.BadInput, match="random key"):
        nv.draw(nv.problem("sphere", m=8), key)


@pytest.mark.parametrize("network", catalogue.NETWORKS)
@pytest.mark.slow
def test_records_are_copied_and_pickled(network):
    data = "digits-rows" if network in SHAPES else "sphere"
    question = nv.problem(data, network, m=8, n=3, d_out=1, radius=0.1)
    net = nv.draw(question, jax.random.key(0))
    records = [question, net, nv.train(question, net, budget=2), nv.Settings(), nv.BadInput("a", "b", "c")]
    if network == "softmax":
        records += [nv.falsify("kernel-entries", question, budget=0.01), nv.verify("zero-output", data="sphere", m=8, seeds=20)]  # fmt: skip
    for record in records:
        for twin in (pickle.loads(pickle.dumps(record)), copy.deepcopy(record)):
            assert type(twin) is type(record)
            before, after = ((vars(each), str(each)) if isinstance(each, Exception) else _leaves(each) for each in (record, twin))  # fmt: skip
            assert before == after
    copied = pickle.loads(pickle.dumps(question))
    assert copied.network == question.network
    assert _compilations(lambda: (nv.kernel(question, net), nv.kernel(copied, net))) <= 1


def _leaves(record) -> list:
    """The fields of a record, down to arrays as bytes and values as words."""
    if dataclasses.is_dataclass(record):
        return [_leaves(getattr(record, field.name)) for field in dataclasses.fields(record)]
    if isinstance(record, tuple | list):
        return [_leaves(each) for each in record]
    if isinstance(record, np.ndarray | jax.Array):
        return [np.asarray(record).tobytes()]
    return [repr(record)]


COMPILED: Counter = Counter()


def _compilations(call) -> int:
    """How many programs are compiled in a call."""
    COMPILED.clear()
    call()
    return sum(COMPILED.values())


@pytest.fixture(scope="module", autouse=True)
def _counted():
    def heard(event, duration_secs, **kwargs):
        COMPILED[event] += event.endswith("backend_compile_duration")

    jax.monitoring.register_event_duration_secs_listener(heard)
    assert _compilations(lambda: jax.jit(lambda x: x + 1)(np.ones(3))) >= 1


def _calls() -> dict:
    question = nv.problem("sphere", "tanh", m=16, n=3, d_in=3, d_out=1)
    soft = nv.problem("sphere", m=16, n=3, d_in=3, d_out=1)
    net, other = nv.draw(question, jax.random.key(0)), np.ones((2, 3)) / 2
    both = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), net)
    small = {"n": 3, "d_in": 3, "d_out": 1, "m": 16, "seeds": 20}
    few = {"network": "softmax", "init": "coupled", "m": 8, "n": 2, "d_in": 4, "d_out": 1, "seeds": 2}
    calls = {
        f"kernel {route}": lambda route=route: (nv.kernel(question, net, route), nv.kernel(question, net, route, other))
        for route in catalogue.KERNELS
    }
    return calls | {
        "problem": lambda: nv.problem("sphere", "tanh", m=16, n=3, d_in=3, d_out=1),
        "draw": lambda: nv.draw(question, jax.random.key(1)),
        "train": lambda: nv.train(question, net, budget=300).kernels(question),
        "train with a step size": lambda: nv.train(question, both, 0.01, budget=300),
        "verify": lambda: nv.verify(["kernel-perturbation", "movement", "kernel-limit"], data="sphere", **small),
        "certify": lambda: nv.certify(["kernel-entries"], soft),
        "falsify": lambda: nv.falsify("kernel-entries", soft, budget=1.0),
        "realise": lambda: nv.realise(nv.problem("orthonormal")),
        "learn_score": lambda: nv.learn_score("gaussian", n=12, m=16, steps=32, test=16).sample(3, jax.random.key(0)),
        "study": lambda: nv.study("drift", tempfile.mkdtemp(), **few),
    }


@pytest.mark.parametrize("name", _calls())
@pytest.mark.slow
def test_the_second_call_compiles_nothing(name):
    call = _calls()[name]
    call()
    assert _compilations(call) == 0
