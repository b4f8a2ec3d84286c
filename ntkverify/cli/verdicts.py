"""The tables of a `verify` run."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ntkverify.judging.verdict import NOT_APPLICABLE
from ntkverify.report import words

STYLES = {
    "holds": "blue",
    "proved": "blue",
    "violated": "bold red",
    "undecided": "yellow",
    "vacuous": "dim",
    "not applicable": "dim",
}

LEGEND = (
    f"{words.LEGEND} Points: log₁₀ of the ratio proved at most where every rounding was enclosed. Draws: held of those that apply, 95% lower "
    "bound of the rate."
)


def violations(found: dict) -> list[str]:
    """A sentence for each claim that is violated, and for each pair of kernel routes that disagree."""
    return [
        f"{row['problem']}: {row['id']} [{row['form']}] is violated. {row['sentence']}"
        for row in found["claims"]
        if row["verdict"] == "violated"
    ] + [
        f"{row['problem']}: kernel routes {row['a']} and {row['b']} disagree in {row['dtype']}: "
        f"error {row['error']} above {row['tolerance']}."
        for row in found["kernels"]
        if row["agree"] is False
    ]


def show_verdicts(console: Console, found: dict) -> None:
    """Print the tables of every problem, then what is not settled, left out and violated."""
    for problem in found["problems"]:
        _head(console, problem)
        own = [row for row in found["claims"] if row["problem"] == problem["id"]]
        console.print(_table([row for row in own if row["verdict"] != NOT_APPLICABLE]))  # those are named below
        if own:
            console.print(f"  [dim]{LEGEND}[/dim]", highlight=False)
        _routes(console, [row for row in found["kernels"] if row["problem"] == problem["id"]])
    unsettled: dict[tuple, list[str]] = {}
    for row in found["claims"]:
        if row["verdict"] not in ("holds", "proved", "violated"):
            key = row["problem"], row["verdict"], row["sentence"]
            unsettled.setdefault(key, []).append(f"{row['id']} \\[{row['form']}]")
    for (problem, verdict, sentence), claims in unsettled.items():
        console.print(f"[dim]{problem}: {verdict}: {', '.join(claims)}. {sentence}[/dim]", highlight=False)
    for row in found["claims"]:
        for twin in row["twins"] or ():
            console.print(_twin(row, twin), highlight=False)
        if row["twins"] == []:
            console.print(f"[yellow]{row['problem']}: {row['id']} \\[{row['form']}] has no twin, and a check that cannot fail checks nothing.[/yellow]", highlight=False)  # fmt: skip
    for line in found["left_out"]:
        console.print(f"[yellow]left out:[/yellow] {escape(line)}", highlight=False)
    for line in violations(found):
        console.print(f"[bold red]{escape(line)}[/bold red]", highlight=False)
    console.print()


def _head(console: Console, problem: dict) -> None:
    console.print(
        f"\n[bold]{escape(problem['id'])}[/bold]  n={problem['n']} d_in={problem['d_in']} d_out={problem['d_out']} m={problem['m']} "
        f"{'' if problem['sigma'] is None else 'σ={:g}  '.format(problem['sigma'])}λ(H(0))={_short(problem['lambda'])}  λ(K)={_limit(problem)}",
        highlight=False,
    )
    console.print(f"  [dim]{escape(problem['origin'])}; {problem['scaling']}[/dim]", highlight=False)
    if problem["lambda_note"]:
        console.print(f"  [yellow]{problem['lambda_note']}[/yellow]", highlight=False)


def _twin(row: dict, twin: dict) -> str:
    """What became of a twin; one that nothing refutes shows that the check cannot fail there."""
    said = f"{row['problem']}: twin of {row['id']} \\[{row['form']}], {escape(twin['mutation'])}: refuted on {twin['refuted']} of {twin['applicable']} draws"
    if twin["refuted"] or not twin["applicable"]:
        return f"[dim]{said}[/dim]"
    return f"[yellow]{said}: what is broken passes as well, so these draws do not test what it changes. A twin is to fail where the claim holds; try a smaller change.[/yellow]"


def _table(rows: list[dict]) -> Table:
    """A row for each form of each claim."""
    table = Table(box=None)
    some = ["claim", "form", "verdict", "theorem", *(["points"] if any(row["bracket"] for row in rows) else [])]
    for name in some:
        table.add_column(name, no_wrap=True)
    for name in ("draws", "log₁₀ ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        style = STYLES[row["verdict"]]
        cells = {
            "claim": row["id"], "form": row["form"], "verdict": f"[{style}]{words.verdict(row)}[/{style}]", "theorem": words.theorem(row),
            "points": words.points(row),
        }  # fmt: skip
        table.add_row(*(cells[name] for name in some), words.draws(row), _room(row))
    return table


def _routes(console: Console, rows: list[dict]) -> None:
    """How far the kernel is from its limit, and how well its routes agree."""
    for row in rows:
        if row["agree"] is None:
            console.print(
                f"  {row['dtype']}: distance to the infinite-width kernel {_short(row['error'])}", highlight=False
            )
    for dtype in dict.fromkeys(row["dtype"] for row in rows):
        pairs = [row for row in rows if row["dtype"] == dtype and row["agree"] is not None]
        if pairs:
            worst = max((row["error"] for row in pairs if row["error"] is not None), default=None)
            sample = f" (on {pairs[0]['sample']})" if pairs[0]["sample"] else ""
            console.print(
                f"  {dtype}: {sum(row['agree'] for row in pairs)} of {len(pairs)} pairs of kernel routes agree, "
                f"largest error {_short(worst)}, tolerance {pairs[0]['tolerance']:g}{sample}",
                highlight=False,
            )


def _room(row: dict) -> str:
    """Median and worst log₁₀ ratio over the draws, where they have one."""
    if row["exponent"]:
        return "exponent {mean:z.2f} [{low:z.2f}, {high:z.2f}]".format(**row["exponent"])
    median, worst = row["log10_ratio"]["median"], row["log10_ratio"]["worst"]
    if row["infinite"]:
        return "infinite"
    if worst is None:
        return "exact" if row["verdict"] == "holds" else ""
    return f"{median:z.2f} to {worst:z.2f}" if median is not None else f"to {worst:z.2f}"


def _limit(problem: dict) -> str:
    return "unknown" if problem["lambda_inf"] is None else _short(problem["lambda_inf"])


def _short(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3g}"
