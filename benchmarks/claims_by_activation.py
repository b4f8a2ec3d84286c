"""Every claim on every network: verdict and worst log₁₀ ratio, as a table in Markdown.

    uv run python benchmarks/claims_by_activation.py > docs/results/claims-by-activation.md
    uv run python benchmarks/claims_by_activation.py witness-step    the lines of some claims alone, of a new one, say

σ = 0.5 and m = 1024, so that the rate of the kernel's limit is visible also for softmax and exp.  One network at a
time, its compiled programs dropped before the next, which together exhaust a process's memory maps; what is
finished lies in runs/claims-by-activation/ and is not measured again by the same version.
"""

import contextlib
import dataclasses
import sys
from pathlib import Path

import jax

from ntkverify import catalogue
from ntkverify.ground.environment import environment
from ntkverify.ground.errors import BadInput
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.results import load
from ntkverify.ground.settings import Settings
from ntkverify.judging.verdict import NOT_APPLICABLE
from ntkverify.verifying.verify import verify

SETTINGS = Settings(data=("sphere",), m=1024, sigma=0.5)
KEPT = Path("runs") / "claims-by-activation"


def cell(row: dict) -> str:
    if row["verdict"] == NOT_APPLICABLE:
        return "not about these data" if row["draws"] else "not about this network"
    if row["exponent"]:
        found = row["exponent"]
        return f"{row['verdict']}, exponent {found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
    worst = row["log10_ratio"]["worst"]
    return row["verdict"] + (f", {worst:.2f}" if worst is not None and row["applicable"] else "")


def measured(network: str, claims: tuple[str, ...], heard) -> dict:
    """results.json of one network."""
    reads = network in ("attention", "softmax-heads", "patches")
    data = ("tokens",) if reads else SETTINGS.data
    sizes = {"n": 16, "d_in": 64, "d_out": 3} if reads else {}
    settings = dataclasses.replace(SETTINGS, network=(network,), data=data, **sizes)
    folder = KEPT / "-".join((network, *claims))
    with contextlib.suppress(BadInput):
        kept = load(folder)
        known = {row["id"] for row in kept["claims"]}
        same = kept["config"] == settings.config(claims=list(claims)) and kept["environment"] == environment()
        if kept["complete"] and same and known == set(claims or catalogue.CLAIMS):
            return kept
    rows = verify(settings, claims, heard=heard)
    jax.clear_caches()
    folder.mkdir(parents=True, exist_ok=True)
    rows.save(folder)
    return rows.results()


def main() -> None:
    set_up_jax(SETTINGS.dtype)
    claims = tuple(sys.argv[1:])
    with Progress() as heard:
        each = [measured(network, claims, heard) for network in catalogue.NETWORKS]
    rows, problems = ([row for one in each for row in one[name]] for name in ("claims", "problems"))
    first, run_on = problems[0], each[0]["environment"]
    cells = {(row["id"], row["form"], row["problem"]): cell(row) for row in rows}
    if not claims:
        head(first, run_on)
        print("| claim | form | " + " | ".join(problem["network"] for problem in problems) + " |")
        print("|---" * (2 + len(problems)) + "|")
    for name, form in dict.fromkeys((claim, form) for claim, form, _ in cells):
        print(f"| {name} | {form} | " + " | ".join(cells[name, form, problem["id"]] for problem in problems) + " |")
    sys.exit(any(row["verdict"] == "violated" for row in rows))


def head(first: dict, run_on: dict) -> None:
    """What was asked."""
    print("# Claims by network\n\n`uv run python benchmarks/claims_by_activation.py`\n")
    print(
        f"Unit sphere, n = {first['n']}, d_in = {first['d_in']}, d_out = {first['d_out']}, m = {first['m']}, "
        f"σ = {first['sigma']}, R = {SETTINGS.radius}, {SETTINGS.init} initialisation, {SETTINGS.seeds} draws, "
        f"{SETTINGS.dtype} on {run_on['backend']}, jax {run_on['packages']['jax']}. "
        "A cell is the verdict and the worst log₁₀ of the smaller side over the larger (for equalities, of the "
        "difference over its rounding allowance); `vacuous`: its assumptions held on no draw; `not about these data`: an assumption of it is "
        "false of them. Attention and patches read 16 sequences of 4 tokens of 16 numbers instead.\n"
    )


if __name__ == "__main__":
    main()
