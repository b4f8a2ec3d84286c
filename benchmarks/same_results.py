"""Are two folders of results equal to the last digit?  Times, paths, the environment and digests of it aside.

    uv run python benchmarks/same_results.py OLD NEW

Prints what differs (results.json, certificate.json, every *.csv, every array of *.npz) and exits with 1 if anything does:
for changes that are to change nothing.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

PASSING = {"seconds", "environment", "finished", "started", "sampled_in", "time", "versions", "digest"}
"""Keys whose values may differ between two runs of one command."""


def different(old, new, where: str) -> list[str]:
    """Where two values of JSON differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if key not in PASSING]
        return [each for key in keys for each in different(old.get(key), new.get(key), f"{where}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [each for index, (a, b) in pairs for each in different(a, b, f"{where}[{index}]")]
    return [] if old == new else [f"{where}: {old!r} against {new!r}"[:300]]


def read(path: Path):
    """A file of results as a value of JSON."""
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    with np.load(path) as arrays:
        return {name: arrays[name].tolist() for name in sorted(arrays)}


def main(old: Path, new: Path) -> int:
    """The exit code."""
    names = sorted(
        {str(path.relative_to(folder)) for folder in (old, new) for path in folder.rglob("*") if path.suffix in (".json", ".csv", ".npz")}
    )  # fmt: skip
    found = []
    for name in names:
        both = [folder / name for folder in (old, new)]
        missing = [str(path) for path in both if not path.exists()]
        found += [f"no {path}" for path in missing] or different(read(both[0]), read(both[1]), name)
    print("\n".join(found[:40]) or f"{len(names)} files are equal")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])) if len(sys.argv) == 3 else __doc__)
