"""Is it "almost the same number of neurons and steps"?  The paper's Table 1 with measured columns.

One protocol, the same data and the same draws of them for all networks: m* as in the study `width`,
T* the steps of the ordinary step size at one width for all.  Ratios are paired: softmax against
another network on the same data.  Output scale is separated by relu → relu-sum, normalisation by
exponential → softmax.
"""

import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ntkverify.ground.environment import cores
from ntkverify.ground.numerics import mean_interval
from ntkverify.studying import cells as measures
from ntkverify.studying.cells import BRACKET, DECIDED
from ntkverify.studying.fits import exponent, shown

TITLE = "Softmax, exponential and ReLU: almost the same number of neurons and steps?"
EXAMPLE = "ntkverify study table1 --preset paper"
NETWORKS = "any"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu-sum", "relu"), "n": (12, 8, 16), "separation": 0.8, "d_out": 2,
    "epsilon": 0.1, "d_in": 6, "tokens": 1, "sigma": 1.0, "delta": 0.2, "seeds": 40, "draws": 5, "m": 1024, "most": 4096,
    "budget": 65536,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"n": (8, 6), "draws": 3},
    "paper": COMMON,
    "large": COMMON | {"n": (16, 8, 32, 64), "d_in": 16, "draws": 10},
}
ALONE = ()
DONE = (DECIDED, BRACKET)
RULE = "t-intervals over data draws; a bracket counts with its geometric middle"
STATED = {
    "softmax": ("λ⁻² n^{2+o(1)} log² n", "λ⁻² n^{2+o(1)} log(n/ε)"),
    "exponential": ("λ⁻² n^{2+o(1)} log² n", "λ⁻² n^{2+o(1)} log(n/ε)"),
    "relu": ("λ⁻² n² log n", "λ⁻² n² log(n/ε)"),
    "relu-sum": ("not in the table: the control for output scale",) * 2,
}
"""Table 1: exponents of n stated, of λ and logarithms reconstructed (docs/theory.md §5)."""
ALMOST = 2.0
"""Ratios whose whole interval lies within this factor of 1 are called almost the same."""
bytes_needed = measures.bytes_needed


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data: the bracket of m* and T* at the common width."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(functools.partial(_measure, params), range(params["draws"])))


def _measure(params: dict, seed: int) -> dict:
    narrow = {name: value for name, value in params.items() if name != "m"}
    row, taken = measures.width(narrow, seed), measures.steps(params | {"rule": "ordinary"}, seed)
    return row | {"metrics": row["metrics"] | {"steps": taken["metrics"].get("steps")}}


def fits(cells: list[dict]) -> list[dict]:
    """Exponents of n, where the grid has three values of it."""
    found = []
    for network in dict.fromkeys(cell["params"]["network"] for cell in cells):
        own = [cell for cell in cells if cell["params"]["network"] == network and cell["outcome"] in DONE]
        found += [exponent(own, name, "n", network, 2.0, RULE) for name in ("middle", "steps")]
    return found


def ratios(cells: list[dict]) -> list[dict]:
    """softmax over each other network, for m* and T*: the geometric mean over n and data draws, with a
    t-interval over data draws."""
    at = {(c["params"]["network"], c["params"]["n"], c["seed"]): c["metrics"] for c in cells if c["outcome"] in DONE}
    found = []
    for metric in ("middle", "steps"):
        for other in dict.fromkeys(name for name, *_ in at if name != "softmax"):
            logs: dict[int, list[float]] = {}
            for (name, n, seed), row in at.items():
                mine = at.get(("softmax", n, seed), {}).get(metric)
                if name == other and mine and row[metric]:
                    logs.setdefault(seed, []).append(math.log(mine / row[metric]))
            if len(logs) > 1:
                value, low, high = (math.exp(x) for x in mean_interval([np.mean(each) for each in logs.values()]))
                found.append(
                    {"metric": metric, "label": f"softmax / {other}", "value": value, "low": low, "high": high}
                )
    return found


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Table 1, stated beside measured, and the ratios."""
    exponents = {(fit["group"], fit["quantity"]): shown(fit) for fit in fits}
    rows = []
    for network in dict.fromkeys(cell["params"]["network"] for cell in cells):
        own = [c for c in cells if c["params"]["network"] == network and c["outcome"] in DONE]
        if own:
            n = max(c["params"]["n"] for c in own)
            last = [c["metrics"] for c in own if c["params"]["n"] == n]
            low, high = min(r["low"] or 0 for r in last), max(r["high"] for r in last)
            taken = [r["steps"] for r in last if r["steps"]]
            span = f"{np.median(taken):.0f} ({min(taken):.0f} to {max(taken):.0f})" if taken else "none converged"
            neurons, steps = STATED.get(network, ("not in the table",) * 2)
            measured = (exponents[network, "middle"], exponents[network, "steps"])
            rows.append([network, neurons, f"({low}, {high}] at n = {n}", measured[0], steps, span, measured[1]])
    columns = [
        "network",
        "neurons, stated",
        "m* measured",
        "exponent of n",
        "steps, stated",
        "T* measured",
        "exponent of n",
    ]
    compared = [
        [row["label"], "m*" if row["metric"] == "middle" else "T*", f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"]
        for row in ratios(cells)
    ]  # fmt: skip
    return [
        {"name": "table 1, stated and measured", "columns": columns, "rows": rows},
        {"name": "ratios, 95% intervals over data draws", "columns": ["networks", "of", "ratio"], "rows": compared},
    ]


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The ratios, one figure for neurons and one for steps."""
    found = ratios(cells)
    named = {"middle": ("neurons m*", "neuron-ratios"), "steps": ("steps T*", "step-ratios")}
    return [
        {
            "kind": "forest", "name": name, "log": True, "xlabel": f"ratio of {what}", "predicted": "",
            "rows": [{key: row[key] for key in ("label", "value", "low", "high")} for row in found if row["metric"] == metric],
            "caption": f"Softmax against the others: ratio of {what}, same data, 95% interval over data draws.",
        }
        for metric, (what, name) in named.items()
    ]  # fmt: skip


def answer(cells: list[dict], fits: list[dict]) -> str:
    """Whether the numbers are almost the same, ratio by ratio."""
    said = []
    for row in ratios(cells):
        if row["low"] >= 1 / ALMOST and row["high"] <= ALMOST:
            word = "almost the same"
        elif row["high"] < 1 or row["low"] > 1:
            word = "fewer" if row["high"] < 1 else "more"
        else:
            word = "undecided"
        what = "neurons" if row["metric"] == "middle" else "steps"
        said.append(f"{row['label']} {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}] {what}: {word}")
    return (
        "Softmax against the others on the same data (almost the same: whole interval within a factor "
        f"{ALMOST:g}). {'; '.join(said) or 'Nothing to compare'}."
    )
