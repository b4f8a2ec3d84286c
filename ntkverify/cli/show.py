"""`ntkverify show`."""

import dataclasses

from rich.markup import escape

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.list import forms, promised, show
from ntkverify.cli.options import Show
from ntkverify.ground.terminal import Terminal
from ntkverify.report.terminal_maths import readable


def run(asked: Show, console: Terminal) -> int:
    """Print what each form of the claims states; of a theorem, what it says and its claims."""
    if asked.claim in catalogue.THEOREMS:
        theorem, whole = catalogue.theorem(asked.claim), not console.is_terminal
        console.tell(dataclasses.asdict(theorem))
        console.print(escape(theorem.about), highlight=False, soft_wrap=whole)
        show(console, forms(theorem.claims), formulas=True)
        console.print(f"\n[dim]In full: ntkverify show {theorem.claims[0]}[/dim]", highlight=False, soft_wrap=whole)
        return FINE
    console.tell(forms(catalogue.expanded([asked.claim])))
    for name in catalogue.expanded([asked.claim]):
        for statement in catalogue.statements(name).values():
            _in_full(console, name, dataclasses.asdict(statement))
    return FINE


def _in_full(console: Terminal, name: str, statement: dict[str, str]) -> None:
    """A paragraph a field; one line each where stdout is no terminal."""
    whole = not console.is_terminal
    title, form = readable(statement.pop("title")), statement.pop("form")
    console.print(
        f"\n[bold]{escape(title)}[/bold] \\[{form}]  [dim]{escape(name)}[/dim]", highlight=False, soft_wrap=whole
    )
    statement["promise"] = promised(statement["promise"])
    for field, text in statement.items():
        if text:
            console.print(f"[dim]{field.replace('_', ' ')}:[/dim] ", end="")
            console.print(readable(text), markup=False, highlight=False, soft_wrap=whole)
