"""`ntkverify list`."""

import dataclasses
import itertools
import unicodedata
from collections.abc import Iterable

from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table

from ntkverify import catalogue
from ntkverify.cli.exits import FINE
from ntkverify.cli.options import List
from ntkverify.ground.terminal import Terminal
from ntkverify.report.terminal_maths import readable

COLUMNS = ("theorem", "id", "form", "direction", "promise", "networks", "title", "source", "statement")
"""What a line holds where stdout is no terminal."""
LOOKED_THROUGH = ("id", "title", "statement", "source")


def run(asked: List, console: Terminal) -> int:
    """Print, by theorem, a row for each form of each claim."""
    names = catalogue.expanded(asked.claims) or catalogue.CLAIMS
    rows = [
        row
        for row in forms(names)
        if asked.theorem in (None, row["theorem"])
        and (asked.network is None or catalogue.speaks_of(row["networks"], asked.network))
        and (asked.word is None or _holds(row, asked.word))
    ]
    console.tell(rows)
    if not rows and console.is_terminal:
        console.print("No claim is such a one.")
    else:
        show(console, rows, asked.formulas)
        if asked.theorem is not None and console.is_terminal:
            console.print("\n" + escape(catalogue.theorem(asked.theorem).about), highlight=False)
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
    return any(_plain(word) in _plain(text) for text in itertools.chain(texts, map(readable, texts)))


def _plain(text: str) -> str:
    """Small letters on one line: λₘᵢₙ, λ_min and Λ_{MIN} are one word."""
    return unicodedata.normalize("NFKD", text).casefold().translate(dict.fromkeys(map(ord, "_^{}")))


def show(console: Terminal, rows: list[dict[str, str]], formulas: bool) -> None:
    """The rows by theorem; where stdout is no terminal, a line each, nothing cut, tabs between the columns."""
    if not console.is_terminal:
        _line(console, COLUMNS)
        for row in rows:
            _line(console, [readable(row[key]) for key in COLUMNS])
        return
    for name, own in itertools.groupby(rows, lambda row: row["theorem"]):
        _head(console, name)
        said = ()
        for row in own:
            words = tuple(readable(row[key]) for key in ("title", "source"))
            _row(console, row, ("", "") if words == said else words)
            if formulas:
                _formula(console, row)
            said = words


def _line(console: Terminal, words: Iterable[str]) -> None:
    """With tabs, which the terminal's own printing turns into spaces."""
    if not console.quiet:
        print(*words, sep="\t", file=console.file)


def _head(console: Terminal, theorem: str) -> None:
    title = catalogue.theorem(theorem).title if theorem else "Files of your own"
    console.print(f"\n[bold]{theorem}[/bold]  {escape(title)}" if theorem else f"\n{title}", highlight=False)


def _row(console: Terminal, row: dict[str, str], words: tuple[str, ...]) -> None:
    wide = max(map(len, catalogue.CLAIMS))
    columns = (
        Column(width=wide, overflow="fold"),
        Column(width=len("reconstructed")),
        Column(ratio=1),
        Column(ratio=1),
    )
    table = Table(*columns, box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_row(*map(escape, (row["id"], row["form"], *words)))
    console.print(Padding(table, (0, 0, 0, 2)))


def _formula(console: Terminal, row: dict[str, str]) -> None:
    promise = "" if row["promise"] == "1" else f"  (with probability ≥ {promised(row['promise'])})"
    text = escape(readable(row["statement"]) + promise)
    console.print(Padding(text, (0, 0, 0, 6)), style="cyan", highlight=False)


def promised(probability: str) -> str:
    """1 - delta, as a formula."""
    return probability.replace("delta", "δ").replace("-", "−")
