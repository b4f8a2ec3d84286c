"""`ntkverify list`."""

import dataclasses
import json

from rich.console import Console
from rich.table import Table

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import List


def run(asked: List, console: Console) -> int:
    """Print a row for each form of each claim."""
    rows = [
        {"id": name, **dataclasses.asdict(statement)}
        for name in catalogue.CLAIMS
        for statement in catalogue.statements(name).values()
    ]
    if asked.json:
        print(json.dumps(rows, indent=1))
        return FINE
    table = Table("claim", "form", "title", "direction", "promise", "source", box=None)
    for row in rows:
        table.add_row(*(row[key] for key in ("id", "form", "title", "direction", "promise", "source")))
    console.print(table)
    return FINE
