"""What the axes of a claim's figure are called: the two sides of its formula, in Unicode."""

import re
import textwrap
from collections.abc import Mapping

from ntkverify.report.terminal_maths import readable

LEFT, RIGHT = "left side of the claim", "right side of the claim"
"""Of a claim that states several inequalities."""
LONGEST = 58
"""Characters of a line."""
RELATION = re.compile(r" (≤|≥|=|<|>) ")
AFTERTHOUGHT = re.compile(r"(hence|once|that is|so|with|at|for|whenever)\b")
"""A part that begins so is no part of what is compared."""
DISPLAY = re.compile(r"\$\$.+?\$\$", re.DOTALL)


def sides(statement: Mapping) -> tuple[str, str]:
    """(smaller, larger) side of an inequality, as lines of text."""
    displayed = DISPLAY.search(statement["statement"])
    first, second = _compared(readable(displayed.group() if displayed else statement["statement"]))
    names = (second, first) if statement["direction"] == "lower" else (first, second)
    return tuple("\n".join(textwrap.wrap(name, LONGEST)) for name in names)  # type: ignore[return-value]


def _compared(formula: str) -> tuple[str, str]:
    """Left and right of the one inequality that a formula states, as it is written there."""
    parts = re.split(r"\s{2,}", formula.partition("⟹")[2].strip() or formula.strip())
    said = []
    for part in parts:
        if AFTERTHOUGHT.match(part):
            break
        said += [part.rstrip(",.")] if re.search(" [≤≥] ", part) else []
    if len(said) != 1:
        return LEFT, RIGHT
    pieces = RELATION.split(said[0])
    place = next(index for index, piece in enumerate(pieces) if piece in "≤≥" and piece)
    return pieces[0].strip(), pieces[place + 1].strip()
