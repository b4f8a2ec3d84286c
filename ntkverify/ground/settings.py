"""What a run is asked: the options of `verify`, as a record that scripts and the command line share.

Needs no JAX.  The configuration hash is taken over everything that changes a number.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.own_files import identified

INITIALISATIONS = ("coupled", "independent")


@dataclass(frozen=True)
class Settings:
    """The question: data, network, scales, draws."""

    data: tuple[str, ...] = ("sphere", "digits")
    """Data sets by name, or files: .npz with arrays X (n, d_in) and y (n, d_out), or .csv (.tsv) whose
    last --d-out columns are y."""
    network: tuple[str, ...] = ("softmax",)
    """Networks: softmax, exponential, relu (m^-1/2 scaled), relu-sum (scaled like softmax), sigmoid, tanh,
    swish, softplus, gelu, erf, softmax-bias, gated; attention, softmax-heads, patches (for tokens and images); or a file NAME.py (`ntkverify new network`)."""
    init: Literal["coupled", "independent"] = "coupled"
    """Initialisation: coupled pairs of neurons (zero output), or all drawn apart."""
    n: int | None = None
    """Number of samples (default: 16, or the whole file)."""
    d_in: int | None = None
    """Input dimension (default: 64 for sphere, otherwise what the data have)."""
    d_out: int | None = None
    """Output dimension (default: 3; 1 for csv files)."""
    m: int = 256
    """Width: number of neurons."""
    sigma: float = 1.0
    """Standard deviation of the initial weights."""
    delta: float = 0.1
    """Failure probability that probabilistic claims are allowed."""
    radius: float = 0.01
    """R: how far each neuron moves, for claims about a ball around the initial weights."""
    seeds: int = 200
    """Number of draws of the network; the data stay fixed."""
    seed: int = 0
    """Seed of the draws, and of the data where they are drawn."""
    dtype: Literal["float64", "float32"] = "float64"
    """Precision of the computation."""
    scale: bool = True
    """Divide X and y by their largest row norm where it exceeds 1; without it such data are refused."""

    def checked(self) -> "Settings":
        """These settings, or `BadInput` for the first value out of range."""
        choose("initialisation", self.init, INITIALISATIONS)
        choose("dtype", self.dtype, ("float64", "float32"))
        for name in ("n", "d_in", "d_out", "m", "seeds"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"--{name.replace('_', '-')} {value}", "a whole number of at least 1")
        if self.init == "coupled" and self.m % 2:
            raise BadInput(
                f"--m {self.m} with coupled initialisation",
                "an even width, because neurons come in pairs",
                f"--m {self.m + 1} or --init independent",
            )
        if not 0 < self.delta < 1:
            raise BadInput(f"--delta {self.delta}", "a probability strictly between 0 and 1", "--delta 0.1")
        if not 0 <= self.sigma < float("inf"):
            raise BadInput(f"--sigma {self.sigma}", "a finite number of at least 0", "--sigma 1")
        if not 0 < self.radius < float("inf"):
            raise BadInput(f"--radius {self.radius}", "a finite number above 0", "--radius 0.01")
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"--seed {self.seed}", "a whole number from 0 to 2**32 - 1", "--seed 0")
        for name in ("data", "network"):
            if not getattr(self, name):
                raise BadInput(f"no --{name}", "at least one")
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise BadInput(f"--{name} {' '.join(getattr(self, name))}", "each only once")
        return self

    def config(self, **more) -> dict:
        """As plain JSON values, `more` and the digests of files added."""
        return identified(json.loads(json.dumps(dataclasses.asdict(self) | more)))


def configuration_hash(config: dict) -> str:
    """Eight hex digits that name a configuration."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:8]
