"""The contract of every claim in the catalogue."""

import dataclasses
import functools
import inspect

import jax
import pytest
from conftest import CASES, make

from ntkverify import catalogue
from ntkverify.judge import check, chunks, examine, joined, judge

FORMS = [
    pytest.param(form, id=f"{form.id}-{form.form}") for name in catalogue.CLAIMS for form in catalogue.claims(name)
]
DRAWS = 60


@functools.cache
def verdicts(name, problem):
    """Verdicts of a claim's forms and of all their twins on the same draws, by form and mutation."""
    instance = CASES[problem]()
    forms = catalogue.claims(name)
    mutated = [(form.form, twin.mutation, form.mutated(twin)) for form in forms for twin in form.twins]
    every = [(form.form, None, form) for form in forms] + mutated
    runs = [
        examine(tuple(form for *_, form in every), instance, points, count)
        for count, points in chunks(instance, DRAWS, 0)
    ]
    return {
        (form, mutation): judge(claim, joined(pieces), float(instance.delta))
        for (form, mutation, claim), *pieces in zip(every, *runs, strict=True)
    }


@pytest.mark.parametrize("problem", list(CASES))
@pytest.mark.parametrize("form", FORMS)
def test_claim_holds(form, problem):
    found = verdicts(form.id, problem)[form.form, None]
    beyond = problem == "far" and form.constants.get("R", 1) < 1  # its assumption R ≤ 0.01 is false there
    assert found.verdict == ("vacuous" if beyond else "holds"), found.sentence


@pytest.mark.parametrize("form", FORMS)
def test_broken_twins_are_refuted_where_the_claim_holds(form):
    assert len(form.twins) >= 2
    for twin in form.twins:
        found = [verdicts(form.id, problem)[form.form, twin.mutation].verdict for problem in CASES]
        assert "violated" in found, (twin.mutation, found)


@pytest.mark.parametrize("form", FORMS)
def test_one_trace_serves_all_data_of_a_shape(form):
    traces = []

    def lhs(problem, point, constants):
        traces.append(1)
        return form.lhs(problem, point, constants)

    counted = dataclasses.replace(form, lhs=lhs)
    first, second = make(m=48, n=5, seed=1), make(m=48, n=5, seed=2)
    for problem in (first, second):
        for count, points in chunks(problem, 40, 0):
            examine((counted,), problem, points, count)
    assert len(traces) == 1


@pytest.mark.parametrize("form", FORMS)
def test_formulas_share_one_signature(form):
    for formula in (form.lhs, form.rhs, form.assumptions):
        assert len(inspect.signature(formula).parameters) == 3


@pytest.mark.parametrize("name", catalogue.CLAIMS)
def test_statement_is_read_without_running_the_file(name):
    assert catalogue.statements(name) == {form.form: form.statement for form in catalogue.claims(name)}


def test_batches_of_draws_agree_with_single_draws():
    generic = CASES["generic"]()
    (form,) = catalogue.claims("kernel-factorisation")
    _, points = next(chunks(generic, 20, 0))
    alone, together = (check((form,), ({},), generic, points, batch) for batch in (1, 10))
    for one, other in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
        assert one.shape == other.shape
    assert (alone[0].held == together[0].held).all()
