"""How near does training come to the best score network of any width?

On the line, denoising score matching with a two-layer ReLU network and weight decay is one convex program: its optimum is
the smallest objective of all networks of all widths, and a dual point bounds them from below (docs/findings/convex-score.md,
with proof).  Here networks of width m are trained from several starts, and each one's objective is put beside that bound, every
rounding enclosed; the scores of both, beside the exact score of the noised population.

Said before measuring: no network lies below the bound; from the optimum's number of neurons on some width reaches it, and
narrow networks end in other stationary points.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.diffusion.convex import Optimum, optimum
from ntkverify.diffusion.denoising import Net, Task, drawn, noised, output, trained
from ntkverify.diffusion.dual import PROVED, UNDECIDED, VIOLATED, objective_between, respects
from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import random_key
from ntkverify.truths.line import line

TITLE = "How near does training come to the best score network of any width?"
EXAMPLE = "ntkverify study convex"
NETWORKS = "any"
"""Of which networks it speaks: it has one of its own, on the line."""
ALONE = ("n", "beta", "tau")
COMMON = {
    "data": ("points", "mixture", "uniform"), "n": (32, 8, 128), "beta": (0.02, 0.002, 0.2), "tau": (0.5, 0.2, 1.0),
    "m": (128, 2, 4, 8, 16, 32, 64, 512), "noises": 2, "starts": 8, "draws": 5, "steps": 8000, "rate": 0.03, "test": 4000,
}  # fmt: skip
PRESETS = {
    "quick": COMMON | {"n": (32,), "tau": (0.5,), "m": (128, 2, 4, 8, 16, 32, 64), "draws": 2},
    "paper": COMMON,
}  # fmt: skip
TRAINED, UNSOLVED = "trained", "not solved"
DONE = (TRAINED,)
REACHED = 1e-6
"""A network reaches the optimum when its objective exceeds the bound by at most this share; a program is solved when so does
its own network."""
PLACES = np.linspace(-3, 3, 121)
"""Where scores are drawn."""


def bytes_needed(params: dict) -> int:
    """About the memory of one cell.  Checks the cell too."""
    line(params["data"])
    for name, least in (("n", 1), ("noises", 1), ("m", 1), ("starts", 1), ("draws", 1), ("steps", 1), ("test", 2)):
        if params[name] < least:
            raise BadInput(f"{name} = {params[name]}", f"at least {least}", f"--grid {name}={max(least, 8)}")
    if not 0 < params["rate"] < math.inf:
        raise BadInput(f"rate = {params['rate']:g}", "a positive number", "--grid rate=0.03")
    n = len(_task(params, 0).noisy)  # refuses β, τ and fewer than two noisy inputs
    return 8 * (8 * params["starts"] * params["m"] * n + 150 * n**2) + 2**29


def _task(params: dict, draw: int) -> Task:
    n, noises, tau, beta = (params[name] for name in ("n", "noises", "tau", "beta"))
    return noised(line(params["data"]), n, noises, tau, beta, draw)


@functools.lru_cache(256)
def _optimum(data: str, n: int, noises: int, tau: float, beta: float, draw: int) -> Optimum:
    """Widths share it."""
    return optimum(noised(line(data), n, noises, tau, beta, draw))


def evaluate(params: dict) -> list[dict]:
    """One row a draw of data and noise, with several starts."""
    return [_row(params, draw) for draw in range(params["draws"])]


@functools.partial(jax.jit, static_argnames=("m", "starts"))
def _started(task: Task, key, m: int, starts: int) -> Net:
    return jax.vmap(lambda key: drawn(key, task, m))(jax.random.split(key, starts))


_outputs = jax.jit(jax.vmap(output, in_axes=(0, None)))


def _row(params: dict, draw: int) -> dict:
    task = _task(params, draw)
    best = _optimum(*(params[name] for name in ("data", "n", "noises", "tau", "beta")), draw)
    if best.gap > REACHED:
        said = f"The program's own network exceeds the bound by {best.gap:.2g} of its objective."
        return {"outcome": UNSOLVED, "sentence": said, "note": said, "metrics": {}}
    nets = trained(
        _started(task, random_key(draw), params["m"], params["starts"]),
        task,
        jnp.asarray(params["rate"]),
        params["steps"],
    )
    each = [jax.tree.map(lambda leaf, place=place: leaf[place], nets) for place in range(params["starts"])]
    words = [respects(net, task, best.bound) for net in each]
    gaps = np.array([objective_between(net, task)[1] / best.bound - 1 for net in each])
    x = line(params["data"]).draw(draw + 10**6, params["test"])
    x = x + params["tau"] * np.random.default_rng([draw, params["test"], 2]).standard_normal(len(x))
    exact, learned = line(params["data"]).score(params["tau"], x), np.asarray(_outputs(nets, jnp.asarray(x)))
    metrics = {
        "objective": best.objective, "bound": best.bound, "certified gap": best.gap, "neurons": best.neurons,
        "gap": float(np.median(gaps)), "least gap": float(gaps.min()), "largest gap": float(gaps.max()),
        "reached": int(np.sum(gaps <= REACHED)), **{word: words.count(word) for word in (PROVED, VIOLATED, UNDECIDED)},
        "score error": float(np.mean((best.score(x) - exact) ** 2)),
        "trained score error": float(np.median(np.mean((learned - exact) ** 2, axis=1))), "trivial": float(np.mean(exact**2)),
    }  # fmt: skip
    row = {
        "outcome": TRAINED, "note": "", "metrics": metrics,
        "sentence": f"{metrics['reached']} of {len(each)} starts came within {REACHED:g} of the optimum, {best.neurons} neurons.",
    }  # fmt: skip
    if draw == 0:
        middle = int(np.argsort(gaps)[len(gaps) // 2])
        scores = {
            "exact": line(params["data"]).score(params["tau"], PLACES), "convex program": best.score(PLACES),
            "trained": np.asarray(output(each[middle], jnp.asarray(PLACES))),
        }  # fmt: skip
        row["pictures"] = {name: [float(value) for value in values] for name, values in scores.items()}
    return row


def fits(cells: list[dict]) -> list[dict]:
    """None: networks either reach the optimum or end elsewhere, which is no power of the width."""
    return []


def _done(cells: list[dict]) -> list[dict]:
    return [cell for cell in cells if cell["outcome"] == TRAINED]


def _groups(cells: list[dict], *names: str) -> list[tuple[tuple, list[dict]]]:
    found: dict[tuple, list[dict]] = {}
    for cell in cells:
        found.setdefault(tuple(cell["params"][name] for name in names), []).append(cell)
    return list(found.items())


def _first(cells: list[dict]) -> dict:
    return {name: cells[0]["params"][name] for name in ("n", "beta", "tau")}


def _at(cells: list[dict], where: dict) -> list[dict]:
    return [cell for cell in cells if all(cell["params"][name] == value for name, value in where.items())]


def _middle(cells: list[dict], name: str) -> float:
    return float(np.median([cell["metrics"][name] for cell in cells]))


def _span(cells: list[dict], name: str) -> str:
    values = [cell["metrics"][name] for cell in cells]
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"


def _sum(cells: list[dict], name: str) -> int:
    return sum(cell["metrics"][name] for cell in cells)


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """The bound, widths, and errors of scores."""
    own = _done(cells)
    if not own:
        return []
    bounds, widths, errors, widest = [], [], [], own[0]["params"]["m"]
    for key, group in _groups(own, "data", "n", "beta", "tau"):
        counts = [_sum(group, word) for word in (PROVED, VIOLATED, UNDECIDED)]
        verdict = "violated" if counts[1] else "undecided" if counts[2] else "proved"
        worst = max(cell["metrics"]["certified gap"] for cell in group)
        wide = f"{_middle(_at(group, {'m': widest}), 'gap'):.1e}" if _at(group, {"m": widest}) else ""
        bounds.append([*map(_shown, key), f"{worst:.1e}", _span(group, "neurons"), wide, *map(str, counts), verdict])
    for key, group in sorted(_groups(_at(own, _first(own)), "data", "m"), key=lambda each: each[0]):
        starts = sum(cell["params"]["starts"] for cell in group)
        gaps = [f"{_middle(group, name):.1e}" for name in ("least gap", "gap", "largest gap")]
        widths.append([*map(_shown, key), _span(group, "neurons"), *gaps, f"{_sum(group, 'reached')} of {starts}"])
    for key, group in _groups(_at(own, {"m": widest}), "data", "n", "beta", "tau"):
        names = ("score error", "trained score error", "trivial")
        errors.append([*map(_shown, key), *(f"{_middle(group, name):.3f}" for name in names)])
    reached = f"within {REACHED:g} of the optimum"
    return [
        {
            "name": "the certified bound", "rows": bounds,
            "columns": ["data", "n", "β", "τ", "optimum known to", "neurons", f"gap at m = {widest}", "networks above it", "below it", "open", "verdict"],
            "note": "Trained networks of all widths, starts and draws; each decided at exactly its floats. Optimum known to: the "
            "largest relative distance of the program's own network from the bound. Gap: the median start's. n: data, with several draws of noise "
            "each.",
        },
        {
            "name": "the gap and the width", "rows": widths,
            "columns": ["data", "m", "neurons of the optimum", "gap, best start", "median", "worst", reached],
            "note": f"Relative excess over the bound at {_words(_first(own))}; medians over draws.",
        },
        {
            "name": "the score", "rows": errors,
            "columns": ["data", "n", "β", "τ", "convex program", f"trained, m = {widest}", "the constant 0"],
            "note": "E(s − s*)² over the noised population, s* its exact score; medians over draws and starts.",
        },
    ]  # fmt: skip


def _shown(value) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _words(where: dict) -> str:
    symbols = {"n": "n", "beta": "β", "tau": "τ"}
    return ", ".join(f"{symbols[name]} = {value:g}" for name, value in where.items())


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Scores beside the exact one, and the gap against the width."""
    own = _at(_done(cells), _first(cells)) if cells else []
    if not own:
        return []
    pictures = [cell for cell in own if "pictures" in cell]
    widest = own[0]["params"]["m"]
    narrowest = min(cell["params"]["m"] for cell in own)
    rows = []
    for cell in pictures:
        data, m = cell["params"]["data"], cell["params"]["m"]
        if m not in (widest, narrowest):
            continue
        for name, values in cell["pictures"].items():
            if name != "trained" and m != widest:
                continue
            series = name if name != "trained" else f"trained, m = {m}"
            rows += [{"panel": data, "series": series, "x": float(x), "value": y, "low": y, "high": y} for x, y in zip(PLACES, values, strict=True)]  # fmt: skip
    scores = {
        "kind": "lines", "name": "scores", "scale": "linear", "xlabel": "x", "ylabel": "score", "rows": rows, "bold": "exact", "marks": [],
        "caption": f"Scores at {_words(_first(cells))}, first draw: of the noised population, of the convex program, and of the trained "
        "networks whose gap is the median one.",
    }  # fmt: skip
    gap = {
        "kind": "curves", "name": "gap-against-width", "x": "m", "xlabel": "width m", "y": "gap", "low": "least gap",
        "high": "largest gap", "ylabel": "objective above the bound, relative", "series": "data", "where": _first(cells),
        "references": [],
        "caption": f"How far trained networks stay above the certified bound at {_words(_first(cells))}: median over starts and "
        "draws, band from the best to the worst.",
    }  # fmt: skip
    return [scores, gap]


