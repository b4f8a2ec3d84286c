"""docs/claims: every claim on one small network, decided at points and on draws, for the pages of the documentation.

    uv run python benchmarks/claims_shown.py
    uv run python benchmarks/claims_shown.py witness-step    some claims alone, new ones, say, beside those that are there

About an hour beside other work on two cores, most of it compiling.  The pages draw what they show from results.json and draws.csv, which are committed.
"""

import csv
import io
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from ntkverify.cli import main as cli
from ntkverify.ground.results import DRAWS, RESULTS

FOLDER = Path("docs") / "claims"
ASKED = [
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
    "--force",
]


def main(*claims: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        code = cli.main(["verify", *claims, *ASKED, "--out", folder])
        results = json.loads((Path(folder) / RESULTS).read_text("utf-8"))
        draws = (Path(folder) / DRAWS).read_bytes().decode()
    if claims:
        results, draws = beside(results, draws)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    (FOLDER / DRAWS).write_bytes(draws.encode())
    return code


def beside(new: dict, draws: str) -> tuple[dict, str]:
    """What is committed, with the claims of another run in place of what it had of them."""
    old = json.loads((FOLDER / RESULTS).read_text("utf-8"))
    ids = {row["id"] for row in new["claims"]}
    for part in ("claims", "statements"):
        old[part] = [row for row in old[part] if row["id"] not in ids] + new[part]
    for theorem in old["theorems"]:
        for more in (each["claims"] for each in new["theorems"] if each["name"] == theorem["name"]):
            theorem["claims"] += [id for id in more if id not in theorem["claims"]]
    old["summary"]["verdicts"] = dict(Counter(row["verdict"] for row in old["claims"]))
    head, *rows = csv.reader(io.StringIO((FOLDER / DRAWS).read_text("utf-8")))
    _, *more = csv.reader(io.StringIO(draws))
    text = io.StringIO()
    csv.writer(text).writerows([head, *(row for row in rows if row[1] not in ids), *more])
    return old, text.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
