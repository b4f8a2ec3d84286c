"""`ntkverify list`."""

import dataclasses

from rich.markup import escape
from rich.table import Column, Table

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import List
from ntkverify.ground.terminal import Terminal


def run(asked: List, console: Terminal) -> int:
    """Print, by theorem, a row for each form of each claim."""
    theorems = [catalogue.theorem(name) for name in ([asked.theorem] if asked.theorem else catalogue.THEOREMS)]
    rows = {
        theorem.name: [
            {"id": name, "theorem": theorem.name, **dataclasses.asdict(statement)}
            for name in theorem.claims
            for statement in catalogue.statements(name).values()
        ]
        for theorem in theorems
    }
    console.tell([row for each in rows.values() for row in each])
    table = Table(
        Column("theorem and claim", no_wrap=True), "form", "title", "direction", "promise", "source", box=None
    )
    for theorem in theorems:
        table.add_row(f"[bold]{escape(theorem.name)}[/]", "", f"[bold]{escape(theorem.title)}[/]")
        for row in rows[theorem.name]:
            table.add_row(
                "  " + row["id"], *(escape(row[key]) for key in ("form", "title", "direction", "promise", "source"))
            )
        table.add_section()
    console.print(table)
    for theorem in theorems if asked.theorem else ():
        console.print(escape(theorem.about))
    return FINE
