"""`ntkverify verify`."""

from rich.console import Console

from ntkverify.cli import exits
from ntkverify.cli.options import Verify
from ntkverify.cli.verdicts import show_verdicts, violations
from ntkverify.ground import results
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.report.page import draw_report
from ntkverify.verifying.verify import verify


def run(asked: Verify, console: Console) -> int:
    """Check the claims, write the results, draw the report, print the verdicts."""
    set_up_jax(asked.settings.dtype)
    certify = {"certify": True, "certify_seconds": asked.certify_seconds} if asked.certify else {}
    config = asked.settings.config(claims=list(asked.claims), **certify)
    folder = results.folder("verify", config, asked.out, asked.force)
    with Progress() as heard:
        try:
            rows = verify(asked.settings, asked.claims, heard, certify.get("certify_seconds"))
        except KeyboardInterrupt as interruption:
            rows = interruption.rows  # type: ignore[attr-defined]
    found = rows.results()
    rows.save(folder)
    page = draw_report(folder)
    show_verdicts(console, found)
    console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
    return exits.code(rows.complete, bool(violations(found)))
