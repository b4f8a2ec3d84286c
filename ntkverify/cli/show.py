"""`ntkverify show`."""

import dataclasses

from rich.console import Console

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Show


def run(asked: Show, console: Console) -> int:
    """Print what each form of the claim states."""
    for statement in catalogue.statements(asked.claim).values():
        console.print(f"\n[bold]{statement.title}[/bold] \\[{statement.form}]", highlight=False)
        for name, text in dataclasses.asdict(statement).items():
            if text and name not in ("title", "form"):
                console.print(f"[dim]{name.replace('_', ' ')}:[/dim] ", end="")
                console.print(text, markup=False, highlight=False)
    return FINE
