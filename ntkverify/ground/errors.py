"""The one exception that users meet: what was given, what is wanted, what to try."""

import difflib
from collections.abc import Iterable


class BadInput(ValueError):
    """Malformed input.  `str()` is the sentence to show; the command line exits with 2."""

    def __init__(self, given: str, wanted: str, attempt: str = ""):
        self.given, self.wanted, self.attempt = given, wanted, attempt
        super().__init__(f"{given}; wanted: {wanted}" + (f"; try: {attempt}" if attempt else ""))

    def __reduce__(self):
        return type(self), (self.given, self.wanted, self.attempt)


def choose(kind: str, name: str, names: Iterable[str]) -> str:
    """`name` if it is one of `names`; otherwise `BadInput` that suggests the nearest."""
    names = list(names)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    raise BadInput(f"unknown {kind} {name!r}", "one of " + ", ".join(names), f"{near[0]!r}" if near else "")
