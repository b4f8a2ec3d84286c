"""results.json and draws.csv → report.html.  Reads rows only: neither JAX nor the runs."""

import shlex
from collections import Counter
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ntkverify.catalogue import statements
from ntkverify.errors import BadInput
from ntkverify.report.figures import sides
from ntkverify.report.mathml import rendered
from ntkverify.results import REPORT, load, load_draws, write

_LABELS = {
    "stated": "said in the paper's abstract or summary",
    "reconstructed": "explicit form rebuilt from the proof technique; its constants are parameters, not the paper's printed ones",
    "derived": "proved here, and checked by a second route",
}


def draw_report(path: Path) -> Path:
    """Write `report.html` from a folder's results; one self-contained file.  Returns its path."""
    results, draws = load(path), load_draws(path)
    page = _environment().get_template("report.html").render(
        results=results,
        command=_command(results),
        counts=Counter(row["verdict"] for row in results["claims"]),
        disagreeing=[row for row in results["kernels"] if row["agree"] is False],
        sections=[_section(problem, results, draws) for problem in results["problems"]],
        labels=_LABELS,
    )  # fmt: skip
    write(path / REPORT, page)
    return path / REPORT


def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("ntkverify.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    templates.filters |= {"maths": rendered, "sci": _scientific, "decades": _decades}
    return templates


def _section(problem: dict, results: dict, draws: list[dict[str, str]]) -> dict:
    key = problem["id"]
    claims = [row for row in results["claims"] if row["problem"] == key]
    return {
        "problem": problem,
        "kernels": [row for row in results["kernels"] if row["problem"] == key],
        "claims": [_claim(row, [d for d in draws if d["problem"] == key]) for row in claims],
    }


def _claim(row: dict, draws: list[dict[str, str]]) -> dict:
    own = [d for d in draws if (d["claim"], d["form"]) == (row["id"], row["form"])]
    equality = row["direction"] == "equality"
    labels = ("difference of the two sides", "rounding allowance") if equality else ("smaller side", "larger side")
    try:
        statement = statements(row["id"])[row["form"]]
    except (BadInput, KeyError):  # results of another version
        statement = None
    return {"row": row, "statement": statement, "figure": sides(own, *labels), "equality": equality}


def _command(results: dict) -> str:
    """The command that repeats the run, options at their defaults included."""
    config = dict(results["config"])
    words = ["ntkverify", results["verb"], *config.pop("claims", [])]
    for name, value in config.items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-", 1))
        elif isinstance(value, list):
            words += [option, *map(str, value)]
        elif value is not None:
            words += [option, str(value)]
    return shlex.join(words)


def _scientific(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3g}"


def _decades(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
