"""What documents say of search and certificates is what their tables say, and why reconstructed forms stand."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import make

from ntkverify import catalogue
from ntkverify.judging.draws import chunks
from ntkverify.networks.kinds import elsewhere
from ntkverify.searching.falsifying import conditional, is_searchable

ROOT = Path(__file__).parents[2]


def rows_of(name: str) -> list[list[str]]:
    """The cells of a document's tables, header and rule left out."""
    lines = [line for line in (ROOT / "docs" / name).read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.replace("\\|", "¦").split("|")[1:-1]] for line in lines]
    return [row for row in cells if set(row[0]) != {"-"}][1:]


def searched() -> list:
    """The forms of which the tables speak: those that say something of softmax, on which they are made."""
    every = [form for name in catalogue.CLAIMS for form in catalogue.claims(name) if is_searchable(form)]
    return [form for form in every if not elsewhere(form.statement.networks, catalogue.network("softmax"))]


def test_every_planted_falsehood_is_refuted_and_no_true_claim_is():
    rows = rows_of("results/planted-falsehoods.md")
    false = [row for row in rows if row[2].startswith("false")]
    true = [row for row in rows if row[2] == "the true claim"]
    assert {(row[0], row[1]) for row in true} == {(form.id, form.form) for form in searched()}
    assert {(row[5], row[6]) for row in true} == {("holds", "proved")}
    assert {row[6] for row in false} == {"refuted"}
    assert len(false) >= 40
    said = f"{len(false)} of {len(false)} planted falsehoods are refuted by a point"
    assert said in (ROOT / "docs" / "results" / "planted-falsehoods.md").read_text()
    assert said in (ROOT / "README.md").read_text()
    attained = {(row[0], row[1]): float(row[3]) for row in true}
    for name in ("kernel-entries", "kernel-norm", "jacobian-perturbation", "gradient-bound", "softmax-range"):
        assert attained[name, "derived"] >= 0.97
    assert f"within {round(100 * (1 - 0.97))}%" in (ROOT / "README.md").read_text()


def test_enclosures_were_never_contradicted_and_nearly_always_decided():
    text = (ROOT / "docs" / "results" / "soundness.md").read_text()
    counts = {row[0]: row[1] for row in rows_of("results/soundness.md")}
    assert int(text.split(" random problems")[0].split()[-1]) >= 2000
    contradictions = [count for what, count in counts.items() if "contradict" in what or "outside" in what]
    assert contradictions == ["0", "0"]
    (share,) = [float(count.split("(")[1].rstrip("%)")) for count in counts.values() if "(" in count]
    assert share >= 90


def test_tightest_constants_are_no_larger_than_the_printed_ones():
    rows = rows_of("results/tightest-constants.md")
    printed = {(form.id, form.form): {"factor": 1.0, **form.constants} for form in searched()}
    assert {(row[0], row[1]) for row in rows} == set(printed)
    for name, form, constant, given, standing, _ in rows:
        assert float(given) == printed[name, form][constant]
        assert 0 <= float(standing) <= float(given)


def test_the_finding_quotes_the_table_of_dropped_assumptions():
    finding = (ROOT / "docs" / "findings" / "reconstructed-forms.md").read_text()
    rows = rows_of("results/dropped-assumptions.md")
    assert len(rows) >= 6
    for row in rows:
        assert row[5] == "refuted"
        assert "The assumptions are false" in row[6]
        assert f"| {' | '.join(row[:6])} |" in finding


@pytest.mark.parametrize("sigma", [0.01, 0.05, 1.0])
@pytest.mark.slow
def test_where_its_event_happens_a_reconstructed_bound_is_above_the_derived_one(sigma):
    """What the finding proves, at points: at small σ, where B = 1, it is closest to being false."""
    problem = make(n=3, d_in=3, d_out=2, m=8, sigma=sigma, radius=0.01)
    points = jax.tree.map(lambda leaf: leaf[0], next(chunks(problem, 1, 0))[1])
    names = ("softmax-perturbation", "projection-perturbation", "gradient-bound", "kernel-perturbation")
    compared = 0
    for name in names:
        forms = {form.form: form for form in catalogue.claims(name)}
        assert conditional(forms["reconstructed"])
        assert forms["reconstructed"].lhs is forms["derived"].lhs
        constants = {key: jnp.asarray(value) for key, value in forms["reconstructed"].constants.items()}
        for place in range(5):
            point = jax.tree.map(lambda leaf, place=place: leaf[place], points)
            if forms["reconstructed"].assumptions(problem, point, constants):
                upper, below = (forms[key].rhs(problem, point, constants) for key in ("reconstructed", "derived"))
                assert np.all(np.asarray(upper) >= np.asarray(below))
                compared += 1
    assert compared >= 10
