"""How far do convergence certificates reach?  The smallest certified width beside the practical and the theorem's.

A certificate (docs/proofs/convergence.md) proves from the floats of W(0) that gradient descent converges;
its width is what `realise` finds, σ chosen for it.  Beside it, on the same data and at the same σ: the
smallest width m* at which training succeeds (the search of the width study), the width that the
reconstructed bound asks for, and the one that is certified from a later start, after up to `follow` steps that are
followed with every rounding enclosed (Theorem 7), and with a witness (Theorem 10).  And what each refinement of the proof bought, to first order and without
proof except for the certified rungs: the same λ, κ and ‖Y‖ put into each bound on the way.

Said before measuring: to first order the certificate asks m ≥ 2ĀB‖Y‖/((1−θ)(1−ϑ)λ), so m grows like √n
through ‖Y‖ and √d through Ā where λ and B stay.
"""

import math

import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.convergence.certificate import Attempt
from ntkverify.convergence.criteria_widths import smallest_by_criterion
from ntkverify.convergence.smallest_width import bytes_needed as certifying_bytes
from ntkverify.convergence.smallest_width import smallest_certified
from ntkverify.networks.criteria import CRITERIA
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.growth import sharpness
from ntkverify.networks.network import neurons
from ntkverify.networks.nouns import Problem
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.quantities import THEOREM_WIDTH, nominal_B, operator_norm
from ntkverify.studying.cells import practical_width
from ntkverify.studying.fits import exponent, shown

TITLE = "How far do convergence certificates reach?"
EXAMPLE = "ntkverify study frontier"
NETWORKS = "logits"
"""Of which networks it speaks (`networks/kinds.py`)."""
CERTIFIED, REFUSED = "certified", "not certified"
COMMON = {
    "data": ("sphere", "orthonormal"), "n": (8, 4, 16), "d_out": (2, 1, 4), "network": "softmax", "d_in": 8, "keep": 0.5,
    "theta": 0.1, "epsilon": 0.1, "delta": 0.2, "seeds": 40, "most": 4096, "budget": 65536, "widest": 65536, "follow": 512, "draws": 2,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"n": (8, 4, 12), "d_out": (2,)},
    "paper": COMMON | {"follow": 1024, "draws": 3},
    "large": COMMON
    | {"data": ("sphere",), "n": (16, 8, 32, 64), "d_out": (2,), "d_in": 64, "follow": 128, "draws": 10},
}
ALONE = ("n", "d_out")
DONE = (CERTIFIED,)
RULE = "t-intervals over data draws; all cells, none dropped"
RUNGS = (
    "kernel, worst case", "Jacobian", "radii per neuron", "length of the path", "loss spent along it", "small step",
    "λ/20 kept", "later start", "a witness, λ/20 kept",
)  # fmt: skip
"""The refinements, in their order."""


def bytes_needed(params: dict) -> int:
    """About the memory of one cell."""
    return certifying_bytes(params["n"], 64, params["d_out"], params["widest"])


