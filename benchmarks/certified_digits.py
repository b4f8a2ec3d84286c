"""Networks on handwritten digits with a proof that gradient descent reaches zero loss from them: certified, then checked.

    uv run python benchmarks/certified_digits.py [FOLDER] > docs/results/certified-digits.md

Each line is two commands in processes of their own, timed, with their largest memory; certificates are left in FOLDER
(runs/certified-digits), and a line that is there is not made again.  The lines with all digits take about a quarter of an hour each on
two cores.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from ntkverify.ground.environment import environment
from ntkverify.ground.rounding import above, below

DIGITS = ("--d-out", "10", "--m", "16384", "--budget", "200")
LINES = (
    ("--data", "digits", "--network", "tanh", "--n", "64", "--sigma", "2", "--follow", "4096"),
    ("--data", "digits", "--network", "tanh", "--n", "64", "--sigma", "2", "--train"),
    ("--data", "digits", "--network", "tanh", "--n", "256", "--sigma", "3", "--train"),
    ("--data", "digits", "--network", "tanh", "--n", "1797", "--sigma", "3", "--train"),
    ("--data", "digits", "--network", "softmax", "--n", "64", "--sigma", "1", "--train"),
    ("--data", "digits", "--network", "softmax", "--n", "256", "--sigma", "1", "--train"),
    ("--data", "digits-rows", "--network", "attention", "--n", "64", "--sigma", "60", "--train"),
    ("--data", "digits-rows", "--network", "attention", "--n", "256", "--sigma", "100", "--train"),
    ("--data", "digits", "--network", "softmax", "--n", "1797", "--sigma", "1", "--train"),
)


def timed(words: list[str]) -> tuple[int, float]:
    """(exit code, seconds) of a command."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "ntkverify", *words], stdout=subprocess.DEVNULL, check=False)
    return done.returncode, time.perf_counter() - began


def row(options: tuple[str, ...], folder: Path) -> str:
    """One line of the table."""
    out = folder / "-".join(options).replace("--", "").replace("-", "_")
    kept = out.with_suffix(".json")
    if kept.exists():
        return shown(out, **json.loads(kept.read_text("utf-8")))
    code, seconds = timed(["realise", *DIGITS, *options, "--out", str(out), "--force"])
    if code:
        return f"| {' '.join(options)} | not certified (exit code {code}) |"
    checked, check_seconds = timed(["check", str(out / "certificate.json")])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    cost = {"seconds": seconds, "check_seconds": check_seconds, "accepted": checked == 0, "peak": peak}
    kept.write_text(json.dumps(cost), "utf-8")
    return shown(out, **cost)


def shown(out: Path, seconds: float, check_seconds: float, accepted: bool, peak: float) -> str:
    """The line of a folder; bounds are rounded to the side on which they stay bounds."""
    found = json.loads((out / "results.json").read_text("utf-8"))
    bounds = found["bounds"]
    both = b"".join((out / f"certificate.{kind}").read_bytes() for kind in ("json", "bin"))
    where = f"{found['kind']}, {found['followed']} steps" if found["followed"] else found["kind"]
    where += ", by a witness" if found["witness"] else ""
    away = found["distance"] if found["kind"] == "trained" else found["radius"]
    numbers = (
        below(bounds["lambda"], 3), above(bounds["norm"], 3), above(bounds["size"], 3), "" if found["witness"] else below(found["largest"], 3),
        above(away, 3), below(found["conclusions"]["contraction"], 3),
    )  # fmt: skip
    return (
        f"| {found['problems'][0]['network']} | {found['problems'][0]['n']} | {where} | {found['sigma']:g} | {' | '.join(numbers)} | {seconds:.0f} | "
        f"{check_seconds:.0f}, {'accepted' if accepted else 'REJECTED'} | {peak:.1f} | {hashlib.sha256(both).hexdigest()[:16]} |"
    )


def main(folder: Path) -> None:
    here = environment()
    print("# Networks on handwritten digits, with a proof\n\n`uv run python benchmarks/certified_digits.py`\n")
    print(
        "Two-layer networks, Σ_r a_r tanh⟨w_r,x⟩, the paper's m Σ_r a_r softmax(Wᵀx)_r, and attention heads that read the eight rows of an image as tokens; "
        "m = 16384, ten outputs, one-hot targets; the first line's command is\n\n"
        f"    ntkverify realise {' '.join(DIGITS)} {' '.join(LINES[0])}\n\n"
        "and `ntkverify check` on what it writes; the other lines differ in what their columns say. *Initial*, *followed* and *trained* starts "
        "are not to be compared: a trained one has its small error from Gauss–Newton, of which nothing is said. λ and ‖H‖ at the centre of "
        "the ball, ‖e‖ where the steps begin and the largest that would do; the distance is how far exact gradient descent goes from there at most "
        "(followed, or by a witness, a network near the start that fits: the radius of the ball); the rate is what an error shrinks by in a step at least. Seconds to certify (with the run that is looked at beside "
        "it) and to check by other code; GiB, the largest process so far; the first digits of the SHA-256 of both files.\n\n"
        f"{here['cores']} cores, jax {here['packages']['jax']}, numpy {here['packages']['numpy']}, float64 on the CPU.\n"
    )
    print(
        "| network | n | start | σ | λ ≥ | ‖H‖ ≤ | ‖e‖ ≤ | would do | distance ≤ | rate ≥ | seconds | check | GiB | files |"
    )
    print("|---" * 14 + "|")
    for options in LINES:
        print(row(options, folder), flush=True)


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if sys.argv[1:] else Path("runs/certified-digits"))
