"""How strong is the search?  Planted falsehoods against their true counterparts, in one table.

    uv run python benchmarks/planted_falsehoods.py > docs/results/planted-falsehoods.md

For each inequality about a ball: its broken twins (a factor n, d, κ dropped, a wrong sign, R too large), the
claim with its larger side multiplied by what the search attained on the true claim over 1.02 (just below
what is attained) and over 2, and, where B is 1, the claim without its assumption on exponents.  Each is
searched for `SECONDS`; the point found is decided in 50-digit ball arithmetic, and that decision is
the last column.  A falsehood without such a point is `not refuted`; what its points say is no verdict
on it.  True claims are also judged on draws, as `verify` does.
"""

import dataclasses

import jax
import jax.numpy as jnp

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.arithmetic.arb import FIFTY_DIGITS
from ntkverify.certifying.decision import REFUTED, decide
from ntkverify.ground.environment import environment
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import examine, joined
from ntkverify.judging.verdict import judge
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import Problem
from ntkverify.networks.quantities import is_softmax
from ntkverify.searching.falsifying import conditional, falsify, is_searchable
from ntkverify.statements.claim import Claim

SECONDS = 2.0
DRAWS = 40
SIZES = {"n": 4, "d_in": 4, "d_out": 2, "m": 32}
RADII = {False: 0.05, True: 0.01}
"""R of the deterministic forms, and of those that assume R ≤ 0.01 among other things."""
EXPONENTS = ("softmax-range",)
"""Forms that 32 neurons make false without their assumption on exponents, with B = 1."""


def tightened(form: Claim, factor: float) -> tuple[str, Claim]:
    """The claim with its larger side multiplied by a factor below 1, and what that is."""
    if form.direction == "lower":
        return f"the smaller side times {1 / factor:.4g}", _with(form, rhs=lambda p, q, c: form.rhs(p, q, c) / factor)
    return f"the larger side times {factor:.4g}", _with(form, rhs=lambda p, q, c: form.rhs(p, q, c) * factor)


def _with(form: Claim, **changes) -> Claim:
    return dataclasses.replace(form, **changes, twins=())


def planted(form: Claim, attained: float) -> list[tuple[str, Claim]]:
    """Falsehoods made from a true form: what was done to it, and the result."""
    found = [(twin.mutation, form.mutated(twin)) for twin in form.twins]
    found += [tightened(form, attained / 1.02), tightened(form, attained / 2)]
    if conditional(form) and form.id in EXPONENTS:
        unbounded = lambda p, q, c: form.rhs(p, q, {**c, "C": jnp.zeros_like(c["C"])})  # noqa: E731
        found.append(("B = 1 without the assumption on exponents", _with(form, rhs=unbounded, assumptions=is_softmax)))
    return found


def on_draws(form: Claim, problem: Problem) -> str:
    """The verdict of `verify` on draws."""
    evidence = [examine((form,), problem, points, count)[0] for count, points in chunks(problem, DRAWS, 0)]
    return judge(form, joined(evidence), float(problem.delta)).verdict


def main() -> None:
    found = environment()
    sizes = ", ".join(f"{name} = {value}" for name, value in SIZES.items())
    print("# Planted falsehoods\n\n`uv run python benchmarks/planted_falsehoods.py`\n")
    print(
        f"{sizes}, R = {RADII[False]} for derived forms and {RADII[True]} for reconstructed ones, sphere, float64, {SECONDS:g} s of "
        f"search each, compiling aside, {DRAWS} draws, {found['cores']} cores, jax {found['packages']['jax']}. Points decided in 50-digit ball arithmetic.\n"
    )
    print("| claim | form | what is searched | best ratio | drawing alone | on draws | at the point |")
    print("|---|---|---|---|---|---|---|")
    counts = {"false": [], "true": []}
    for form in (form for name in catalogue.CLAIMS for form in catalogue.claims(name) if is_searchable(form)):
        problem = nv.problem("sphere", **SIZES, radius=RADII[conditional(form)])
        if elsewhere(form.statement.networks, problem.network):
            continue

        def line(what, claim, drawn, word, form=form, problem=problem):
            best = falsify(claim, problem, SECONDS)
            verdict = decide(claim, best.problem, best.point, FIFTY_DIGITS).verdict
            word = word if word and verdict != REFUTED else verdict
            ratios = f"{best.ratio:.4g} | {best.drawn:.4g}"
            print(f"| {form.id} | {form.form} | {what} | {ratios} | {drawn} | {word} |", flush=True)
            return best.ratio, word

        drawn = on_draws(form, problem)
        attained, word = line("the true claim", form, drawn, "")
        counts["true"].append((drawn, word))
        for mutation, wrong in planted(form, attained):
            counts["false"].append(line(f"false: {mutation}", wrong, "", "not refuted")[1])
    refuted, false, true = counts["false"].count(REFUTED), len(counts["false"]), counts["true"]
    print(
        f"\n{refuted} of {false} planted falsehoods are refuted by a point; {true.count(('holds', 'proved'))} of {len(true)} true "
        "claims hold on draws and are proved at their worst point."
    )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