def cell_problem(params: dict, seed: int) -> Problem:
    """The problem of a cell on one draw of the data; its width and σ are still open."""
    d_in = {"orthonormal": params["n"], "digits": None}.get(params["data"], params["d_in"])
    dataset = catalogue.load_input(params["data"])(params["data"], params["n"], d_in, params["d_out"], seed)
    network = catalogue.network(params["network"])
    return make_problem(dataset, network, m=2, delta=params["delta"])[0]


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data."""
    return [_row(params, seed) for seed in range(params["draws"])]


def _row(params: dict, seed: int) -> dict:
    problem = cell_problem(params, seed)
    if reason := infinite_bound(problem):
        return {"outcome": REFUSED, "sentence": reason, "note": reason, "metrics": {}}
    kept = {"keep": params["keep"], "theta": params["theta"]}
    found = smallest_certified(problem, seed, params["widest"], **kept, beside=False)
    if not found.proved:
        return {"outcome": REFUSED, "sentence": found.sentence, "note": "", "metrics": {}}
    practical = practical_width(found.problem, params, seed)
    at = (float(found.problem.sigma),)
    later = smallest_certified(problem, seed, params["most"], at, **kept, follow=params["follow"], beside=False)
    witness = smallest_certified(problem, seed, params["widest"], at, **kept)
    rungs, middle = ladder(found, seed, params["widest"]), practical["metrics"].get("middle")
    reached = float(later.problem.m) if later.proved else None
    rungs.append(reached)
    rungs.append(_certified(found, seed, params["widest"], 0.05, found.conclusions["theta"], beside=True))
    certified = found.problem.m
    criteria = smallest_by_criterion(found.problem, seed, params["widest"])
    return {
        "outcome": CERTIFIED, "sentence": found.sentence, "note": "",
        "metrics": {
            "certified": certified, "sigma": float(found.problem.sigma), "lambda": found.bounds["lambda"],
            "sharpness": found.bounds["sharpness"], "practical": middle, "practical_low": practical["metrics"].get("low"),
            "practical_high": practical["metrics"].get("high"), "ratio": middle and certified / middle, "later": reached, "later_ratio": middle and reached and reached / middle,
            "witness": witness.problem.m if witness.proved else None,
            "log10_bound": asked(found), "contraction": found.conclusions["contraction"],
        } | {f"rung {place}": value for place, value in enumerate(rungs)} | criteria,
    }  # fmt: skip


def asked(found: Attempt) -> float:
    """log₁₀ of the width that the reconstructed bound asks for at the certified λ and σ."""
    problem = found.problem
    nd, B = problem.n * problem.d_out, float(nominal_B(problem, jnp.asarray(THEOREM_WIDTH["C"])))
    scale = nd * math.log(nd / float(problem.delta)) / found.bounds["lambda"]
    return 2 * math.log10(scale) + THEOREM_WIDTH["width_power"] * B / math.log(10)


def ladder(found: Attempt, seed: int, widest: int) -> list[float | None]:
    """About the widths that the bounds on the way ask for, `RUNGS`, at this network's λ, κ and B."""
    problem, b, m, keep = found.problem, found.bounds, found.problem.m, found.keep
    n, d, size, smallest, kappa = problem.n, problem.d_out, b["size"], b["lambda"], b["weight"] or 1.0
    spread, lost = float(operator_norm(problem)), 1 - 1 / math.sqrt(2)
    gradient = kappa * math.sqrt(d) * spread

    def moved(R: float) -> float:
        """m at which D = 4 g ‖Y‖/(mλ) is R."""
        return 4 * (1 + R) * math.exp(2 * R) * gradient * size / (smallest * R)

    kernel = moved(0.5 * math.log1p(smallest / (6 * n * d * kappa)))
    jacobian = moved(math.log1p(lost * math.sqrt(smallest / (kappa * d)) / spread))
    each = np.asarray(sharpness(problem, found.start))
    slopes = neurons(problem.activation, found.start, problem.X)  # q for softmax, e^u for exp
    if problem.activation.bend is not None:
        slopes = jnp.abs(problem.activation.slope(problem.X @ found.start.W))
    weights = np.asarray(jnp.max(slopes, axis=0))
    mean = float(np.mean(each * (weights * math.sqrt(d) * spread) ** 2))
    radii = 4 * math.sqrt(d * b["sharpness"] * mean) * size / (lost * smallest**1.5)
    length = math.sqrt(d) * b["sharpness"] * 2 * math.sqrt(2) * size / (lost * smallest)
    spent = _certified(found, seed, widest, keep, 0.5)
    weak = _certified(found, seed, widest, 0.05, found.conclusions["theta"])
    return [kernel, jacobian, radii, length, spent, float(m), weak]


