"""Exit codes, and how a run ends."""

from rich.console import Console

FINE, VIOLATED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
CRASHED = 70
"""An error of the program (EX_SOFTWARE of sysexits.h): 1 would say that something is violated."""


def code(complete: bool, violated: bool, kept: str = "what was finished is kept") -> int:
    """The code of a run that wrote its results; an interruption is said, with what is kept."""
    if not complete:
        Console(stderr=True).print(f"Interrupted; {kept}.")
        return INTERRUPTED
    return VIOLATED if violated else FINE
