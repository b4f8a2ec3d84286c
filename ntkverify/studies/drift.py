"""How far does training move the kernel, and what makes it so?

A model of the user is one neuron: its movement is that of all parameters.  Every network is trained to ‖e‖² ≤ 0.01 ‖Y‖² at η = 1/(s_m λ_max(H(0))) on the same data.  Measured
against m: ‖H(τ)−H(0)‖/‖H(0)‖, max_r‖w_r(τ)−w_r(0)‖ and ‖H(0)−H_∞‖/‖H_∞‖ (Frobenius norms).

Said before measuring.  The perturbation lemma is linear in R, and R ~ D ~ 1/m at a coupled start for
networks scaled like Σ_r, m^{-1/2} for the m^{-1/2} row; so it predicts a drift no larger than
m^{-1} and m^{-1/2}.  At an independent start ‖e(0)‖ ~ m^{1/2} for Σ_r, so R ~ m^{-1/2}.
"""

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.ground.numerics import random_key
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.kernels.infinite_width import infinite_width
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Params, Problem, TwoLayer
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.step_sizes import ordinary_steps
from ntkverify.networks.training import train, train_bytes
from ntkverify.studying.fits import exponent, shown

TITLE = "How far does training move the kernel?"
EXAMPLE = "ntkverify study drift --grid m=256,1024,4096 network=softmax,tanh"
NETWORKS = "any"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu", "relu-sum", "tanh"), "init": ("coupled", "independent"),
    "data": "sphere", "n": 8, "d_in": 16, "d_out": 2, "sigma": 0.5, "target": 0.01, "budget": 4096, "seeds": 10,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"m": (256, 1024, 4096)},
    "paper": COMMON | {"m": (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)},
}
ALONE = ()
"""Axes that vary one at a time (none: all are crossed)."""
DONE = ("converged",)
"""Outcomes of cells that came to an end."""
FITTED_FROM = 256
RULE = f"widths m ≥ {FITTED_FROM}, chosen before the fit; seeds that converged at every width"
FEW = f"all widths, because fewer than three are ≥ {FITTED_FROM}; seeds that converged at every width"
QUANTITIES = {
    "drift": "‖H(τ)−H(0)‖ / ‖H(0)‖",
    "movement": "max_r ‖w_r(τ)−w_r(0)‖",
    "limit": "‖H(0)−H_∞‖ / ‖H_∞‖",
}


def bytes_needed(params: dict) -> int:
    """About the memory of one cell."""
    m = params["m"] if catalogue.own(params["network"]) else 2  # what a model needs does not grow like m
    return train_bytes(_problem(params | {"m": m}), params["seeds"], params["budget"]) * params["m"] // m + 2**29


def predicted(quantity: str, network: str, init: str) -> float | None:
    """What the linear-in-R lemma and the movement bound say of the exponent (docstring); of a model, what its file says."""
    if catalogue.own(network):
        return getattr(catalogue.network(network), "drift", None) if quantity == "drift" else None
    if quantity == "limit":
        return -0.5
    return -1.0 if network != "relu" and init == "coupled" else -0.5


def evaluate(params: dict) -> list[dict]:
    """One row a seed: outcome, sentence, metrics (null where not finite)."""
    problem = _problem(params)
    keys = jax.random.split(random_key(params["m"]), params["seeds"])
    start = jax.vmap(lambda key: initialise(problem, key))(keys)
    eta = ordinary_steps(problem, start)
    target = params["target"] * float(jnp.sum(problem.y**2))
    run = train(problem, start, eta, target=target, budget=params["budget"], movement=True)
    before, after = (np.asarray(_kernels(problem, networks)) for networks in (start, run.last))
    size = np.linalg.norm(before, axis=(1, 2))
    limit = np.full_like(before[0], np.nan)  # no limit of a user's model is known
    if isinstance(problem.network, TwoLayer):
        limit = np.asarray(jax.jit(infinite_width)(problem))
    columns = {
        "drift": np.linalg.norm(after - before, axis=(1, 2)) / size,
        "movement": np.nanmax(run.movement, axis=1),
        "limit": np.linalg.norm(before - limit, axis=(1, 2)) / np.linalg.norm(limit),
        "steps": run.steps,
        "initial_loss": run.losses[:, 0],
    }
    note = infinite_bound(problem)
    return [
        {
            "outcome": run.outcome[seed],
            "sentence": run.sentence(seed),
            "note": note,
            "metrics": {name: _number(column[seed]) for name, column in columns.items()},
        }
        for seed in range(params["seeds"])
    ]


