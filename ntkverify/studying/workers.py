"""A study's cells on the workers of Dask: of this machine, or of a cluster that is there already.

Workers are processes that are spawned, one thread each, with XLA and BLAS held to one thread by their environment, so that
as many as there are processors do not get into each other's way.  A cell is a pure function of its parameters; a worker
that dies in it costs that cell's retry.  Only the caller writes the ledger.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import distributed
from dask import config as settings_of_dask
from distributed.system import MEMORY_LIMIT

from ntkverify import catalogue
from ntkverify.ground.environment import version
from ntkverify.ground.errors import BadInput
from ntkverify.ground.programs import make_room
from ntkverify.ground.progress import set_up_jax
from ntkverify.studying.run import VERSIONS

RETRIES = 3
"""How often a cell is tried again whose worker died."""
PATIENCE = 30
"""Seconds that a scheduler is waited for."""
LEAST = 2 * 2**30
"""Bytes of memory that a worker has at least."""
ALONE = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"), "1"),
}  # fmt: skip
"""The environment of a worker of this machine, set before it imports anything."""


def cell(study: str, preset: str, params: dict) -> tuple[list[dict], float]:
    """Rows and seconds of a cell; what a worker does."""
    set_up_jax("float64")
    started = time.perf_counter()
    make_room()
    rows = catalogue.study(study, preset).evaluate(params)
    return rows, time.perf_counter() - started


def versions() -> dict[str, str | None]:
    """What a cell's numbers depend on beside its parameters."""
    return {package: version(package) for package in VERSIONS}


def _require_same(client: distributed.Client, address: str) -> None:
    """`BadInput` unless all workers compute with the versions that this process has."""
    try:
        found: Any = client.run(versions)
    except ImportError as error:
        raise BadInput(f"--scheduler {address}, whose workers say: {error}", "workers that have ntkverify installed") from None  # fmt: skip
    for worker, theirs in found.items():
        for package, ours in versions().items():
            if theirs[package] != ours:
                raise BadInput(
                    f"--scheduler {address}, whose worker {worker} has {package} {theirs[package]}", f"{package} {ours}, as here",
                    "the same environment everywhere",
                )  # fmt: skip


@contextlib.contextmanager
def cluster(workers: int | None, address: str | None) -> Iterator[distributed.Client]:
    """A client of so many workers of this machine, or of the scheduler at an address; `BadInput` where there is none."""
    if address is not None:
        try:
            client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            said = " ".join(str(error).split())[:200]
            raise BadInput(f"--scheduler {address} ({said})", "the address of a Dask scheduler that answers", "tcp://host:8786") from None  # fmt: skip
        with client:
            _require_same(client, address)
            yield client
        return
    settings = {
        "distributed.worker.multiprocessing-method": "spawn", "distributed.nanny.pre-spawn-environ": ALONE,
        "distributed.scheduler.allowed-failures": RETRIES, "distributed.worker.daemon": True,
    }  # fmt: skip
    memory = max(LEAST, MEMORY_LIMIT // (workers or 1))
    with (
        settings_of_dask.set(settings),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, memory_limit=memory, dashboard_address=None,  # type: ignore[arg-type]
            silence_logs=50,
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):  # fmt: skip
        yield client


def on(client: distributed.Client) -> Callable[[str, str, Sequence[dict]], Iterator[tuple[dict, list[dict], float]]]:
    """What evaluates cells by a client, in the order in which they end; after an interruption the rest is called off."""

    def evaluate(study: str, preset: str, todo: Sequence[dict]) -> Iterator[tuple[dict, list[dict], float]]:
        waiting = {client.submit(cell, study, preset, params, pure=False, retries=RETRIES): params for params in todo}
        try:
            for future in distributed.as_completed(list(waiting), loop=client.loop):
                try:
                    rows, seconds = future.result()
                except distributed.KilledWorker:
                    raise BadInput(
                        f"the cell {waiting[future]}, in which {RETRIES + 1} workers died", "cells that fit into a worker's memory",
                        "fewer --workers",
                    ) from None  # fmt: skip
                yield waiting[future], rows, seconds
        finally:
            client.cancel(list(waiting), force=True)

    return evaluate
