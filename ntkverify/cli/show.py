"""`ntkverify show`."""

import dataclasses

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Show
from ntkverify.ground.terminal import Terminal


def run(asked: Show, console: Terminal) -> int:
    """Print what each form of the claim states."""
    statements = catalogue.statements(asked.claim)
    console.tell([{"id": asked.claim, **dataclasses.asdict(statement)} for statement in statements.values()])
    for statement in statements.values():
        console.print(f"\n[bold]{statement.title}[/bold] \\[{statement.form}]", highlight=False)
        for name, text in dataclasses.asdict(statement).items():
            if text and name not in ("title", "form"):
                console.print(f"[dim]{name.replace('_', ' ')}:[/dim] ", end="")
                console.print(text, markup=False, highlight=False)
    return FINE
