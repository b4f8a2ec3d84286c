"""What several studies measure on one draw of the data: the smallest width, the number of steps.

The data are pairs of inputs at a given angle (`inputs/pairs.py`), which sets λ independently of n.
Every function takes the parameters of a study's cell, as a dict, and the seed of the data.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify import catalogue
from ntkverify.ground.environment import cores
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import SHOWN_AS_ZERO, full_precision, random_key
from ntkverify.networks.degenerate import infinite_bound
from ntkverify.networks.inputs import pairs
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.network import initialise, kernel_scale
from ntkverify.networks.nouns import Model, Problem
from ntkverify.networks.problems import at_width
from ntkverify.networks.problems import problem as make_problem
from ntkverify.networks.quantities import THEOREM_WIDTH, nominal_B, residual
from ntkverify.networks.step_sizes import careful_step, ordinary_step, theorem_step
from ntkverify.networks.training import CONVERGED, train, train_bytes
from ntkverify.studying.widths import Search, drawn, smallest_width, trial

DECIDED, BRACKET, NOT_FOUND, PREDICTED = "decided", "interval", "not found", "predicted"
RULES = {
    "ordinary": ordinary_step,
    "half": functools.partial(ordinary_step, c=0.5),
    "careful": careful_step,
    "theorem": theorem_step,
}
"""Step-size rules: 1/(s_m λ_max), half of it, the one that leaves the loss no room to grow, the theorem's."""


