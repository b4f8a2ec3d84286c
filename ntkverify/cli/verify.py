"""`ntkverify verify`."""

import dataclasses
import json
import sys

from ntkverify.cli import exits
from ntkverify.cli.options import Verify
from ntkverify.cli.reading import device_count
from ntkverify.cli.verdicts import show_verdicts, violations
from ntkverify.ground import devices, results
from ntkverify.ground.environment import environment
from ntkverify.ground.progress import Progress, seldom, set_up_jax
from ntkverify.ground.settings import Settings
from ntkverify.ground.terminal import Terminal
from ntkverify.report.page import draw_report
from ntkverify.verifying.rows import Rows
from ntkverify.verifying.verify import verify


def run(asked: Verify, console: Terminal) -> int:
    """Check the claims, write the results, draw the report, print the verdicts."""
    devices.join(asked.process, asked.coordinator)
    settings = dataclasses.replace(asked.settings, dtype=set_up_jax(asked.settings.dtype, makes_do=True))
    devices.use(device_count(asked.devices))
    certify = {"certify": True, "certify_seconds": asked.certify_seconds} if asked.certify else {}
    config = settings.config(claims=list(asked.claims), **certify)
    devices.agree("a command", json.dumps([config, environment()["packages"]], sort_keys=True))
    if not devices.first():  # it helps; the first process writes and prints
        rows = _checked(settings, asked.claims, lambda *_: None, certify)
        if not rows.complete:
            print(f"Process {asked.process} was interrupted; the others end too.", file=sys.stderr)
            devices.leave(exits.INTERRUPTED)
        return exits.code(rows.complete, bool(violations(rows.results())))
    folder = results.folder("verify", config, asked.out, asked.force)
    with Progress() as heard:
        rows = _checked(settings, asked.claims, heard, certify, seldom(lambda so_far: so_far().save(folder)))
    found = rows.results()
    rows.save(folder)
    page = draw_report(folder)
    console.tell(found)
    show_verdicts(console, found)
    console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
    code = exits.code(rows.complete, bool(violations(found)))
    if not rows.complete:
        devices.leave(code)
    return code


def _checked(settings: Settings, claims: tuple[str, ...], heard, certify: dict, kept=lambda so_far: None) -> Rows:
    """The rows; after Ctrl-C, what was finished."""
    try:
        return verify(settings, claims, heard, certify.get("certify_seconds"), kept)
    except KeyboardInterrupt as interruption:
        return interruption.rows  # type: ignore[attr-defined]
