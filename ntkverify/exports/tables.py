"""The content of results.json → tables, by the verb that wrote it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ntkverify.exports.setting import setting
from ntkverify.exports.table import Cell, Interval, Maths, Table, table
from ntkverify.ground.rounding import above, below
from ntkverify.report import words

NOT_APPLICABLE = "not applicable"


def tables(results: Mapping[str, Any]) -> list[Table]:
    """What a paper shows of a run, each table with the setting in its caption."""
    return [
        dataclasses.replace(each, setting=setting(results, each.name)) for each in TABLES[results["verb"]](results) if each.rows
    ]  # fmt: skip


def raw(results: Mapping[str, Any], draws: Sequence[Mapping]) -> list[Table]:
    """What is too long for a paper: every draw, every row of a study's cells."""
    found = []
    if draws:
        found.append(table("draws", draws[0], [row.values() for row in draws], "Every draw."))
    if cells := results.get("cells"):
        params, metrics = ({name: None for cell in cells for name in cell[part]} for part in ("params", "metrics"))
        rows = [
            [*map(cell["params"].get, params), cell["seed"], cell["outcome"], *map(cell["metrics"].get, metrics)] for cell in cells
        ]  # fmt: skip
        found.append(table("cells", [*params, "seed", "outcome", *metrics], rows, "Every row of every cell."))
    return found


def _verify(results: Mapping) -> list[Table]:
    return [_verdicts(problem["id"], results) for problem in results["problems"]] + [_statements(results)]


def _verdicts(problem: str, results: Mapping) -> Table:
    """A row for each form of each claim that speaks of the problem's network."""
    own = [row for row in results["claims"] if row["problem"] == problem]
    rows = [
        [
            row["id"], row["form"], words.theorem(row), words.verdict(row), f"{row['held']}/{row['applicable']}",
            Interval(*row["hold_rate_interval"]) if row["applicable"] else None,
            row["log10_ratio"]["median"], row["log10_ratio"]["worst"], _exponent(row["exponent"]), _bracket(row["bracket"]),
        ]
        for row in own if row["verdict"] != NOT_APPLICABLE
    ]  # fmt: skip
    columns = (
        "claim", "form", "theorem", "verdict", "held/applicable", "hold rate, 95%", "log₁₀ ratio, median", "log₁₀ ratio, worst", "exponent, 95%",
        "log₁₀ ratio, enclosed",
    )  # fmt: skip
    elsewhere = len(own) - len(rows)
    left = f" {elsewhere} forms that speak of other networks are left out." if elsewhere else ""
    return table(f"verdicts-{problem}", columns, rows, f"Verdicts on {problem}. {words.LEGEND}{left}")


def _statements(results: Mapping) -> Table:
    tested = {(row["id"], row["form"]) for row in results["claims"] if row["verdict"] != NOT_APPLICABLE}
    rows = [
        (each["id"], each["form"], Maths(each["statement"]))
        for each in results["statements"] if (each["id"], each["form"]) in tested
    ]  # fmt: skip
    return table("claims", ("claim", "form", "statement"), rows, "The claims.")


def _study(results: Mapping) -> list[Table]:
    fits = [
        (fit["group"], fit["quantity"], fit["x"], fit["exponent"], Interval(fit["low"], fit["high"]), fit["level"], fit["predicted"], fit["seeds"])
        for fit in results["fits"]
    ]  # fmt: skip
    columns = ("group", "quantity", "against", "exponent", "interval", "level", "predicted", "seeds")
    asked = f"Study {results['study']}"
    return [
        *(
            table(each["name"], each["columns"], each["rows"], f"{asked}: {each['name']}.")
            for each in results["tables"]
        ),
        table("fits", columns, fits, f"{asked}: fitted exponents."),
    ]


def _realise(results: Mapping) -> list[Table]:
    bounds = {
        **results["bounds"],
        "kept": results["conclusions"]["kept"],
        "contraction": results["conclusions"]["contraction"],
    }
    low = ("lambda", "kept", "contraction")  # what is bounded from below
    numbers: list[tuple[str, Cell]] = [
        ("m", results["m"]),
        ("σ", results["sigma"]),
        ("η", results["eta"]),
        ("radius s", below(results["radius"])),
    ]
    numbers += [(name, below(value) if name in low else above(value)) for name, value in bounds.items()]
    seen = [
        (row["what"], row["seen"], row["proved"], "holds" if row["holds"] else "violated")
        for row in results["observations"]
    ]
    margins = [
        (row["what"], row["have"], row["need"], row["have"] / row["need"] if row["need"] > 0 else None)
        for row in results["margins"]
    ]
    return [
        table("hypotheses", ("hypothesis", "there", "needed", "margin, a factor"), margins, "The hypotheses of the convergence theorem, every rounding enclosed."),
        table("certificate", ("number", "value"), numbers, results["sentence"]),
        table("run", ("seen in the float run", "seen", "proved", "verdict"), seen, f"What was seen in {results['steps']} float steps beside what was proved."),
    ]  # fmt: skip


def _certify(results: Mapping) -> list[Table]:
    rows = [
        (row["id"], row["form"], words.verdict(row), row["points"], _bracket(row["bracket"]))
        for row in results["claims"]
    ]
    spectra = [(draw, Interval(*ends, digits=12)) for draw, ends in enumerate(results["lambda_certified"])]
    columns = ("claim", "form", "verdict", "points", "log₁₀ ratio, enclosed")
    return [
        table(
            "decisions", columns, rows, "Claims decided at the worst points of drawn networks, every rounding enclosed."
        ),
        table(
            "eigenvalues",
            ("draw", "λ_min(H(0))"),
            spectra,
            "The kernel's smallest eigenvalue, every rounding enclosed.",
        ),
    ]


def _falsify(results: Mapping) -> list[Table]:
    rows = [
        (row["id"], row["form"], row["verdict"], row["drawn"], "∞" if row["infinite"] else row["ratio"], row["restarts"])
        for row in results["claims"]
    ]  # fmt: skip
    constants = [
        (row["form"], each["constant"], each["printed"], each["standing"], each["orders"])
        for row in results["claims"] for each in row["tightest"]
    ]  # fmt: skip
    return [
        table("worst", ("claim", "form", "at the worst point", "ratio, drawn", "ratio, searched", "rounds"), rows,
              "The worst points that a search found; the ratio is that of the smaller side to the larger, so that above 1 is a violation."),
        table("constants", ("form", "constant", "printed", "left standing", "orders of magnitude smaller"), constants,
              "The smallest constants that the search leaves standing: lower bounds on the smallest true ones, no proof."),
    ]  # fmt: skip


def _train(results: Mapping) -> list[Table]:
    columns = ("network", "outcome", "steps", "step size", "loss before", "loss after", "movement")
    rows = [tuple(row.values()) for row in results["networks"]]
    return [table("training", columns, rows, f"Gradient descent; the loss is {results['measured']}.")]


def _exponent(found: Mapping | None) -> Interval | None:
    return Interval(found["low"], found["high"]) if found else None


def _bracket(found: Mapping | None) -> Interval | None:
    """Between the largest ratio that was found and what it was proved to be at most."""
    return Interval(found["found"], found["above"]) if found and found["found"] is not None else None


TABLES: dict[str, Callable[[Mapping], list[Table]]] = {
    "verify": _verify, "study": _study, "realise": _realise, "certify": _certify, "falsify": _falsify, "train": _train,
}  # fmt: skip
"""Verb → its tables, the most telling first."""