def _certified(found: Attempt, seed: int, widest: int, keep: float, theta: float, beside: bool = False) -> float | None:
    """The smallest certified width with another share or θ, or with a witness, at the same σ."""
    other = smallest_certified(found.problem, seed, widest, (float(found.problem.sigma),), keep, theta, beside=beside)
    return float(other.problem.m) if other.proved else None


def _first(cells: list[dict]) -> dict:
    return {name: cells[0]["params"][name] for name in ALONE} if cells else {}


def _groups(cells: list[dict], free: str):
    """(data, its finished cells along one axis, the others at their first value)."""
    first = _first(cells)
    for data in dict.fromkeys(cell["params"]["data"] for cell in cells):
        yield data, [
            cell for cell in cells
            if cell["params"]["data"] == data and cell["outcome"] in DONE
            and all(cell["params"][name] == value for name, value in first.items() if name != free)
        ]  # fmt: skip


def fits(cells: list[dict]) -> list[dict]:
    """Exponents of the certified and of the practical width in n and in d_out."""
    found = []
    for name in ALONE:
        for data, own in _groups(cells, name):
            for quantity, order in (("certified", 0.5), ("later", None), ("practical", None)):
                found.append(exponent(own, quantity, name, f"{data}, {quantity}", order, RULE))
    return [fit for fit in found if fit["exponent"] is not None]


def _median(rows: list[dict], name: str) -> float | None:
    values = [row[name] for row in rows if row.get(name) is not None]
    return float(np.median(values)) if values else None


