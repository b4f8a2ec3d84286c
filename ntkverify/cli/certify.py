"""`ntkverify certify`."""

from rich.markup import escape
from rich.table import Table

from ntkverify import catalogue
from ntkverify.certifying.at_points import certify
from ntkverify.certifying.decision import PROVED, REFUTED
from ntkverify.cli import exits
from ntkverify.cli.options import Certify
from ntkverify.cli.reading import small
from ntkverify.ground import results
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.terminal import Terminal
from ntkverify.report.points import draw_decisions
from ntkverify.verifying.instances import make_instance


def run(asked: Certify, console: Terminal) -> int:
    """Decide the claims, print what was decided, write the results."""
    settings = small(asked.settings, n=8, d_in=8, d_out=2)
    set_up_jax(settings.dtype)
    config = settings.config(claims=list(asked.claims))
    folder = results.folder("certify", config, asked.out, asked.force)
    row, problem = make_instance(settings, settings.data[0], settings.network[0])
    with Progress() as heard:
        found = certify(
            catalogue.expanded(asked.claims) or catalogue.CLAIMS,
            problem,
            settings.seeds,
            settings.seed,
            heard,
            row,
            config,
        )
    results.save_results(folder, found)
    page = draw_decisions(folder)
    console.tell(found)
    _show(console, found)
    console.print(f"results: {folder / results.RESULTS}\nreport:  {page}", highlight=False, soft_wrap=True)
    return exits.code(found["complete"], any(claim["verdict"] == REFUTED for claim in found["claims"]))


def _show(console: Terminal, found: dict) -> None:
    table = Table("claim", "form", "at the points", "log₁₀ ratio, enclosed", box=None)
    for claim in found["claims"]:
        low, high = claim["bracket"]["found"], claim["bracket"]["above"]
        span = "" if low is None or high is None else f"{low:z.3f} to {high:z.3f}"
        table.add_row(claim["id"], claim["form"], claim["points"], span)
    console.print(table)
    for draw, (low, high) in enumerate(found["lambda_certified"]):
        ends = (f"{end:.17g}" if end is not None else "unknown" for end in (low, high))
        console.print(f"draw {draw}: λ_min(H(0)) between {' and '.join(ends)}", highlight=False)
    for claim in found["claims"]:
        if claim["verdict"] != PROVED:
            console.print(f"[dim]{claim['id']} \\[{claim['form']}]: {escape(claim['sentence'])}[/dim]", highlight=False)
