"""`ntkverify check`."""

import dataclasses
import math

from rich.markup import escape
from rich.table import Table

from ntkverify.certifying.decision import REFUTED
from ntkverify.certifying.pointfile import check_point
from ntkverify.checking.checker import check
from ntkverify.cli.exits import FINE, VIOLATED
from ntkverify.cli.options import Check
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.terminal import Terminal


def run(asked: Check, console: Terminal) -> int:
    """Judge the file, and print every number that was compared."""
    return _certificate(asked, console) if asked.file.suffix == ".json" else _point(asked, console)


def _point(asked: Check, console: Terminal) -> int:
    set_up_jax("float64")
    form, decision = check_point(asked.file)
    ends = decision.low, decision.high
    console.tell({
        "file": str(asked.file), "id": form.id, "form": form.form, "verdict": decision.verdict, "sentence": decision.sentence,
        "log10_ratio": list(map(_finite, ends)),
    })  # fmt: skip
    span = "" if None in ends else "log₁₀ ratio between {:.17g} and {:.17g}.".format(*ends)
    console.print(
        f"{form.id} \\[{form.form}] at this point: {decision.verdict}. {decision.sentence} {span}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    return VIOLATED if decision.verdict == REFUTED else FINE


def _certificate(asked: Check, console: Terminal) -> int:
    with Progress() as heard:
        found = check(asked.file, lambda done, total: heard("following gradient descent", done, total))
    findings = [
        dataclasses.asdict(each) | {"small": _finite(each.small), "large": _finite(each.large)}
        for each in found.findings
    ]
    console.tell(
        {"file": str(asked.file), "accepted": found.accepted, "sentence": found.sentence, "findings": findings}
    )
    table = Table("checked", "small", "≤", "large", "", box=None)
    for each in found.findings:
        sign, word = ("≤", "holds") if each.holds else ("[bold red]≰[/bold red]", "[bold red]fails[/bold red]")
        table.add_row(each.what, f"{each.small:.12g}", sign, f"{each.large:.12g}", word)
    if found.findings:
        console.print(table)
    word = "[blue]accepted[/blue]" if found.accepted else "[bold red]rejected[/bold red]"
    console.print(f"{word}: {escape(found.sentence)}", highlight=False)
    return FINE if found.accepted else VIOLATED


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