def _asked(rows: list[dict], name: str) -> str:
    """The median; the draws at which no width is wide enough count as wider than all."""
    values = sorted(math.inf if row.get(name) is None else float(row[name]) for row in rows)
    middle = (
        values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
    )
    return "none up to the widest" if math.isinf(middle) else f"{middle:.3g}"


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3g}"


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Widths with their ranges, the ladder, and the exponents."""
    groups: dict[tuple, list] = {}
    for cell in cells:
        if cell["outcome"] in DONE:
            key = tuple(cell["params"][name] for name in ("data", "n", "d_out"))
            groups.setdefault(key, []).append(cell["metrics"])
    widths, rungs, criteria = [], [], []
    known = [
        place for place in range(len(RUNGS)) if any(f"rung {place}" in row for rows in groups.values() for row in rows)
    ]
    beside = any("witness" in row for rows in groups.values() for row in rows)  # runs of 0.1 looked for none
    for key, rows in groups.items():
        made = sorted(row["certified"] for row in rows)
        widths.append([
            *map(str, key), f"{np.median(made):g}", f"{made[0]} to {made[-1]}", _shown(_median(rows, "practical")),
            _shown(_median(rows, "ratio")), *[_shown(_median(rows, "witness"))] * beside, _shown(_median(rows, "later")), _shown(_median(rows, "later_ratio")), f"10^{_median(rows, 'log10_bound'):.0f}", _shown(_median(rows, "sigma")),
            _shown(_median(rows, "lambda")), str(len(rows)),
        ])  # fmt: skip
        if any(name in row for row in rows for name in CRITERIA):
            criteria.append([*map(str, key), *(_asked(rows, name) for name in CRITERIA), f"{np.median(made):g}"])
        rungs.append([*map(str, key), *(_shown(_median(rows, f"rung {place}")) for place in known)])
    columns = [
        "data",
        "n",
        "d_out",
        "certified m",
        "range",
        "practical m*",
        "ratio",
        *["with a witness"] * beside,
        "later start",
        "its ratio",
        "bound",
        "σ",
        "λ",
        "draws",
    ]
    note = (
        "Medians over data draws. Practical: the geometric middle of the bracket of the smallest width at which training "
        "succeeds, at the same σ. Bound: m ≥ c λ⁻² n² d² e^{18B} log²(nd/δ), c = 1, C = 10 (reconstructed)."
    )
    last = "and a later start." if len(known) < len(RUNGS) else "a later start, and λ/20 kept with a witness."
    said = (
        "The first four to first order and without proof, each with the λ, κ, B and ‖Y‖ of the certified network; the last "
        f"{'four' if len(known) < len(RUNGS) else 'five'} are certified widths: θ = 1/2, the study's θ, the study's θ with λ/20 kept in place of λ/2, {last}"
    )
    exponents = [[fit["group"], fit["x"], shown(fit), _shown(fit["predicted"])] for fit in fits]
    by_criterion = {
        "name": "certified width by criterion", "rows": criteria,
        "columns": ["data", "n", "d_out", *CRITERIA, "Theorem 5, at its best radius"],
        "note": "The smallest width at which the criterion's hypothesis is met at W(0), every rounding enclosed: median over data "
        "draws, at the σ that is best for the last column; from the same constants, along the same draw of neurons.  The sources' formulas are recalled (reconstructed).",
    }  # fmt: skip
    return [
        {"name": "smallest widths", "columns": columns, "rows": widths, "note": note},
        *([by_criterion] if criteria else []),
        {"name": "what each refinement of the proof bought", "columns": ["data", "n", "d_out", *(RUNGS[place] for place in known)], "rows": rungs, "note": said},
        {"name": "exponents, 95% intervals over data draws", "columns": ["of", "in", "measured", "to first order"], "rows": exponents},
    ]  # fmt: skip


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Certified, practical and asked for, against n and against d_out; the ladder."""
    if not cells:
        return []
    first, found = _first(cells), []
    for name in ALONE:
        if len({cell["params"][name] for cell in cells}) < 2:
            continue
        where = {other: value for other, value in first.items() if other != name}
        at = ", ".join(f"{other} = {value}" for other, value in where.items())
        found.append({
            "kind": "metrics", "name": f"widths-against-{name.replace('_', '-')}", "x": name, "xlabel": name, "panel": "data",
            "where": where, "ylabel": "log₁₀ m",
            "metrics": [
                {"y": "log10_bound", "label": "asked for by the reconstructed bound", "log": True},
                {"y": "certified", "label": "certified at W(0)"}, {"y": "witness", "label": "certified with a witness"}, {"y": "later", "label": "certified at a later start"},
                {"y": "practical", "label": "practical m*"},
            ],
            "caption": f"Widths on a log-log scale, {at}: median and range over data draws. Certified: for one draw of the "
            "network; practical: for at least 1 − δ of the draws, within a budget of steps.",
        })  # fmt: skip
    found.append({
        "kind": "metrics", "name": "ladder", "x": "n", "xlabel": "n", "panel": "data", "ylabel": "log₁₀ m",
        "where": {other: value for other, value in first.items() if other != "n"},
        "metrics": [{"y": f"rung {place}", "label": rung} for place, rung in enumerate(RUNGS)],
        "caption": "What each refinement of the proof bought: the first four to first order, the others certified.",
    })  # fmt: skip
    return found


def answer(cells: list[dict], fits: list[dict]) -> str:
    """The certified widths at the first n and d_out, beside the practical ones and the bound's."""
    said = []
    for data, own in _groups([cell for cell in cells if cell["outcome"] in DONE] or cells, "data"):
        rows = [cell["metrics"] for cell in own]
        if rows:
            said.append(
                f"{data}: certified {_shown(_median(rows, 'certified'))}, practical {_shown(_median(rows, 'practical'))} "
                f"(ratio {_shown(_median(rows, 'ratio'))}), from a later start {_shown(_median(rows, 'later'))}, the bound 10^{_median(rows, 'log10_bound'):.0f}"
            )
    if not said:
        return "No cell has been certified yet."
    at = ", ".join(f"{name} = {value}" for name, value in _first(cells).items())
    refused = sum(cell["outcome"] == REFUSED for cell in cells)
    return f"Median widths at {at}: {'; '.join(said)}." + (f" Not certified: {refused} of {len(cells)} rows." if refused else "")  # fmt: skip
