"""The whole suite on each supported pair of Python and JAX, a short run of the oldest JAX, or the notebooks on Colab's.

    python3 .ci/matrix.py suite     each leg in an environment of its own; exit code 0 only if every leg ran and passed
    python3 .ci/matrix.py floor     the installed package on the oldest JAX and the Python at hand
    python3 .ci/matrix.py notebooks the notebooks on Colab's versions, from a built wheel with what their first cell installs

Needs uv; Pythons are those that uv finds (put others first on PATH).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = os.environ.get("UV", "uv")
FLOOR = ("jax==0.7.2", "jaxlib==0.7.2")
COLAB = (*FLOOR, "numpy==2.1.3")
LEGS = (("3.11", FLOOR), ("3.13", COLAB), ("3.13", ()))
SMALL = ("verify", "--n", "4", "--seeds", "20", "--data", "sphere")


def suite() -> int:
    """Run every leg, then say which ran and how each ended."""
    ends = {}
    for python, pins in LEGS:
        leg = f"Python {python}, {', '.join(pins) or 'newest'}"
        print(f"\n=== {leg}", flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            if run(UV, "venv", "--quiet", "--python", python, folder):
                ends[leg] = f"did not run: no Python {python}"
            elif install(folder, "--group", "dev", "--editable", ".", *pins):
                ends[leg] = "did not run: its packages were not installed"
            else:
                failed = run(interpreter(folder), "-m", "pytest")
                ends[leg] = f"{'failed' if failed else 'passed'} in {time.monotonic() - began:.0f} s"
    print("\n" + "\n".join(f"{leg}: {end}" for leg, end in ends.items()))
    return int(not all(end.startswith("passed") for end in ends.values()))


def floor() -> int:
    """Install the package, import it and verify its claims; each formula must have its rounding rules there."""
    with tempfile.TemporaryDirectory() as folder:
        made = run(UV, "venv", "--quiet", "--python", sys.executable, folder) or install(folder, ".", *FLOOR)
        if made:
            return made
        command = [interpreter(folder), "-m", "ntkverify", *SMALL, "--out", f"{folder}/out"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, encoding="utf-8", check=False)
        print(done.stdout, flush=True)
        return done.returncode or int("no rule for" in " ".join(done.stdout.split()))


def notebooks() -> int:
    """Build the wheel, install it as the notebooks' first cell does, run copies of them away from the sources."""
    with tempfile.TemporaryDirectory() as folder:
        if run(UV, "build", "--quiet", "--wheel", "--out-dir", f"{folder}/wheel", "."):
            return 1
        if run(UV, "venv", "--quiet", "--python", LEGS[1][0], f"{folder}/env"):
            print(f"did not run: no Python {LEGS[1][0]}")
            return 1
        (wheel,) = Path(folder, "wheel").glob("*.whl")
        if install(f"{folder}/env", str(wheel), *COLAB, "pytest", "nbmake", "ipykernel"):
            return 1
        shutil.copytree(ROOT / "notebooks", f"{folder}/notebooks")
        options = ["--nbmake", "--nbmake-timeout=600", "-q", "--durations=0", "notebooks"]
        command = [interpreter(f"{folder}/env"), "-m", "pytest", *options]
        return subprocess.run(command, cwd=folder, check=False).returncode


def install(folder: str, *what: str) -> int:
    """Install into the environment in a folder; the exit code."""
    return run(UV, "pip", "install", "--quiet", "--python", interpreter(folder), *what)


def interpreter(folder: str) -> str:
    return str(Path(folder) / "bin" / "python")


def run(*command: str) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    verbs = {"suite": suite, "floor": floor, "notebooks": notebooks}
    sys.exit(verbs[sys.argv[1]]() if sys.argv[1:] and sys.argv[1] in verbs else __doc__)
