"""Verb → the page and the figures of what it wrote."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import RESULTS, load
from ntkverify.report import page, points, realisation, study, training
from ntkverify.report.figures import Drawing

PAGES: dict[str, Callable[[Path], Path]] = {
    "verify": page.draw_report, "study": study.draw_study, "realise": realisation.draw_realisation,
    "certify": points.draw_decisions, "falsify": points.draw_search,
}  # fmt: skip
FIGURES: dict[str, Callable[[Mapping, Sequence[Mapping], Mapping], list[Drawing]]] = {
    "verify": page.drawings, "study": study.drawings, "realise": realisation.drawings, "certify": points.decided, "falsify": points.searched,
    "train": training.drawings,
}  # fmt: skip


def draw(path: Path) -> Path:
    """Write `report.html` and `figures/` from a folder's results.  Returns the report's path; `BadInput` for a verb without a page."""
    return PAGES[known(path, load(path))](path)


def known(path: Path, results: Mapping[str, Any]) -> str:
    """The verb that wrote a folder, or `BadInput`."""
    verb = results.get("verb")
    if verb not in PAGES:
        raise BadInput(f"{path}, which {verb} wrote", f"a folder of {', '.join(PAGES)}", f"reading {RESULTS} there")
    return verb


def drawings(
    results: Mapping[str, Any], draws: Sequence[Mapping[str, str]] = (), arrays: Mapping[str, np.ndarray] | None = None
) -> list[Drawing]:
    """The figures of what a verb found, as its report shows them."""
    return FIGURES[results["verb"]](results, draws, arrays or {})
