"""The tables of the diffusion study."""

from collections.abc import Sequence

import numpy as np

from ntkverify.diffusion.distances import MMD, SLICED
from ntkverify.diffusion.learned import PREDICTED, RADII
from ntkverify.diffusion.levels import FORMULA
from ntkverify.diffusion.rows import foremost, mean, metric, networks, span, trained, verdicts
from ntkverify.diffusion.sampling import ODE, SDE
from ntkverify.diffusion.stages import PARTS

DEAR = 1.1
"""The error of a rule over that of the best time, above which it does not stop in time."""


def holding(cells: Sequence[dict]) -> dict:
    """Verdicts of the study's own."""
    note = (
        f"Level: {FORMULA}; Cantelli's inequality gives the probability. The identity is also the claim score-regression "
        "of the catalogue, with its twins."
    )
    return {
        "name": "what holds",
        "columns": ["statement", "verdict", "evidence"],
        "rows": verdicts(cells),
        "note": note,
    }


def parts(cells: Sequence[dict]) -> dict:
    """The five parts at the held-out stop."""
    at = foremost(cells)
    rows = [
        [
            network,
            *(span(metric(trained(cells, network=network, **at), part)) for part in (*PARTS, "cross", "error", "bias")),
        ]
        for network in networks(trained(cells))
    ]
    note = (
        "Means over test rows of squared differences, where E‖X_0‖² = d; over draws geometric means with 95% t-intervals "
        "(arithmetic for cross terms). Early stopping is measured against the limit τ → ∞ and approximation from there to the "
        "truth: where the limit interpolates wildly both are large and cancel in the cross terms. The last column is the two "
        "together, stopped kernel on clean labels against g*: the bias."
    )
    where = ", ".join(f"{name} = {value:g}" for name, value in at.items())
    columns = ["network", *PARTS, "cross terms", "total", "bias"]
    return {"name": f"parts of the error at the held-out stop, {where}", "columns": columns, "rows": rows, "note": note}


def stopping(cells: Sequence[dict]) -> dict:
    """What each rule chose, and what it lost."""
    rows, at = [], foremost(cells)
    for network in networks(trained(cells)):
        own = trained(cells, network=network, **at)
        if not own:
            continue
        said = {
            cell["seed"]: cell["metrics"]["time"]
            for cell in cells
            if cell["outcome"] == PREDICTED
            and all(cell["params"][k] == v for k, v in ({"network": network} | at).items())
        }
        places = [(cell, int(said[cell["seed"]]).bit_length() - 1) for cell in own if cell["seed"] in said]
        foreseen = [cell["curves"]["judged"][place] / cell["metrics"]["judged_best"] for cell, place in places]
        lost = [
            [cell["metrics"][name] / cell["metrics"]["judged_best"] for cell in own]
            for name in ("judged", "judged_rule")
        ]
        ended = [cell["metrics"]["last"] / cell["metrics"]["judged_best"] for cell in own]
        times = [
            *(np.median(metric(own, name)) for name in ("best", "stop", "rule")),
            np.median(list(said.values()) or [np.nan]),
        ]
        judged = [network, *(f"{time:.0f}" for time in times), *map(span, (*lost, foreseen, ended))]
        rows.append([*judged, _missed(float(times[2] / times[0]), lost[1])])
    columns = [
        "network", "best τ", "held-out τ", "complexity τ", "foreseen τ", "error held-out / best", "complexity / best",
        "foreseen / best", "at the end / best", "complexity stops",
    ]  # fmt: skip
    note = (
        "Medians of τ; errors on rows that no rule saw. Complexity: the local Rademacher complexity of H(0) (Raskutti, "
        "Wainwright and Yu 2014), label noise known, norm 1; its constants are upper bounds, made for the rate in n and not "
        "for choosing a time: the last column says whether it costs more than a tenth of the error, and on which side of the "
        "best time it lies. Foreseen: where the expected error "
        "of kernel gradient descent is least, written before training."
    )
    return {"name": "when to stop", "columns": columns, "rows": rows, "note": note}


def _missed(ratio: float, lost: Sequence[float | None]) -> str:
    """Whether a rule stops in time, by the interval of what it loses against the best time; `ratio` is its τ over that."""
    found = mean(lost)
    if found is None or found[1] <= DEAR:
        return "in time" if found and found[2] <= DEAR else "undecided"
    return f"{1 / ratio:.0f} times too early" if ratio < 1 else f"{ratio:.0f} times too late"


def bounds(cells: Sequence[dict]) -> dict:
    """Whether inputs and labels stay within the bounds that the theory assumes."""
    own, rows = trained(cells), []
    for radius in dict.fromkeys(cell["params"]["radius"] for cell in own):
        at = trained(cells, **(foremost(cells, "radius") | {"radius": radius}))
        shares = [f"{np.mean(metric(at, name)):.2%}" for name in ("clipped", "long labels")]
        rows.append([f"{radius:g}√d", *shares, span(metric(at, "clipping"))])
    beyond = ", ".join(f"{np.mean(metric(own, f'beyond {r:g}√d')):.2%} lie beyond {r:g}√d" for r in RADII)
    missed = metric(own, "width_missed")
    by = f"10^{min(missed):.0f} and more" if missed else "infinity as far as can be told: λ(H(0)) is below rounding"
    note = (
        f"‖x̂‖ ≤ 1 holds after clipping at ρ and never surely before: of all X_t {beyond}. Labels beyond the bound are kept. "
        f"The width that the score theorem assumes, c λ⁻² n³d³ e^(18B) log²(nd/δ) (reconstructed; a parameter), is missed by a "
        f"factor of {by}."
    )
    columns = ["ρ", "inputs clipped", "labels with ‖y‖ > 1", "clipping part of the error"]
    return {"name": "do inputs and labels stay within the bounds", "columns": columns, "rows": rows, "note": note}


def samples(cells: Sequence[dict]) -> list[dict]:
    """Distances of the samples to the truth, beside the floor of the exact score; none where nothing was sampled."""
    rows = []
    for cell in trained(cells, **foremost(cells)):
        for kind in (SDE, ODE):
            for name in (SLICED, MMD):
                at = {
                    key: cell["metrics"].get(f"{kind}, {name}: {key}")
                    for key in ("distance", "floor", "excess", "low", "high")
                }
                if at["excess"] is None:
                    continue
                excess = "{excess:.3g} [{low:.3g}, {high:.3g}]".format(**at)
                word = "worse than exact" if at["low"] > 0 else "not told from exact"
                head = [cell["params"]["network"], kind, name, str(cell["seed"])]
                rows.append([*head, f"{at['distance']:.3g}", f"{at['floor']:.3g}", excess, word])
    columns = ["network", "sampler", "distance", "draw", "learned", "exact (floor)", "excess, 95% bootstrap", ""]
    note = "Samples at the earliest t against fresh X_t. The floor is what the exact score reaches from the same start and noise."
    return [{"name": "samples", "columns": columns, "rows": rows, "note": note}] if rows else []