def pairs_problem(params: dict, seed: int) -> Problem:
    """The problem of a cell on one draw of the data, at the cell's width (where it has none, at 2, or a model's widest)."""
    n, d_in, d_out = (params[name] for name in ("n", "d_in", "d_out"))
    dataset = pairs.load("pairs", n, d_in, d_out, seed, separation=params["separation"])
    if (tokens := params.get("tokens", 1)) > 1:
        if d_in % tokens:
            raise BadInput(f"d_in = {d_in} and tokens = {tokens}", "inputs that part into tokens of one size", f"d_in={4 * tokens}")  # fmt: skip
        dataset = dataclasses.replace(dataset, shape=(tokens, d_in // tokens))
    width = params.get("m", params.get("most", 2) if catalogue.own(params["network"]) else 2)
    options = {"m": width, "sigma": params["sigma"], "delta": params.get("delta", 0.1)}
    return make_problem(dataset, catalogue.network(params["network"]), **options)[0]


def bytes_needed(params: dict) -> int:
    """About the memory of one cell: networks of the largest width that it may try, on each thread."""
    wide = pairs_problem(params | {"m": max(params.get("m", 2), params.get("most", 2))}, 0)
    kernels = 6 * (wide.n * wide.d_out) ** 2 * wide.X.dtype.itemsize
    return cores() * (train_bytes(wide, params.get("seeds", 1), params["budget"], 0) + kernels) + 2**29


def spectrum(problem: Problem, widest: int = 2) -> tuple[float, float]:
    """λ and the condition number κ_H of the infinite-width kernel, or, of a model whose limit is unknown, of one network of
    the largest width; (0, ∞) where λ is below rounding."""
    if infinite_bound(problem):
        return 0.0, math.inf
    if isinstance(problem.network, Model):
        wide = at_width(problem, widest)
        K = jax.jit(lambda key: kernel(wide, initialise(wide, key)))(random_key(0))
    else:
        K = jax.jit(sample_kernel)(problem)[0]
    values = np.linalg.eigvalsh(np.asarray(K))
    if values[0] <= SHOWN_AS_ZERO * len(values) * np.finfo(values.dtype).eps * values[-1]:
        return 0.0, math.inf
    return float(values[0]), float(values[-1] / values[0])


def width(params: dict, seed: int) -> dict:
    """`practical_width` of a cell on one draw of the data."""
    return practical_width(pairs_problem(params, seed), params, seed)


def practical_width(problem: Problem, params: dict, seed: int) -> dict:
    """m*, the smallest width that reaches ‖F − Y‖² ≤ ε within T = 10 κ_H log(n/ε) steps at the ordinary
    step size with probability ≥ 1 − δ: a row with its bracket, the rank floor, λ, what the bound asks for."""
    smallest, condition = spectrum(problem, params["most"])
    nd, epsilon, delta = problem.n * problem.d_out, params["epsilon"], params["delta"]
    if not smallest:
        note = infinite_bound(problem)
        return {"outcome": NOT_FOUND, "sentence": note, "note": note, "metrics": {}}
    steps = math.ceil(10 * condition * max(math.log(problem.n / epsilon), 1))
    if steps > params["budget"]:
        said = f"T = {steps} steps (κ_H = {condition:.3g}) are more than the budget of {params['budget']}."
        return {"outcome": NOT_FOUND, "sentence": said, "note": "", "metrics": {"lambda": smallest}}
    floor = 1 if isinstance(problem.network, Model) else -(-2 * nd // problem.rank)

    def attempt(m):
        options = {"target": epsilon, "budget": steps, "delta": delta, "seeds": params["seeds"], "seed": seed}
        return trial(problem, m, **options)

    found = smallest_width(attempt, floor, params["most"])
    scale = (nd * math.log(nd / delta) / smallest) ** 2
    exponent = float(nominal_B(problem, jnp.asarray(THEOREM_WIDTH["C"]))) * THEOREM_WIDTH["width_power"]
    middle = _middle(found)
    return {
        "outcome": NOT_FOUND if found.high is None else DECIDED if found.decided else BRACKET,
        "sentence": _sentence(found),
        "note": "",
        "metrics": {
            "low": found.low or None, "high": found.high, "middle": middle, "floor": floor,
            "ratio": middle and middle / floor, "lambda": smallest, "condition": condition, "T": steps,
            "log10_bound": math.log10(scale) + exponent / math.log(10), "implied_constant": middle and middle / scale,
        },
    }  # fmt: skip


def _middle(found: Search) -> float | None:
    """The bracket's geometric middle; its upper end where no width was too few."""
    return found.high and math.sqrt((found.low or found.high) * found.high)


def _sentence(found: Search) -> str:
    tried = ", ".join(f"{t.m}: {t.successes}/{t.seeds}" for t in found.trials)
    if found.high is None:
        return f"No width tried was enough (m: successes): {tried}."
    return f"{found.low} < m* ≤ {found.high} (m: successes): {tried}."


def steps(params: dict, seed: int) -> dict:
    """T*, the steps to ‖F − Y‖² ≤ ε of one network under a step-size rule, beside the prediction of the
    linearised dynamics; only the prediction where it lies beyond the budget."""
    problem = pairs_problem(params, seed)
    start = drawn(problem, params["m"], jax.random.split(random_key(seed), 1))
    eta, values, weights = (
        np.asarray(each) for each in _modes(problem, jax.tree.map(lambda leaf: leaf[0], start), params["rule"])
    )
    epsilon, rate = params["epsilon"], float(kernel_scale(problem.network, problem.m)) * float(eta)
    predicted = linearised_steps(rate * values, weights, epsilon)
    smallest = max(float(values[0]), 0.0)
    metrics = {
        "predicted": _number(predicted), "lambda": smallest or None, "condition": smallest and float(values[-1] / smallest),
        "bound": _number(math.log(problem.n * problem.d_out / epsilon) / (rate * smallest)) if rate * smallest else None,
    }  # fmt: skip
    if not predicted <= params["budget"]:
        said = f"Not run: the linearised dynamics needs {predicted:.3g} steps."
        return {"outcome": PREDICTED, "sentence": said, "note": "", "metrics": metrics}
    run = train(problem, start, jnp.asarray(eta)[None], target=epsilon, budget=params["budget"])
    taken = float(run.steps[0]) if run.outcome[0] == CONVERGED else None
    metrics |= {"steps": taken, "agreement": taken and predicted / taken}
    return {"outcome": run.outcome[0], "sentence": run.sentence(0), "note": "", "metrics": metrics}


@functools.partial(jax.jit, static_argnames=("rule",))
@full_precision
def _modes(problem: Problem, start, rule: str):
    """The step size, the eigenvalues of H(0), and the squared coefficient of e(0) in each eigenvector."""
    values, vectors = jnp.linalg.eigh(kernel(problem, start))
    return RULES[rule](problem, start), values, (vectors.T @ residual(problem, start).ravel()) ** 2


def linearised_steps(rates: np.ndarray, weights: np.ndarray, target: float) -> float:
    """The first t with Σ_k (1 − rate_k)^{2t} weight_k ≤ target, for e ← (1 − rate_k) e mode by mode; ∞ if none."""
    with np.errstate(divide="ignore"):
        decay = np.log(np.abs(1 - rates)) if np.max(rates) > 0.5 else np.log1p(-rates)

    def loss(t):
        return float(np.sum(weights * np.exp(np.minimum(2 * t * decay, 700)))) if t else float(np.sum(weights))

    low, high = 0.0, 1.0
    while loss(high) > target:
        low, high = high, 2 * high
        if high > 1e300:
            return math.inf
    if loss(low) <= target:
        return 0.0
    while high - low > max(1.0, 1e-9 * high):
        middle = (low + high) / 2
        low, high = (middle, high) if loss(middle) > target else (low, middle)
    return float(math.ceil(high))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
