"""Arrays and what is said of them in one .npz file, without pickle, known by a digest over all of it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import write

ABOUT = "about"


def pack(path: Path, kind: str, schema: int, about: Mapping, arrays: Mapping[str, np.ndarray]) -> None:
    """Write `about`, plain JSON, and the arrays; `BadInput` where nothing can be written."""
    said = {"kind": kind, "schema": schema, "about": dict(about)}
    said["digest"] = digest(said, arrays)
    packed = io.BytesIO()
    np.savez_compressed(packed, **{ABOUT: np.array(json.dumps(said))}, **arrays)  # type: ignore[arg-type]
    try:
        write(path, packed.getvalue())
    except OSError as error:
        raise BadInput(f"{path} ({error.strerror or error})", "a file that can be written") from None


def unpack(path: Path, kind: str, schema: int, attempt: str) -> tuple[dict, dict[str, np.ndarray]]:
    """What `pack` wrote; `BadInput` for anything but a whole, unedited file of this kind and version."""
    wanted = f"a {kind} that ntkverify saved"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
            said = json.loads(str(arrays.pop(ABOUT)))
    except FileNotFoundError:
        raise BadInput(f"no file {path}", wanted) from None
    except Exception as error:  # a zip's and an array's headers fail in many ways where bytes are changed
        known = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, SyntaxError, NotImplementedError)
        if not isinstance(error, (*known, zipfile.BadZipFile)) and type(error).__module__ != "zlib":
            raise
        raise BadInput(f"{path} is damaged or no {kind} ({type(error).__name__})", wanted, attempt) from None
    if not isinstance(said, dict) or said.get("kind") != kind:
        raise BadInput(f"{path} is no {kind}", wanted, attempt)
    if said.get("schema") != schema:
        raise BadInput(f"{path} is of another version", f"schema {schema}", attempt)
    if said.pop("digest", None) != digest(said, arrays):
        raise BadInput(f"{path} was edited: its content does not match its digest", wanted, attempt)
    return said["about"], arrays


def digest(said: Mapping, arrays: Mapping[str, np.ndarray]) -> str:
    """Over all that a file holds."""
    content = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name in sorted(arrays):
        content.update(f"{name} {arrays[name].shape} {arrays[name].dtype}".encode() + arrays[name].tobytes())
    return content.hexdigest()
