"""results.json, draws.csv and arrays.npz → report.html and figures/.  Needs neither JAX nor the runs."""

import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ntkverify.ground.results import FIGURES, REPORT, load, load_arrays, load_draws, write
from ntkverify.ground.rounding import above, below
from ntkverify.report import axis_labels, words
from ntkverify.report.figures import Drawing, certificates, kernels, looseness, sides, slopes, spectrum
from ntkverify.report.mathml import rendered

_ROOM = "One mark a draw, each at its worst point and entry. The shaded side is where it would be violated."
_LOOSE = (
    "How much room each bound leaves. At 0 the sides are equal; −2 is two orders of magnitude of room; the shaded side "
    "would be a violation, of a claim that holds with a probability only if enough draws lie there."
)
_CERTIFIED = (
    "What was decided with every rounding enclosed. The cloud is every draw, the large mark the worst point that was "
    "decided (of a few draws and, where the claim can be searched, of a search), the bar what its ratio was proved to be at "
    "most there. It speaks of these points, not of what lies between them."
)
_ROUTES = (
    "Entries of the kernel at one moved draw, by route, and the infinite-width limit; rows and columns run over "
    "(sample, output), sample slow."
)
_SPECTRUM = "Eigenvalues of H(0). The band is the range over draws, λ the smallest."


def draw_report(path: Path) -> Path:
    """Write `report.html`, one self-contained file, and `figures/` (each figure as SVG, its data as
    CSV) from a folder's results.  Returns the report's path."""
    results, draws, arrays = load(path), load_draws(path), load_arrays(path)
    overview, certified, claims, problems = _parts(results, draws, arrays)
    page = environment().get_template("report.html").render(
        results=results, command=command(results), overview=overview, certified=certified,
        shelf=_shelf(results.get("theorems", []), [c for c in claims if c["rows"]]), problems=problems, words=words,
    )  # fmt: skip
    save_figures(path, _figures(overview, certified, claims, problems))
    write(path / REPORT, page)
    return path / REPORT


def drawings(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """The figures of the report."""
    return [drawing for drawing in _figures(*_parts(results, draws, arrays)) if drawing]


def _figures(overview, certified, claims: list[dict], problems: list[dict]) -> list[Drawing | None]:
    parts = [p[part] for p in problems for part in ("routes", "spectrum")]
    return [overview, certified, *(c["figure"] for c in claims), *parts]


def _parts(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]):
    """The figures of all claims together, each claim's rows and figure, each problem's kernels and figures."""
    problems = [
        {
            "row": problem,
            "kernels": [row for row in results["kernels"] if row["problem"] == problem["id"]],
            "routes": kernels(problem["id"], arrays, _ROUTES),
            "spectrum": spectrum(problem["id"], arrays, _SPECTRUM),
        }
        for problem in results["problems"]
    ]
    overview = looseness(results["claims"], _LOOSE)
    certified = certificates(results["claims"], draws, _CERTIFIED)
    return overview, certified, claim_figures(results, draws), problems


def claim_figures(results: Mapping, draws: Sequence[Mapping]) -> list[dict]:
    """For each form of each claim its statement, its rows on all problems, and their figure (None where nothing is drawn)."""
    by_form = defaultdict(list)
    for row in draws:
        by_form[row["claim"], row["form"]].append(row)
    return [_claim(statement, results["claims"], by_form) for statement in results["statements"]]


def save_figures(path: Path, drawings: Sequence[Drawing | None]) -> None:
    """Each figure as SVG and its data as CSV, in the folder's figures/."""
    folder = path / FIGURES
    folder.mkdir(exist_ok=True)
    for drawing in drawings:
        if drawing is not None:
            write(folder / f"{drawing.name}.svg", drawing.svg)
            write(folder / f"{drawing.name}.csv", drawing.csv)


def environment() -> Environment:
    """The templates, with the filters that they use."""
    templates = Environment(
        loader=PackageLoader("ntkverify.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    templates.filters |= {"maths": rendered, "sci": _scientific, "decades": _decades, "below": below, "above": above}
    return templates


def _shelf(theorems: list[dict], claims: list[dict]) -> list[dict]:
    """The claims by theorem, in the order of its proof; last those that belong to none, a user's own, say."""
    ours = [c for c in claims if words.kind(c["rows"][0]) != words.YOURS]
    shelf = [{**each, "claims": [c for c in ours if c["statement"]["id"] in each["claims"]]} for each in theorems]
    known = {name for each in theorems for name in each["claims"]}
    rest = [c for c in claims if c not in ours or c["statement"]["id"] not in known]
    mine = {"name": "rest", "title": "Of no theorem here", "about": "", "claims": rest}
    return [each for each in shelf if each["claims"]] + ([mine] if rest else [])


def _claim(statement: dict, rows: list[dict], draws: dict) -> dict:
    """One form of a claim with its rows on all problems and their figure."""
    key = statement["id"], statement["form"]
    own = [row for row in rows if (row["id"], row["form"]) == key]
    name = "-".join(key)
    if statement["direction"] == "order":
        caption = "One dot a draw. The thick bar is the 95% interval of the mean, the band what the claim allows around its exponent."
        figure = slopes(name, draws[key], own, caption)
    elif statement["direction"] == "equality":
        figure = sides(name, draws[key], "difference of the two sides", "rounding allowance", _ROOM)
    else:
        figure = sides(name, draws[key], *axis_labels.sides(statement), _ROOM)
    return {"statement": statement, "rows": own, "figure": figure}


def command(results: dict) -> str:
    """The command that repeats the run, options at their defaults included."""
    if results["verb"] == "study":
        words = ["ntkverify", "study", results["study"], "--preset", results["preset"]]
        return shlex.join([*words, "--grid", *results["changes"]] if results["changes"] else words)
    config = dict(results["config"])
    for digest in ("weights", "files"):  # of what files held
        config.pop(digest, None)
    words = [
        "ntkverify",
        results["verb"],
        *config.pop("claims", []),
        *([config.pop("claim")] if "claim" in config else []),
    ]
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
    return "n/a" if value is None else f"{value:z.2f}"
