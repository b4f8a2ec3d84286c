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


def mathml(latex: str, display: str) -> str:
    """MathML of a formula, `display` inline or block; a command that the converter does not know stays as it is."""
    return convert(latex, display=display)


def _formula(part: str) -> str:
    try:
        return mathml(part.strip("$").strip(), "block" if part.startswith("$$") else "inline")
    except Exception:  # whatever the converter raises at what a user's lemma has between dollar signs
        return f"<code>{html.escape(part)}</code>"
