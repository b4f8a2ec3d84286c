"""How many neurons does it take, as a function of n, d_out, ε and λ?

m* is the smallest width at which gradient descent at η = 1/(s_m λ_max(H(0))) from a coupled start
reaches ‖F − Y‖² ≤ ε within T = 10 κ_H log(n/ε) steps with probability ≥ 1 − δ; κ_H is the condition
number of the infinite-width kernel.  `widths.py` states the search and its stopping rule.  The data
are pairs of inputs at a given angle, which sets λ independently of n; labels are independent.

Said before measuring: the stated theorem has m = Ω(λ⁻² n^{2+o(1)}) for softmax and exponential and
λ⁻²n² for ReLU (the λ-exponents reconstructed); the rank floor 2nd/rank(X) grows like n.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ntkverify.ground.environment import cores
from ntkverify.studying import cells as measures
from ntkverify.studying.cells import BRACKET, DECIDED
from ntkverify.studying.fits import exponent, joint, shown

TITLE = "How many neurons does it take?"
EXAMPLE = "ntkverify study width --grid n=8,12 network=softmax,tanh"
NETWORKS = "any"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu-sum", "relu"), "n": (12, 8, 16), "separation": (0.8, 0.4, 1.2),
    "d_out": (2, 1, 4), "epsilon": (0.1, 0.01), "d_in": 6, "tokens": 1, "sigma": 1.0, "delta": 0.2, "seeds": 40, "draws": 3,
    "most": 4096, "budget": 65536,
}  # fmt: skip
FEWER = {"network": ("softmax", "relu"), "n": (8, 6, 12), "separation": (0.8, 1.2), "d_out": (2,), "epsilon": (0.1,)}
LARGE = {"n": (16, 8, 32, 64), "separation": (0.8, 0.6, 1.2), "d_out": (2,), "epsilon": (0.1,), "d_in": 16, "draws": 10}
PRESETS = {"quick": COMMON | FEWER, "paper": COMMON | {"draws": 5}, "large": COMMON | LARGE}
ALONE = ("d_out", "epsilon")
"""Axes that vary one at a time."""
DONE = (DECIDED, BRACKET)
RULE = (
    "t-intervals over data draws; a bracket counts with its geometric middle (with its upper end where nothing "
    "below was too few); all cells, none dropped"
)
PREDICTED = {"n": 2.0, "lambda": -2.0}
BOUNDS = (
    ("n, the rank floor", 1),
    ("n², this paper; Oymak–Soltanolkotabi", 2),
    ("n⁴, Song–Yang 2019", 4),
    ("n⁶, Du et al. 2019", 6),
    ("n⁷, Arora et al. 2019", 7),
)
"""Widths that theorems ask for, as powers of n (docs/theory.md §5)."""
bytes_needed = measures.bytes_needed


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data: the bracket of m*, the floor, λ, what the bound asks for."""
    with ThreadPoolExecutor(cores()) as pool:  # small networks keep only one core busy
        return list(pool.map(functools.partial(measures.width, params), range(params["draws"])))


