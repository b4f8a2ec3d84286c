"""`ntkverify compare`."""

from rich.markup import escape
from rich.table import Table

from ntkverify.cli.exits import FINE, VIOLATED
from ntkverify.cli.options import Compare
from ntkverify.exports.comparing import compare
from ntkverify.exports.table import shown
from ntkverify.exports.text import COLOURS, plain
from ntkverify.ground.results import load
from ntkverify.ground.terminal import Terminal


def run(asked: Compare, console: Terminal) -> int:
    """Print a table for each kind of difference."""
    found = compare(load(asked.before), load(asked.after))
    console.tell({"before": str(asked.before), "after": str(asked.after), "worse": found.worse, "tables": list(map(plain, found.tables))})  # fmt: skip
    for each in found.tables:
        table = Table(*each.columns, box=None, title=each.title, title_justify="left")
        for row in each.rows:
            table.add_row(*(_coloured(shown(cell)) for cell in row))
        console.print(table)
        console.print()
    if not found.tables:
        console.print("Nothing differs.")
    return VIOLATED if found.worse else FINE


def _coloured(word: str) -> str:
    return f"[{COLOURS[word]}]{word}[/]" if word in COLOURS else escape(word)
