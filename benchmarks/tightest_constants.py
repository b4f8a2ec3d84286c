"""How small may each bound's constants be?  What the search leaves standing, beside what is printed.

uv run python benchmarks/tightest_constants.py > docs/results/tightest-constants.md
"""

import jax

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.ground.environment import environment
from ntkverify.networks.kinds import elsewhere
from ntkverify.searching.falsifying import falsify, is_searchable
from ntkverify.searching.tightening import tightest

SECONDS = 4.0
SIZES = {"n": 4, "d_in": 4, "d_out": 2, "m": 32, "radius": 0.01}


def main() -> None:
    found, problem = environment(), nv.problem("sphere", **SIZES)
    print("# Tightest constants\n\n`uv run python benchmarks/tightest_constants.py`\n")
    print(
        f"{', '.join(f'{name} = {value}' for name, value in SIZES.items())}, σ = 1, δ = 0.1, sphere, {SECONDS:g} s of search for a form and as "
        f"much for each constant, jax {found['packages']['jax']}. `factor` multiplies the larger side; the other names are the claim's own "
        "constants, lowered one at a time towards 0, where B stays at least 1. *Left standing*: the smallest value at which no point found "
        "exceeds the bound. That is a lower bound on the smallest true value and no proof; orders are log₁₀ of how much the bound "
        "shrinks at the worst point found.\n"
    )
    print("| claim | form | constant | printed | left standing | orders |\n|---|---|---|---|---|---|")
    for form in (form for name in catalogue.CLAIMS for form in catalogue.claims(name) if is_searchable(form)):
        if elsewhere(form.statement.networks, problem.network):
            continue
        best = falsify(form, problem, SECONDS)
        for row in tightest(form, problem, best, SECONDS):
            orders = "" if row["orders"] is None else f"{row['orders']:.2f}"
            print(
                f"| {form.id} | {form.form} | {row['constant']} | {row['printed']:g} | {row['standing']:.3g} | {orders} |",
                flush=True,
            )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
