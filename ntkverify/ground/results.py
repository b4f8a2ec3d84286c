"""Rows ↔ disk.  Files are written to a temporary name and renamed, so none is ever half there."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.ground.settings import configuration_hash

SCHEMA = 1
RESULTS, DRAWS, ARRAYS, REPORT, FIGURES = "results.json", "draws.csv", "arrays.npz", "report.html", "figures"
DRAW_COLUMNS = ("problem", "claim", "form", "draw", "outcome", "small", "large", "ratio", "allowance")


def folder(verb: str, config: dict, out: Path | None, force: bool) -> Path:
    """Where this configuration's results go, made and writable; `BadInput` if they must not go there."""
    path = out or Path("runs") / f"{verb}-{configuration_hash(config)}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise BadInput(f"--out {path}: {said}", "a folder that can be written") from None
    if out and not force and (path / RESULTS).exists():
        try:
            before = load(path)
        except BadInput:
            before = {}
        if (before.get("verb"), before.get("config")) != (verb, config):
            raise BadInput(
                f"--out {path} holds the results of another configuration", "an empty or the same one's folder",
                "--force to replace them, or another --out",
            )  # fmt: skip
    return path


def write(path: Path, content: str | bytes) -> None:
    """Replace a file's content at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def table(columns: Sequence[str], rows: Iterable[Mapping]) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def save(path: Path, results: dict, draws: Iterable[Mapping], arrays: Mapping[str, np.ndarray]) -> None:
    """Write results.json, draws.csv (one row for each draw of each claim) and arrays.npz (kernels by
    route, eigenvalues)."""
    save_arrays(path, arrays)
    write(path / DRAWS, table(DRAW_COLUMNS, draws))
    save_results(path, results)


def save_results(path: Path, results: Mapping) -> None:
    """Write results.json."""
    write(path / RESULTS, json.dumps(results, indent=1, allow_nan=False) + "\n")


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays.npz."""
    packed = io.BytesIO()
    np.savez_compressed(packed, **dict(arrays))  # type: ignore[arg-type]
    write(path / ARRAYS, packed.getvalue())


def load(path: Path) -> dict:
    """The content of a folder's results.json; `BadInput` if it is missing, damaged or foreign."""
    file = path / RESULTS
    try:
        results = json.loads(file.read_text("utf-8"))
    except OSError:
        raise BadInput(f"no {file}", f"a folder that ntkverify wrote, with its {RESULTS}") from None
    except ValueError:
        raise BadInput(f"{file} is damaged", "the file as ntkverify wrote it", "the run again") from None
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        raise BadInput(f"{file} is not of schema {SCHEMA}", "results of this version", "the run again")
    return results


def load_draws(path: Path) -> list[dict[str, str]]:
    """The rows of a folder's draws.csv; none if it is missing."""
    file = path / DRAWS
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a folder's arrays.npz; none if it is missing."""
    file = path / ARRAYS
    if not file.exists():
        return {}
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
