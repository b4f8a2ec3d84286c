"""What surrounds tables and figures in LaTeX: a paper that compiles by itself, and the works to cite."""

from collections.abc import Mapping, Sequence
from typing import Any

from ntkverify.exports.latex import escaped
from ntkverify.exports.table import Table
from ntkverify.report.figures import Drawing

TABLES, FIGURES, PAPER, REFERENCES = "tables", "figures", "paper.tex", "references.bib"
PACKAGES = ("amsmath", "amssymb", "array", "booktabs", "graphicx")
"""What tables, figures and the formulas of claims need."""
AT_ONCE = 16
"""Floats that LaTeX is given to hold."""
FLOATS = r"\renewcommand{\topfraction}{.95}\renewcommand{\bottomfraction}{.9}\renewcommand{\textfraction}{.04}\renewcommand{\floatpagefraction}{.75}"
SUBJECT = {
    "title": "Exploring the Frontiers of Softmax: Provable Optimization, Applications in Diffusion Model, and Beyond",
    "author": "Jiuxiang Gu and Chenyang Li and Yingyu Liang and Zhenmei Shi and Zhao Song",
    "year": "2024", "eprint": "2405.03251", "archivePrefix": "arXiv",
    "note": "Version 2, 2025, by Yang Cao, Yingyu Liang, Zhenmei Shi and Zhao Song",
}  # fmt: skip


def references(results: Mapping[str, Any]) -> str:
    """BibTeX of the paper and of this program, in the version that made the run."""
    tool = {
        "title": "{ntkverify}",
        "note": f"Version {version(results)}. Takes a theorem about a wide network and says, with evidence, whether it holds",
    }
    return _entry("softmax-frontiers", "misc", SUBJECT) + "\n" + _entry("ntkverify", "misc", tool)


def _entry(key: str, kind: str, fields: Mapping[str, str]) -> str:
    return f"@{kind}{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}\n"


def version(results: Mapping[str, Any]) -> str:
    """That of ntkverify when it made the run."""
    return results["environment"]["packages"]["ntkverify"] or "unknown"


def title(results: Mapping[str, Any]) -> str:
    """What a run is about, in a line."""
    if results["verb"] == "study":
        return results["title"]
    of = results.get("config", {}).get("claim") or ", ".join(row["id"] for row in results.get("problems", ()))
    return f"ntkverify {results['verb']}: {of}"


def said(results: Mapping[str, Any]) -> str:
    """What was found, in a sentence or two."""
    if answer := results.get("answer") or results.get("sentence"):
        return answer
    words = [row["verdict"] for row in results.get("claims", ())] or [
        row["outcome"] for row in results.get("networks", ())
    ]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) or "nothing was finished"
    of = "networks" if results["verb"] == "train" else "forms of claims"
    return f"Of {len(words)} {of}: {counted}."


def paper(
    results: Mapping[str, Any], tables: Sequence[Table], drawings: Sequence[Drawing], prefix: str, width: float
) -> str:
    """An article with every table and figure; it needs nothing but the files beside it."""
    unfinished = "" if results["complete"] else "The run was interrupted: what follows is what was finished."
    lines = [r"\documentclass{article}", r"\usepackage[margin=1in]{geometry}"]
    lines += [rf"\usepackage{{{package}}}" for package in PACKAGES]
    lines += [
        FLOATS, rf"\title{{{escaped(title(results))}}}", r"\author{}", r"\date{}", r"\begin{document}", r"\maketitle", r"\noindent",
        *(escaped(line) for line in (unfinished, said(results)) if line),
        r"Checked with ntkverify~\cite{ntkverify}; the subject is~\cite{softmax-frontiers}.", "",
    ]  # fmt: skip
    for place, table in enumerate(tables):
        lines += [rf"\input{{{TABLES}/{table.name}}}"] + [r"\clearpage"] * (place % AT_ONCE == AT_ONCE - 1)
    for place, drawing in enumerate(drawings):
        lines += [*float_of(drawing, prefix, width), *[r"\clearpage"] * (place % AT_ONCE == AT_ONCE - 1)]
    return "\n".join([*lines, r"\clearpage", *_cited(results), r"\end{document}", ""])


def float_of(drawing: Drawing, prefix: str, width: float) -> list[str]:
    """A figure's float."""
    return [
        r"\begin{figure}[htbp]", r"\centering", rf"\includegraphics[width={width:g}in]{{{FIGURES}/{drawing.name}}}",
        rf"\caption{{\textbf{{{escaped(drawing.name)}.}} {escaped(drawing.caption)}}}", rf"\label{{fig:{prefix}-{drawing.name}}}", r"\end{figure}",
    ]  # fmt: skip


def _cited(results: Mapping[str, Any]) -> list[str]:
    """The two works without a run of BibTeX."""
    authors = SUBJECT["author"].replace(" and ", ", ")
    return [
        r"\begin{thebibliography}{9}",
        rf"\bibitem{{softmax-frontiers}} {authors}. \emph{{{SUBJECT['title']}}}. arXiv:{SUBJECT['eprint']}, {SUBJECT['year']}. {SUBJECT['note']}.",
        rf"\bibitem{{ntkverify}} \emph{{ntkverify}}, version {escaped(version(results))}.",
        r"\end{thebibliography}",
    ]
