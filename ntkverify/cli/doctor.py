"""`ntkverify doctor`."""

import jax
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ntkverify.arithmetic.probe import sentence
from ntkverify.cli.exits import BAD_INPUT, FINE
from ntkverify.cli.options import Doctor
from ntkverify.ground.batches import BATCH, SMALL, cost_of_batches
from ntkverify.ground.environment import available_memory, environment
from ntkverify.ground.programs import amount_kept, keep_programs
from ntkverify.ground.progress import has_float64, require_device
from ntkverify.networks.kernels.neural_tangents import BridgeError, library


def run(asked: Doctor, console: Console) -> int:
    """Print what there is; `BAD_INPUT` where the device breaks what is taken for granted of its arithmetic."""
    require_device()
    jax.config.update("jax_enable_x64", True)
    found = environment()
    table = Table(box=None, show_header=False)
    for name in ("python", "system", "cores", "backend"):
        table.add_row(name, str(found[name]))
    table.add_row("devices", ", ".join(found["devices"]))
    table.add_row("float64", "works" if has_float64() else "not available on this device: use --dtype float32")
    kept = True
    for dtype in ("float32", "float64") if has_float64() else ("float32",):
        good, said = sentence(dtype)
        table.add_row(f"arithmetic in {dtype}", said)
        kept &= good
    dtype = "float64" if has_float64() else "float32"
    costs = [f"{cost_of_batches(size, dtype):.2g} times at {size} × {size}" for size in (SMALL, SMALL + 1)]
    chosen = "one by one on a CPU" if found["backend"] == "cpu" else f"the faster way above {SMALL} × {SMALL}"
    table.add_row("eigenvalues", f"{BATCH} in a batch take {', '.join(costs)} as long as one by one; chosen: {chosen}")
    memory = available_memory()
    table.add_row("free memory", f"{memory / 2**30:.1f} GiB" if memory else "unknown")
    kept_in = keep_programs()
    if kept_in is None:
        table.add_row("compiled programs", "not kept: every run compiles again")
    else:
        programs, size = amount_kept(kept_in)
        table.add_row("compiled programs", f"{programs} kept in {escape(str(kept_in))}, {size / 2**20:.0f} MiB")
    for name, version in found["packages"].items():
        table.add_row(name, version or "not installed")
    try:
        library()
        table.add_row("neural-tangents routes", "work; this process's JAX is not altered")
    except BridgeError as error:
        table.add_row("neural-tangents routes", escape(f"left out: {error}"))
    console.print(table)
    return FINE if kept else BAD_INPUT
