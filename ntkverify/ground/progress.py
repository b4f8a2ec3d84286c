"""What long work shows meanwhile, and what entry points set in JAX."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from ntkverify.ground.errors import BadInput
from ntkverify.ground.programs import keep_programs
from ntkverify.ground.spent import told
from ntkverify.ground.terminal import hushed

FIRST_LINE, NEXT_LINES = 10.0, 60.0
"""Seconds between lines where stderr is no terminal."""
GLANCE = 0.5
"""Seconds between two looks at the clock."""


class Progress:
    """On stderr, time spent and time left: a bar, or where it is no terminal a line now and then, also while one step
    takes long."""

    def __init__(self):
        self.begun = self.said = time.monotonic()
        self.wait, self.last, self.over = FIRST_LINE, ("starting", 0, 0), threading.Event()
        self.speaking = threading.Lock()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bars = Bars(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
            transient=True, disable=hushed() or not (sys.stderr and sys.stderr.isatty()),
        )  # fmt: skip

    def __enter__(self):
        self.bars.start()
        if self.bars.disable and sys.stderr and not hushed():
            threading.Thread(target=self._tell, daemon=True).start()
        task = self.bars.add_task("starting", total=None)

        def heard(what: str, done: int, total: int) -> None:
            self.last = what, done, total
            self.bars.update(task, description=what, completed=done, total=total)
            self._perhaps()

        return heard

    def __exit__(self, *_):
        self.over.set()
        self.bars.stop()

    def _tell(self) -> None:
        while not self.over.wait(GLANCE):
            self._perhaps()

    def _perhaps(self) -> None:
        with self.speaking:
            if self.bars.disable and sys.stderr and not hushed() and time.monotonic() - self.said >= self.wait:
                self._say(*self.last)

    def _say(self, what: str, done: int, total: int) -> None:
        self.said, self.wait = time.monotonic(), NEXT_LINES  # the first steps compile and say little of the others
        with contextlib.suppress(OSError, ValueError):  # nobody listens any more: no reason to stop working
            print(told(what, done, total, self.said - self.begun), file=sys.stderr, flush=True)


class Counted:
    """Steps done of a known number, told to `heard(what, done, total)`."""

    def __init__(self, heard: Callable[[str, int, int], None], total: int):
        self.heard, self.total, self.done = heard, total, 0

    def __call__(self, what: str, steps: int = 0) -> None:
        """`steps` more are done; `what` is next."""
        self.done += steps
        self.heard(what, self.done, self.total)


def seldom(act: Callable[[Any], None], seconds: float = NEXT_LINES) -> Callable[[Any], None]:
    """`act`, done at most once in so many seconds, the first ones left out."""
    last = [time.monotonic()]

    def perhaps(of: Any) -> None:
        if time.monotonic() - last[0] >= seconds:
            act(of)
            last[0] = time.monotonic()

    return perhaps


def require_device() -> None:
    """`BadInput` if JAX finds no device on the platforms that it was told to use."""
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # JAX asserts that it found one
        reason = str(error).partition("\n")[0] or "no such device was found"
        said = [f"{name}={os.environ[name]}" for name in ("JAX_PLATFORMS", "JAX_NUM_CPU_DEVICES") if name in os.environ]
        given = " ".join(said) or "JAX without a platform of its own"
        raise BadInput(f"{given} ({reason})", "a platform that this machine has", "JAX_PLATFORMS=cpu") from None


def set_up_jax(dtype: str, makes_do: bool = False) -> str:
    """Turn on 64-bit numbers for float64, the streams of random numbers that are JAX's default today, and the
    keeping of compiled programs; returns the precision there is.

    `BadInput` where there is no device, or none with float64; what `makes_do` with float32 says so and goes on.
    """
    require_device()
    jax.config.update("jax_enable_x64", dtype == "float64")
    jax.config.update("jax_threefry_partitionable", True)
    keep_programs()
    if dtype == "float64" and not has_float64():
        kind = jax.devices()[0].device_kind
        if not makes_do:
            raise BadInput(f"float64 on {kind}", "a device that has it", "JAX_PLATFORMS=cpu before the command")
        if not hushed():
            print(f"{kind} has no float64: everything is computed in float32.", file=sys.stderr)
        jax.config.update("jax_enable_x64", False)
        return "float32"
    return dtype


def has_float64() -> bool:
    """Whether the default device computes in float64.  TPUs emulate parts of it; their eigenvalue
    routines do not, so they count as without."""
    if jax.default_backend() == "tpu":
        return False
    try:
        return float(jnp.ones((), jnp.float64) + 2.0**-40) > 1
    except Exception:  # whatever the plugin says when it has no such type
        return False
