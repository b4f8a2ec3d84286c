"""The devices that share the work, and how arrays lie on them; a single device is a mesh of one.

What is drawn or trained many times is parted by rows, one large network by its neurons.  Several processes that have joined
run one program side by side, each on its own devices; what they must have in common goes through `whole`.
"""

import contextlib
import functools
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from ntkverify.ground.errors import BadInput
from ntkverify.ground.meeting import meet

AXIS = "devices"
ROWS, COLUMNS, COPIES = PartitionSpec(AXIS), PartitionSpec(None, AXIS), PartitionSpec()
"""An array parted along its first axis, along its second one, or the same on every device."""
PATIENCE = 60
"""Seconds that other processes are waited for, until they meet, then until JAX has joined them."""
_share: dict[str, int | None] = {"count": None}


def use(count: int | None) -> None:
    """From now on the first `count` devices share the work, all for None; `BadInput` where there are fewer."""
    there = jax.device_count()
    if count is not None and not 1 <= count <= there:
        attempt = f"JAX_NUM_CPU_DEVICES={count} before the command" if jax.default_backend() == "cpu" else ""
        raise BadInput(
            f"--devices {count}", f"a whole number from 1 to {there}, the devices there are, or all", attempt
        )
    if count not in (None, there) and jax.process_count() > 1:
        raise BadInput(f"--devices {count} of {there} in {jax.process_count()} processes", "the devices of all", "--devices all")  # fmt: skip
    _share["count"] = count


def devices() -> list:
    """Those that share the work."""
    return jax.devices()[: _share["count"]]


def mesh() -> Mesh:
    """Of the devices that share the work."""
    return _mesh(tuple(devices()))


def alone() -> Mesh:
    """Of one device, this process's first: for what is not worth sharing."""
    return _mesh((jax.local_devices()[0],))


@functools.cache
def _mesh(which: tuple) -> Mesh:
    return jax.make_mesh((len(which),), (AXIS,), axis_types=(AxisType.Auto,), devices=which)


def by_rows(function: Callable, over: Mesh) -> Callable:
    """`function(shared, rows)`, each device on its part of the rows; to be called under `jit`."""
    return jax.shard_map(function, mesh=over, in_specs=(COPIES, ROWS), out_specs=ROWS, check_vma=False)


def held(size: int, over: Mesh) -> int:
    """Of so many bytes that are parted over the mesh, those that lie in one device's memory; CPU devices share one."""
    return size if jax.default_backend() == "cpu" else size // over.size


def even_rows(tree: Any, parts: int) -> Any:
    """The arrays with their first row said again at the end, until the rows can be parted evenly."""
    count = len(jax.tree.leaves(tree)[0])
    if not count % parts:
        return tree
    rows = np.arange(count + -count % parts)
    return jax.tree.map(lambda leaf: leaf[np.where(rows < count, rows, 0)], tree)


def laid(tree: Any, over: Mesh, spec: PartitionSpec) -> Any:
    """The arrays, parted so."""
    return jax.device_put(tree, NamedSharding(over, spec))


def moved(tree: Any, over: Mesh) -> Any:
    """The arrays on all devices of the mesh, where they are on others; what is being traced stays."""
    if jax.device_count() == 1:
        return tree

    def one(leaf):
        elsewhere = isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer)
        return laid(leaf, over, COPIES) if elsewhere and leaf.sharding.device_set != set(over.devices.flat) else leaf

    return jax.tree.map(one, tree)


def plain(tree: Any, over: Mesh) -> Any:
    """The arrays without a mesh where that is one device: formulas are read from them, and have no rule for a mesh (which
    `device_put` would leave in their type)."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree) if over.size == 1 else tree


def whole(tree: Any) -> Any:
    """The arrays as NumPy's, in every process; all processes call this in the same order."""

    def one(leaf):
        if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
            leaf = _copied(leaf, NamedSharding(leaf.sharding.mesh, COPIES))  # type: ignore[attr-defined]
        return np.asarray(leaf)

    return jax.tree.map(one, tree)


@functools.partial(jax.jit, static_argnums=1)
def _copied(leaf, sharding):
    return jax.lax.with_sharding_constraint(leaf, sharding)


def here(tree: Any) -> Any:
    """The arrays on the first device, free to be used with any others."""
    return jax.tree.map(jax.numpy.asarray, whole(tree))


_running = threading.Lock()


def one_at_a_time(over: Mesh):
    """Held while a program runs in which devices wait for each other: two such programs, started by two threads in another
    order on each device, would wait for ever."""
    return _running if over.size > 1 else contextlib.nullcontext()


def join(process: str, coordinator: str | None) -> None:
    """Become process K of N (K/N, from 1), or what the cluster says (auto), of one computation; 1/1: stay alone.

    `BadInput` where the others do not answer.
    """
    if process == "1/1":
        return
    own: dict[str, Any] = {}
    if process != "auto":
        assert coordinator is not None
        k, n = (int(word) for word in process.split("/"))
        meet(k, n, coordinator, PATIENCE)
        own = {"coordinator_address": coordinator, "num_processes": n, "process_id": k - 1}
    try:
        jax.distributed.initialize(**own, initialization_timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadInput(
            f"--process {process} --coordinator {coordinator} ({said})",
            "an address of process 1 that answers, and all N processes started",
        ) from None


def first() -> bool:
    """Whether this process writes and prints: the first one, or the only one."""
    return jax.process_index() == 0


def leave(code: int) -> None:
    """End this process at once, where others have joined it: they would wait for each other at the end."""
    if jax.process_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def agree(what: str, on: str) -> None:
    """`BadInput` unless all processes give the same `on`."""
    if jax.process_count() == 1:
        return
    own = np.frombuffer(hashlib.sha256(on.encode()).digest(), np.uint32)
    if np.any(np.asarray(multihost_utils.process_allgather(own)) != own):
        raise BadInput(f"{what} that differs between the processes", "the same command, versions and files in each")
