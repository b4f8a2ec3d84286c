"""`ntkverify doctor`."""

import jax
from rich.markup import escape
from rich.table import Table

from ntkverify.arithmetic.probe import sentence
from ntkverify.cli.exits import BAD_INPUT, FINE
from ntkverify.cli.options import Doctor
from ntkverify.ground.batches import BATCH, SMALL, cost_of_batches
from ntkverify.ground.environment import available_memory, environment
from ntkverify.ground.programs import amount_kept, keep_programs
from ntkverify.ground.progress import has_float64, require_device
from ntkverify.ground.terminal import Terminal
from ntkverify.networks.kernels.neural_tangents import BridgeError, library


def run(asked: Doctor, console: Terminal) -> int:
    """Print what there is; `BAD_INPUT` where the device breaks what is taken for granted of its arithmetic."""
    require_device()
    jax.config.update("jax_enable_x64", True)
    found = environment()
    table, said = Table(box=None, show_header=False), {}

    def add(name: str, what: str) -> None:
        said[name] = what
        table.add_row(name, escape(what))

    for name in ("python", "system", "cores", "backend"):
        add(name, str(found[name]))
    add("devices", ", ".join(found["devices"]))
    add("float64", "works" if has_float64() else "not available on this device: use --dtype float32")
    kept = True
    for dtype in ("float32", "float64") if has_float64() else ("float32",):
        good, words = sentence(dtype)
        add(f"arithmetic in {dtype}", words)
        kept &= good
    dtype = "float64" if has_float64() else "float32"
    costs = [f"{cost_of_batches(size, dtype):.2g} times at {size} × {size}" for size in (SMALL, SMALL + 1)]
    chosen = "one by one on a CPU" if found["backend"] == "cpu" else f"the faster way above {SMALL} × {SMALL}"
    add("eigenvalues", f"{BATCH} in a batch take {', '.join(costs)} as long as one by one; chosen: {chosen}")
    memory = available_memory()
    add("free memory", f"{memory / 2**30:.1f} GiB" if memory else "unknown")
    kept_in = keep_programs()
    if kept_in is None:
        add("compiled programs", "not kept: every run compiles again")
    else:
        programs, size = amount_kept(kept_in)
        add("compiled programs", f"{programs} kept in {kept_in}, {size / 2**20:.0f} MiB")
    for name, version in found["packages"].items():
        add(name, version or "not installed")
    try:
        library()
        add("neural-tangents routes", "work; this process's JAX is not altered")
    except BridgeError as error:
        add("neural-tangents routes", f"left out: {error}")
    console.tell(found | {"found": said, "fine": kept})
    console.print(table)
    return FINE if kept else BAD_INPUT
