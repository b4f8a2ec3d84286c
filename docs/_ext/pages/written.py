"""Pages that are made before the site is built: docs/made, which git ignores."""

from collections.abc import Mapping
from pathlib import Path

FOLDER = "made"


def write(folder: Path, made: Mapping[str, str]) -> None:
    """The folder holds these files, by their path in it, and no other; what is unchanged keeps its time."""
    for path in (*folder.rglob("*.md"), *folder.rglob("*.svg")):
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, encoding="utf-8")


def fenced(directive: str, *lines: str) -> str:
    """A MyST directive whose fence is longer than any in its lines."""
    return "\n".join((f"``````{{{directive.partition(' ')[0]}}} {directive.partition(' ')[2]}", *lines, "``````", ""))
