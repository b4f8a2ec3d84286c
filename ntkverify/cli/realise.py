"""`ntkverify realise`."""

import dataclasses

from rich.markup import escape
from rich.table import Table

from ntkverify.cli import exits
from ntkverify.cli.options import Realise
from ntkverify.convergence.options import Options
from ntkverify.convergence.realise import realise
from ntkverify.convergence.weights import digest_of, fitting, weights
from ntkverify.ground import results
from ntkverify.ground.own_files import identified
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.terminal import Terminal
from ntkverify.report.realisation import draw_realisation
from ntkverify.verifying.instances import make_instance


def run(asked: Realise, console: Terminal) -> int:
    """Certify, run, look; write the certificate and the results, draw the report, print every margin."""
    set_up_jax("float64")
    start = None if asked.trained is None else weights(asked.trained)
    settings = dataclasses.replace(asked.settings, m=asked.m or (2 if start is None else start.m + start.m % 2))
    row, problem = make_instance(settings, asked.data, asked.network, verified=False)
    if start is not None:
        fitting(problem, start)
    options = Options(**{field.name: getattr(asked, field.name) for field in dataclasses.fields(Options)})
    config = {
        name: value
        for name, value in dataclasses.asdict(asked).items()
        if name not in ("out", "force", "trained", "output")
    }
    if start is not None:
        config |= {"from": str(asked.trained), "weights": digest_of(start)}
    config = identified(config)
    folder = results.folder("realise", config, asked.out, asked.force)
    with Progress() as heard:
        found = realise(problem, row, config, options, folder, heard, start).results
    page = draw_realisation(folder)
    console.tell(found)
    _show(console, found)
    console.print(
        f"certificate: {folder / found['certificate']}\nresults: {folder / results.RESULTS}\nreport:  {page}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    violated = not all(seen["holds"] for seen in found["observations"])
    return exits.code(found["complete"], violated, "the certificate is kept")


def _show(console: Terminal, found: dict) -> None:
    drawn = "" if found["sigma"] is None else f", σ = {found['sigma']:g}"
    console.print(f"\n[bold]m = {found['m']}{drawn}[/bold]  {escape(found['sentence'])}\n", highlight=False)
    table = Table("hypothesis", "there", "needed", box=None)
    for margin in found["margins"]:
        table.add_row(margin["what"], f"{margin['have']:.6g}", f"{margin['need']:.6g}")
    console.print(table)
    if found["observations"]:
        table = Table(f"seen in {found['steps']} float steps", "seen", "proved", "", box=None)
        for seen in found["observations"]:
            word = "[blue]holds[/blue]" if seen["holds"] else "[bold red]violated[/bold red]"
            table.add_row(seen["what"], f"{seen['seen']:.6g}", f"{seen['proved']:.6g}", word)
        console.print(table)
    if bracket := found["bracket"]:
        broken = f"broken by a search at {bracket['found']:.4g}" if bracket["found"] else "not broken by a search"
        console.print(f"λ_min ≥ {found['keep']:g} λ: proved up to {bracket['proved']:.4g}, {broken} (radii over all neurons)")  # fmt: skip
