"""What do λ, widths and steps become when inputs come close?

Every width and number of steps in the paper scales with λ⁻².  Here n inputs lie in a cap of radius θ of the sphere of
R^{d_in}, in random directions from its centre that stay while θ shrinks.  λ = λ_min(K) has as many digits as it takes
(`kernels/many_digits.py`); beside it λ_min(H(0)) of networks of width m, and, for few inputs, the smallest width that
trains, where its budget of steps allows to look.

Said before measuring (docs/findings/separation.md, with proof): λ = Θ(θ^{2ℓ}) for kernels that are power series with a term of
degree ℓ or more, ℓ the least degree at which polynomials in d_in − 1 variables tell n points apart, C(d_in − 1 + ℓ, ℓ) ≥ n;
λ = Θ(θ) for ReLU, whatever n and d_in.
"""

import functools
import itertools
import math

import flint
import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.arithmetic.arb import precision
from ntkverify.ground.numerics import random_key
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.kernels.many_digits import on_the_sphere, smallest_eigenvalue, unit
from ntkverify.networks.kinds import smooth
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Dataset
from ntkverify.networks.problems import at_width
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.setting import inside
from ntkverify.networks.training import train_bytes
from ntkverify.studying import cells as measures

TITLE = "What do λ, widths and steps become when inputs come close?"
EXAMPLE = "ntkverify study separation"
NETWORKS = "logits"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "network": ("softmax", "exponential", "relu", "tanh", "sigmoid", "swish"), "n": (3, 4, 6), "d_in": (2, 3, 5),
    "theta": (0.1, 0.8, 0.4, 0.2, 0.05, 0.025, 0.0125), "sigma": 1.0, "m": 1024, "nets": 5, "trained": 3, "d_out": 1, "epsilon": 0.1,
    "delta": 0.2, "seeds": 20, "most": 256, "budget": 8192, "draws": 3, "bits": 400,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"network": ("softmax", "relu", "tanh"), "n": (3, 4), "d_in": (2, 3), "theta": (0.1, 0.4, 0.05, 0.025), "draws": 2},
    "paper": COMMON | {"n": (3, 4, 6, 10), "d_in": (2, 3, 5, 16)},
}  # fmt: skip
ALONE = ()
DONE, FOUND, LOST = ("trained", "not trained"), "trained", "not trained"
RULE = (
    "local exponent between the two smallest θ, the mean over draws; interval: over draws, widened by twice the change from the "
    "pair before, which bounds what is left where each change is at most two thirds of the one before"
)


def bytes_needed(params: dict) -> int:
    """About the memory of one cell."""
    wide = at_width(_problem(params, 0), params["most"])
    return train_bytes(wide, params["seeds"], params["budget"], 0) + 2**29


def degree(n: int, d_in: int) -> int:
    """ℓ: the least degree at which polynomials in d_in − 1 variables tell n points apart in general."""
    return next(each for each in range(n) if math.comb(d_in - 1 + each, each) >= n)


def law(network: str, n: int, d_in: int) -> float:
    """The exponent of θ that is predicted."""
    return 2.0 * degree(n, d_in) if smooth(catalogue.network(network)) else 1.0


def _directions(n: int, d_in: int, seed: int) -> np.ndarray:
    """(n, d_in − 1), the longest of length 1."""
    drawn = np.random.default_rng([seed, n, d_in]).standard_normal((n, d_in - 1))
    return drawn / np.linalg.norm(drawn, axis=1).max()


def _problem(params: dict, seed: int):
    n, d_in, theta = params["n"], params["d_in"], params["theta"]
    X = np.concatenate([np.ones((n, 1)), theta * _directions(n, d_in, seed)], axis=1)
    y = np.random.default_rng([seed, n, d_in, 1]).standard_normal((n, params["d_out"]))
    dataset = Dataset(
        "cap", inside(X / np.linalg.norm(X, axis=1, keepdims=True)), inside(y / np.linalg.norm(y, axis=1, keepdims=True)),
        f"{n} points in a cap of radius {theta:g}",
    )  # fmt: skip
    options = {"m": params["m"], "sigma": params["sigma"], "delta": params["delta"]}
    return make_problem(dataset, catalogue.network(params["network"]), **options)[0]


