"""docs/results/: tables and answers of the committed studies said again, from the cells that they hold.

    uv run python benchmarks/told_again.py

Nothing is measured, and the fits stay as they were printed.  To be run when a study says the same things in other words.
"""

import json
from pathlib import Path

from ntkverify import catalogue
from ntkverify.ground.results import RESULTS, load, save_results

ROOT = Path("docs") / "results"


def told(found: dict) -> dict:
    """The content of results.json with what follows from its cells."""
    module = catalogue.study(found["study"], found["preset"])
    cells = found["cells"]
    fits = module.fits(cells)
    again = {"title": module.TITLE, "done": list(module.DONE), "tables": module.tables(cells, fits), "answer": module.answer(cells, fits)}  # fmt: skip
    return json.loads(json.dumps(found | again))


def main() -> None:
    for file in sorted(ROOT.glob(f"*/{RESULTS}")):
        before = load(file.parent)
        after = told(before)
        changed = [name for name, value in after.items() if before.get(name) != value]
        if changed:
            save_results(file.parent, after)
        print(file.parent.name, "changed:" if changed else "as it was", ", ".join(changed))


if __name__ == "__main__":
    main()
