"""The contract of every claim in the catalogue."""

import collections
import dataclasses
import functools
import inspect
from pathlib import Path

import jax
import pytest
from conftest import CASES, cases

from ntkverify import catalogue
from ntkverify.ground.devices import alone
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import check, examine, joined
from ntkverify.judging.verdict import judge
from ntkverify.networks.nouns import IN_BALL, ON_PATH


@functools.cache
def forms_of(name):
    """A claim's forms, without the width that some assume and no run reaches: so they are put to the test."""
    forms = catalogue.claims(name)
    return forms if name in REACHED else tuple(dataclasses.replace(form, beyond=None) for form in forms)


REACHED = ("initial-kernel",)
"""Claims whose width the cases reach."""


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
    instance = cases(name)[problem]()
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
    found = [verdicts(form.id, problem)[form.form, None] for problem in cases(form.id)]
    assert "holds" in [verdict.verdict for verdict in found]
    for verdict in found:
        assert verdict.verdict in ("holds", "vacuous"), verdict.sentence


@pytest.mark.slow
def test_assumptions_leave_few_claims_untested():
    """R ≤ 0.01 is false in the far ball, at σ = 1 no rate is visible.  On clustered inputs √λ is smaller than what training
    moves the Jacobian by, and no power of the series is diagonally dominant; of ReLU, λ is too small for the width, neurons
    switch, and σ is not the 1 of the convergence that is reconstructed.  Separated are clustered inputs alone: θ < 1.
    Nothing else is vacuous."""
    for form in EVERY:
        vacuous = [
            problem for problem in cases(form.id) if verdicts(form.id, problem)[form.form, None].verdict == "vacuous"
        ]
        beyond = ["far"] if form.where == IN_BALL and form.constants.get("R", 1) < 1 else []
        beyond = {
            "kernel-limit-derived": ["generic", "far"],
            "eigenvalue-kept-derived": ["clustered"],
            "taylor-floor-derived": ["clustered"],
            "power-floor-reconstructed": ["clustered"],
            "separated-data-reconstructed": ["generic", "far"],
            "initial-kernel-reconstructed": ["clustered"],
            "relu-convergence-reconstructed": ["clustered"],
            "relu-convergence-derived": ["clustered"],
            "logistic-movement-reconstructed": ["clustered"],
        }.get(named(form), beyond)
        assert vacuous == beyond, named(form)


@pytest.mark.slow
def test_a_width_that_no_run_reaches_is_named():
    unreachable = {
        form: form.beyond for name in catalogue.CLAIMS for form in catalogue.claims(name) if form.beyond is not None
    }
    missed = {
        "step-terms": (170, 190), "eigenvalue-kept": (170, 190), "convergence": (170, 190), "score-width": (170, 190),
        "kernel-stability": (0.2, 1), "relu-convergence": (4, 6), "logistic-movement": (9, 14),
    }  # fmt: skip
    assert {form.id for form in unreachable} == {*missed, *REACHED}
    for form, beyond in unreachable.items():
        if form.id in REACHED:
            continue
        low, high = missed[form.id]
        verdict = of_draws(form, 20)
        assert verdict.verdict == "vacuous"
        assert verdict.beyond is not None
        assert low < verdict.beyond["low"] <= verdict.beyond["high"] < high
        assert "beyond these draws" in verdict.sentence
        reached = dataclasses.replace(form, beyond=lambda p, q, c, beyond=beyond: beyond(p, q, c) - 200)
        assert of_draws(reached, 20 if form.promised(DELTA) == 1 else DRAWS).verdict == "holds"


def of_draws(form, draws):
    """The verdict on the generic problem."""
    problem = cases(form.id)["generic"]()
    pieces = [examine((form,), problem, points, count)[0] for count, points in chunks(problem, draws, 0, form.where)]
    return judge(form, joined(pieces), DELTA)


@pytest.mark.slow
def test_a_width_that_is_reached_on_spread_inputs_alone_is_named_elsewhere():
    (form,) = (form for form in catalogue.claims(REACHED[0]) if form.beyond is not None)
    verdict = verdicts(form.id, "clustered")[form.form, None]
    assert verdict.beyond is not None
    assert 0 < verdict.beyond["low"] <= verdict.beyond["high"] < 3
    assert "beyond these draws" in verdict.sentence


@pytest.mark.parametrize("form", BOUNDS, ids=named)
@pytest.mark.slow
def test_half_the_constant_that_the_draws_show_is_refuted(form):
    """The worst draw (or, for a rate, the median one) decides at which constant the claim breaks."""
    preferred = ("generic", "clustered") if form.where == ON_PATH or form.id in REACHED else ("clustered", "generic")
    problem, seen = next(
        (problem, verdict)
        for problem in (*preferred, *cases(form.id))
        if problem in cases(form.id) and (verdict := verdicts(form.id, problem)[form.form, None]).verdict != "vacuous"
    )
    _, found = evidence(form.id, problem)[form.form, None]
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
        found = [verdicts(form.id, problem)[form.form, twin.mutation].verdict for problem in cases(form.id)]
        assert "violated" in found, (twin.mutation, found)


@pytest.mark.parametrize("form", EVERY, ids=named)
@pytest.mark.slow
def test_one_trace_serves_all_data_of_a_shape(form):
    for problem in cases(form.id):
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
