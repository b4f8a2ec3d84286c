"""A data file: `.npz` with arrays X and y, or a numeric `.csv` whose last columns are y."""

import csv
from pathlib import Path

import numpy as np

from ntkverify.errors import BadInput
from ntkverify.nouns import Dataset, sampled


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """The file's rows, or n of them chosen by the seed."""
    path = Path(name)
    if not path.is_file():
        raise BadInput(f"no file {name}", "an existing .npz or .csv file")
    X, y = _npz(path) if path.suffix == ".npz" else _csv(path, d_out or 1)
    if len(X) != len(y):
        raise BadInput(f"{name}: X has {len(X)} rows and y has {len(y)}", "one target for each input")
    for option, wanted, there in (("--d-in", d_in, X.shape[1]), ("--d-out", d_out, y.shape[1])):
        if wanted not in (None, there):
            raise BadInput(f"{option} {wanted} for {name}", f"{there}, as in the file", f"leaving {option} out")
    X, y = sampled(X, y, n, seed, name)
    chosen = f" (seed {seed})" if n else ""
    return Dataset(path.stem, X, y, f"{len(X)} rows of the file {path.name}{chosen}")


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {key: arrays[key] for key in arrays.files}
    except Exception as error:  # a damaged archive raises whatever its reader stumbles over
        raise BadInput(f"{path} cannot be read as .npz ({error})", "a file written by numpy.savez") from None
    missing = [key for key in ("X", "y") if key not in found]
    if missing:
        held = ", ".join(found) or "nothing"
        raise BadInput(
            f"{path} holds {held}", "arrays named X (n, d_in) and y (n, d_out)", "numpy.savez(path, X=X, y=y)"
        )
    return _matrix(found["X"], "X", path), _matrix(found["y"], "y", path)


def _matrix(array: np.ndarray, name: str, path: Path) -> np.ndarray:
    if array.dtype.kind not in "fiub":
        raise BadInput(f"{path}: {name} has type {array.dtype}", "real numbers")
    if array.ndim not in (1, 2) or array.size == 0:
        raise BadInput(f"{path}: {name} has shape {array.shape}", "a non-empty (rows, columns) array")
    return array.astype(np.float64).reshape(len(array), -1)


def _csv(path: Path, d_out: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as .csv ({error})", "comma-separated numbers") from None
    if lines and not any(_is_number(cell) for cell in lines[0]):
        lines = lines[1:]  # a header
    if not lines:
        raise BadInput(f"{path} holds no rows of numbers", "at least one row of numbers")
    width = len(lines[0])
    if width <= d_out:
        raise BadInput(f"{path} has {width} columns with --d-out {d_out}", f"more than {d_out} columns")
    for number, line in enumerate(lines, 1):
        if len(line) != width:
            raise BadInput(f"{path}, data row {number}: {len(line)} columns", f"{width} columns as in the first")
        for cell in line:
            if not _is_number(cell):
                raise BadInput(f"{path}, data row {number}: {cell!r}", "a number")
    table = np.array([[float(cell) for cell in line] for line in lines])
    return table[:, :-d_out], table[:, -d_out:]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
