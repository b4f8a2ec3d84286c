"""Which assumption do the reconstructed forms need?  Each without one of them, at a point that shows it.

    uv run python benchmarks/dropped_assumptions.py > docs/results/dropped-assumptions.md

One input, one output, weights so small that B = 1.  One neuron holds a share s of the softmax mass and has
sign +1, all others −1, and moves against them; s and the direction are the worst of a grid.  The
constants are the printed ones.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.certifying.decision import decide
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import examine, joined
from ntkverify.judging.verdict import judge
from ntkverify.networks.nouns import Point, Problem
from ntkverify.networks.quantities import exponents_bounded, is_softmax
from ntkverify.searching.climbing import heights, point_at
from ntkverify.statements.claim import Claim

SIGMA, SHARES = 0.02, np.arange(0.05, 1, 0.05)
WITHOUT_EXPONENTS = {
    "softmax-range": 32, "softmax-perturbation": 256, "gradient-bound": 64, "kernel-perturbation": 2**17,
    "convex-region": 2**17,
}  # fmt: skip
"""Widths from which the form fails without max|⟨w_r,x_i⟩| ≤ B."""
FAR = "kernel-perturbation", 2**20, 7.0
"""The form, width and R that fail without R ≤ 0.01."""
DRAWS, SMALL_C = 200, 0.3


def at_start(problem, point, constants):
    """Exponents ≤ B at W, whatever R is."""
    return exponents_bounded(problem, Point(point.base, point.base, point.probe), constants)


def reconstructed(name: str) -> Claim:
    """The claim's reconstructed form."""
    return next(form for form in catalogue.claims(name) if form.form == "reconstructed")


def lone(m: int, R: float) -> tuple[Problem, tuple]:
    """The problem, and places in which one neuron holds each of `SHARES` and moves either way by R."""
    problem = nv.problem((np.ones((1, 1)), np.ones((1, 1))), m=m, sigma=SIGMA, radius=R, init="independent")
    signs = np.where(np.arange(m) == 0, 1.0, -1.0)[None]
    places = [
        (np.ones((1, 1)), level * (signs > 0), way * R * signs, signs)
        for level in np.log((m - 1) * SHARES / (1 - SHARES))
        for way in (1, -1)
    ]
    return problem, jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves), float), *places)


def line(form: Claim, dropped: str, assumptions, problem: Problem, places) -> None:
    """A row of the table: the worst of the places, decided with every rounding enclosed."""
    free = dataclasses.replace(form, assumptions=assumptions, twins=())
    constants = {name: jnp.asarray(value) for name, value in form.constants.items()}
    ratios = np.asarray(heights(free, problem, places, constants))
    place = jax.tree.map(lambda leaf: leaf[int(np.argmax(ratios))], places)
    point = point_at(problem, place)
    kept, without = (decide(each, problem, point) for each in (form, free))
    print(
        f"| {form.id} | {dropped} | {problem.m} | {float(problem.radius):g} | {ratios.max():.4g} | {without.verdict} | {kept.sentence} |",
        flush=True,
    )


def main() -> None:
    print(
        "# Reconstructed forms without one of their assumptions\n\n`uv run python benchmarks/dropped_assumptions.py`\n"
    )
    print(f"One input of norm 1, one output, σ = {SIGMA}, so B = 1; constants as printed.\n")
    print("| claim | without | m | R | ratio | at the point | with it |\n|---|---|---|---|---|---|---|")
    for name, m in WITHOUT_EXPONENTS.items():
        problem, places = lone(m, 0.0099)
        line(reconstructed(name), "exponents ≤ B", is_softmax, problem, places)
    name, m, R = FAR
    problem, _ = lone(m, R)
    signs = np.where(np.arange(m) == 0, 1.0, -1.0)[None]
    still = jax.tree.map(lambda leaf: jnp.asarray(leaf, float)[None], (np.ones((1, 1)), 0 * signs, R * signs, signs))
    line(reconstructed(name), "R ≤ 0.01", at_start, problem, still)

    form, problem = reconstructed("exponents"), nv.problem("sphere", n=4, d_in=4, d_out=2, m=32)
    smaller = dataclasses.replace(form, constants={**form.constants, "C": SMALL_C})
    print(
        f"\nThe event itself, {form.id} [{form.form}], on {DRAWS} draws (n = 4, d_in = 4, d_out = 2, m = 32, σ = 1, δ = 0.1):\n"
    )
    for each in (form, smaller):
        evidence = [examine((each,), problem, points, count)[0] for count, points in chunks(problem, DRAWS, 0)]
        found = judge(each, joined(evidence), 0.1)
        print(f"- C = {each.constants['C']:g}: {found.verdict}. {found.sentence}")


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
