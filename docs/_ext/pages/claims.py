"""A page for each theorem and each claim, from the docstrings that state them.  Starts no JAX."""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

from ntkverify import catalogue
from ntkverify.statements.docstring import Statement
from pages import shown
from pages.maths import prose
from pages.written import fenced

RESULTS = Path(__file__).parents[2] / "results"
BY_NETWORK = "claims-by-activation"
LABELS = {
    "stated": "said in the documents that this project was made from",
    "reconstructed": "rebuilt from the proof technique, constants are parameters",
    "derived": "proved below",
}
DIRECTIONS = {
    "upper": "an upper bound: refuted where the left side lies above the right one beyond rounding",
    "lower": "a lower bound: refuted where the left side lies below the right one beyond rounding",
    "tight": "an upper bound that is attained: equal to rounding counts as held",
    "equality": "an equality: refuted where the sides differ beyond rounding",
    "order": "an order: the slope on log-log axes is the exponent that is stated",
}


def pages() -> dict[str, str]:
    """Path → text."""
    made = {"claims/index.md": _shelf()}
    for name in catalogue.THEOREMS:
        theorem = catalogue.theorem(name)
        made[f"claims/theorem-{name}.md"] = _theorem(theorem)
        made |= {f"claims/{claim}.md": _claim(claim) for claim in theorem.claims}
    return made | shown.figures()


def title(claim: str) -> str:
    return next(iter(catalogue.statements(claim).values())).title


def _shelf() -> str:
    names = [f"theorem-{name}" for name in catalogue.THEOREMS]
    said = (
        f"{len(catalogue.CLAIMS)} claims in {len(names)} theorems. Each page is made from the docstring that the command "
        "line prints (`ntkverify show NAME`) and that the judge reads: a claim is stated once."
    )
    return f"# Claims, by theorem\n\n{said}\n\n" + fenced("toctree", ":maxdepth: 1", "", *names)


def _theorem(theorem: catalogue.Theorem) -> str:
    rows = [
        f"| [{title(claim)}]({claim}.md) | `{claim}` | {', '.join(catalogue.statements(claim))} |"
        for claim in theorem.claims
    ]
    return "\n".join(
        (
            f"# {theorem.title}\n",
            fenced(f"theorem {theorem.name}"),
            "| claim | name | forms |\n|---|---|---|",
            *rows,
            f"\n```\nuv run ntkverify list --theorem {theorem.name}\nuv run ntkverify verify {theorem.name}\n```\n",
        )
    )


def _claim(name: str) -> str:
    """Outside the navigation, which stays short; the theorem leads here."""
    theorem = catalogue.theorem(catalogue.theorem_of(name))
    return "\n".join(
        (
            f"---\norphan: true\n---\n# {title(name)}\n",
            f"`{name}`, of [{theorem.title}](theorem-{theorem.name}.md).\n",
            fenced(f"claim {name}"),
            f"## Try it\n\n```\n{_commands(name)}\n```\n",
            *shown.sections(name),
            *_seen(name),
        )
    )


def _commands(name: str) -> str:
    kind = next(iter(catalogue.statements(name).values())).networks
    network = " --network relu" if kind == "relu" else ""
    return f"uv run ntkverify show {name}\nuv run ntkverify verify {name}{network} --data sphere --n 8 --d-in 8 --d-out 2 --m 256"


def _seen(name: str) -> list[str]:
    """What the tables of docs/results say of a claim; the one by network turned, so that it is read from above."""
    found = []
    for source, heading, header, rows in tables():
        own = [row for row in rows if row[0].strip("`* ") == name]
        if not own:
            continue
        if source == BY_NETWORK:
            header, own = (
                ["network", *(row[1] for row in own)],
                [[network, *(row[column] for row in own)] for column, network in list(enumerate(header))[2:]],
            )
        else:
            header, own = header[1:], [row[1:] for row in own]
        found += [f"### {heading}\n", _table(header, own), f"From [{heading}](../../results/{source}.md).\n"]
    return ["## What was seen\n", *found] if found else []


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


@cache
def tables() -> list[tuple[str, str, list[str], list[list[str]]]]:
    """(file, title, header, rows) of the tables of docs/results whose first column is called claim."""
    found = []
    for path in sorted(RESULTS.glob("*.md")):
        text = path.read_text("utf-8")
        heading = text.partition("\n")[0].removeprefix("# ")
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            header, _, *rows = map(cells, block.splitlines())
            if header[0] == "claim":
                found.append((path.stem, heading, header, rows))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


class Claim(Directive):
    """What a claim states: what its forms share, then each of them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        forms = list(catalogue.statements(self.arguments[0]).values())
        words = {form: _words(form) for form in forms}
        shared = {
            word: text for word, text in words[forms[0]].items() if all(words[each][word] == text for each in forms)
        }
        if len(forms) == 1:
            shared = {}
        found: list[nodes.Node] = [_said(shared)] if shared else []
        for form in forms:
            section = nodes.section(ids=[form.form])
            section += nodes.title("", form.form.capitalize())
            section += nodes.paragraph("", f"{LABELS[form.form].capitalize()}.")
            section += prose(form.statement)
            section += _said({word: text for word, text in words[form].items() if word not in shared})
            if form.proof:
                section += dropdown("Proof", prose(form.proof))
            found.append(section)
        return found


def _words(form: Statement) -> dict[str, str]:
    return {
        "setting": form.setting,
        "assumes": form.assumes,
        "direction": DIRECTIONS[form.direction],
        "promise": "certain" if form.promise == "1" else r"with probability at least $1 - \delta$",
        "networks": NETWORKS[form.networks],
        "measured": form.measured,
        "refuted by": form.refuted_by,
        "source": form.source,
        "note": form.note,
    }


NETWORKS = {
    "any": "any network",
    "two-layer": "two-layer networks",
    "logits": r"two-layer networks whose neurons see an input by $\langle w, x\rangle$ alone",
    "smooth": "networks whose second derivative has a known bound",
    "normalised": r"softmax over such neurons",
    "series": "networks whose limit kernel is a known power series",
    "relu": "ReLU networks",
    "softmax": "softmax networks",
}


class Theorem(Directive):
    """What a theorem says, and where it comes from."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return prose(catalogue.theorem(self.arguments[0]).about)


def _said(words: dict[str, str]) -> nodes.Node:
    listed = nodes.definition_list(classes=["said"])
    for word, text in words.items():
        if text:
            listed += nodes.definition_list_item("", nodes.term("", word), nodes.definition("", *prose(text)))
    return listed


def dropdown(summary: str, inside: list[nodes.Node]) -> list[nodes.Node]:
    return [
        nodes.raw("", f"<details><summary>{summary}</summary>", format="html"),
        *inside,
        nodes.raw("", "</details>", format="html"),
    ]


def setup(app):
    app.add_directive("claim", Claim)
    app.add_directive("theorem", Theorem)
