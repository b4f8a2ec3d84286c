"""What long work shows meanwhile, and the precision that entry points set."""

import sys

import jax
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

from ntkverify.errors import BadInput


class Progress:
    """A bar on stderr with time spent and time left; silent where stderr is no terminal."""

    def __init__(self):
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self.bars = Bars(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True),
            transient=True, disable=not sys.stderr.isatty(),
        )  # fmt: skip

    def __enter__(self):
        self.bars.start()
        task = self.bars.add_task("starting", total=None)

        def heard(what: str, done: int, total: int) -> None:
            self.bars.update(task, description=what, completed=done, total=total)

        return heard

    def __exit__(self, *_):
        self.bars.stop()


def enable_precision(dtype: str) -> None:
    """Turn on 64-bit numbers for float64; `BadInput` where the device has none."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    if dtype == "float64" and jax.default_backend() == "tpu":
        raise BadInput("--dtype float64 on a TPU", "a device with float64", "--dtype float32")
