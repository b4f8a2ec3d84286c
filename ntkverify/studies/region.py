"""How far can the weights move before the kernel is lost, and is softmax's region larger?

Around W(0), over all W̃ with ‖w̃_r − w_r‖ ≤ R for every neuron, two worst cases are searched by steepest
ascent (from below: the true worst case is at least as bad): sup‖H(W̃) − H(W)‖_F / ‖H(W)‖_F, and the
smallest λ_min(H(W̃)) / λ_min(H(W)).

Units.  R alone does not compare networks: they differ in output scale, and so in how far neurons must
move to change the output at all.  So R is measured in units of R_fit = max_r‖Δ_r‖, Δ the smallest
change of W that fits the labels in the linearised network, Jᵀ(JJᵀ)⁻¹(Y − F).  The *reach* R/R_fit = 1
is what fitting needs; the reach at which the worst λ_min falls to λ/2 says how many times over the
region of the convergence proof contains it.  relu and relu-sum have the same H and differ in R_fit
alone, so what separates them is output scale.

Said before measuring: the paper's question is whether normalisation (exponential → softmax) enlarges
the region.
"""

import dataclasses
import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.ground.numerics import LEVEL, full_precision, mean_interval, random_key
from ntkverify.networks.ascent import ascend, on_sphere
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise, kernel_scale
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.quantities import pulled_back, residual

TITLE = "How far can the weights move before the kernel is lost?"
EXAMPLE = "ntkverify study region --grid network=softmax,exponential"
NETWORKS = "two-layer"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu-sum", "relu", "tanh", "sigmoid", "swish"), "reach": (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
    "data": "sphere", "n": 8, "d_in": 16, "d_out": 2, "sigma": 0.5, "m": 1024, "seeds": 10, "steps": 40,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"seeds": 4, "reach": (1.0, 3.0, 10.0, 30.0, 100.0), "m": 512, "steps": 20},
    "paper": COMMON,
}
ALONE = ()
SEARCHED, WITHOUT = "searched", "λ = 0"
DONE = (SEARCHED,)
HALF = 0.5
RULE = "reach at which the worst λ_min found crosses λ/2, interpolated on log axes; t-intervals of its logarithm over networks"


def bytes_needed(params: dict) -> int:
    """About the memory of one cell: the ascent keeps a few copies of G."""
    nd = params["n"] * params["d_out"]
    return 8 * 16 * (nd * params["m"] + params["d_in"] * params["m"] + nd * nd) + 2**29


def _problem(params: dict) -> Problem:
    dataset = catalogue.load_input(params["data"])(params["data"], params["n"], params["d_in"], params["d_out"], 0)
    network = catalogue.network(params["network"])
    return make_problem(dataset, network, m=params["m"], sigma=params["sigma"])[0]


def evaluate(params: dict) -> list[dict]:
    """One row a network: the two worst cases at this reach, R and R_fit."""
    problem = _problem(params)
    if note := infinite_bound(problem):
        return [{"outcome": WITHOUT, "sentence": note, "note": note, "metrics": {}}]
    keys = jax.random.split(random_key(params["m"]), params["seeds"])
    columns = _worst(problem, keys, jnp.asarray(params["reach"]), params["steps"])
    return [
        {
            "outcome": SEARCHED,
            "sentence": f"At reach {params['reach']:g} the worst λ_min found is {float(columns['kept'][seed]):.3g} λ.",
            "note": "",
            "metrics": {name: max(float(column[seed]), 0.0) for name, column in columns.items()},
        }
        for seed in range(params["seeds"])
    ]


@functools.partial(jax.jit, static_argnames=("steps",))
@full_precision
def _worst(problem: Problem, keys, reach, steps: int):
    return jax.lax.map(functools.partial(_one, problem, reach, steps), keys)


def _one(problem: Problem, reach, steps: int, key) -> dict:
    draw, aside = jax.random.split(key)
    start = initialise(problem, draw)
    H = closed_form(problem, start)
    size, (values, _) = jnp.sqrt(jnp.sum(H**2)), jnp.linalg.eigh(H)
    fit = fitting_radius(problem, start, H)
    R = reach * fit
    smooth = smoothed(problem, R)

    def at(which, W):
        return closed_form(which, Params(W, start.a))

    def change(W, which=problem, base=H):
        return jnp.sum((at(which, W) - base) ** 2)

    def lost(W):
        return -jnp.linalg.eigvalsh(at(problem, W))[0]

    def towards_loss(W):
        weakest = jnp.linalg.eigh(at(smooth, W))[1][:, 0]
        return jax.grad(lambda V: -weakest @ at(smooth, V) @ weakest)(W)

    wander = on_sphere(jax.random.normal(aside, start.W.shape, start.W.dtype), R)
    towards_change = jax.grad(functools.partial(change, which=smooth, base=at(smooth, start.W)))
    furthest, _ = ascend(change, towards_change, start.W, R, wander, steps)
    worst, _ = ascend(lost, towards_loss, start.W, R, wander, steps)
    return {"change": jnp.sqrt(furthest) / size, "kept": -worst / values[0], "R": R, "fit": fit, "lambda": values[0]}


