"""A study's cells on one worker and on two: seconds, and how many times as fast.

    uv run python benchmarks/scaling.py > docs/results/scaling.md

Workers are started before the clock, and have computed a cell, so that what is timed is cells.
"""

import itertools
import time

from ntkverify.ground.environment import cores, environment
from ntkverify.ground.progress import set_up_jax
from ntkverify.studying.grids import grid
from ntkverify.studying.run import configuration
from ntkverify.studying.workers import cluster, on

STUDY, PRESET = "steps", "quick"
CHANGES = ["network=softmax", "rule=ordinary,half,careful", "n=12,16,24", "separation=0.8,0.6,1.2", "draws=6", "m=1024"]
COUNTS, ROUNDS = (1, 2), 3


def main() -> None:
    set_up_jax("float64")
    parameters = {key: tuple(value) if isinstance(value, list) else value for key, value in configuration(STUDY, PRESET, CHANGES)["grid"].items()}  # fmt: skip
    cells = list(grid(parameters))
    spent: dict[int, list[float]] = {count: [] for count in COUNTS}
    for _, count in itertools.product(range(ROUNDS), COUNTS):
        with cluster(count, None) as client:
            evaluate = on(client)
            list(evaluate(STUDY, PRESET, cells[:1] * count))
            began = time.perf_counter()
            found = list(evaluate(STUDY, PRESET, cells))
            spent[count].append(time.perf_counter() - began)
            assert len(found) == len(cells)
    here = environment()
    print(f"# Scaling over workers\n\n`uv run python benchmarks/scaling.py`: {len(cells)} cells of `study {STUDY}`, {ROUNDS} rounds in turn; {cores()} processors, jax {here['packages']['jax']}.\n")  # fmt: skip
    print("| workers | seconds, each round | times as fast as one, best rounds |\n|---|---|---|")
    for count in COUNTS:
        said = ", ".join(f"{seconds:.1f}" for seconds in spent[count])
        print(f"| {count} | {said} | {min(spent[COUNTS[0]]) / min(spent[count]):.2f} |")


if __name__ == "__main__":
    main()
