"""Which networks of layers of norm at most 1 can bend back and go on?

The target is the zigzag N on [−L, L], slopes 1, −1, 1 with kinks at ±1.  Networks with absolute values, with two segments of
trained slopes, with MaxMin and with N-activations are trained to follow it in the largest error; their errors lie beside the
theorem's bound, below which no network of two-segment neurons or MaxMin comes, of whatever width
(docs/findings/n-activation.md).  That a trained network is not above the bound would refute the theorem; that it is far above
proves nothing, since training stops where it stops.
"""

import numpy as np

from ntkverify.networks.lipschitz import zigzag
from ntkverify.networks.lipschitz.kinks import breaks, norm_at_most_one
from ntkverify.networks.lipschitz.kinks import evaluate as values
from ntkverify.networks.lipschitz.training import ACTIVATIONS, GRID, check, train

TITLE = "Which 1-Lipschitz networks can bend back and go on?"
EXAMPLE = "ntkverify study expressivity"
NETWORKS = "any"
COMMON = {"activation": ACTIVATIONS, "L": (9.0, 3.0), "depth": (1, 2), "width": (4,), "steps": 2500, "seeds": 5}
PRESETS = {
    "quick": COMMON,
    "paper": COMMON | {"depth": (1, 2, 3), "width": (4, 8), "steps": 4000, "seeds": 6},
}
ALONE = ()
ABOVE, BELOW, SILENT, UNPROVED = "above the bound", "below the bound", "not applicable", "norm not proved"
DONE = (ABOVE, SILENT)
"""The others would refute the theorem, or the network's norms."""
SPEAKS_OF = ("absolute", "two-segment", "maxmin")


def bytes_needed(params: dict) -> int:
    """About the memory of one cell; `BadInput` for networks that cannot be."""
    check(params["activation"], params["width"], params["depth"])
    zigzag.refusal(params["L"], params["depth"])
    return 64 * params["seeds"] * params["depth"] * params["width"] * (GRID + params["width"]) * 8 + 2**29


def evaluate(params: dict) -> list[dict]:
    """One row a network."""
    asked = {name: params[name] for name in ("activation", "width", "depth", "L", "seeds", "steps")}
    return [judged(params, layers) for layers in train(target=zigzag.target, **asked)]


def judged(params: dict, layers) -> dict:
    """What a network comes to, beside what the theorem says of it."""
    L, depth = params["L"], params["depth"]
    found, place = (float(each) for each in zigzag.error(layers, L))
    bound = zigzag.least_error(L, depth) if params["activation"] in SPEAKS_OF else None
    metrics = {"error": found, "place": place, "bound": None if bound is None else float(bound)}
    x = breaks(layers, -L, L)
    row = {"note": "", "metrics": metrics, "pictures": {"x": x.tolist(), "y": values(layers, x).tolist()}}
    if not all(norm_at_most_one(layer.W) for layer in layers):
        return row | {"outcome": UNPROVED, "sentence": "A matrix could not be proved to have norm at most 1."}
    if bound is None:
        reason = zigzag.refusal(L, depth) or "The theorem speaks of two segments, these neurons have three."
        return row | {"outcome": SILENT, "sentence": reason}
    above = zigzag.exceeds(layers, place, bound)
    said = (
        f"|F − N| is {'at least' if above else 'below'} {float(bound):.3g} at x = {place:.4g}, in rational arithmetic."
    )
    return row | {"outcome": ABOVE if above else BELOW, "sentence": said}


def fits(cells: list[dict]) -> list[dict]:
    """None: what is asked has no exponent."""
    return []


def _least(cells: list[dict], activations, **where) -> dict | None:
    """The cell of the smallest error."""
    own = [
        cell for cell in cells
        if cell["params"]["activation"] in activations and cell["outcome"] != UNPROVED and all(cell["params"][key] == value for key, value in where.items())
    ]  # fmt: skip
    return min(own, key=lambda cell: cell["metrics"]["error"], default=None)


def _shown(cell: dict | None) -> str:
    return "" if cell is None else f"{cell['metrics']['error']:.2g}"


