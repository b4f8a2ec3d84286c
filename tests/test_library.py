"""`import ntkverify as nv`: each public name documented, each example runs."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import ntkverify as nv
from ntkverify import api


@pytest.mark.parametrize("name", nv.__all__)
def test_public_names_are_documented(name):
    text = inspect.getdoc(getattr(nv, name)) or ""
    assert len(text) > 40
    if inspect.isfunction(getattr(nv, name)):
        assert "Source:" in text
        assert ">>> " in text
        assert "rror" in text or "Raises" in text or "Exact" in text or "agree" in text


@pytest.mark.parametrize("module", [nv, api], ids=lambda module: module.__name__)
def test_examples_run(module):
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0


def test_no_module_hides_a_public_name():
    for name in nv.__all__:
        assert not (Path(nv.__file__).parent / f"{name}.py").exists()


def test_importing_changes_no_setting_and_loads_no_jax():
    script = "import sys, ntkverify as nv\nassert 'jax' not in sys.modules\nimport jax\nbefore = jax.config.values.copy()\nnv.problem\nassert jax.config.values == before"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_arrays_are_data():
    X, y = np.eye(3), np.ones((3, 1))
    question = nv.problem((X, y), m=8)
    assert question.X.shape == (3, 3)
    assert nv.kernel(question, nv.draw(question, jax.random.key(0))).shape == (3, 3)


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