@functools.cache
def _limit(network: str, sigma: float, bits: int):
    with precision(bits):
        return on_the_sphere(catalogue.two_layer(network), sigma)


def smallest(params: dict, rows: np.ndarray) -> float:
    """λ_min(K) over unit rows along these."""
    of = _limit(params["network"], params["sigma"], params["bits"])
    with precision(params["bits"]):
        found = smallest_eigenvalue(of, unit([[flint.arb(float(x)) for x in row] for row in rows]))
        return float(found.mid())


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data."""
    return [_row(params, seed) for seed in range(params["draws"])]


@jax.jit
def _finite(problem, keys):
    return jax.lax.map(lambda key: jnp.linalg.eigvalsh(kernel(problem, initialise(problem, key))), keys)


def _row(params: dict, seed: int) -> dict:
    n, d_in, theta = params["n"], params["d_in"], params["theta"]
    close = np.concatenate([np.ones((n, 1)), theta * _directions(n, d_in, seed)], axis=1)
    spread = np.random.default_rng([seed, n, d_in, 2]).standard_normal((n, d_in))
    least = smallest(params, close)
    problem = _problem(params, seed)
    spectra = np.asarray(_finite(problem, jax.random.split(random_key(seed), params["nets"])))
    there = float(np.median(spectra[:, 0]))
    top = float(np.median(spectra[:, -1]))
    seen = there > 100 * np.finfo(float).eps * top
    scale = n * params["d_out"] * math.log(n * params["d_out"] / params["delta"])
    metrics = {
        "lambda": least, "lambda_spread": smallest(params, spread), "finite": there if seen else None,
        "log10_lambda": math.log10(least) if least > 0 else None, "log10_steps": math.log10(top / least * math.log(n / params["epsilon"]) / 2) if least > 0 else None,
        "log10_asked": 2 * (math.log10(scale) - math.log10(least)) if least > 0 else None,
    }  # fmt: skip
    if n > params["trained"]:
        return {"outcome": LOST, "sentence": "Too many inputs were to be trained on.", "note": "", "metrics": metrics}
    row = measures.practical_width(problem, params, seed)
    found = {key: row["metrics"].get(key) for key in ("low", "high", "middle")}
    outcome = LOST if row["outcome"] == measures.NOT_FOUND else FOUND
    return {"outcome": outcome, "sentence": row["sentence"], "note": "", "metrics": metrics | found}


def _of(cells: list[dict], **where) -> list[dict]:
    return [cell for cell in cells if all(cell["params"][key] == value for key, value in where.items())]


def _groups(cells: list[dict]) -> dict:
    return dict.fromkeys((cell["params"]["network"], cell["params"]["n"], cell["params"]["d_in"]) for cell in cells)


def fits(cells: list[dict]) -> list[dict]:
    """The exponent of θ in λ, of each network, n and d_in."""
    found = []
    for network, n, d_in in _groups(cells):
        own = _of(cells, network=network, n=n, d_in=d_in)
        thetas = sorted({cell["params"]["theta"] for cell in own})[:3]
        by = {(cell["params"]["theta"], cell["seed"]): cell["metrics"]["lambda"] for cell in own}
        seeds = [
            seed for seed in sorted({cell["seed"] for cell in own}) if all((by.get((t, seed)) or 0) > 0 for t in thetas)
        ]
        if len(thetas) < 3 or not seeds:
            continue
        now, before = (
            [math.log(by[b, seed] / by[a, seed]) / math.log(b / a) for seed in seeds]
            for a, b in itertools.pairwise(thetas)
        )
        ends = [x + sign * 2 * abs(x - y) for x, y in zip(now, before, strict=True) for sign in (-1, 1)]
        found.append({
            "quantity": "lambda", "x": "theta", "group": f"{network}, n {n}, d_in {d_in}", "level": 1.0, "rule": RULE,
            "predicted": law(network, n, d_in), "exponent": float(np.mean(now)), "low": min(ends), "high": max(ends), "seeds": len(seeds),
        })  # fmt: skip
    return found


def _power(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Exponents beside the law, and what λ makes of widths and steps."""
    laws = [
        [*(part.split(" ")[-1] for part in fit["group"].split(", ")), f"{fit['predicted']:g}", f"{fit['exponent']:z.3f} [{fit['low']:z.3f}, {fit['high']:z.3f}]",
         "yes" if fit["low"] <= fit["predicted"] <= fit["high"] else "no"]
        for fit in fits
    ]  # fmt: skip
    rows = []
    for network, n, d_in in _groups(cells):
        for theta in sorted({cell["params"]["theta"] for cell in cells}, reverse=True):
            own = _of(cells, network=network, n=n, d_in=d_in, theta=theta)
            if not own:
                continue
            middle = {
                key: (lambda values: float(np.median(values)) if values else None)(
                    [c["metrics"][key] for c in own if c["metrics"].get(key) is not None]
                )
                for key in ("lambda", "finite", "log10_steps", "log10_asked", "lambda_spread")
            }
            widths = [c["metrics"] for c in own if c["metrics"].get("high")]
            trained = f"({min(w['low'] or 0 for w in widths)}, {max(w['high'] for w in widths)}]" if widths else ""
            rows.append([
                network, str(n), str(d_in), f"{theta:g}", f"{middle['lambda']:.2e}",
                "" if middle["finite"] is None else f"{middle['finite']:.2e}", _power(middle["log10_steps"]),
                _power(middle["log10_asked"]), trained, f"{middle['lambda_spread']:.2e}",
            ])  # fmt: skip
    columns = [
        "network", "n", "d_in", "θ", "λ_min(K)", "λ_min(H(0))", "log₁₀ steps, linearised", "log₁₀ width asked for", "m* in", "λ_min(K) on the whole sphere",
    ]  # fmt: skip
    note = (
        "Medians over draws of the data. Steps: κ_H log(n/ε)/2 at the ordinary step size. Width asked for: (nd log(nd/δ)/λ)², the "
        "reconstructed bound without its constant and e^{18B}. λ_min(H(0)): where it is above rounding. m*: sought for few inputs only, and "
        "within a budget of steps."
    )
    return [
        {"name": "exponents of θ in λ_min(K)", "columns": ["network", "n", "d_in", "law", "measured", "law inside"], "rows": laws},
        {"name": "what it makes of widths and steps", "columns": columns, "rows": rows, "note": note},
    ]  # fmt: skip


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """λ against θ, one panel a number of inputs."""
    if not cells:
        return []
    first = cells[0]["params"]["d_in"]
    return [
        {
            "kind": "curves", "name": "eigenvalue-against-separation", "x": "theta", "xlabel": "radius θ of the cap",
            "y": "lambda", "ylabel": "λ_min(K)", "series": "network", "panel": "n", "panels": "n", "where": {"d_in": first},
            "references": [],
            "caption": f"Smallest eigenvalue of the limit kernel of n inputs in a cap of radius θ, d_in = {first}; median and range "
            "over draws of the data.",
        }
    ]  # fmt: skip


