"""Docstring text → HTML: LaTeX between dollar signs becomes MathML, the rest is escaped."""

import html
import re

from latex2mathml.converter import convert

FORMULA = re.compile(r"(\$\$.+?\$\$|\$.+?\$)", flags=re.DOTALL)
"""A formula in a docstring's text."""


def rendered(text: str) -> str:
    """HTML of a sentence with $inline$ and $$display$$ formulas."""
    parts = FORMULA.split(text)
    return "".join(_formula(part) if part.startswith("$") else html.escape(part) for part in parts)


def _formula(part: str) -> str:
    display = "block" if part.startswith("$$") else "inline"
    return convert(part.strip("$").strip(), display=display)
