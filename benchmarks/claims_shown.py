"""docs/claims: every claim on one small network, decided at points and on draws, for the pages of the documentation.

    uv run python benchmarks/claims_shown.py

About an hour beside other work on two cores, most of it compiling.  The pages draw what they show from results.json and draws.csv, which are committed.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from ntkverify.cli import main as cli
from ntkverify.ground.results import DRAWS, RESULTS

FOLDER = Path("docs") / "claims"
ASKED = [
    "verify",
    "--data",
    "sphere",
    "--n",
    "6",
    "--d-in",
    "6",
    "--d-out",
    "2",
    "--m",
    "128",
    "--network",
    "softmax",
    "relu",
    "--seeds",
    "60",
    "--certify",
]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        code = cli.main([*ASKED, "--out", folder, "--force"])
        FOLDER.mkdir(exist_ok=True)
        for name in (RESULTS, DRAWS):
            shutil.copy(Path(folder) / name, FOLDER / name)
    return code


if __name__ == "__main__":
    sys.exit(main())
