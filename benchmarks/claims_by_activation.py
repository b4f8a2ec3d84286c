"""Every claim on every network: verdict and worst log₁₀ ratio, as a table in Markdown.

    uv run python benchmarks/claims_by_activation.py > docs/results/claims-by-activation.md

σ = 0.5 and m = 1024, so that the rate of the kernel's limit is visible also for softmax and exp.
"""

import sys

from ntkverify import catalogue
from ntkverify.progress import Progress, set_up_jax
from ntkverify.settings import Settings
from ntkverify.verification import verify

SETTINGS = Settings(data=("sphere",), network=tuple(catalogue.ACTIVATIONS), m=1024, sigma=0.5)


def cell(row: dict) -> str:
    if row["exponent"]:
        found = row["exponent"]
        return f"{row['verdict']}, exponent {found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
    worst = row["log10_ratio"]["worst"]
    return row["verdict"] + (f", {worst:.2f}" if worst is not None and row["applicable"] else "")


def main() -> None:
    set_up_jax(SETTINGS.dtype)
    with Progress() as heard:
        found = verify(SETTINGS, heard=heard).results()
    first, packages = found["problems"][0], found["environment"]["packages"]
    print("# Claims by network\n\n`uv run python benchmarks/claims_by_activation.py`\n")
    print(
        f"Unit sphere, n = {first['n']}, d_in = {first['d_in']}, d_out = {first['d_out']}, m = {first['m']}, "
        f"σ = {first['sigma']}, R = {SETTINGS.radius}, {SETTINGS.init} initialisation, {SETTINGS.seeds} draws, "
        f"{SETTINGS.dtype} on {found['environment']['backend']}, jax {packages['jax']}. "
        "A cell is the verdict and the worst log₁₀ of the smaller side over the larger (for equalities, of the "
        "difference over its rounding allowance); `vacuous`: the claim speaks of softmax only.\n"
    )
    cells = {(row["id"], row["form"], row["problem"]): cell(row) for row in found["claims"]}
    problems = [problem["id"] for problem in found["problems"]]
    print("| claim | form | " + " | ".join(problem["network"] for problem in found["problems"]) + " |")
    print("|---" * (2 + len(problems)) + "|")
    for name, form in dict.fromkeys((claim, form) for claim, form, _ in cells):
        print(f"| {name} | {form} | " + " | ".join(cells[name, form, problem] for problem in problems) + " |")
    sys.exit(any(row["verdict"] == "violated" for row in found["claims"]))


if __name__ == "__main__":
    main()
