"""A lemma about some networks is not applicable to others, form by form, and nothing of it is evaluated there."""

import json

import pytest

from ntkverify.cli import main as cli
from ntkverify.ground.results import load

LEMMA = '''r"""Two forms

Source: a test
Setting: Any point.
Measured: As it stands.
Refuted by: One number.

[derived]
Networks: softmax
Direction: upper
Statement: $$ 0 \\le 1 $$ of products that only fit where W has a row for each input's entry.
Proof: Clear.

[stated]
Direction: upper
Statement: $$ \\|x\\|^2 \\le 2 $$
"""

import jax.numpy as jnp

from ntkverify.lemma import Form, scaled


def fits(problem, point, c):
    return 0 * jnp.sum(problem.X @ point.base.W)


derived = Form(fits, lambda p, q, c: jnp.ones(())).with_twins(scaled("the sign flipped", rhs=-1.0))
stated = Form(lambda p, q, c: jnp.sum(p.X**2, axis=1), lambda p, q, c: 2 * jnp.ones(())).with_twins(
    scaled("a quarter of it", rhs=0.25)
)
'''
SIZES = ("--n", "3", "--d-in", "4", "--d-out", "1", "--m", "8")


@pytest.fixture
def lemma(tmp_path):
    path = tmp_path / "two_forms.py"
    path.write_text(LEMMA)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "word"), [("gated", "not applicable"), ("softmax", "proved")])
def test_each_form_says_of_which_networks_it_speaks(network, word, lemma, tmp_path):
    out = tmp_path / "run"
    words = ("verify", lemma, "--data", "sphere", "--network", network, "--seeds", "20", "--certify")
    assert cli.main([*words, "--certify-seconds", "0.1", *SIZES, "--out", str(out)]) == 0
    assert {row["form"]: row["verdict"] for row in load(out)["claims"]} == {"derived": word, "stated": "proved"}
    if network == "gated":
        assert "softmax" in (out / "report.html").read_text()


@pytest.mark.slow
def test_certify_and_falsify_leave_it_alone_too(lemma, tmp_path, capsys):
    out = tmp_path / "run"
    common = ("--data", "sphere", "--network", "gated", *SIZES)
    assert cli.main(["certify", lemma, *common, "--seeds", "1", "--out", str(out)]) == 0
    found = {row["form"]: row for row in json.loads((out / "results.json").read_text())["claims"]}
    assert found["stated"]["verdict"] == "proved"
    assert "It speaks of softmax" in found["derived"]["sentence"]
    assert cli.main(["falsify", "kernel-entries", *common, "--budget", "0.1", "--out", str(tmp_path / "f")]) == 2
    assert "gated is none" in capsys.readouterr().err
