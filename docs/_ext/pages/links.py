"""Relative links that read well on GitHub and lead to a page of the site too.

A link to a file of code or data leads to a page that shows it; one into a study's folder leads to that study's page.
"""

import os
import re
from pathlib import Path, PurePosixPath

from docutils import nodes
from sphinx import addnodes

from pages.written import FOLDER, fenced

SHOWN = {".py": "python", ".csv": "text", ".toml": "toml"}
"""Suffix of a file that gets a page → its language."""
LINK = re.compile(r"\]\(([^()\s:]+?)(#[^()\s]*)?\)")


def targets(page: Path) -> list[tuple[str, str]]:
    """The relative links of a page, (path, anchor), code aside."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [(match[1], match[2] or "") for match in LINK.finditer(text)]


def pages(docs: str | Path) -> dict[str, str]:
    """A page for each file of code or data that a page links to."""
    root, made = Path(docs).parent, {}
    for page in sorted(Path(docs).rglob("*.md")):
        for target, _ in targets(page):
            path = Path(os.path.normpath(page.parent / target))
            if path.suffix in SHOWN and path.is_file():
                name = path.relative_to(root).as_posix()
                up = "../" * (name.count("/") + 2)
                shown = fenced(f"literalinclude {up}../{name}", f":language: {SHOWN[path.suffix]}")
                made[f"code/{name}.md"] = f"---\norphan: true\n---\n# {name}\n\n{shown}"
    return made


def setup(app):
    app.connect("source-read", _adapted)
    app.connect("doctree-read", _redirect, priority=400)  # before Sphinx collects what is to be downloaded
    app.connect("build-finished", _nothing_from_a_network)


MIRRORED = {"../CONTRIBUTING.md": "contributing.md"}
"""Pages of the repository's root → those that include them."""


def _adapted(app, docname, source):
    """Links to the root's pages lead to their mirrors; a folder's README lists the folder's pages."""
    for there, here in MIRRORED.items():
        source[0] = source[0].replace(f"]({there})", f"]({here})").replace(f"](../{there})", f"](../{here})")
    if PurePosixPath(docname).name == "README":
        source[0] += "\n" + fenced("toctree", ":hidden:", ":glob:", "", "*")


def _redirect(app, doctree):
    for node in list(doctree.findall(addnodes.download_reference)):
        page = PurePosixPath(app.env.docname).parent
        path = PurePosixPath(os.path.normpath(page / node["reftarget"].removeprefix("/")))
        wanted, anchor = _page_of(Path(app.srcdir), path)
        if wanted is None:
            continue
        uri = os.path.relpath(f"{wanted}.html", str(page)) + anchor
        node.replace_self(nodes.reference("", "", *node.children, internal=True, refuri=uri))


def _page_of(docs: Path, path: PurePosixPath) -> tuple[str | None, str]:
    """The page that shows a file, and the place in it."""
    if path.parts[0] == "results" and len(path.parts) == 3:
        return f"{FOLDER}/results/{path.parts[1]}", "" if path.suffix == ".json" else f"#{path.stem}"
    name = os.path.relpath(docs / path, docs.parent)
    return (f"{FOLDER}/code/{name}", "") if path.suffix in SHOWN else (None, "")


def _nothing_from_a_network(app, exception):
    """Complain of a page that would load something from elsewhere."""
    if exception is not None or app.builder.name != "html":
        return
    loads = re.compile(
        r"<(?:script|img|iframe)[^>]*\ssrc=\"(?:https?:)?//|<link[^>]*rel=\"(?:stylesheet|preconnect|preload)\"[^>]*href=\"(?:https?:)?//"
    )
    for path in Path(app.outdir).rglob("*.html"):
        if found := loads.search(path.read_text("utf-8")):
            raise RuntimeError(f"{path} loads {found[0]} from a network")
    for path in Path(app.outdir).rglob("*.css"):
        if found := re.search(r"@import|url\(\s*['\"]?(?:https?:)?//[^)]*\)", path.read_text("utf-8")):
            raise RuntimeError(f"{path} loads {found[0]} from a network")
