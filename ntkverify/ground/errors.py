"""The one exception that users meet: what was given, what is wanted, what to try."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class BadInput(ValueError):
    """Malformed input.  `str()` is the sentence to show; the command line exits with 2."""

    def __init__(self, given: str, wanted: str, attempt: str = ""):
        self.given, self.wanted, self.attempt = given, wanted, attempt
        super().__init__(f"{given}; wanted: {wanted}" + (f"; try: {attempt}" if attempt else ""))

    def __reduce__(self):
        return type(self), (self.given, self.wanted, self.attempt)


def told(error: BaseException) -> str:
    """What a user's code raised, in one sentence, with the last of its lines that had a part in it."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # even that may raise
        lines = []
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not any(
            part in file for part in ("/site-packages/", "\\site-packages\\", "/ntkverify/", "\\ntkverify\\", "<")
        ):
            place = f" (line {trace.tb_lineno} of {Path(file).name})"
        trace = trace.tb_next
    return f"raised {type(error).__name__}{place}" + (f": {lines[0][:200]}" if lines else "")


SHORT = 12
"""How many names an error still lists."""


def choose(kind: str, name: str, names: Iterable[str], listing: str = "") -> str:
    """`name` if it is one of `names`; otherwise `BadInput` that suggests the nearest, if one is near.

    It lists the names where they are few, or where no command, `listing`, does.

    >>> choose("claim", "kernel-nrom", [f"claim-{k}" for k in range(20)] + ["kernel-norm"], "ntkverify list")
    Traceback (most recent call last):
    ...
    ntkverify.ground.errors.BadInput: unknown claim 'kernel-nrom'; wanted: a claim that `ntkverify list` lists; try: 'kernel-norm'
    """
    names = list(names)
    if name in names:
        return name
    folded = {each.lower(): each for each in names}
    near = [repr(folded[each]) for each in difflib.get_close_matches(name.lower(), folded, n=1)]
    if len(names) > SHORT and listing:
        raise BadInput(f"unknown {kind} {name!r}", f"a {kind} that `{listing}` lists", *near)
    raise BadInput(f"unknown {kind} {name!r}", "one of " + ", ".join(names), *(near or [listing]))
