"""results.json and arrays.npz of `realise` → report.html and figures/.  Needs neither JAX nor the run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ntkverify.ground.results import REPORT, load, load_arrays, table, write
from ntkverify.report.figures import INK, SERIES, STYLE, VIOLATED, Drawing
from ntkverify.report.page import command, environment, save_figures


def draw_realisation(path: Path) -> Path:
    """Write `report.html` and `figures/` from a folder that `realise` wrote.  Returns the report's path."""
    results, arrays = load(path), load_arrays(path)
    found = drawings(results, (), arrays)
    repeat = command(results) if "data" in results["config"] else ""  # no command makes the arrays of a caller
    page = (
        environment()
        .get_template("realisation.html")
        .render(results=results, problem=results["problems"][0], command=repeat, drawings=found)
    )
    save_figures(path, found)
    write(path / REPORT, page)
    return path / REPORT


def drawings(results: Mapping, draws: Sequence[Mapping], arrays: Mapping[str, np.ndarray]) -> list[Drawing]:
    """The figures of the report."""
    return [drawing for drawing in (_error(arrays), _path(results, arrays), _eigenvalue(results, arrays)) if drawing]


def _centre(results: Mapping) -> str:
    """What the ball is around."""
    return "witness" if results.get("witness") else "start"


def _axes():
    figure = Figure(figsize=(5.0, 3.2), layout="constrained")
    return figure, figure.subplots()


def _error(arrays: Mapping[str, np.ndarray]) -> Drawing | None:
    if "error" not in arrays:
        return None
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes()
        axes.plot(arrays["steps"], arrays["envelope"], color=VIOLATED, dashes=(4, 2), label="certified envelope")
        axes.plot(arrays["steps"], arrays["error"], color=SERIES[0], label="measured, float64 run")
        axes.set(yscale="log", xlabel="step τ", ylabel="‖F − Y‖")
        figure.legend(loc="outside upper center", ncols=2)
        rows = _rows(arrays, ("steps", "error", "envelope"))
        caption = (
            "The error of the run under the envelope that was certified before it, its rounding allowance included."
        )
        return Drawing("error", figure, table(tuple(rows[0]), rows), caption)


def _path(results: Mapping, arrays: Mapping[str, np.ndarray]) -> Drawing | None:
    if "distance" not in arrays:
        return None
    names = [name for name in ("length", "distance") if name in arrays]
    words = {"length": "length of the path", "distance": f"distance from the {_centre(results)}"}
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes()
        axes.axhline(results["radius"], color=VIOLATED, dashes=(4, 2), label="certified radius s")
        for name, colour in zip(names, SERIES, strict=False):
            axes.plot(arrays["steps"], arrays[name], color=colour, label=words[name])
        axes.set(xlabel="step τ", ylabel="over all neurons", ylim=(0, 1.1 * results["radius"]))
        figure.legend(loc="outside upper center", ncols=3)
        rows = _rows(arrays, ("steps", *names))
        caption = "How far the weights went, beside the ball in which everything was certified."
        return Drawing("path", figure, table(tuple(rows[0]), rows), caption)


def _eigenvalue(results: Mapping, arrays: Mapping[str, np.ndarray]) -> Drawing | None:
    if "smallest" not in arrays:
        return None
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes()
        kept = results["conclusions"]["kept"] ** 2 / results["m"]
        axes.axhline(
            results["bounds"]["lambda"],
            color=INK,
            linewidth=1,
            label=f"λ, certified at the {_centre(results)}",
        )
        axes.axhline(kept, color=VIOLATED, dashes=(4, 2), label="certified on the whole ball")
        axes.plot(arrays["times"], arrays["smallest"], color=SERIES[0], marker="o", ms=3, label="λ_min(H(W(τ)))")
        axes.set(xlabel="step τ", ylabel="smallest eigenvalue", ylim=(0, 1.25 * results["bounds"]["lambda"]))
        figure.legend(loc="outside upper center", ncols=3)
        rows = _rows(arrays, ("times", "smallest"))
        caption = "The kernel's smallest eigenvalue along the run, above what the ball keeps of it."
        return Drawing("eigenvalue", figure, table(tuple(rows[0]), rows), caption)


def _rows(arrays: Mapping[str, np.ndarray], names: tuple[str, ...]) -> list[dict]:
    return [
        dict(zip(names, map(float, values), strict=True)) for values in zip(*(arrays[n] for n in names), strict=True)
    ]
