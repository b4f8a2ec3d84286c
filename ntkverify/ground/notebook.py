"""Progress of the library's long verbs: a bar in a notebook, nothing elsewhere.

IPython's own displays, which every notebook has; bars of other libraries there ask for widgets.
"""

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from ntkverify.ground.spent import told

PATIENCE = 2.0
"""Seconds after which a bar appears: what is quick needs none."""
STEP = 0.5
"""Seconds between two looks of the bar."""
Heard = Callable[[str, int, int], None]


@contextlib.contextmanager
def bar() -> Iterator[Heard]:
    """What hears (what, done, total): in a notebook it shows them with the time spent and left; the bar goes at the end."""
    display = _display()
    if display is None:
        yield lambda what, done, total: None
        return
    shown = _Bar(display)
    try:
        yield shown
    finally:
        shown.close()


def _display() -> Callable[..., Any] | None:
    """IPython's `display`, where a kernel runs this."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        return None
    return sys.modules["IPython"].display.display


class _Bar:
    def __init__(self, display: Callable[..., Any]):
        self.display, self.handle = display, None
        self.begun = self.said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.begun < PATIENCE or now - self.said < STEP:
            return
        self.said = now
        self._put(_as_html(what, done, total, now - self.begun))

    def close(self) -> None:
        if self.handle is not None:
            self.handle.update({"text/plain": "", "text/html": ""}, raw=True)

    def _put(self, content: dict) -> None:
        if self.handle is None:
            self.handle = self.display(content, raw=True, display_id=True)
        else:
            self.handle.update(content, raw=True)


def _as_html(what: str, done: int, total: int, spent: float) -> dict[str, str]:
    """The bar as text and as HTML."""
    said = told(what, done, total, spent)
    held = f' value="{done}" max="{total}"' if total else ""
    return {"text/plain": said, "text/html": f"<progress{held}></progress> {html.escape(said)}"}
