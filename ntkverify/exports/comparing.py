"""The verb `compare`: the content of two results.json of one verb → what differs."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ntkverify.exports.table import Cell, Interval, Table, table
from ntkverify.ground.errors import BadInput

WRONG = ("violated", "refuted")


@dataclass(frozen=True)
class Said:
    """What a run says of one thing."""

    verdict: str = ""
    spans: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Intervals by name; those of two runs move apart when they have no number in common."""
    numbers: Mapping[str, Cell] = field(default_factory=dict)
    """What is read side by side."""


@dataclass(frozen=True)
class Comparison:
    """Tables of what differs, and whether a verdict turned to violated or refuted."""

    tables: list[Table]
    worse: bool


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """What differs between two runs; `BadInput` where different verbs made them, or verbs without verdicts."""
    verb = before.get("verb")
    if verb not in SAID or after.get("verb") != verb:
        raise BadInput(f"runs of {verb} and {after.get('verb')}", f"two runs of one of {', '.join(SAID)}")
    if verb == "study" and before["study"] != after["study"]:
        raise BadInput(f"studies {before['study']} and {after['study']}", "two runs of one study")
    first, second = dict(SAID[verb](before, before)), dict(SAID[verb](after, before))
    both = [(key, first[key], second[key]) for key in first if key in second]
    turned = [(key, one.verdict, other.verdict) for key, one, other in both if one.verdict != other.verdict]
    moved = [
        (key, name, Interval(*one.spans[name]), Interval(*other.spans[name]))
        for key, one, other in both for name in one.spans if name in other.spans and apart(one.spans[name], other.spans[name])
    ]  # fmt: skip
    beside = [
        (key, name, one.numbers[name], other.numbers[name])
        for key, one, other in both for name in one.numbers if name in other.numbers
    ]  # fmt: skip
    alone = [(key, "first") for key in first if key not in second] + [
        (key, "second") for key in second if key not in first
    ]
    asked = differing(before["config"], after["config"])
    made = differing(_made(before), _made(after))
    sides = ("before", "after")
    tables = [
        table("verdicts", ("what", *sides), turned, "Verdicts that changed."),
        table("apart", ("what", "quantity", *sides), moved, "Intervals that have no number in common."),
        table("side by side", ("what", "quantity", *sides), beside, "Side by side."),
        table("alone", ("what", "run"), alone, "In one run only."),
        table("configuration", ("option", *sides), asked, "What was asked otherwise."),
        table("environment", ("what", *sides), made, "Versions and machines that differ."),
    ]
    worse = any(new in WRONG and old not in WRONG for _, old, new in turned)
    return Comparison([each for each in tables if each.rows], worse)


def apart(one: tuple, other: tuple) -> bool:
    """Whether two intervals have no number in common; an end that is None is unknown."""
    (a, b), (c, d) = one, other
    return (b is not None and c is not None and b < c) or (d is not None and a is not None and d < a)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, before, after) of what differs, parts by their path."""
    rows = []
    for name in dict.fromkeys([*one, *other]):
        old, new = one.get(name), other.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            rows += [(f"{name} {inner}", *sides) for inner, *sides in differing(old, new)]
        elif old != new:
            rows.append((name, _words(old), _words(new)))
    return rows


def _words(value: Any) -> str:
    return "not given" if value is None else " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _made(results: Mapping) -> dict:
    """What of the environment may change a number."""
    names = ("python", "system", "backend", "devices", "float64", "random_numbers", "packages")
    return {name: found[name] for name in names if name in (found := results["environment"])}


def _verify(results: Mapping, first: Mapping) -> Iterator[tuple[str, Said]]:
    names = _paired(results["problems"], first["problems"])
    for row in results["claims"]:
        ratio = sorted(value for value in row["log10_ratio"].values() if value is not None)
        spans = {"hold rate": tuple(row["hold_rate_interval"])} if row["applicable"] else {}
        spans |= {"log₁₀ ratio, median and worst": (ratio[0], ratio[-1])} if ratio else {}
        spans |= {"exponent": (row["exponent"]["low"], row["exponent"]["high"])} if row["exponent"] else {}
        yield f"{names[row['problem']]}: {row['id']} [{row['form']}]", Said(row["verdict"], spans)


def _paired(problems: Sequence[Mapping], first: Sequence[Mapping]) -> dict[str, str]:
    """Problem → its name in the first run: its own, or that of the one in its place."""
    known = [row["id"] for row in first]
    free = iter(name for name in known if name not in {row["id"] for row in problems})
    return {row["id"]: row["id"] if row["id"] in known else next(free, row["id"]) for row in problems}


def _certify(results: Mapping, first: Mapping) -> Iterator[tuple[str, Said]]:
    for row in results["claims"]:
        ends = row["bracket"]["found"], row["bracket"]["above"]
        yield f"{row['id']} [{row['form']}]", Said(row["verdict"], {} if ends[0] is None else {"log₁₀ ratio": ends})
    for draw, ends in enumerate(results["lambda_certified"]):
        yield f"draw {draw}", Said(spans={"λ_min(H(0))": tuple(ends)})


def _falsify(results: Mapping, first: Mapping) -> Iterator[tuple[str, Said]]:
    for row in results["claims"]:
        found = {"ratio, searched": "∞" if row["infinite"] else row["ratio"]}
        found |= {f"{each['constant']}, left standing": each["standing"] for each in row["tightest"]}
        yield f"{row['id']} [{row['form']}]", Said(row["verdict"], {}, found)


def _realise(results: Mapping, first: Mapping) -> Iterator[tuple[str, Said]]:
    numbers = {name: results.get(name) for name in ("m", "sigma", "eta", "radius", "distance")}
    yield (
        "certificate",
        Said(
            "proved" if results["proved"] else "", {}, numbers | {"contraction": results["conclusions"]["contraction"]}
        ),
    )
    for row in results["margins"]:
        yield row["what"], Said(numbers={"there / needed": row["have"] / row["need"] if row["need"] > 0 else None})
    for row in results["observations"]:
        what = re.sub(r" at step \d+", "", row["what"])
        yield f"run: {what}", Said("holds" if row["holds"] else "violated")


def _study(results: Mapping, first: Mapping) -> Iterator[tuple[str, Said]]:
    for fit in results["fits"]:
        ends = fit["low"], fit["high"]
        name = f"{fit['quantity']} against {fit['x']}"
        yield f"{fit['group']}: {name}", Said("", {"exponent": ends}, {f"exponent, {fit['level']:.0%}": f"{fit['exponent']:.3g} {Interval(*ends)}"})  # fmt: skip
    for each in results["tables"]:
        if "verdict" in each["columns"]:
            place = each["columns"].index("verdict")
            for row in each["rows"]:
                yield f"{each['name']}: {row[0]}", Said(row[place])


SAID: dict[str, Callable[[Mapping, Mapping], Iterator[tuple[str, Said]]]] = {
    "verify": _verify, "study": _study, "realise": _realise, "certify": _certify, "falsify": _falsify,
}  # fmt: skip
"""Verb → what a run says, by what it is said of; the names are those of the first run."""
