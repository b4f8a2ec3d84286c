"""`ntkverify check`."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ntkverify.certifying.decision import REFUTED
from ntkverify.certifying.pointfile import check_point
from ntkverify.checking.checker import check
from ntkverify.cli.exits import FINE, VIOLATED
from ntkverify.cli.options import Check
from ntkverify.ground.progress import Progress, set_up_jax


def run(asked: Check, console: Console) -> int:
    """Judge the file, and print every number that was compared."""
    return _certificate(asked, console) if asked.file.suffix == ".json" else _point(asked, console)


def _point(asked: Check, console: Console) -> int:
    set_up_jax("float64")
    form, decision = check_point(asked.file)
    ends = decision.low, decision.high
    span = "" if None in ends else "log₁₀ ratio between {:.17g} and {:.17g}.".format(*ends)
    console.print(
        f"{form.id} \\[{form.form}] at this point: {decision.verdict}. {decision.sentence} {span}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    return VIOLATED if decision.verdict == REFUTED else FINE


def _certificate(asked: Check, console: Console) -> int:
    with Progress() as heard:
        found = check(asked.file, lambda done, total: heard("following gradient descent", done, total))
    table = Table("checked", "small", "≤", "large", "", box=None)
    for each in found.findings:
        sign, word = ("≤", "holds") if each.holds else ("[bold red]≰[/bold red]", "[bold red]fails[/bold red]")
        table.add_row(each.what, f"{each.small:.12g}", sign, f"{each.large:.12g}", word)
    if found.findings:
        console.print(table)
    word = "[blue]accepted[/blue]" if found.accepted else "[bold red]rejected[/bold red]"
    console.print(f"{word}: {escape(found.sentence)}", highlight=False)
    return FINE if found.accepted else VIOLATED
