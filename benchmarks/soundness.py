"""Do enclosures ever contradict 50-digit arithmetic, and how often do they decide?

    uv run python benchmarks/soundness.py > docs/results/soundness.md

Random small problems with equal, nearly equal and zero inputs and weights of scale 1e-6 to 1e6.  Each meets one
form of a claim: as it is, one of its twins, or with its larger side moved to within 1e-12 of the smaller
one at the point.  The decisions at 64 and 128 bits are held against the one at 170 bits (50 digits), and so are
their brackets of log₁₀ ratio.  The eigenvalues of each kernel are enclosed at 64 and 128 bits and held against
mpmath's at 50 digits, another routine.

Then random formulas over everything that the arithmetics cover, on numbers of adversarial scales, in float64 and float32:
each enclosure by running bounds (eager, compiled, under `vmap`), float64 balls and Arb against intervals of 2200 bits.
"""

import dataclasses
import itertools
import time
from collections import Counter

import flint
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from formulas import SCALES
from fuzzing import WAYS, fuzz

import ntkverify as nv
from ntkverify import catalogue
from ntkverify.arithmetic.arb import ARB, FIFTY_DIGITS, enclosed, precision
from ntkverify.certifying.decision import PROVED, REFUTED, UNDECIDED, Decision, decide
from ntkverify.ground.environment import environment
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import ON_PATH, Params, Point, Problem
from ntkverify.networks.setting import inside, rank
from ntkverify.statements.claim import Claim

PROBLEMS = 4000
FORMULAS, KINDS = 2100, 4
"""Random formulas, and kinds of numbers that each meets."""
SHAPES = ((2, 2, 1, 4), (3, 2, 1, 4), (2, 3, 2, 6), (3, 3, 1, 6))
"""n, d_in, d_out, m."""
BITS = (64, 128)
MODEST, SIMPLE = 20, 1e-6
"""Largest logit, and smallest λ and gap above it, of the problems that ought to be decided."""
SLACK = 1e-9
"""What turning two bounds into float logarithms may cost."""


def one_problem(problem: Problem, rng: np.random.Generator) -> tuple[Problem, Point]:
    """Inputs of norm at most 1, some equal, nearly equal or zero; W̃ at a distance of 1e-6 to 1."""
    X = rng.standard_normal((problem.n, problem.d_in))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    kind = rng.integers(6)
    if kind == 0:
        X[1] = X[0]
    elif kind == 1:
        X[1] = X[0] + rng.choice([1e-3, 1e-6, 1e-9, 1e-12]) * X[1]
    elif kind == 2:
        X[1] = 0
    X = inside(X / max(1, np.linalg.norm(X, axis=1).max()))
    scale, R = 10 ** rng.uniform(-6, 6) if rng.integers(2) else 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-6, 0)
    W, move = scale * rng.standard_normal((problem.d_in, problem.m)), rng.standard_normal((problem.d_in, problem.m))
    a = jnp.asarray(rng.choice([-1.0, 1.0], (problem.d_out, problem.m)))
    moved = W + R * move / np.linalg.norm(move, axis=0)
    point = Point(Params(jnp.asarray(W), a), Params(jnp.asarray(moved), a), jnp.ones_like(problem.y))
    ball = jnp.asarray(R + 1e-9 * (R + np.abs(W).max()))  # W̃ lies within, whatever was rounded
    return dataclasses.replace(problem, X=jnp.asarray(X), sigma=jnp.asarray(scale), radius=ball, rank=rank(X)), point


def near(form: Claim, found: Decision, off: float) -> Claim | None:
    """The form with its larger side moved to within `off` of the smaller one at the point."""
    if found.low is None or found.high is None or abs(found.high) > 200:
        return None
    factor = 10**found.high * (1 + off)
    if form.direction == "lower":
        return dataclasses.replace(form, rhs=lambda p, q, c: form.rhs(p, q, c) / factor)
    return dataclasses.replace(form, rhs=lambda p, q, c: form.rhs(p, q, c) * factor)


def contradicts(rough: Decision, fine: Decision) -> bool:
    """Whether one proves what the other refutes, or their brackets are disjoint."""
    if {rough.verdict, fine.verdict} == {PROVED, REFUTED}:
        return True
    if rough.low is None or rough.high is None or fine.low is None or fine.high is None:
        return False
    slack = SLACK * (1 + abs(fine.high))
    return rough.low > fine.high + slack or rough.high < fine.low - slack


