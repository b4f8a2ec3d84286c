"""What the numbers were computed with: versions, device, random numbers, precision."""

import importlib.metadata
import os
import platform

import jax

from ntkverify.ground.devices import devices
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import GENERATOR

PACKAGES = ("ntkverify", "jax", "jaxlib", "numpy", "scipy", "neural-tangents", "scikit-learn", "cvxpy", "clarabel")
RANDOM = {"default": "jax_default_prng_impl", "partitionable": "jax_threefry_partitionable"}
"""JAX's settings on which random numbers depend: the generator of keys that name none, and the streams of a key."""


def environment() -> dict:
    """Versions (null where a package is missing), the devices that share the work, random numbers and precision."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "devices": [str(device.device_kind) for device in devices()],
        "backend": jax.default_backend(),
        "random_numbers": {"keys": GENERATOR} | {name: getattr(jax.config, RANDOM[name]) for name in RANDOM},
        "float64": bool(jax.config.read("jax_enable_x64")),
        "packages": {name: version(name) for name in PACKAGES},
    }


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def available_memory() -> int | None:
    """Bytes free for arrays on each device that computes, or None where the system does not tell; CPU devices share these."""
    if jax.default_backend() != "cpu":
        stats = jax.local_devices()[0].memory_stats() or {}
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0) if "bytes_limit" in stats else None
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def require_memory(needed: int, what: str, attempt: str) -> None:
    """`BadInput` with the estimate, if more is needed than there is."""
    free = available_memory()
    if free is not None and needed > free:
        raise BadInput(
            f"{what}, for which about {_amount(needed)} of memory is estimated",
            f"at most the {_amount(free)} that are free"
            + (" on each device" if len(devices()) > 1 and jax.default_backend() != "cpu" else ""),
            attempt,
        )


def _amount(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"