def _fitting(cells: list[dict]) -> int:
    """The smallest width that was trained and has room for the optimum of every draw."""
    most = max(cell["metrics"]["neurons"] for cell in cells)
    widths = sorted({cell["params"]["m"] for cell in cells})
    return next((m for m in widths if m >= most), widths[-1])


def answer(cells: list[dict], fits: list[dict]) -> str:
    """Whether the bound was respected, which widths reach it, and what the score is worth."""
    own = _done(cells)
    if not own:
        return "No program has been solved yet."
    every = sum(cell["params"]["starts"] for cell in own)
    base = _at(own, _first(own))
    widest, fitting = own[0]["params"]["m"], {data: _fitting(group) for (data,), group in _groups(base, "data")}
    reached = []
    for (data,), group in _groups(base, "data"):
        said = []
        for m in dict.fromkeys((fitting[data], widest)):
            at = _at(group, {"m": m})
            if at:
                said.append(f"{_sum(at, 'reached')} of {sum(cell['params']['starts'] for cell in at)} at m = {m}")
        reached.append(f"{data} (optimum: {_span(group, 'neurons')} neurons) {', '.join(said)}")
    wide = _at(base, {"m": widest})
    errors = "; ".join(
        f"{data} {_middle(group, 'score error'):.2g} and {_middle(group, 'trained score error'):.2g} of {_middle(group, 'trivial'):.2g}"
        for (data,), group in _groups(wide, "data")
    )
    return (
        f"{_sum(own, PROVED)} of {every} trained networks are proved to lie above the certified bound, {_sum(own, VIOLATED)} lie "
        f"below it. Within {REACHED:g} of the optimum of any width come, at {_words(_first(own))}: {'; '.join(reached)}. "
        f"Squared error of the score, of the convex program and of networks of m = {widest}, beside that of the constant 0: {errors}."
    )
