"""`ntkverify falsify`."""

from ntkverify.certifying.falsify import Falsified, falsify_all
from ntkverify.cli import exits
from ntkverify.cli.options import Falsify
from ntkverify.ground import results
from ntkverify.ground.environment import environment
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.terminal import Terminal
from ntkverify.report.points import draw_search
from ntkverify.searching.falsifying import forms_to_search
from ntkverify.verifying.instances import make_instance


def run(asked: Falsify, console: Terminal) -> int:
    """Search each form, say what was found as it is found, write the results."""
    settings = asked.settings
    set_up_jax(settings.dtype)
    row, problem = make_instance(settings, settings.data[0], settings.network[0])
    forms = forms_to_search(asked.claim, problem)
    config = settings.config(claim=asked.claim, budget=asked.budget)
    folder = results.folder("falsify", config, asked.out, asked.force)
    found: list[Falsified] = []
    complete, so_far = False, {}
    with Progress() as heard:
        for each in falsify_all(asked.claim, forms, problem, folder, asked.budget, settings.seed, heard):
            found.append(each)
            _show(console, each, settings.radius)
            complete = len(found) == len(forms) and not each.worst.interrupted
            so_far = {
                "schema": results.SCHEMA, "verb": "falsify", "config": config, "complete": complete, "environment": environment(),
                "problems": [row], "kernels": [], "claims": [{"id": asked.claim} | each.row() for each in found],
            }  # fmt: skip
            results.save_results(folder, so_far)
    console.print(f"report: {draw_search(folder)}", highlight=False, soft_wrap=True)
    console.tell(so_far)
    return exits.code(complete, any(each.refuted for each in found))


def _show(console: Terminal, found: Falsified, radius: float) -> None:
    form, worst, decision = found.form, found.worst, found.decision
    event = " The point satisfies the event whose probability the form promises." if found.in_event else ""
    console.print(
        f"{form.id} \\[{form.form}] at R = {radius:g}: best ratio {_ratio(worst.ratio)}, drawing alone "
        f"{_ratio(worst.drawn)} ({worst.restarts} rounds, {worst.seconds:.0f} s)\n  at that point: {decision.verdict}. "
        f"{decision.sentence}{event}\n  {found.path}", highlight=False, soft_wrap=True,
    )  # fmt: skip
    for row in found.tightest:
        smaller = "smaller" if (row["orders"] or 0) >= 0 else "larger"
        orders = "" if row["orders"] is None else f", a bound {abs(row['orders']):.2f} orders of magnitude {smaller}"
        console.print(
            f"  {row['constant']}: printed {row['printed']:g}, the search leaves {row['standing']:.4g} standing{orders}",
            highlight=False,
        )


def _ratio(value: float) -> str:
    return f"{value:.6g}" if value >= 0 else "none (the assumptions held at no point tried)"
