"""The figures of a training."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ntkverify.ground.results import table
from ntkverify.report.figures import SERIES, STYLE, Drawing

SHOWN = {"loss": ("losses", "log"), "movement": ("movement", "linear")}
"""File name → its array (networks, steps + 1), and the scale of its axis."""


def drawings(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """Loss and movement against the step, a line a network."""
    labels = {"loss": results["measured"], "movement": "max_r ‖w_r(τ) − w_r(0)‖"}
    return [
        _lines(name, arrays[array], scale, labels[name]) for name, (array, scale) in SHOWN.items() if arrays[array].size
    ]


def _lines(name: str, values: np.ndarray, scale: str, label: str) -> Drawing:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.0, 3.2), layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(values):
            axes.plot(row, color=SERIES[place % len(SERIES)], lw=1.2, alpha=0.8)
        axes.set(yscale=scale, xlabel="step τ", ylabel=label)
        rows = [
            {"network": place, "step": step, name: float(value)}
            for place, row in enumerate(values) for step, value in enumerate(row) if not np.isnan(value)
        ]  # fmt: skip
        return Drawing(
            name, figure, table(("network", "step", name), rows), f"{label} along training, a line a network."
        )
