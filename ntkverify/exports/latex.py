"""Tables → LaTeX that needs array, booktabs and graphicx, amsmath for claims' formulas; text is escaped, whatever it holds."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from ntkverify.exports.table import Cell, Code, Interval, Maths, Piece, Table, shown
from ntkverify.ground.terminal import GREEK, RAISED, spelling

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
    "‖": r"$\|$", "…": r"\dots{}", "–": "--", "—": "---", "−": "$-$", "←": r"$\leftarrow$", "→": r"$\to$", "↔": r"$\leftrightarrow$",
    "↦": r"$\mapsto$", "∇": r"$\nabla$", "∈": r"$\in$", "√": r"$\surd$", "∝": r"$\propto$", "∞": r"$\infty$", "≈": r"$\approx$",
    "≤": r"$\le$", "≥": r"$\ge$", "⊗": r"$\otimes$", "⟨": r"$\langle$", "⟩": r"$\rangle$", "⌈": r"$\lceil$", "⌉": r"$\rceil$",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "Σ": r"$\Sigma$", "×": r"$\times$", "·": r"$\cdot$", "±": r"$\pm$", "§": r"\S{}",
    "ᵀ": r"$^\top$", "½": r"$\frac12$", "∫": r"$\int$", "∂": r"$\partial$", "φ": r"$\varphi$", "ϑ": r"$\vartheta$", "ε": r"$\varepsilon$",
}  # fmt: skip
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar"}
CAPITALS = ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega")
NUMBER = re.compile(r"(?<![\w.,-])(-?\d+(?:\.\d+)?)(?:e([+-]?\d+))?(?![\w-])")
SCRIPT = re.compile(r"(?:(?<![^\W_])[^\W\d_]|[)‖\]]|\bmax)([_^])([A-Za-z0-9]+|[∞α-ω])")
"""A lower or upper index as plain text has it: one letter (‖, a bracket, max) before it."""
LONG = {True: 12, False: 40}
"""Rows on a page, of tables with and without lines that are broken."""
WIDE = 48
"""Characters from which on text is broken."""
SHRUNK = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
"""A table is made narrower where it would be wider than the text, and left alone otherwise."""


def latex(table: Table, prefix: str) -> str:
    """The table as floats with caption and label `tab:PREFIX-NAME`; a long one is parted."""
    broken = any(map(_broken, map(table.column, range(len(table.columns)))))
    size = LONG[broken]
    begins = range(0, len(table.rows), size)
    return "\n".join(_float(table, table.rows[begin : begin + size], prefix, begin, broken) for begin in begins)


def _float(table: Table, rows: Sequence, prefix: str, place: int, broken: bool) -> str:
    caption = escaped(table.title) + (" " + "".join(map(piece, table.setting)) if table.setting else "")
    head = rf"\caption{{{caption}}}" + "\n" + rf"\label{{tab:{prefix}-{table.name}}}"
    if place:
        head = rf"\caption{{{escaped(table.title)} Continued from Table~\ref{{tab:{prefix}-{table.name}}}.}}"
    columns = list(map(table.column, range(len(table.columns))))
    count = sum(map(_broken, columns))
    share = max(0.25, 0.9 - 0.14 * (len(columns) - count)) / max(count, 1)
    spec = "".join(_alignment(column, share) for column in columns)
    lines = [" & ".join(map(escaped, table.columns)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(cell, row)) + r" \\" + (r"\addlinespace" if broken else "") for row in rows]
    body = "\n".join([rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}"])
    body = body if broken else f"{SHRUNK}\n{body}}}"
    return "\n".join(
        [r"\begin{table}[htbp]", r"\centering\footnotesize", head, r"\par\medskip", body, r"\end{table}", ""]
    )


def _broken(cells: list[Cell]) -> bool:
    return any(isinstance(each, Maths) or len(shown(each)) > WIDE for each in cells)


def _alignment(cells: list[Cell], share: float) -> str:
    if _broken(cells):
        return rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
    return "r" if all(each is None or isinstance(each, int | float | Interval) for each in cells) else "l"


def cell(value: Cell) -> str:
    """A cell of a tabular."""
    return piece(value) if isinstance(value, str) else escaped(shown(value))


def piece(text: Piece) -> str:
    """Text, formulas in it kept, or code."""
    if isinstance(text, Code):
        return rf"\texttt{{{escaped(text, signs=False).replace('--', '-{}-')}}}"
    if isinstance(text, Maths):
        parts = re.split(r"(\$\$.+?\$\$|\$.+?\$)", text, flags=re.DOTALL)
        return "".join(f"${_formula(part)}$" if part.startswith("$") else escaped(part) for part in parts)
    return escaped(text)


def _formula(part: str) -> str:
    """LaTeX as it was written; what of it is no ASCII is spelled."""
    signs = "".join(each if each.isascii() else f"{_character(each).strip('$')} " for each in part.strip("$"))
    return signs.strip()


def escaped(text: str, signs: bool = True) -> str:
    """Text as LaTeX that prints it; with `signs`, minus signs and powers of ten of numbers are set as formulas."""
    if not signs:
        return "".join(_characters(text))
    if script := SCRIPT.search(text):
        mark, letters = script.groups()
        inside = rf"\mathrm{{{letters}}}" if letters.isascii() else _character(letters).strip("$")
        return escaped(text[: script.start(1)]) + f"${mark}{{{inside}}}$" + escaped(text[script.end() :])
    found, last = "", 0
    for number in NUMBER.finditer(text):
        digits, power = number.groups()
        if power or digits.startswith("-"):
            value = digits if power is None else rf"{digits}\cdot 10^{{{int(power)}}}"
            found, last = found + "".join(_characters(text[last : number.start()])) + f"${value}$", number.end()
    return found + "".join(_characters(text[last:]))


def _characters(text: str) -> Iterator[str]:
    text = re.sub("[\x00-\x1f]", " ", text)
    for mark, run in itertools.groupby(re.findall(f".[{''.join(ACCENTS)}]?", text), _mark):
        if mark:
            yield f"${mark}{{{''.join(unicodedata.normalize('NFKD', each).replace('−', '-') for each in run)}}}$"
        else:
            yield from map(_character, run)


def _mark(character: str) -> str:
    return "" if character in SPECIAL else RAISED.get(unicodedata.decomposition(character[0]).partition(" ")[0], "")


def _character(character: str) -> str:
    if len(character) == 2:
        return rf"$\{ACCENTS[character[1]]}{{{character[0]}}}$"
    if character in SPECIAL:
        return SPECIAL[character]
    if character < "\x7f" or "À" <= character <= "ſ":  # letters of Europe are known to LaTeX
        return character
    if greek := GREEK.match(unicodedata.name(character, "")):
        name = greek[2].lower().replace("lamda", "lambda")
        if greek[1] == "SMALL" and name != "omicron":
            return rf"$\{name}$"
        if name in CAPITALS:
            return rf"$\{name.capitalize()}$"
    return "".join(SPECIAL.get(each, each) for each in spelling(character))
