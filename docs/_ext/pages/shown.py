"""What one small run says of each claim: its verdict, points, draws and figure, from docs/claims (benchmarks/claims_shown.py)."""

from functools import cache
from pathlib import Path

from ntkverify.ground.results import load, load_draws
from ntkverify.report import words
from ntkverify.report.figures import Drawing
from ntkverify.report.page import claim_figures, command

FOLDER = Path(__file__).parents[2] / "claims"


@cache
def run() -> tuple[dict, dict[tuple[str, str], dict]]:
    """The results, and for each (claim, form) its rows and its figure."""
    results = load(FOLDER)
    found = claim_figures(results, load_draws(FOLDER))
    return results, {(each["statement"]["id"], each["statement"]["form"]): each for each in found}


def sections(claim: str) -> list[str]:
    """The lines about a claim; a figure lies in figures/."""
    results, forms = run()
    found = []
    for (name, form), each in forms.items():
        if name != claim:
            continue
        rows = [row for row in each["rows"] if row["verdict"] != "not applicable"] or each["rows"][:1]
        lines = [
            f"| {row['problem']} | {words.verdict(row)} | {words.points(row) or 'none'} | {words.draws(row)} |"
            for row in rows
        ]
        found += [
            f"### {form.capitalize()}\n",
            "| network | verdict | points, log₁₀ ratio | draws held |\n|---|---|---|---|",
            *lines,
            "",
        ]
        if each["figure"]:
            found += [f"![{name}, {form}](figures/{each['figure'].name}.svg)\n", f"{each['figure'].caption}\n"]
    if not found:
        return []
    return ["## On one small network\n", *found, f"All claims in one run: `{command(results)}`. {words.LEGEND}\n"]


def figures() -> dict[str, str]:
    """Path → SVG."""
    drawn: list[Drawing] = [each["figure"] for each in run()[1].values() if each["figure"]]
    return {f"claims/figures/{drawing.name}.svg": drawing.svg for drawing in drawn}
