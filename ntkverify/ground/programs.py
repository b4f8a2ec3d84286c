"""Compiled programs: kept between runs in a directory of the user's, forgotten within a run before there are too many."""

import hashlib
import os
import platform
import warnings
from pathlib import Path

import jax
import jaxlib.version

SETTING = "NTKVERIFY_CACHE"
"""The environment's word on where programs are kept: a directory, or `off`."""
LARGEST = 2**30
"""Bytes that all programs together may take; the oldest go first."""
THRESHOLDS = (
    ("jax_persistent_cache_min_compile_time_secs", 1.0, 0.0), ("jax_persistent_cache_min_entry_size_bytes", 0, -1),
)  # fmt: skip
"""JAX keeps what was slow to compile: setting, its default, and what keeps everything."""


def keep_programs() -> Path | None:
    """Let JAX keep what it compiles, so that the next run need not; where, or None where it does not.

    A directory that cannot be written and an entry that cannot be read cost time and say nothing.  A
    `jax_compilation_cache_dir` that was set before stays.
    """
    warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache")
    if _setting("jax_compilation_cache_dir") or not _setting("jax_enable_compilation_cache"):
        return kept_in()
    try:
        home = _home()
        if home is None:
            return None
        folder = home / f"jaxlib-{jaxlib.version.__version__}-{_processor()}"
        str(folder).encode("utf-8")  # JAX hands it on as such
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _prune(home)
    except (OSError, RuntimeError, ValueError):  # no such directory, nobody's home, not a name
        return None
    if not os.access(folder, os.W_OK | os.X_OK):
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    for name, default, ours in THRESHOLDS:
        if _setting(name) == default:
            jax.config.update(name, ours)
    return folder


def kept_in() -> Path | None:
    """The directory in which JAX keeps programs."""
    folder = _setting("jax_compilation_cache_dir")
    return Path(folder) if folder and _setting("jax_enable_compilation_cache") else None


def _setting(name: str):
    return getattr(jax.config, name)


def amount_kept(folder: Path) -> tuple[int, int]:
    """How many programs lie there, and their bytes."""
    sizes = [size for _, size, _ in _entries(folder)]
    return len(sizes), sum(sizes)


def make_room() -> None:
    """Forget compiled programs, if their memory maps are near what the system lets one process have.

    XLA's CPU programs take a map or several each; past the limit (Linux: 65,530) its compiler ends the process.
    """
    try:
        with open("/proc/self/maps", "rb") as file, open("/proc/sys/vm/max_map_count", encoding="ascii") as limit:
            full = sum(1 for _ in file) > int(limit.read()) / 3
    except (OSError, ValueError):  # no such limit here
        return
    if full:
        jax.clear_caches()


def _home() -> Path | None:
    asked = os.environ.get(SETTING, "").strip()
    if asked.lower() == "off":
        return None
    if asked:
        return Path(asked).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "ntkverify"


def _processor() -> str:
    """What compiled programs depend on that JAX does not name in an entry: the kind of processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        known = sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    except OSError:
        known = [platform.processor()]
    return hashlib.sha256("\n".join([platform.machine(), *known]).encode()).hexdigest()[:12]


def _entries(folder: Path):
    """(time written, bytes, path) of each program; another process may take one away meanwhile."""
    for entry in folder.glob("*-cache"):
        try:
            found = entry.stat()
        except OSError:
            continue
        yield found.st_mtime_ns, found.st_size, entry


def _prune(home: Path) -> None:
    """Delete what a full disk left empty, and the oldest down to half of what is allowed, those of other versions of
    jaxlib too.  Not `jax_compilation_cache_max_size`: it reads the whole directory at every write."""
    entries = sorted((entry for folder in home.glob("jaxlib-*") for entry in _entries(folder)), reverse=True)
    room = LARGEST if sum(size for _, size, _ in entries) <= LARGEST else LARGEST // 2
    for _, size, entry in entries:
        room -= size
        if room < 0 or not size:
            entry.unlink(missing_ok=True)