def _places(cells: list[dict]) -> list[tuple[float, int]]:
    return sorted(
        {(cell["params"]["L"], cell["params"]["depth"]) for cell in cells}, key=lambda place: (-place[0], place[1])
    )


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """What is proved beside what was reached, and every group of networks."""
    overview = []
    for L, depth in _places(cells):
        bound = zigzag.least_error(L, depth)
        overview.append([
            f"{L:g}", str(depth), "none" if bound is None else f"{float(bound):.2g}",
            *(_shown(_least(cells, (each,), L=L, depth=depth)) for each in ACTIVATIONS), f"{float(zigzag.error(zigzag.fold_by_fold(L, depth), L)[0]):.2g}",
        ])  # fmt: skip
    groups = []
    for key in dict.fromkeys(
        tuple(cell["params"][name] for name in ("L", "depth", "activation", "width")) for cell in cells
    ):
        L, depth, activation, width = key
        own = [cell for cell in cells if tuple(cell["params"][n] for n in ("L", "depth", "activation", "width")) == key]
        errors = [cell["metrics"]["error"] for cell in own]
        outcomes = dict.fromkeys(cell["outcome"] for cell in own)
        told = "; ".join(f"{name} {sum(cell['outcome'] == name for cell in own)}/{len(own)}" for name in outcomes)
        groups.append(
            [f"{L:g}", str(depth), activation, str(width), f"{min(errors):.2g}", f"{np.median(errors):.2g}", told]
        )
    note = (
        "sup|F − N| over [−L, L], the smallest over widths and seeds, evaluated at every kink. Proved: no network of that many layers of "
        "two-segment neurons or MaxMin, of any width, comes below. Folds: two neurons a layer, set by hand."
    )
    return [
        {"name": "the error that is proved, and that was reached", "columns": ["L", "layers", "proved", *ACTIVATIONS, "folds"], "rows": overview, "note": note},
        {"name": "each kind of network", "columns": ["L", "layers", "activation", "width", "smallest", "median", "the theorem"], "rows": groups},
    ]  # fmt: skip


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The target beside the best networks on the longest interval, one panel a number of layers."""
    if not cells:
        return []
    L = _places(cells)[0][0]
    rows = []
    for depth in sorted({cell["params"]["depth"] for cell in cells}):
        panel = f"{depth} layer{'s' if depth > 1 else ''}"
        best = {name: _least(cells, (name,), L=L, depth=depth) for name in ACTIVATIONS}
        found = {name: cell["pictures"] for name, cell in best.items() if cell is not None and cell.get("pictures")}
        x = np.array([-L, -1, 1, L])
        curves = {"target": (x.tolist(), zigzag.target(x).tolist())} | {n: (p["x"], p["y"]) for n, p in found.items()}
        rows += [
            {"panel": panel, "series": name, "x": each, "value": value, "low": value, "high": value}
            for name, (at, y) in curves.items() for each, value in zip(at, y, strict=True)
        ]  # fmt: skip
    return [{
        "kind": "lines", "name": "best-fits", "scale": "linear", "xlabel": "x", "ylabel": "F(x)", "rows": rows, "marks": [], "bold": "target",
        "caption": f"The target on [−{L:g}, {L:g}] and, of each activation, the trained network with the smallest error.",
    }]  # fmt: skip


def answer(cells: list[dict], fits: list[dict]) -> str:
    """What two segments reach and what is proved of them; what N reaches."""
    if not cells:
        return "No cell has come to an end yet."
    L = _places(cells)[0][0]
    said = []
    for depth in sorted({depth for length, depth in _places(cells) if length == L}):
        best, bound = _least(cells, SPEAKS_OF, L=L, depth=depth), zigzag.least_error(L, depth)
        if best is not None:
            proved = "nothing" if bound is None else f"{float(bound):.2g}"
            said.append(f"{_shown(best)} with {depth} layer{'s' if depth > 1 else ''} (proved: {proved})")
    judged_here = [cell for cell in cells if cell["metrics"]["bound"] is not None]
    above = sum(cell["outcome"] == ABOVE for cell in judged_here)
    found = f"On [−{L:g}, {L:g}] two-segment and MaxMin networks come as near to the zigzag as {', '.join(said)}"
    three = _least(cells, ("n",), L=L)
    also = "" if three is None else f", N-activations as near as {_shown(three)}, and exactly by one neuron set by hand"
    refuted = sum(cell["outcome"] in (BELOW, UNPROVED) for cell in cells)
    return (
        f"{found}{also}. {above} of {len(judged_here)} trained networks of which the theorem speaks are above its bound, "
        f"in rational arithmetic{f', {refuted} networks refute it or their norms' if refuted else ''}."
    )
