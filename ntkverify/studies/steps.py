"""How many steps does it take, as a function of n and λ, under each step-size rule?

T* is the number of steps of gradient descent from a coupled start to ‖F − Y‖² ≤ ε at width m.
Rules: `ordinary` η = 1/(s_m λ_max(H(0))), `half` of it, `careful` (the largest that the contraction
proof allows), and `theorem`, η = 0.1 λ/(m n²d²e^{16B}) (reconstructed).  Where a run is impossible T*
is predicted by the exact linearised dynamics, e ← (I − η s_m H(0)) e, mode by mode; where both
exist the prediction is checked against the run.

Said before measuring: the stated theorem has T̂ = Ω(λ⁻² n^{2+o(1)} log(nd/ε)); at an ordinary step
size the linearised dynamics takes about κ_H log(‖Y‖²/ε)/2 steps.
"""

import math

import numpy as np

from ntkverify.studying import cells as measures
from ntkverify.studying.cells import PREDICTED
from ntkverify.studying.fits import exponent, joint, shown

TITLE = "How many steps does it take?"
EXAMPLE = "ntkverify study steps --preset quick"
NETWORKS = "any"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu-sum", "relu"), "rule": ("ordinary", "half", "careful", "theorem"),
    "n": (12, 8, 16), "separation": (0.8, 0.4, 1.2), "d_out": 2, "epsilon": 0.1, "d_in": 6, "tokens": 1, "sigma": 1.0,
    "delta": 0.1, "m": 1024, "draws": 10, "budget": 65536,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"network": ("softmax", "relu"), "n": (8, 6, 12), "separation": (0.8, 1.2), "draws": 5},
    "paper": COMMON,
    "large": COMMON | {"n": (16, 8, 32, 64), "separation": (0.8, 0.6, 1.2), "d_in": 16},
}
ALONE = ()
DONE = ("converged", PREDICTED)
RULE = "t-intervals over data draws, one network each; all draws that reached ε, or whose prediction is finite"
BOUND = {"n": 2.0, "lambda": -2.0}
bytes_needed = measures.bytes_needed


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data: T*, the linearised prediction, λ_min(H(0)), what the bound asks for."""
    return [measures.steps(params, seed) for seed in range(params["draws"])]


def _taken(cells: list[dict], network: str, rule: str) -> tuple[list[dict], str]:
    """The cells of a network under a rule, and the metric that counts its steps."""
    own = [
        c for c in cells if (c["params"]["network"], c["params"]["rule"]) == (network, rule) and c["outcome"] in DONE
    ]
    return own, "predicted" if any(c["outcome"] == PREDICTED for c in own) else "steps"


def _groups(cells: list[dict]) -> dict:
    return dict.fromkeys((cell["params"]["network"], cell["params"]["rule"]) for cell in cells)


def fits(cells: list[dict]) -> list[dict]:
    """Exponents of T*: of n at each angle, and of n and λ jointly."""
    found = []
    for network, rule in _groups(cells):
        own, metric = _taken(cells, network, rule)
        group = f"{network}, {rule}" + (" (prediction)" if metric == "predicted" else "")
        for angle in sorted({cell["params"]["separation"] for cell in own}):
            at = [cell for cell in own if cell["params"]["separation"] == angle]
            found.append(exponent(at, metric, "n", f"{group}, angle {angle:g}", BOUND["n"], RULE))
        found += joint(own, metric, tuple(BOUND), group, tuple(BOUND.values()), RULE)
    return [fit for fit in found if fit["exponent"] is not None]


def _agreement(cells: list[dict]) -> tuple[float, float, int]:
    """The range of predicted/measured, and how many runs it is over."""
    found = [cell["metrics"]["agreement"] for cell in cells if cell["metrics"].get("agreement")]
    return (min(found), max(found), len(found)) if found else (math.nan, math.nan, 0)


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """T* by network and rule at the first n and angle, and the exponents."""
    rows = []
    for network, rule in _groups(cells):
        own, metric = _taken(cells, network, rule)
        own = [cell for cell in own if all(cell["params"][k] == cells[0]["params"][k] for k in ("n", "separation"))]
        values = [cell["metrics"][metric] for cell in own if cell["metrics"].get(metric)]
        if values:
            bound = np.median([cell["metrics"]["bound"] or math.inf for cell in own])
            low, high, count = _agreement(_taken(cells, network, rule)[0])
            checked = f"{low:.2f} to {high:.2f} ({count} runs)" if count else "not run"
            span = f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
            kind = "prediction" if metric == "predicted" else "measured"
            rows.append([network, rule, kind, span, checked, f"{bound:.2g}"])
    first = cells[0]["params"] if cells else {"n": "", "separation": ""}
    columns = [
        "network",
        "step size",
        "T* is",
        "median (range)",
        "predicted/measured, all cells",
        "log(nd/ε)/(s_m η λ)",
    ]
    at = f"steps at n = {first['n']}, angle {first['separation']}"
    exponents = [[f["group"], f["x"], shown(f), f"{f['predicted']:g}"] for f in fits]
    return [
        {"name": at, "columns": columns, "rows": rows},
        {
            "name": "exponents of T*, 95% intervals over data draws", "rows": exponents,
            "columns": ["network and step size", "of", "measured", "the bound's"],
        },
    ]  # fmt: skip


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Steps measured and predicted against n, and the exponents."""
    if not cells:
        return []
    at = {"separation": cells[0]["params"]["separation"]}
    common = {
        "kind": "curves",
        "x": "n",
        "xlabel": "samples n",
        "series": "network",
        "panel": "rule",
        "panels": "step size",
        "where": at,
    }
    drawn = [
        common | {
            "name": "steps-against-n", "y": "steps", "ylabel": "steps to ε", "references": [{"label": "n²", "exponent": 2}],
            "caption": "Measured steps: median and range over data draws. Dashed: the growth of the theorem's bound.",
        },
        common | {
            "name": "predicted-steps-against-n", "y": "predicted", "ylabel": "steps to ε (linearised)",
            "caption": "Prediction of the linearised dynamics, also where no run is possible.",
        },
    ]  # fmt: skip
    rows = [
        {"label": f"{fit['group']}, {fit['x']}", "value": fit["exponent"], "low": fit["low"], "high": fit["high"]}
        | {"predicted": fit["predicted"]}
        for fit in fits
        if fit["x"].endswith("(joint)")
    ]
    forest = {
        "kind": "forest", "name": "steps-exponents", "rows": rows, "log": False, "xlabel": "exponent of T*",
        "predicted": "in the bound", "caption": "Exponents of the number of steps: n and λ fitted jointly.",
    }  # fmt: skip
    return [*drawn, forest]


