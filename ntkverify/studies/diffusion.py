"""What stands between a trained softmax network and the score of a diffusion model?

A network learns f*(t,x) = E[X_0 | X_t = x] by gradient descent on noisy labels X_0, at η = 1/(s_m λ_max(H(0))) from
a coupled start.  f* is known exactly, so its error splits over training into five parts
(`diffusion/stages.py`), and samplers run with the exact score beside the learned one.

Cells with task `predict` come first: what kernel gradient descent at infinite width is expected to reach
(`diffusion/levels.py`) is in the ledger before a network is trained.  That level is mean + 2 standard
deviations over label noise, which by Cantelli's inequality is reached with probability at least 0.8.

Said before measuring.  At a coupled start the kernel of a smooth network drifts like m⁻² and ReLU's, at
scale m^{-1/2}, like m^{-1/2} (the study `drift`); the coupling part is a squared difference of outputs, so
m⁻⁴ and m⁻¹.  Noise in the labels is what early stopping keeps out: with noisy labels the error rises
after the held-out best time, with clean labels it does not.
"""

import numpy as np

from ntkverify.diffusion.figures import figures as drawn
from ntkverify.diffusion.learned import LEARNED, PREDICTED, SIZES, learn, lesson, population, predict
from ntkverify.diffusion.learned import bytes_needed as needed
from ntkverify.diffusion.rows import AXES, foremost, levels, metric, networks, span, trained
from ntkverify.diffusion.tables import bounds, holding, parts, samples, stopping
from ntkverify.diffusion.walks import sampled
from ntkverify.ground.errors import BadInput, choose
from ntkverify.studying.fits import exponent, shown
from ntkverify.truths.process import check_times

TITLE = "Learning the score of a diffusion model: where does the error come from?"
EXAMPLE = "ntkverify study diffusion --data moons"
NETWORKS = "logits"
"""Of which networks it speaks (`networks/kinds.py`)."""
COMMON = {
    "task": ("predict", "learn"), "data": "mixture", "network": ("softmax", "exponential", "relu"),
    "n": (128, 32, 64, 256), "m": (512, 64, 128, 2048), "radius": (2.0, 1.0), "d": 2, "components": 3, "earliest": 0.05,
    "horizon": 4.0, "sigma": 1.0, "doublings": 13, "test": 512, "draws": 6, "sampled": 2, "paths": 500, "walk": 100,
    "population": 1,
}  # fmt: skip
FEWER = {"n": (96, 24, 48), "m": (256, 32, 96), "doublings": 12, "test": 384, "draws": 3, "sampled": 1}
PRESETS = {"quick": COMMON | FEWER, "paper": COMMON}
DATA = SIZES | {"gaussian": SIZES["gaussian"] | {"draws": 8}}
"""What each population changes in a preset."""
ALONE = AXES
DONE = (PREDICTED, LEARNED)
RULE = "t-intervals over draws of data and network; all cells, none dropped"
LAW = {"softmax": -4.0, "exponential": -4.0, "relu": -1.0}
"""The exponent of m that was said of the coupling part."""
QUANTITIES = (
    ("m", "coupling", "coupling at the stop"),
    ("m", "coupling at the end", "coupling at the end"),
    ("n", "label mismatch", "label mismatch at the stop"),
    ("n", "stop", "held-out stopping time"),
    ("n", "error", "error at the stop"),
)
"""(axis, metric, in words) of the exponents."""
LONGEST = 20
"""Doublings of training time beyond which a run would not end."""


def bytes_needed(params: dict) -> int:
    """About the memory of one cell.  Checks the cell too."""
    _check(params)
    return needed(params)


