"""`ntkverify study`."""

import contextlib
import importlib
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from ntkverify import catalogue
from ntkverify.cli import exits
from ntkverify.cli.options import Study
from ntkverify.cli.reading import device_count
from ntkverify.ground import results
from ntkverify.ground.devices import use
from ntkverify.ground.errors import BadInput
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.settings import configuration_hash
from ntkverify.ground.terminal import Terminal
from ntkverify.report.study import draw_study
from ntkverify.studying.run import configuration, finished, here, status, study


def run(asked: Study, console: Terminal) -> int:
    """Evaluate the cells that are missing, write the results, draw the report, print tables and answer."""
    catalogue.study(asked.name, asked.preset)
    set_up_jax("float64", makes_do=True)
    use(device_count(asked.devices))
    config = configuration(asked.name, asked.preset, asked.grid, asked.data)
    k, n = asked.part
    own = f"study-{configuration_hash(config)}-{k}-of-{n}"
    out = Path("runs") / own if asked.out is None and n > 1 else asked.out
    folder = results.folder("study", config, out, asked.force)
    if asked.status:
        done, total = status(config, folder)
        console.tell({"finished": done, "cells": total, "folder": str(folder)})
        console.print(f"{done} of {total} cells are finished in {folder}", highlight=False, soft_wrap=True)
        return exits.FINE
    with Progress() as heard, _evaluating(asked) as evaluate:
        found = study(config, folder, heard, evaluate, (k, n))
    violated = show(console, folder, found)
    if n > 1 and finished(config, folder, (k, n)):
        console.print(
            f"Shard {k} of {n} is finished; when all are: ntkverify merge {folder} ...", highlight=False, soft_wrap=True
        )
        return exits.code(True, violated)
    return exits.code(found["complete"], violated, "what was finished is kept, and the same command goes on")


@contextlib.contextmanager
def _evaluating(asked: Study):
    """What evaluates cells: this process, or the workers that were asked for."""
    if asked.workers is None and asked.scheduler is None:
        yield here
        return
    try:
        workers = importlib.import_module("ntkverify.studying.workers")
    except ModuleNotFoundError as error:
        raise BadInput(
            f"workers without {error.name}", "that package", "pip install 'ntkverify[distributed]'"
        ) from None
    with workers.cluster(asked.workers, asked.scheduler) as client:
        yield workers.on(client)


def show(console: Terminal, folder: Path, found: dict) -> bool:
    """Write the results, draw the report, print tables and answer; whether a table says that something is violated."""
    results.save_results(folder, found)
    page = draw_study(folder)
    console.tell(found)
    for table in found["tables"]:
        shown = Table(*table["columns"], box=None, title=table["name"])
        for row in table["rows"]:
            shown.add_row(*map(escape, row))
        console.print(shown)
    for note in found["notes"]:
        console.print(f"[yellow]{escape(note)}[/yellow]", highlight=False)
    console.print(f"\n{escape(found['answer'])}\n", highlight=False)
    console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
    said = [dict(zip(table["columns"], row, strict=True)) for table in found["tables"] for row in table["rows"]]
    return any(row.get("verdict") == "violated" for row in said)
