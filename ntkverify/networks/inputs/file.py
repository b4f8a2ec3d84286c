"""A data file: `.npz` with arrays X and y, or a table (`.csv`, `.tsv`) whose last columns are y."""

import hashlib
from pathlib import Path

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.ground.tabular import read_table
from ntkverify.networks.nouns import Dataset, sampled

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def load(name: str, n: int | None, d_in: int | None, d_out: int | None, seed: int) -> Dataset:
    """The file's rows, or n of them chosen by the seed."""
    path = Path(name)
    if not path.is_file():
        raise BadInput(f"no file {name}", "an existing .npz, .csv or .tsv file")
    suffix = path.suffix.lower()
    items, y, said = _npz(path) if suffix == ".npz" else _table(path, DELIMITERS[suffix], d_out or 1)
    X, shape = items.reshape(len(items), -1), items.shape[1:] if items.ndim > 2 else ()
    if len(X) != len(y):
        raise BadInput(f"{name}: X has {len(X)} rows and y has {len(y)}", "one target for each input")
    for option, wanted, there in (("--d-in", d_in, X.shape[1]), ("--d-out", d_out, y.shape[1])):
        if wanted not in (None, there):
            raise BadInput(f"{option} {wanted} for {name}", f"{there}, as in the file", f"leaving {option} out")
    X, y = sampled(X, y, n, seed, name)
    chosen = f" (seed {seed})" if n else ""
    origin = f"{len(X)} rows of the file {path.name}{chosen}" + (f"; {said}" if said else "")
    return Dataset(path.stem, X, y, origin, digest(path), shape)


def digest(path: Path) -> str:
    """Eight hex digits of the file's SHA-256: what a result that was computed from it is known by."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:8]
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror})", "an existing .npz, .csv or .tsv file") from None


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
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
    X = _matrix(found["X"], "X", path, most=np.inf)
    return X.reshape(found["X"].shape) if found["X"].ndim > 2 else X, _matrix(found["y"], "y", path), ""


def _matrix(array: np.ndarray, name: str, path: Path, most: float = 2) -> np.ndarray:
    if array.dtype.kind not in "fiub":
        raise BadInput(f"{path}: {name} has type {array.dtype}", "real numbers")
    if not 1 <= array.ndim <= most or array.size == 0:
        raise BadInput(f"{path}: {name} has shape {array.shape}", "a non-empty (rows, columns) array")
    if not np.isfinite(array).all():  # here, because rows that the seed chooses have other numbers
        place = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise BadInput(f"{path}: {name}[{', '.join(map(str, place))}] is {array[place]}", "finite numbers")
    return array.astype(np.float64).reshape(len(array), -1)


def _table(path: Path, delimiter: str, d_out: int) -> tuple[np.ndarray, np.ndarray, str]:
    table, said = read_table(path, delimiter)
    width = table.shape[1]
    if width <= d_out:
        raise BadInput(f"{path} has {width} columns with --d-out {d_out}", f"more than {d_out} columns")
    return table[:, :-d_out], table[:, -d_out:], said
