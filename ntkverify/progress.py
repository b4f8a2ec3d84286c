"""What long work shows meanwhile, and the precision that entry points set."""

import sys

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
    if dtype == "float64" and not has_float64():
        raise BadInput(f"--dtype float64 on {jax.devices()[0].device_kind}", "a device with float64", "--dtype float32")


def has_float64() -> bool:
    """Whether the default device computes in float64.  TPUs emulate parts of it; their eigenvalue
    routines do not, so they count as without."""
    if jax.default_backend() == "tpu":
        return False
    try:
        return float(jnp.ones((), jnp.float64) + 2.0**-40) > 1
    except Exception:  # whatever the plugin says when it has no such type
        return False
