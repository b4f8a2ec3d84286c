"""docs/quickstart.md: what its commands print, printed again.

    uv run python benchmarks/quickstart.py

Runs every line that begins with `$ uv run ntkverify` in one new folder, and writes what it prints below it.  To be run when a verb says
the same in other words; a few minutes.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path("docs") / "quickstart.md"
COMMAND = "$ uv run ntkverify "
WIDTH = "100"


def printed(command: str, folder: str) -> str:
    """What the command prints, lines without blanks at their ends."""
    words = [sys.executable, "-m", "ntkverify", *shlex.split(command)]
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, "COLUMNS": WIDTH}, capture_output=True, text=True, check=True
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").split("\n"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def again(block: re.Match) -> str:
            commands = [line for line in block[1].split("\n") if line.startswith(COMMAND)]
            if not commands:
                return block[0]
            said = [f"{line}\n{printed(line.removeprefix(COMMAND), folder)}" for line in commands]
            return "```\n" + "\n".join(said) + "\n```"

        text = re.sub(r"^```\n(.*?)\n```", again, PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
