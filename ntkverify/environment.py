"""What the numbers were computed with: versions, device, precision."""

import importlib.metadata
import os
import platform

import jax

PACKAGES = ("ntkverify", "jax", "jaxlib", "numpy", "scipy", "neural-tangents", "scikit-learn")


def environment() -> dict:
    """Versions (null where a package is missing), devices and precision."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "devices": [str(device.device_kind) for device in jax.devices()],
        "backend": jax.default_backend(),
        "float64": bool(jax.config.read("jax_enable_x64")),
        "packages": {name: version(name) for name in PACKAGES},
    }


def version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def available_memory() -> int | None:
    """Bytes of memory free for use, or None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
