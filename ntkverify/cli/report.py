"""`ntkverify report`."""

from rich.console import Console

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Report
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import RESULTS, load
from ntkverify.report.page import draw_report
from ntkverify.report.realisation import draw_realisation
from ntkverify.report.study import draw_study

PAGES = {"verify": draw_report, "study": draw_study, "realise": draw_realisation}
"""Verb → what draws its page.  The other verbs have none."""


def run(asked: Report, console: Console) -> int:
    """Draw the page that the folder's verb draws."""
    verb = load(asked.dir)["verb"]
    if verb not in PAGES:
        raise BadInput(
            f"{asked.dir}, which {verb} wrote", f"a folder of {', '.join(PAGES)}", f"reading {RESULTS} there"
        )
    console.print(str(PAGES[verb](asked.dir)), highlight=False, soft_wrap=True)
    return FINE