def fitting_radius(problem: Problem, start: Params, H):
    """R_fit = max_r‖Δ_r‖, Δ = Jᵀ(JJᵀ)⁻¹(Y − F), JJᵀ = s_m H."""
    e = residual(problem, start)
    weights = jnp.linalg.solve(kernel_scale(problem.network, problem.m) * H, e.ravel())
    return jnp.sqrt(jnp.max(jnp.sum(pulled_back(problem, start, weights.reshape(e.shape)) ** 2, axis=0)))


def smoothed(problem: Problem, R) -> Problem:
    """The problem with ReLU's step turned into a sigmoid of width R/4, so that the kernel has a gradient.

    Only the direction of search comes from it; values are the true network's.
    """
    if problem.activation.bend != math.inf:
        return problem
    slope = jax.tree_util.Partial(lambda u: jax.nn.sigmoid(4 * u / R))
    return dataclasses.replace(problem, network=dataclasses.replace(problem.network, slope=slope))


def fits(cells: list[dict]) -> list[dict]:
    """The reach at λ/2 of each network, with its interval; −, where the grid does not cross it."""
    found = []
    for network in dict.fromkeys(cell["params"]["network"] for cell in cells):
        own = [cell for cell in cells if cell["params"]["network"] == network and cell["outcome"] in DONE]
        logs = [crossing for seed in sorted({c["seed"] for c in own}) if (crossing := _crossing(own, seed)) is not None]
        row = {
            "quantity": "log reach at λ/2",
            "x": "",
            "group": network,
            "level": LEVEL,
            "rule": RULE,
            "predicted": None,
        }
        none = dict.fromkeys(("exponent", "low", "high"))
        interval = dict(zip(none, mean_interval(logs), strict=True)) if len(logs) > 1 else none
        found.append(row | {"seeds": len(logs)} | interval)
    return found


def _crossing(cells: list[dict], seed: int) -> float | None:
    """log₁₀ of the reach at which the worst λ_min/λ crosses 1/2, for one network."""
    rows = sorted((c["params"]["reach"], c["metrics"]["kept"]) for c in cells if c["seed"] == seed)
    for (near, before), (far, after) in itertools.pairwise(rows):
        if before >= HALF > after:
            share = (before - HALF) / (before - after)
            return float(np.log10(near) + share * (np.log10(far) - np.log10(near)))
    return None


def _reach(fit: dict) -> str:
    """10^ the fit, as "reach [low, high]"."""
    if fit["exponent"] is None:
        return "not crossed in the grid"
    return "{:.3g} [{:.3g}, {:.3g}]".format(*(10 ** fit[name] for name in ("exponent", "low", "high")))


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The reach at λ/2, R_fit and the rate of change for small R."""
    rows = []
    for fit in fits:
        own = [c for c in cells if c["params"]["network"] == fit["group"] and c["outcome"] in DONE]
        if own:
            nearest = min(c["params"]["reach"] for c in own)
            first = [c["metrics"] for c in own if c["params"]["reach"] == nearest]
            needed = np.median([row["fit"] for row in first])
            rate = np.median([row["change"] / row["R"] for row in first])
            rows.append([fit["group"], _reach(fit), f"{needed:.3g}", f"{rate:.3g}", f"{rate * needed:.3g}"])
    columns = [
        "network",
        "reach at λ/2 (searched)",
        "R_fit",
        "sup‖H̃−H‖/(R‖H‖), smallest R",
        "the same per unit of reach",
    ]
    return [{"name": "the region in units of what fitting needs", "columns": columns, "rows": rows}]


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The two worst cases against the reach."""
    common = {"kind": "curves", "x": "reach", "xlabel": "reach R / R_fit", "series": "network"}
    rows = [
        {"label": fit["group"]} | {name: 10 ** fit[key] for name, key in (("value", "exponent"), ("low", "low"), ("high", "high"))}
        for fit in fits
        if fit["exponent"] is not None
    ]  # fmt: skip
    caption = (
        "Median and range over networks. R_fit is how far neurons move to fit the labels in the linearised network."
    )
    return [
        common | {"name": "eigenvalue-against-reach", "y": "kept", "yscale": "linear", "ylabel": "worst λ_min(H(W̃)) / λ found", "caption": caption},
        common | {"name": "change-against-reach", "y": "change", "ylabel": "sup ‖H(W̃)−H(W)‖ / ‖H(W)‖ found", "caption": caption},
        {
            "kind": "forest", "name": "region", "rows": rows, "log": True, "predicted": "",
            "xlabel": "reach at which the worst λ_min found is λ/2",
            "caption": "The larger, the more often over the region contains what fitting needs. 95% intervals over networks.",
        },
    ]  # fmt: skip


def answer(cells: list[dict], fits: list[dict]) -> str:
    """The reach of each network, and what normalisation and scale do to it."""
    at = {fit["group"]: fit for fit in fits}

    def against(one, other):
        a, b = at.get(one), at.get(other)
        if not a or not b or a["exponent"] is None or b["exponent"] is None:
            return "cannot be compared"
        factor = 10 ** (b["exponent"] - a["exponent"])
        apart = a["high"] < b["low"] or b["high"] < a["low"]
        return f"a factor {factor:.2f}" + ("" if apart else " (intervals overlap)")

    return (
        "Reach at which the worst λ_min found is λ/2, in units of the movement that fits the labels: "
        + "; ".join(f"{name} {_reach(fit)}" for name, fit in at.items())
        + f". Normalisation (exponential to softmax) changes it by {against('exponential', 'softmax')}, output scale "
        f"(relu to relu-sum) by {against('relu', 'relu-sum')}."
    )
