"""Does the kernel of a small convolutional network drift like 1/m, once its weights hardly move?

    uv run python benchmarks/convolution_drift.py [FOLDER]

At one-hot targets the kernel of ntkverify/examples/cnn.py changes by its own size at every width that can be run here, so
that no power of the width is seen.  Targets 0.05 times as large move the weights ten times less far.
"""

import sys
from pathlib import Path

import jax
import numpy as np

import ntkverify as nv
from ntkverify.cli.main import main as main_of_ours

SMALL = 0.05


def main(folder: Path) -> None:
    jax.config.update("jax_enable_x64", True)
    digits = nv.problem("digits", n=6, d_out=2)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "small-targets.npz", X=np.asarray(digits.X), y=SMALL * np.asarray(digits.y))
    grid = ("network=ntkverify/examples/cnn.py", f"data={folder / 'small-targets.npz'}", "n=6", "d_in=64", "d_out=2")
    main_of_ours(
        ["study", "drift", "--grid", *grid, "m=8,16,32,48,64", "seeds=5", "init=coupled", "--out", str(folder)]
    )


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if sys.argv[1:] else Path("runs/convolution-drift"))
