"""`ntkverify new`."""

from pathlib import Path

from rich.console import Console

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import New
from ntkverify.ground.errors import BadInput


def run(asked: New, console: Console) -> int:
    """Write the template, and print what can be done with it."""
    file = asked.file
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise BadInput(f"the name {file.name!r}", "a Python file's name", "my_lemma.py")
    if file.exists():
        raise BadInput(f"{file} is there already", "a name that is free", f"{file.stem}_2.py")
    template = Path(__file__).parent / "lemma_template.py"
    try:
        file.write_text(template.read_text("utf-8"), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", "a folder that can be written") from None
    for verb in ("show", "verify", "falsify", "certify"):
        console.print(f"ntkverify {verb} {file}", highlight=False)
    return FINE
