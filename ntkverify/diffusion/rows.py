"""A study's rows read: which networks were trained, means with intervals, what holds."""

import math
from collections.abc import Sequence

import numpy as np

from ntkverify.diffusion.learned import INCONSISTENT, LEARNED, PREDICTED
from ntkverify.diffusion.levels import STANDARD_DEVIATIONS
from ntkverify.diffusion.walks import SAMPLER_DIVERGED
from ntkverify.ground.numerics import hold_rate_interval, mean_interval

AXES = ("n", "m", "radius")
REACHED = 1 - 1 / (1 + STANDARD_DEVIATIONS**2)
"""Cantelli: a variable lies at most two standard deviations above its mean with at least this probability."""
HOLDS, VIOLATED, UNDECIDED = "holds", "violated", "undecided"


def trained(cells: Sequence[dict], **where) -> list[dict]:
    """The cells in which a network was trained to the end, with these parameters."""
    own = [cell for cell in cells if cell["outcome"] in (LEARNED, SAMPLER_DIVERGED, INCONSISTENT)]
    return [cell for cell in own if all(cell["params"][name] == value for name, value in where.items())]


def foremost(cells: Sequence[dict], *free: str) -> dict:
    """The values that the axes have where they do not vary, those named left out."""
    return {name: cells[0]["params"][name] for name in AXES if name not in free} if cells else {}


def networks(cells: Sequence[dict]) -> list[str]:
    """Names, in the order of the cells."""
    return list(dict.fromkeys(cell["params"]["network"] for cell in cells))


def metric(cells: Sequence[dict], name: str) -> list[float]:
    """A metric of each cell that has it."""
    return [cell["metrics"][name] for cell in cells if cell["metrics"].get(name) is not None]


def mean(values: Sequence[float | None]) -> tuple[float, float, float] | None:
    """(mean, low, high) by Student's t, of the logarithms where all are positive; None for fewer than two."""
    values = [value for value in values if value is not None]
    if len(values) < 2:
        return None
    if min(values) > 0:
        middle, low, high = (math.exp(min(each, 700.0)) for each in mean_interval(np.log(values)))
        return middle, low, high
    return mean_interval(values)


def span(values: Sequence[float | None]) -> str:
    """The mean with its interval, in words."""
    found = mean(values)
    return "{:.3g} [{:.3g}, {:.3g}]".format(*found) if found else "–"


def levels(cells: Sequence[dict]) -> list[dict]:
    """Each level written before training, beside what was learned at its time: one row a network, over all n and
    draws at the first m and radius."""
    found, fixed = [], foremost(cells, "n")
    for network in networks(cells):
        said = {
            (cell["params"]["n"], cell["seed"]): cell["metrics"]
            for cell in cells
            if cell["outcome"] == PREDICTED and all(cell["params"][k] == v for k, v in ({"network": network} | fixed).items())
        }  # fmt: skip
        pairs = [
            (said[key], cell["curves"]["total"][int(said[key]["time"]).bit_length() - 1])
            for cell in trained(cells, network=network, **fixed)
            if (key := (cell["params"]["n"], cell["seed"])) in said
        ]
        if pairs:
            reached = sum(error <= own["level"] for own, error in pairs)
            low, high = hold_rate_interval(reached, len(pairs))
            verdict = HOLDS if low >= REACHED else VIOLATED if high < REACHED else UNDECIDED
            found.append(
                {
                    "network": network,
                    "reached": reached,
                    "draws": len(pairs),
                    "low": low,
                    "high": high,
                    "verdict": verdict,
                }
                | {"ratio": [error / own["expected"] for own, error in pairs]}
            )
    return found


def verdicts(cells: Sequence[dict]) -> list[list[str]]:
    """What the study checks beside the claims of the catalogue: [statement, verdict, evidence]."""
    own = trained(cells)
    if not own:
        return []
    worst, gap = max(metric(own, "worst_law")), max(metric(own, "identity"))
    broken = sum(cell["outcome"] == INCONSISTENT for cell in own)
    rows = [
        [
            "each stage satisfies a law that its computation did not use", VIOLATED if worst > 1 else HOLDS,
            f"{broken} of {len(own)} draws broke one; largest gap / allowance {worst:.2g}",
        ],
        [
            "weighted score error = E‖f_W − f*‖² = sum of the parts + cross terms", VIOLATED if gap > 1 else HOLDS,
            f"largest gap / rounding allowance {gap:.2g} on {len(own)} draws; the score by differentiating log p_t",
        ],
    ]  # fmt: skip
    for row in levels(cells):
        rate = f"{row['reached']} of {row['draws']} draws, rate in [{row['low']:.2f}, {row['high']:.2f}]"
        statement = f"{row['network']}: the level written before training is reached with probability ≥ {REACHED:g}"
        rows.append([statement, row["verdict"], f"{rate}; learned / expected {span(row['ratio'])}"])
    for network in networks(own):
        at = trained(cells, network=network, **foremost(cells))
        noisy, clean = mean(metric(at, "rise")), mean(metric(at, "rise_clean"))
        if noisy and clean:
            verdict = HOLDS if noisy[1] > 1 else VIOLATED if noisy[2] < 1 else UNDECIDED
            said = "error at the end / at the held-out stop {:.3g} [{:.3g}, {:.3g}]; with clean labels {:.3g} [{:.3g}, {:.3g}]"
            rows.append([f"{network}: noisy labels need early stopping", verdict, said.format(*noisy, *clean)])
    return rows