def answer(cells: list[dict], fits: list[dict]) -> str:
    """Exponents at the ordinary step, the theorem's T*, and how good the prediction is."""
    at = {(fit["group"], fit["x"]): shown(fit) for fit in fits}
    said = []
    for network, rule in _groups(cells):
        if rule == "ordinary":
            n, lam = (at.get((f"{network}, {rule}", f"{name} (joint)"), "no fit") for name in ("n", "lambda"))
            said.append(f"{network} n^{n} λ^{lam}")
    local = [fit["exponent"] for fit in fits if "theorem" in fit["group"] and fit["x"] == "n (joint)"]
    theorem = [cell["metrics"]["predicted"] for cell in cells if cell["outcome"] == PREDICTED]
    theorem = [value for value in theorem if value]
    low, high, count = _agreement(cells)
    return (
        f"At the ordinary step size T* grows as {'; '.join(said) or 'nothing measured'}, where the bound has n^2 and λ^-2. "
        + (f"At the theorem's step size it is 10^{math.log10(min(theorem)):.0f} to 10^{math.log10(max(theorem)):.0f} steps (prediction)" if theorem else "")
        + (f", growing as n^{min(local):.0f} to n^{max(local):.0f} here: so large is the o(1)" if local else "")
        + (". " if theorem else "")
        + f"Predicted over measured steps: {low:.2f} to {high:.2f} on {count} runs."
    )  # fmt: skip
