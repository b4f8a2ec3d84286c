"""The notebooks as pages: with what their cells showed, where `make notebooks` has executed them.

An execution counts for the text that was executed: a notebook that was edited since is shown without outputs.
"""

import json
import re
import shutil
from pathlib import Path

from pages.written import FOLDER, fenced

BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\(([^)]*)\)")
"""An image that lies on a network; the page has its link alone."""


def pages(docs: str | Path) -> dict[str, str]:
    """Copies the notebooks that are not executed; returns the list of all."""
    root, made = Path(docs).parent / "notebooks", Path(docs, FOLDER, "notebooks")
    made.mkdir(parents=True, exist_ok=True)
    named = re.findall(r"\((\w+)\.ipynb\)", (root / "README.md").read_text("utf-8"))
    for name in named:
        written, copy = root / f"{name}.ipynb", made / f"{name}.ipynb"
        if not copy.exists() or _sources(copy) != _sources(written):
            shutil.copy(written, copy)
    said = (root / "README.md").read_text("utf-8")
    executed = [name for name in named if any(cell.get("outputs") for cell in _cells(made / f"{name}.ipynb"))]
    shown = "" if len(executed) == len(named) else (
        f"\nOf {len(named)} notebooks {len(executed)} are shown with what their cells printed and drew; `make notebooks docs` executes all.\n"
    )  # fmt: skip
    return {"notebooks/index.md": said + shown + "\n" + fenced("toctree", ":hidden:", "", *named)}


def _cells(path: Path) -> list[dict]:
    return json.loads(path.read_text("utf-8"))["cells"]


def _sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in _cells(path)]


def setup(app):
    app.connect("source-read", _without_badge)


def _without_badge(app, docname, source):
    if docname.startswith(f"{FOLDER}/notebooks/"):
        source[0] = BADGE.sub(r"[Open in Colab](\1)", source[0])
