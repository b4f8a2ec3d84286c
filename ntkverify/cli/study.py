"""`ntkverify study`."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ntkverify import catalogue
from ntkverify.cli import exits
from ntkverify.cli.options import Study
from ntkverify.ground import results
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.report.study import draw_study
from ntkverify.studying.run import configuration, status, study


def run(asked: Study, console: Console) -> int:
    """Evaluate the cells that are missing, write the results, draw the report, print tables and answer."""
    catalogue.study(asked.name, asked.preset)
    set_up_jax("float64")
    config = configuration(asked.name, asked.preset, asked.grid, asked.data)
    folder = results.folder("study", config, asked.out, asked.force)
    if asked.status:
        done, total = status(config, folder)
        console.print(f"{done} of {total} cells are finished in {folder}", highlight=False, soft_wrap=True)
        return exits.FINE
    with Progress() as heard:
        found = study(config, folder, heard)
    results.save_results(folder, found)
    page = draw_study(folder)
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
    violated = any(row.get("verdict") == "violated" for row in said)
    return exits.code(found["complete"], violated, "what was finished is kept, and the same command goes on")
