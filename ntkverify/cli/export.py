"""`ntkverify export`."""

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import Export
from ntkverify.exports.export import export
from ntkverify.ground.terminal import Terminal


def run(asked: Export, console: Terminal) -> int:
    """Write the files, and print them with the lines that use them."""
    found = export(asked.dir, asked.to, asked.out, asked.width)
    console.tell({"files": [str(file) for file in found.files], "use": found.use})
    for line in [*map(str, found.files), *found.use]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return FINE
