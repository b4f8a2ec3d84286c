"""`ntkverify falsify`."""

from ntkverify.catalogue import one
from ntkverify.certifying.falsify import Falsified, falsify_all
from ntkverify.cli import exits
from ntkverify.cli.options import Falsify
from ntkverify.cli.reading import small
from ntkverify.ground import results
from ntkverify.ground.environment import environment
from ntkverify.ground.progress import Progress, set_up_jax
from ntkverify.ground.terminal import Terminal
from ntkverify.report.points import draw_search
from ntkverify.searching.falsifying import forms_to_search
from ntkverify.verifying.instances import make_instance


def run(asked: Falsify, console: Terminal) -> int:
    """Search each form, say what was found as it is found, write the results."""
    claim, settings = one(asked.claim), small(asked.settings, n=4, d_in=4, d_out=2)
    set_up_jax(settings.dtype)
    row, problem = make_instance(settings, settings.data[0], settings.network[0])
    forms = forms_to_search(claim, problem)
    config = settings.config(claim=claim, budget=asked.budget)
    folder = results.folder("falsify", config, asked.out, asked.force)
    found: list[Falsified] = []
    complete, so_far = False, {}
    with Progress() as heard:
        for each in falsify_all(claim, forms, problem, folder, asked.budget, settings.seed, heard):
            found.append(each)
            _show(console, each, settings.radius)
            complete = len(found) == len(forms) and not each.worst.interrupted
            so_far = {
                "schema": results.SCHEMA, "verb": "falsify", "config": config, "complete": complete, "environment": environment(),
                "problems": [row], "kernels": [], "claims": [{"id": each.form.id} | each.row() for each in found],
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
        console.print(
            f"  {row['constant']}: printed {row['printed']:g}, the search leaves {row['standing']:.4g} standing{_orders(row['orders'])}",
            highlight=False,
        )


def _orders(orders: float | None) -> str:
    """By how much the bound becomes smaller with that constant."""
    if orders is None:
        return ""
    if abs(orders) < 0.005:
        return ", the same bound in two digits"
    return f", a bound {abs(orders):.2f} orders of magnitude {'smaller' if orders > 0 else 'larger'}"


def _ratio(value: float) -> str:
    return f"{value:.6g}" if value >= 0 else "none (the assumptions held at no point tried)"