def fits(cells: list[dict]) -> list[dict]:
    """Exponents of m*: of n (raw, one for each angle), of n and λ jointly, of d_out and of 1/ε."""
    found = []
    first = {name: cells[0]["params"][name] for name in ("n", "separation", "d_out", "epsilon")} if cells else {}
    for network in dict.fromkeys(cell["params"]["network"] for cell in cells):
        own = [cell for cell in cells if cell["params"]["network"] == network and cell["outcome"] in DONE]

        def only(*free, own=own):
            return [cell for cell in own if all(cell["params"][k] == v for k, v in first.items() if k not in free)]

        crossed = only("n", "separation")
        for angle in sorted({cell["params"]["separation"] for cell in crossed}):
            at = [cell for cell in crossed if cell["params"]["separation"] == angle]
            found.append(exponent(at, "middle", "n", f"{network}, angle {angle:g}", PREDICTED["n"], RULE))
        found += joint(crossed, "middle", tuple(PREDICTED), network, tuple(PREDICTED.values()), RULE)
        for name in ALONE:
            found.append(exponent(only(name), "middle", name, f"{network}, {name}", None, RULE))
    return [fit for fit in found if fit["exponent"] is not None]


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """m* as intervals, and the exponents."""
    groups: dict[tuple, list] = {}
    for cell in cells:
        if cell["outcome"] in DONE:
            key = tuple(cell["params"][name] for name in ("network", "n", "separation", "d_out", "epsilon"))
            groups.setdefault(key, []).append(cell["metrics"])
    rows = []
    for key, found in groups.items():
        low, high = min(row["low"] or 0 for row in found), max(row["high"] for row in found)
        middle = {name: float(np.median([row[name] for row in found])) for name in ("lambda", "floor", "ratio", "log10_bound", "implied_constant")}  # fmt: skip
        rows.append(
            [
                *map(str, key), f"({low}, {high}]", f"{middle['floor']:g}", f"{middle['ratio']:.2g}",
                f"{middle['lambda']:.3g}", f"10^{middle['log10_bound']:.0f}", f"{middle['implied_constant']:.1e}",
            ]
        )  # fmt: skip
    columns = ["network", "n", "angle", "d_out", "ε", "m* in", "rank floor", "m*/floor", "λ", "bound", "implied constant"]  # fmt: skip
    note = (
        "m*: union of the brackets over data draws; the others: medians. The bound is m ≥ c λ⁻² n² d² e^{18B} log²(nd/δ), "
        "c = 1 (reconstructed); the implied constant is m* λ² / (n² d² log²(nd/δ)), what stands in place of c e^{18B}."
    )
    exponents = {
        "name": "exponents of m*, 95% intervals over data draws",
        "columns": ["network", "of", "measured", "the bound's"],
        "rows": [[f["group"], f["x"], shown(f), "" if f["predicted"] is None else f"{f['predicted']:g}"] for f in fits],
    }
    return [exponents, {"name": "smallest widths", "columns": columns, "rows": rows, "note": note}]


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """m* against n, one panel an angle, and the exponents."""
    if not cells:
        return []
    first = {name: cells[0]["params"][name] for name in ALONE}
    curves = {
        "kind": "curves", "name": "width-against-n", "x": "n", "xlabel": "samples n", "y": "middle", "low": "low",
        "high": "high", "ylabel": "smallest sufficient width m*", "series": "network", "panel": "separation", "panels": "angle",
        "where": first,
        "references": [{"label": label, "exponent": power} for label, power in BOUNDS],
        "caption": "Smallest width that succeeds. Line: median over data draws of the bracket's middle; band: all brackets. "
        "Dashed: the growth that theorems ask for, drawn through the first network's first point, their constants and λ left out.",
    }  # fmt: skip
    rows = [
        {"label": f"{fit['group']}, {fit['x']}", "value": fit["exponent"], "low": fit["low"], "high": fit["high"]}
        | {"predicted": fit["predicted"]}
        for fit in fits
    ]
    forest = {
        "kind": "forest", "name": "width-exponents", "rows": rows, "log": False, "xlabel": "exponent of m*",
        "predicted": "in the bound", "caption": "Exponents of m*: of n at fixed angle, and of n and λ fitted jointly.",
    }  # fmt: skip
    return [curves, forest]


def answer(cells: list[dict], fits: list[dict]) -> str:
    """How many neurons at the largest n, and the exponents beside 2 and −2."""
    own = [cell for cell in cells if cell["outcome"] in DONE]
    if not own:
        return "No cell has come to an end yet."
    at = {name: own[0]["params"][name] for name in ("separation", *ALONE)}
    same = [cell for cell in own if all(cell["params"][name] == value for name, value in at.items())]
    n = max(cell["params"]["n"] for cell in same)
    said = []
    for network in dict.fromkeys(cell["params"]["network"] for cell in same):
        rows = [c["metrics"] for c in same if (c["params"]["network"], c["params"]["n"]) == (network, n)]
        if rows:
            said.append(f"{network} ({min(r['low'] or 0 for r in rows)}, {max(r['high'] for r in rows)}]")
    exponents = [
        f"{fit['group']}: n^{shown(fit)}" if fit["x"] == "n (joint)" else f"λ^{shown(fit)}"
        for fit in fits
        if fit["x"].endswith("(joint)")
    ]
    return (
        f"At n = {n}, angle {at['separation']:g}, the smallest sufficient width lies in: {'; '.join(said)}. "
        f"Fitted jointly, m* grows as {', '.join(exponents) or 'no fit'}, where the bound has n^2 and λ^-2."
    )
