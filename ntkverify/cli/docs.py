"""`ntkverify docs`."""

import webbrowser
from pathlib import Path

from rich.console import Console

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Docs
from ntkverify.ground.errors import BadInput

SITE = Path(__file__).parents[1] / "site"
"""Where `make docs` builds; a wheel that is made afterwards carries it."""


def run(asked: Docs, console: Console) -> int:
    """Print the path of the documentation's first page, and open it."""
    page = SITE / "index.html"
    if not page.is_file():
        raise BadInput(f"no documentation in {SITE}", "a checkout in which it was built", "make docs")
    console.print(str(page), highlight=False, soft_wrap=True)
    if asked.open:
        webbrowser.open(page.as_uri())
    return FINE
