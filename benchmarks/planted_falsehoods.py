"""How strong is the search?  Planted falsehoods against their true counterparts, in one table.

    uv run python benchmarks/planted_falsehoods.py > docs/results/planted-falsehoods.md

For each deterministic inequality about a ball: its broken twins, and the claim with its right side
divided by what the search attained on the true claim, times 1.02 (just below what is attained) and by
2 of it.  Every falsehood is searched for `SECONDS`; the point found is decided in 50-digit ball arithmetic.
`refuted` needs that decision; nothing may call a falsehood proved on its worst point's ball of data,
so the second column is what `falsify` says of the claim, never that it holds.
"""

import dataclasses

import jax

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.deciding import PROVED, REFUTED, decide
from ntkverify.enclosures import FIFTY_DIGITS
from ntkverify.environment import environment
from ntkverify.errors import BadInput
from ntkverify.falsifying import falsify, searchable
from ntkverify.nouns import Claim, Twin

SECONDS = 3.0
SIZES = {"n": 4, "d_in": 4, "d_out": 2, "m": 32, "radius": 0.05}


def forms() -> list[Claim]:
    """Every form that can be searched."""
    found = []
    for name in catalogue.CLAIMS:
        for form in catalogue.claims(name):
            try:
                searchable(form)
            except BadInput:
                continue
            found.append(form)
    return found


def tightened(form: Claim, factor: float) -> Twin:
    """The claim with its larger side multiplied by a factor below 1."""
    if form.direction == "lower":
        return Twin(f"the smaller side times {1 / factor:.4g}", rhs=lambda p, q, c: form.rhs(p, q, c) / factor)
    return Twin(f"the larger side times {factor:.4g}", rhs=lambda p, q, c: form.rhs(p, q, c) * factor)


def main() -> None:
    found = environment()
    problem = nv.problem("sphere", **SIZES)
    print("# Planted falsehoods\n\n`uv run python benchmarks/planted_falsehoods.py`\n")
    print(
        f"{', '.join(f'{name} = {value}' for name, value in SIZES.items())}, sphere, float64, {SECONDS:g} s of search each, "
        f"{found['cores']} cores, jax {found['packages']['jax']}. Points decided in 50-digit ball arithmetic.\n"
    )
    print("| claim | what is searched | best ratio | drawing alone | at the point |\n|---|---|---|---|---|")
    planted = refuted = true = proved = 0
    for form in forms():
        best = falsify(form, problem, SECONDS)
        word = decide(form, best.problem, best.point, FIFTY_DIGITS).verdict
        true, proved = true + 1, proved + (word == PROVED)
        print(f"| {form.id} | the true claim | {best.ratio:.4g} | {best.drawn:.4g} | {word} |", flush=True)
        for twin in (*form.twins, tightened(form, best.ratio / 1.02), tightened(form, best.ratio / 2)):
            wrong = dataclasses.replace(form.mutated(twin), direction=form.direction)
            worst = falsify(wrong, problem, SECONDS)
            word = decide(wrong, worst.problem, worst.point, FIFTY_DIGITS).verdict
            planted, refuted = planted + 1, refuted + (word == REFUTED)
            what = f"false: {twin.mutation}"
            print(f"| {form.id} | {what} | {worst.ratio:.4g} | {worst.drawn:.4g} | {word} |", flush=True)
    print(
        f"\n{refuted} of {planted} planted falsehoods are refuted by a point; {proved} of {true} true claims are proved at their worst point."
    )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
