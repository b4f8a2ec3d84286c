"""The contract of every claim in the catalogue."""

import collections
import dataclasses
import functools
import inspect
from pathlib import Path

import jax
import pytest
from conftest import CASES, cases_of

from ntkverify import catalogue
from ntkverify.ground.devices import alone
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import check, examine, joined
from ntkverify.judging.verdict import judge
from ntkverify.networks.nouns import IN_BALL, ON_PATH


@functools.cache
def forms_of(name):
    """A claim's forms, without the width that some assume and no run reaches: so they are put to the test."""
    return tuple(dataclasses.replace(form, beyond=None) for form in catalogue.claims(name))


EVERY = [form for name in catalogue.CLAIMS for form in forms_of(name)]
BOUNDS = [form for form in EVERY if form.direction in ("upper", "lower", "tight")]
DRAWS, DELTA = 60, 0.1


def named(form):
    return f"{form.id}-{form.form}"


TRACES = collections.Counter()
"""How often JAX traced each form's left side."""


@functools.cache
def counted(form):
    """The form, its traces counted."""

    def lhs(problem, point, constants):
        TRACES[form] += 1
        return form.lhs(problem, point, constants)

    return dataclasses.replace(form, lhs=lhs)


@functools.cache
def evidence(name, problem):
    """What a claim's forms and all their twins show on the same draws, by form and mutation."""
    instance = cases_of(name)[problem]()
    forms = forms_of(name)
    every = {(form.form, None): counted(form) for form in forms}
    every |= {(form.form, twin.mutation): form.mutated(twin) for form in forms for twin in form.twins}
    runs = [
        examine(tuple(every.values()), instance, points, count)
        for count, points in chunks(instance, DRAWS, 0, forms[0].where)
    ]
    return {key: (form, joined(pieces)) for (key, form), *pieces in zip(every.items(), *runs, strict=True)}


def verdicts(name, problem):
    return {key: judge(form, found, DELTA) for key, (form, found) in evidence(name, problem).items()}


@pytest.mark.parametrize("form", EVERY, ids=named)
@pytest.mark.slow
def test_claim_holds(form):
    found = [verdicts(form.id, problem)[form.form, None] for problem in cases_of(form.id)]
    assert "holds" in [verdict.verdict for verdict in found]
    for verdict in found:
        assert verdict.verdict in ("holds", "vacuous"), verdict.sentence


@pytest.mark.slow
def test_assumptions_leave_few_claims_untested():
    """R ≤ 0.01 is false in the far ball, at σ = 1 no rate is visible, and on clustered inputs √λ is smaller
    than what training moves the Jacobian by; nothing else is vacuous."""
    for form in EVERY:
        vacuous = [
            problem for problem in cases_of(form.id) if verdicts(form.id, problem)[form.form, None].verdict == "vacuous"
        ]
        beyond = ["far"] if form.where == IN_BALL and form.constants.get("R", 1) < 1 else []
        beyond = {"kernel-limit-derived": ["generic", "far"], "eigenvalue-kept-derived": ["clustered"]}.get(
            named(form), beyond
        )
        assert vacuous == beyond, named(form)


@pytest.mark.slow
def test_a_width_that_no_run_reaches_is_named():
    problem = CASES["generic"]()
    unreachable = {
        form: form.beyond for name in catalogue.CLAIMS for form in catalogue.claims(name) if form.beyond is not None
    }
    assert {form.id for form in unreachable} == {"step-terms", "eigenvalue-kept", "convergence", "score-width"}
    for form, beyond in unreachable.items():
        count, points = next(chunks(problem, 20, 0, form.where))
        (found,) = examine((form,), problem, points, count)
        verdict = judge(form, found, DELTA)
        assert verdict.verdict == "vacuous"
        assert verdict.beyond is not None
        assert 170 < verdict.beyond["low"] <= verdict.beyond["high"] < 190
        assert "beyond these draws" in verdict.sentence
        reached = dataclasses.replace(form, beyond=lambda p, q, c, beyond=beyond: beyond(p, q, c) - 200)
        (found,) = examine((reached,), problem, points, count)
        assert judge(reached, found, DELTA).verdict == "holds"


@pytest.mark.parametrize("form", BOUNDS, ids=named)
@pytest.mark.slow
def test_half_the_constant_that_the_draws_show_is_refuted(form):
    """The worst draw (or, for a rate, the median one) decides at which constant the claim breaks."""
    problem = "generic" if form.where == ON_PATH else "clustered"
    problem = problem if problem in cases_of(form.id) else next(iter(cases_of(form.id)))
    _, found = evidence(form.id, problem)[form.form, None]
    seen = verdicts(form.id, problem)[form.form, None]
    exponent = seen.worst if form.promised(DELTA) == 1 else seen.median
    assert exponent is not None
    large = found.large * 10**exponent / 2
    held, violated = found.small <= large, found.small > large  # a factor of 2 is far beyond rounding
    form = dataclasses.replace(form, only_confirmed="")  # what was seen tells the constants apart
    assert (
        judge(form, dataclasses.replace(found, large=large, held=held, violated=violated), DELTA).verdict == "violated"
    )


@pytest.mark.parametrize("form", EVERY, ids=named)
@pytest.mark.slow
def test_broken_twins_are_refuted_where_the_claim_holds(form):
    assert len(form.twins) >= 2
    for twin in form.twins:
        found = [verdicts(form.id, problem)[form.form, twin.mutation].verdict for problem in cases_of(form.id)]
        assert "violated" in found, (twin.mutation, found)


@pytest.mark.parametrize("form", EVERY, ids=named)
@pytest.mark.slow
def test_one_trace_serves_all_data_of_a_shape(form):
    for problem in cases_of(form.id):
        evidence(form.id, problem)
    assert TRACES[form] == 1


@pytest.mark.parametrize("form", EVERY, ids=named)
def test_formulas_share_one_signature(form):
    for formula in (form.lhs, form.rhs, form.assumptions):
        assert len(inspect.signature(formula).parameters) == 3


@pytest.mark.parametrize("name", catalogue.CLAIMS)
def test_statement_is_read_without_running_the_file(name):
    assert catalogue.statements(name) == {form.form: form.statement for form in forms_of(name)}


@pytest.mark.slow
def test_batches_of_draws_agree_with_single_draws():
    generic = CASES["generic"]()
    (form,) = catalogue.claims("kernel-factorisation")
    _, points = next(chunks(generic, 20, 0))
    single, together = (check((form,), ({},), generic, points, batch, alone()) for batch in (1, 10))
    for one, other in zip(jax.tree.leaves(single), jax.tree.leaves(together), strict=True):
        assert one.shape == other.shape
    assert (single[0].held == together[0].held).all()


def test_the_table_by_network_has_every_form_of_every_claim():
    table = (Path(__file__).parents[2] / "docs" / "results" / "claims-by-activation.md").read_text()
    for form in (form for name in catalogue.CLAIMS for form in catalogue.claims(name)):
        rows = [line for line in table.splitlines() if line.startswith(f"| {form.id} | {form.form} |")]
        whole = len(rows) == 1 and rows[0].count(" | ") == 1 + len(catalogue.NETWORKS)
        assert whole, f"it lacks {form.id} [{form.form}] or a network: run benchmarks/claims_by_activation.py"
        assert "violated" not in rows[0]
