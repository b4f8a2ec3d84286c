"""`ntkverify list`."""

import dataclasses
import itertools
import json
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import List
from ntkverify.report.terminal_maths import readable

COLUMNS = ("theorem", "id", "form", "direction", "promise", "networks", "title", "source", "statement")
"""What a line holds where stdout is no terminal."""
LOOKED_THROUGH = ("id", "title", "statement", "source")


def run(asked: List, console: Console) -> int:
    """Print, by theorem, a row for each form of each claim."""
    names = catalogue.expanded(asked.claims) or catalogue.CLAIMS
    rows = [
        row
        for row in forms(names)
        if asked.theorem in (None, row["theorem"])
        and (asked.network is None or catalogue.speaks_of(row["networks"], asked.network))
        and (asked.word is None or _holds(row, asked.word.casefold()))
    ]
    if asked.json:
        print(json.dumps(rows, indent=1))
    elif rows:
        show(console, rows, asked.formulas)
    else:
        print("No claim is such a one.", file=sys.stderr)
    return FINE


def forms(claims: Iterable[str]) -> list[dict[str, str]]:
    """A row for each form of the claims, the catalogue's in its order; a user's files stand behind, under no theorem."""
    order = {name: place for place, name in enumerate(catalogue.CLAIMS)}
    return [
        {"id": name, "theorem": catalogue.theorem_of(name) if name in order else "", **dataclasses.asdict(statement)}
        for name in sorted(claims, key=lambda name: order.get(name, len(order)))
        for statement in catalogue.statements(name).values()
    ]


def _holds(row: dict[str, str], word: str) -> bool:
    """Whether the word stands in what can be looked through, as LaTeX or as a terminal shows it."""
    texts = [row[key] for key in LOOKED_THROUGH]
    return any(word in text.casefold() for text in texts) or any(word in readable(text).casefold() for text in texts)


def show(console: Console, rows: list[dict[str, str]], formulas: bool) -> None:
    """The rows by theorem; where stdout is no terminal, a line each, nothing cut, tabs between the columns."""
    if not console.is_terminal:
        print(*COLUMNS, sep="\t")
        for row in rows:
            print(*(readable(row[key]) for key in COLUMNS), sep="\t")
        return
    for name, own in itertools.groupby(rows, lambda row: row["theorem"]):
        _head(console, name)
        for row in own:
            _row(console, row, formulas)
    names = {row["theorem"] for row in rows} - {""}
    if len(names) == 1:
        console.print("\n" + escape(catalogue.theorem(names.pop()).about), highlight=False)


def _head(console: Console, theorem: str) -> None:
    title = catalogue.theorem(theorem).title if theorem else "Files of your own"
    console.print(f"\n[bold]{theorem}[/bold]  {escape(title)}" if theorem else f"\n{title}", highlight=False)


def _row(console: Console, row: dict[str, str], formulas: bool) -> None:
    wide = max(map(len, catalogue.CLAIMS))
    columns = (Column(width=wide, no_wrap=True), Column(width=len("reconstructed")), Column(ratio=2), Column(ratio=3))
    table = Table(*columns, box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row(*(escape(readable(row[key])) for key in ("id", "form", "title", "source")))
    console.print(Padding(table, (0, 0, 0, 2)))
    if formulas:
        promise = "" if row["promise"] == "1" else f"  (with probability ≥ {row['promise'].replace('delta', 'δ').replace('-', '−')})"  # fmt: skip
        console.print(
            Padding(escape(readable(row["statement"]) + promise), (0, 0, 0, 6)), style="cyan", highlight=False
        )