@jax.jit
def _kernels(problem: Problem, networks: Params):
    return jax.lax.map(lambda net: kernel(problem, net), networks)


def _number(value) -> float | None:
    return float(value) if np.isfinite(value) else None


def _problem(params: dict) -> Problem:
    dataset = catalogue.load_input(params["data"])(params["data"], params["n"], params["d_in"], params["d_out"], 0)
    network = catalogue.network(params["network"])
    return make_problem(dataset, network, m=params["m"], init=params["init"], sigma=params["sigma"])[0]


def fits(cells: list[dict]) -> list[dict]:
    """The exponent of m of each quantity for each network and initialisation."""
    groups = dict.fromkeys((cell["params"]["network"], cell["params"]["init"]) for cell in cells)
    wide = {cell["params"]["m"] for cell in cells if cell["params"]["m"] >= FITTED_FROM}
    (begin, rule), found = (FITTED_FROM, RULE) if len(wide) >= 3 else (0, FEW), []
    for quantity in QUANTITIES:
        for network, init in groups:
            own = [
                cell
                for cell in cells
                if (cell["params"]["network"], cell["params"]["init"]) == (network, init)
                and cell["params"]["m"] >= begin
                and cell["outcome"] == "converged"
            ]
            guess = predicted(quantity, network, init)
            found.append(exponent(own, quantity, "m", f"{network}, {init}", guess, rule))
    return found


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The exponents: one row a group, one column a quantity."""
    at = {(fit["group"], fit["quantity"]): shown(fit) for fit in fits}
    groups = dict.fromkeys(group for group, _ in at)
    told = [each for each in QUANTITIES if each != "limit" or any(c["metrics"].get("limit") is not None for c in cells)]
    rows = [[group, *(at[group, quantity] for quantity in told)] for group in groups]
    columns = ["network and start", *(QUANTITIES[quantity] for quantity in told)]
    return [{"name": "exponents of m, 95% intervals", "columns": columns, "rows": rows}]


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Each quantity against m, and the exponents of the drift."""
    caption = "Median and range over seeds of networks that converged."
    curves = [
        {
            "kind": "curves", "name": f"{quantity}-against-m", "caption": caption, "x": "m", "xlabel": "width m",
            "y": quantity, "ylabel": label, "series": "network", "panel": "init",
        }
        for quantity, label in QUANTITIES.items()
    ]  # fmt: skip
    rows = [
        {"label": fit["group"], "value": fit["exponent"], "predicted": fit["predicted"]}
        | {key: fit[key] for key in ("low", "high")}
        for fit in fits
        if fit["quantity"] == "drift" and fit["exponent"] is not None
    ]
    caption = (
        "Exponents of the kernel's relative drift, beside what was predicted: by the perturbation lemma, which is linear in R, or "
        "by the network's own file."
    )
    forest = {
        "kind": "forest", "name": "drift-exponents", "caption": caption, "rows": rows, "log": False,
        "xlabel": "exponent of m of the relative drift", "predicted": "predicted",
    }  # fmt: skip
    return [*curves, forest]


def answer(cells: list[dict], fits: list[dict]) -> str:
    """What scale, coupling and normalisation each change, of those that are in the grid; of other networks the exponents."""
    at = {fit["group"]: fit for fit in fits if fit["quantity"] == "drift" and fit["exponent"] is not None}
    told = [
        f"{what}, {one} {shown(at[one])} against {other} {shown(at[other])}" + (_apart(at[one], at[other]) if what == NORMALISATION else "")
        for what, one, other in COMPARED
        if one in at and other in at
    ]  # fmt: skip
    told += [
        f"{group} {shown(fit)}" + ("" if fit["predicted"] is None else f" where {fit['predicted']:g} was predicted")
        for group, fit in at.items()
        if not told
    ]
    if not told:
        return "No exponent of the kernel's relative drift can be fitted to these networks."
    return f"Exponents of m of the kernel's relative drift: {'; '.join(told)}."


NORMALISATION = "normalisation"
COMPARED = (
    ("output scale", "relu, coupled", "relu-sum, coupled"),
    ("coupling", "softmax, coupled", "softmax, independent"),
    (NORMALISATION, "exponential, coupled", "softmax, coupled"),
)
"""What is changed between two groups."""


def _apart(a: dict, b: dict) -> str:
    found = abs(a["exponent"] - b["exponent"])
    return ", the same exponent within 0.1" if found <= 0.1 else f", exponents that differ by {found:.2f}"