def spectrum(problem: Problem, params: Params) -> tuple[bool, bool, float, float]:
    """(an eigenvalue lies outside its ball, every ball is finite, λ_min, the gap above it)."""
    kernel = enclosed(closed_form, FIFTY_DIGITS)(problem, params)
    with precision(FIFTY_DIGITS):
        middle = mpmath.matrix([[mpmath.mpf(entry.mid().str(60, radius=False)) for entry in row] for row in kernel])
        truth = sorted(mpmath.eigsy((middle + middle.T) / 2, eigvals_only=True))
        size = max([abs(value) for value in truth])
        exact = [flint.arb(mpmath.nstr(value, 50), mpmath.nstr(size * mpmath.mpf(10) ** -42, 5)) for value in truth]
    outside, finite = False, True
    for bits in BITS:
        rough = enclosed(closed_form, bits)(problem, params)
        with precision(bits):
            balls = ARB.eigenvalues(rough)
        finite &= all(ball.is_finite() for ball in balls)
        outside |= any(ball.is_finite() and not ball.overlaps(value) for ball, value in zip(balls, exact, strict=True))
    values = [float(value) for value in truth]
    return outside, finite, values[0], values[1] - values[0] if len(values) > 1 else np.inf


def main() -> None:
    began, found = time.monotonic(), environment()
    forms = [form for name in catalogue.CLAIMS for form in catalogue.claims(name)]
    forms = [form for form in forms if form.where != ON_PATH and form.direction not in ("equality", "order")]
    problems = [nv.problem("sphere", n=n, d_in=k, d_out=d, m=m, init="independent") for n, k, d, m in SHAPES]
    rng, cycle = np.random.default_rng(0), itertools.cycle(forms)
    counts, undecided, verdicts, disagreeing = Counter(), Counter(), Counter(), []
    for index in range(PROBLEMS):
        problem, point = one_problem(problems[index % len(problems)], rng)
        form = next(cycle)
        kind = rng.integers(3)
        if kind == 1:
            form = form.mutated(form.twins[rng.integers(len(form.twins))])
        fine = decide(form, problem, point, FIFTY_DIGITS)
        if kind == 2 and (close := near(form, fine, rng.choice([-1e-12, 1e-12]))):
            form, fine = close, decide(close, problem, point, FIFTY_DIGITS)
        rough = [decide(form, problem, point, bits) for bits in BITS]
        outside, finite, least, gap = spectrum(problem, point.base)
        counts["contradictions"] += any(contradicts(each, fine) for each in rough)
        counts["eigenvalues outside"] += outside
        if outside or any(contradicts(each, fine) for each in rough):
            disagreeing.append(f"problem {index}, {form.id} [{form.form}]")
        verdicts[rough[1].verdict] += 1
        silent = "assumptions are false" in fine.sentence
        counts["silent"] += silent
        logits = np.abs(np.asarray(problem.X) @ np.stack([point.base.W, point.moved.W])).max()
        if logits <= MODEST and least > SIMPLE and gap > SIMPLE and not silent:
            counts["modest"] += 1
            answered = finite and rough[1].verdict != UNDECIDED
            counts["answered"] += answered
            if not answered:
                undecided[f"{form.id} [{form.form}]: {rough[1].sentence if finite else 'eigenvalues'}"] += 1
    share = counts["answered"] / counts["modest"]
    print("# Enclosures against 50 digits\n\n`uv run python benchmarks/soundness.py`\n")
    print(
        f"{PROBLEMS} random problems, {len(forms)} forms, {time.monotonic() - began:.0f} s, {found['cores']} cores, jax "
        f"{found['packages']['jax']}.\n"
    )
    print("| what | count |\n|---|---|")
    print(f"| decisions at {BITS[0]} or {BITS[1]} bits that contradict 50 digits | {counts['contradictions']} |")
    print(f"| spectra with an eigenvalue outside its enclosure | {counts['eigenvalues outside']} |")
    for word in (PROVED, REFUTED, UNDECIDED):
        print(f"| {word} at {BITS[1]} bits | {verdicts[word]} |")
    print(f"| of these, undecided because the assumptions are false at the point | {counts['silent']} |")
    print(f"| with logits ≤ {MODEST}, λ and the gap above it > {SIMPLE:g}, assumptions true | {counts['modest']} |")
    print(f"| of these, decided at {BITS[1]} bits with finite enclosures | {counts['answered']} ({100 * share:.1f}%) |")
    for what, count in undecided.most_common():
        print(f"\nUndecided {count} times: {what}")
    for what in disagreeing:
        print(f"\nContradiction: {what}")
    formulas()


def formulas() -> None:
    began = time.monotonic()
    found = fuzz(1, FORMULAS, KINDS)
    entries = found.total("entries")
    print("\n## Random formulas against intervals of 2200 bits\n")
    print(f"{found.formulas} formulas, {entries} entries whose truth is known, {time.monotonic() - began:.0f} s.\n")
    print(f"| arithmetic | entries | finite enclosures | {' | '.join(SCALES)} |")
    print("|---|---|---|" + "---|" * len(SCALES))
    for way in WAYS:
        every, finite = (found.total(what, way) for what in ("entries", "finite"))
        shares = (found.total("finite", way, kind) / max(1, found.total("entries", way, kind)) for kind in SCALES)
        print(f"| {way} | {every} | {finite} | {' | '.join(f'{100 * share:.1f}%' for share in shares)} |")
    print(f"\nEnclosures that do not contain the truth: {len(found.wrong)}.")
    for what in found.wrong:
        print(f"\n{what}")


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
