"""`ntkverify report`."""

from rich.console import Console

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Report
from ntkverify.ground.results import load
from ntkverify.report.page import draw_report
from ntkverify.report.realisation import draw_realisation
from ntkverify.report.study import draw_study


def run(asked: Report, console: Console) -> int:
    """Draw the page that the folder's verb draws."""
    draw = {"study": draw_study, "realise": draw_realisation}.get(load(asked.dir)["verb"], draw_report)
    console.print(str(draw(asked.dir)), highlight=False, soft_wrap=True)
    return FINE
