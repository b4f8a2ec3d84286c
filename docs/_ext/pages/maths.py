"""Formulas as MathML, by the converter that the reports use."""

import html
import re

from docutils import nodes
from sphinx.util import logging

from ntkverify.report.mathml import mathml

LOG = logging.getLogger(__name__)


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


def _inline(writer, node):
    writer.body.append(_rendered(node, "inline"))
    raise nodes.SkipNode


def _block(writer, node):
    writer.body.append(f'<div class="math">{_rendered(node, "block")}</div>')
    raise nodes.SkipNode


def _rendered(node, display: str) -> str:
    latex = node.astext()
    markup = mathml(latex, display)
    if strange := unknown(markup):
        LOG.warning("no MathML for %s in %s", " ".join(strange), latex, location=node)
    return markup


def unknown(markup: str) -> list[str]:
    """The commands of LaTeX that are left in MathML."""
    return re.findall(r"\\[A-Za-z]+|\\\S", html.unescape(markup))


def prose(text: str) -> list[nodes.Node]:
    """A docstring's sentence as paragraphs and formulas: $…$, $$…$$ and `code` are known."""
    found: list[nodes.Node] = []
    for part in re.split(r"(\$\$.+?\$\$)", text, flags=re.DOTALL):
        if part.startswith("$$"):
            latex = part.strip("$").strip()
            found.append(nodes.math_block(latex, latex, nowrap=False, number=None, label=None))
        elif part.strip():
            found.append(nodes.paragraph("", "", *_words(part.strip())))
    return found


def _words(text: str) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    for part in re.split(r"(\$.+?\$|`[^`]+`)", text, flags=re.DOTALL):
        if part.startswith("$"):
            found.append(nodes.math("", part.strip("$").strip()))
        elif part.startswith("`"):
            found.append(nodes.literal("", part.strip("`")))
        elif part:
            found.append(nodes.Text(part))
    return found
