"""What a long `realise` has done, on disk, so that the same command goes on after kill -9: the steps that were followed.

One file in the run's folder, `following.npz`, replaced at most every `SECONDS`: the point Ŵ(k) and the bound d_k of the step
reached, under a name that is the content they follow from.  A launch that failed is remembered by that name, and not
followed again.  Nothing here is trusted by whoever checks the certificate: the checker follows every step anew.
"""

import hashlib
import io
import time
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np

from ntkverify.ground.environment import version
from ntkverify.ground.results import write
from ntkverify.networks.nouns import Params, Problem

FOLLOWING = "following.npz"
SECONDS = 20.0
PACKAGES = ("ntkverify", "jax", "jaxlib", "numpy")


@dataclass
class Kept:
    """The steps that were followed last, and the launches that failed; without a folder nothing outlives the process."""

    folder: Path | None = None
    name: str = ""
    step: int = 0
    W: np.ndarray | None = None
    drift: float = 0.0
    failed: set[str] = field(default_factory=set)
    saved: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, folder: Path | None) -> "Kept":
        """What the folder holds; a file that cannot be read counts for nothing."""
        found = cls(folder)
        if folder is not None and (folder / FOLLOWING).exists():
            try:
                with np.load(folder / FOLLOWING, allow_pickle=False) as file:
                    found.name, found.failed = str(file["name"]), set(map(str, file["failed"]))
                    found.step, found.W, found.drift = int(file["step"]), file["W"], float(file["drift"])
            except (OSError, ValueError, KeyError):
                return cls(folder)
        return found

    def begun(self, name: str, W) -> tuple[int, jax.Array, float]:
        """Step, Ŵ and d from which to follow: where it stopped, or the start W."""
        if name != self.name or self.W is None or self.W.shape != W.shape or self.W.dtype != W.dtype:
            self.name, self.step, self.W, self.drift = name, 0, np.asarray(W), 0.0
        return self.step, jax.numpy.asarray(self.W), self.drift

    def reached(self, step: int, W, drift: float) -> None:
        """Remember, and now and then write."""
        self.step, self.W, self.drift = step, np.asarray(W), drift
        if time.monotonic() - self.saved >= SECONDS:
            self.write()

    def gave_up(self, name: str) -> None:
        """The launch of that name failed."""
        self.failed.add(name)
        if self.step:
            self.write()

    def write(self) -> None:
        """Put it on disk."""
        self.saved = time.monotonic()
        if self.folder is None or self.W is None:
            return
        packed = io.BytesIO()
        np.savez(packed, name=self.name, failed=sorted(self.failed), step=self.step, W=self.W, drift=self.drift)
        write(self.folder / FOLLOWING, packed.getvalue())

    def done(self) -> None:
        """The file has served."""
        if self.folder is not None:
            (self.folder / FOLLOWING).unlink(missing_ok=True)


def name_of(problem: Problem, start: Params, *more: float | int) -> str:
    """A digest of all that the followed steps are computed from."""
    content = hashlib.sha256()
    for array in (problem.X, problem.y, start.W, start.a):
        content.update(f"{array.shape} {array.dtype}".encode() + np.asarray(array).tobytes())
    said = (problem.network.name, problem.init, *map(float.hex, map(float, more)), *map(version, PACKAGES))
    content.update(repr(said).encode())
    return content.hexdigest()
