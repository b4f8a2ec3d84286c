"""What a long `realise` has done, on disk, so that the same command goes on after kill -9: the steps that were followed.

One file in the run's folder, `following.npz`, replaced at most every `SECONDS`: for each launch the furthest point Ŵ(k) and
its bound d_k, under a name that is the content they follow from.  A launch that failed is remembered by that name, and not
followed again.  Nothing here is trusted by whoever checks the certificate: the checker follows every step anew.
"""

import hashlib
import io
import time
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from ntkverify.ground.environment import version
from ntkverify.ground.results import write
from ntkverify.networks.network import forward
from ntkverify.networks.nouns import Params, Problem

FOLLOWING = "following.npz"
SECONDS = 20.0
MOST = 4
"""Launches whose points are held; the first ones give way."""
PACKAGES = ("ntkverify", "jax", "jaxlib", "numpy")


class Place(NamedTuple):
    """A step that was followed, Ŵ there, and how far exact gradient descent is from it at most."""

    step: int
    W: np.ndarray
    drift: float
    more: tuple[float, ...] = ()
    """What else whoever follows has to know."""


@dataclass
class Kept:
    """The furthest place of each launch, by name, and the launches that failed; without a folder nothing outlives the
    process."""

    folder: Path | None = None
    places: dict[str, Place] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    saved: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, folder: Path | None) -> "Kept":
        """What the folder holds; a file that cannot be read counts for nothing."""
        found = cls(folder)
        if folder is None or not (folder / FOLLOWING).exists():
            return found
        try:
            with np.load(io.BytesIO((folder / FOLLOWING).read_bytes()), allow_pickle=False) as file:
                found.failed = set(map(str, file["failed"]))
                for index, name in enumerate(map(str, file["names"])):
                    found.places[name] = Place(
                        int(file["steps"][index]),
                        file[f"W{index}"],
                        float(file["drifts"][index]),
                        tuple(map(float, file[f"more{index}"])),
                    )
        except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, zlib.error):
            return cls(folder)
        return found

    def before(self, name: str, W, most: int) -> Place:
        """Where to follow from: the furthest place of that launch, or its start W where that lies beyond `most` steps."""
        there = self.places.get(name)
        if there is None or there.step > most or there.W.shape != W.shape or there.W.dtype != W.dtype:
            return Place(0, np.asarray(W), 0.0)
        return there

    def reached(self, name: str, step: int, W, drift: float, more: tuple[float, ...] = ()) -> None:
        """Remember what is further than before, and now and then write."""
        if name in self.places and self.places[name].step >= step:
            return
        self.places[name] = Place(step, np.asarray(W), drift, more)
        for old in list(self.places)[:-MOST]:
            del self.places[old]
        if time.monotonic() - self.saved >= SECONDS:
            self.write()

    def gave_up(self, name: str) -> None:
        """The launch of that name failed."""
        self.failed.add(name)
        if self.places:
            self.write()

    def write(self) -> None:
        """Put it on disk."""
        self.saved = time.monotonic()
        if self.folder is None:
            return
        packed, places = io.BytesIO(), list(self.places.values())
        held = {f"W{index}": place.W for index, place in enumerate(places)} | {
            f"more{index}": np.array(place.more, float) for index, place in enumerate(places)
        } | {
            "names": np.array(list(self.places), str), "failed": np.array(sorted(self.failed), str),
            "steps": np.array([place.step for place in places]), "drifts": np.array([place.drift for place in places]),
        }  # fmt: skip
        np.savez(packed, **held)  # type: ignore[arg-type]
        write(self.folder / FOLLOWING, packed.getvalue())

    def done(self) -> None:
        """The file has served."""
        if self.folder is not None:
            (self.folder / FOLLOWING).unlink(missing_ok=True)


def name_of(way: str, problem: Problem, start: Params, *more: float | int) -> str:
    """A digest of all that the followed steps are computed from, the network's formula among them; `way`: by which module."""
    content = hashlib.sha256()
    for array in (problem.X, problem.y, start.W, start.a, *([] if start.live is None else [start.live])):
        content.update(f"{array.shape} {array.dtype}".encode() + np.asarray(array).tobytes())
    formula = jax.make_jaxpr(lambda W: forward(problem.network, Params(W, start.a, start.live), problem.X))(start.W)
    said = (
        way,
        problem.network.name,
        problem.network.shape,
        str(formula.jaxpr),
        problem.init,
        *map(float.hex, map(float, more)),
        *map(version, PACKAGES),
    )
    content.update(repr(said).encode())
    return content.hexdigest()