def _check(params: dict) -> None:
    """`BadInput` for a cell that means nothing; what a population can be is judged in its file."""
    choose("data set", params["data"], DATA)
    choose("task", params["task"], COMMON["task"])
    check_times(params["earliest"], params["horizon"])
    groups = params["components"] if params["data"] == "mixture" else 2
    if params["n"] < groups:
        raise BadInput(
            f"n = {params['n']} samples for a {params['data']} of {groups} components",
            "at least as many samples as components, or some are never seen", f"--grid n={groups}",
        )  # fmt: skip
    for name, low, high in (
        ("test", 4, None),
        ("doublings", 1, LONGEST),
        ("walk", 2, None),
        ("sampled", 1, params["draws"]),
    ):
        if params[name] < low or (high is not None and params[name] > high):
            raise BadInput(
                f"{name} = {params[name]}",
                f"at least {low}" + (f", at most {high}" if high else ""),
                f"--grid {name}={high or low}",
            )


def evaluate(params: dict) -> list[dict]:
    """One row a draw of the data and the network."""
    of = population(params)
    if params["task"] == "predict":
        return [predict(params, of, draw) for draw in range(params["draws"])]
    rows = []
    for draw in range(params["draws"]):
        own = lesson(params, of, draw)
        row = learn(params, own)
        if draw < params["sampled"] and row["outcome"] == LEARNED:
            row = sampled(params, of, own, row, draw, pictures=draw == 0)
        rows.append(row)
    return rows


def fits(cells: list[dict]) -> list[dict]:
    """How coupling falls with m; how label mismatch, stopping time and error move with n."""
    found = []
    for network in networks(cells):
        for axis, name, words in QUANTITIES:
            own = trained(cells, network=network, **foremost(cells, axis))
            law = LAW.get(network) if axis == "m" else None
            found.append(exponent(own, name, axis, f"{network}, {words}", law, RULE))
    return [fit for fit in found if fit["exponent"] is not None]


def tables(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Verdicts, parts, stopping, exponents, bounds, samples."""
    if not trained(cells):
        return []
    exponents = [[f["group"], f["x"], shown(f), "" if f["predicted"] is None else f"{f['predicted']:g}"] for f in fits]
    powers = {
        "name": "exponents, 95% intervals over draws",
        "columns": ["quantity", "of", "measured", "said before"],
        "rows": exponents,
    }
    return [
        holding(cells),
        parts(cells),
        stopping(cells),
        powers,
        bounds(cells),
        *samples(cells),
    ]


def figures(cells: list[dict], fits: list[dict]) -> list[dict]:
    """Pictures first, then curves over training, over m, n and t."""
    return drawn(cells)


def answer(cells: list[dict], fits: list[dict]) -> str:
    """What each network reaches, which part dominates, whether stopping matters, what the level said."""
    said = []
    for network in networks(trained(cells)):
        rows = trained(cells, network=network, **foremost(cells))
        if rows:
            size = {
                name: float(np.median(metric(rows, name)))
                for name in ("coupling", "label mismatch", "bias", "clipping")
            }
            share = np.median(metric(rows, "error")) / np.median(metric(rows, "trivial"))
            listed = ", ".join(f"{name} {value:.2g}" for name, value in size.items())
            said.append(
                f"{network} {span(metric(rows, 'error'))}, {share:.0%} of the error of the constant 0 ({listed}); trained to the end "
                f"instead {span(metric(rows, 'rise'))} times as much"
            )
    if not said:
        return "No network has been trained yet."
    where = ", ".join(f"{name} = {value:g}" for name, value in foremost(cells).items())
    reached = "; ".join(f"{row['network']} on {row['reached']} of {row['draws']} draws" for row in levels(cells))
    coupled = {
        when: ", ".join(f"{fit['group'].split(',')[0]} m^{shown(fit)}" for fit in fits if fit["quantity"] == name)
        for when, name in (("at the stop", "coupling"), ("at the end of training", "coupling at the end"))
    }
    falls = "; ".join(f"{when} as {found}" for when, found in coupled.items() if found)
    return (
        f"Weighted score error E‖f_W − f*‖² at {where}, stopped by a held-out set: {'; '.join(said)}. "
        f"{f'The coupling part falls {falls}. ' if falls else ''}"
        f"The level written before training was reached by {reached or 'nothing to compare'}."
    )