def answer(cells: list[dict], fits: list[dict]) -> str:
    """What softmax's λ is worth on clustered data, and on spread data."""
    said = []
    at = {tuple(part.split(" ")[-1] for part in fit["group"].split(", ")): fit for fit in fits}
    if not at:
        return "No cell has come to an end yet."
    n, d_in = max(int(key[1]) for key in at), min(int(key[2]) for key in at)
    theta = cells[0]["params"]["theta"]
    for network in dict.fromkeys(key[0] for key in at):
        own = _of(cells, network=network, n=n, d_in=d_in, theta=theta)
        fit = at.get((network, str(n), str(d_in)))
        if own and fit:
            least = float(np.median([cell["metrics"]["lambda"] for cell in own]))
            spread = float(np.median([cell["metrics"]["lambda_spread"] for cell in own]))
            said.append(f"{network} θ^{fit['exponent']:.2f} ({least:.1e}; on the whole sphere {spread:.1e})")
    inside_law = sum(fit["low"] <= fit["predicted"] <= fit["high"] for fit in fits)
    return (
        f"n = {n} inputs in a cap of R^{d_in}: λ falls like {'; '.join(said)}, in brackets λ at θ = {theta:g}. "
        f"The law, θ^2ℓ for analytic activations and θ for ReLU, lies in {inside_law} of {len(fits)} intervals."
    )
