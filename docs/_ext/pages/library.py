"""Pages of the library, from docstrings and signatures: `import ntkverify as nv`, and what a lemma file imports."""

import ast
import inspect
import re
import textwrap

import ntkverify
from ntkverify import lemma
from pages.written import fenced


def pages() -> dict[str, str]:
    opening = (
        "`import ntkverify as nv`: the verbs in the order in which they are used. Nothing here changes JAX's settings."
    )
    basic = [_documented(name, getattr(ntkverify, name), "ntkverify") for name in ntkverify.__all__]
    advanced = [_documented(name, getattr(lemma, name), "ntkverify.lemma") for name in lemma.__all__]
    said = (lemma.__doc__ or "").strip().partition("\n")
    return {
        "library.md": "\n".join(("# The library\n", opening + "\n", *basic)),
        "lemma.md": "\n".join(("# The words of a lemma\n", said[0] + "\n", _markdown(said[2]), *advanced)),
    }


def _documented(name: str, found, module: str) -> str:
    text = inspect.getdoc(found) or ""
    if isinstance(found, str):
        return fenced(f"py:data {name}", f":module: {module}", f':value: "{found}"', "", MEANINGS[name])
    if inspect.isclass(found):
        return fenced(f"py:class {name}", f":module: {module}", "", _markdown(text), *_fields(found))
    return fenced(f"py:function {name}{_signature(found)}", f":module: {module}", "", _markdown(text))


def _signature(function) -> str:
    """As it is written, so that shapes are read as they stand."""
    node = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    assert isinstance(node, ast.FunctionDef)
    return f"({ast.unparse(node.args)})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")


MEANINGS = {
    "AT_START": "`where=` of a form that speaks of W(0) alone: W̃ = W(0).",
    "IN_BALL": "`where=` of a form that speaks of a W̃ with ‖w̃_r − w_r‖ ≤ R for every neuron; what a form has without one.",
    "ON_PATH": "`where=` of a form that speaks of training: W = W(τ), W̃ = W(τ+1), `point.path` tells how it came there.",
    "COUPLED": "`problem.init` of networks drawn in pairs of opposite signs, so that F(W(0)) = 0.",
    "INDEPENDENT": "`problem.init` of networks whose neurons are all drawn apart.",
}


def _fields(record: type) -> list[str]:
    """The fields of a record, each with the sentence that stands below it."""
    source = textwrap.dedent(inspect.getsource(record))
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found = []
    for field, after in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and field.target.id != "_":
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            default = f" = {ast.unparse(field.value)}" if field.value is not None else ""
            found.append(f"- `{field.target.id}: {ast.unparse(field.annotation)}{default}` {_line(str(said))}")
    return found


def _line(text: str) -> str:
    return _escaped(" ".join(str(text).split()))


def _markdown(text: str) -> str:
    """A docstring as Markdown: examples and indented blocks are code, all else is words."""
    found, code = [], []
    for line in [*inspect.cleandoc(text).splitlines(), ""]:
        inside = line.startswith((">>> ", "... ", "    ")) or (
            bool(code) and line.strip() and code[0].startswith(">>> ")
        )
        if inside or (code and not line.strip() and code[0].startswith("    ")):
            code.append(line)
            continue
        if code:
            found += _code(code)
            code = []
        found.append(_escaped(line))
    return "\n".join(found)


def _code(lines: list[str]) -> list[str]:
    shown = textwrap.dedent("\n".join(lines)).strip("\n")
    language = "pycon" if shown.startswith(">>> ") else "python" if "import" in shown or "def " in shown else "text"
    return [f"```{language}", shown, "```", ""]


def _escaped(line: str) -> str:
    """Words of a docstring: only backticks mean something."""
    parts = re.split(r"(`[^`]*`)", line)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]$#|])", r"\\\1", part) for part in parts)
