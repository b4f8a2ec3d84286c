"""`ntkverify report`."""

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Report
from ntkverify.ground.terminal import Terminal
from ntkverify.report.pages import draw


def run(asked: Report, console: Terminal) -> int:
    """Draw the page that the folder's verb draws."""
    page = str(draw(asked.dir))
    console.tell({"report": page})
    console.print(page, highlight=False, soft_wrap=True)
    return FINE
