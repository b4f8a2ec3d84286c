"""What the command line writes: to terminals that lack its characters, to a reader that leaves, after a crash."""

import codecs
import itertools
import json
import os
import re
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Mapping, Sequence

from rich.console import Console

SPELLED = {
    "‖": "||", "…": "...", "←": "<-", "→": "->", "↔": "<->", "↦": "->", "∇": "grad ", "∈": " in ", "−": "-", "–": "-",
    "√": "sqrt", "∝": "~", "∞": "inf", "∫": "int ", "≈": "~", "≤": "<=", "≥": ">=", "⊗": "(x)", "⌈": "ceil(",
    "⌉": ")", "⌊": "floor(", "⌋": ")", "⟨": "<", "⟩": ">", "Σ": "Sum", "×": "x", "÷": "/", "·": "*", "±": "+-",
    "§": "section ", "½": "1/2", "•": "*", "̂": "^", "̃": "~", "̄": "-",
    "∑": "Sum", "∏": "Prod", "∂": "d", "′": "'", "∘": "o", "≠": "!=", "∓": "-+", "≫": ">>", "≪": "<<", "⟹": "=>", "⁄": "/",
    "\u0307": ".", "\u0301": "", "Ł": "L",
}  # fmt: skip
GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)")
RAISED = {"<super>": "^", "<sub>": "_"}


def spell_out(stream) -> None:
    """Make the stream write what its encoding lacks in ASCII (λ as lambda, ‖H‖ as ||H||) instead of failing."""
    codecs.register_error("ntkverify.spelled", _spelled)
    if hasattr(stream, "reconfigure"):  # a notebook's stream has no encoding to lack anything
        stream.reconfigure(errors="ntkverify.spelled")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = ""
    for mark, run in itertools.groupby(error.object[error.start : error.end], _mark):
        text += mark + "".join(map(spelling, run))
    return text, error.end


def _mark(character: str) -> str:
    """What stands before raised and lowered characters: 10⁻⁹ is 10^-9."""
    return RAISED.get(unicodedata.decomposition(character).partition(" ")[0], "")


def spelling(character: str) -> str:
    if character.isascii():
        return character
    if character in SPELLED:
        return SPELLED[character]
    if greek := GREEK.match(unicodedata.name(character, "")):
        name = greek[2].lower().replace("lamda", "lambda")
        return name if greek[1] == "SMALL" else name.capitalize()
    parts = unicodedata.normalize("NFKD", character)
    return "".join(map(spelling, parts)) if parts != character else ascii(character)[1:-1]


class Terminal(Console):
    """A console at which the work and its exit code go on when the reader leaves (`ntkverify verify | head`).

    With `as_json` a verb's tables and sentences go nowhere, and what it tells is printed as JSON.
    """

    def __init__(self, as_json: bool = False, **options):
        super().__init__(**options)
        self.as_json = as_json

    def tell(self, content: Mapping | Sequence) -> None:
        """What a verb found, as plain JSON; without `--json` its own tables say it."""
        if self.as_json:
            print(json.dumps(content, indent=1, allow_nan=False))

    def on_broken_pipe(self) -> None:
        self.quiet = True
        forsake_stdout()


_HUSHED = [False]


def hush(quiet: bool) -> None:
    """From now on, whether progress is kept quiet too."""
    _HUSHED[0] = quiet


def hushed() -> bool:
    """Whether nothing but errors is to be written."""
    return _HUSHED[0]


def forsake_stdout() -> None:
    """Let what is still written to stdout go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave_traceback(error: BaseException) -> None:
    """One line on stderr: what went wrong, and the file that holds the traceback."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    with tempfile.NamedTemporaryFile(
        "w", prefix="ntkverify-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.writelines(traceback.format_exception(error))
    print(f"ntkverify: an error of the program ({said}); the traceback lies in {file.name}", file=sys.stderr)
