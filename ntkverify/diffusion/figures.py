"""The figures of the diffusion study, as records that the report draws."""

from collections.abc import Mapping, Sequence

import numpy as np

from ntkverify.diffusion.distances import SLICED
from ntkverify.diffusion.learned import BINS, PREDICTED
from ntkverify.diffusion.rows import foremost, mean, metric, networks, trained
from ntkverify.diffusion.sampling import ODE, SDE
from ntkverify.diffusion.stages import PARTS

BANDS = "Bands: 95% t-intervals over draws."


def figures(cells: Sequence[dict]) -> list[dict]:
    """All that the cells allow."""
    base = trained(cells, **foremost(cells))
    if not base:
        return []
    said = [
        cell
        for cell in cells
        if cell["outcome"] == PREDICTED and all(cell["params"][k] == v for k, v in foremost(cells).items())
    ]
    drawn = {cell["params"]["network"]: cell["pictures"] for cell in base if cell.get("pictures")}
    return [*_pictures(drawn), *_training(base, said), *_against(cells), _over_time(base), *_excess(base)]


def _training(base: Sequence[dict], said: Sequence[dict]) -> list[dict]:
    marks = [
        {"panel": network, "x": float(np.median(metric([c for c in base if c["params"]["network"] == network], name))), "style": style}
        for network in networks(base) for name, style in (("stop", "dotted"), ("rule", "dashed"))
    ]  # fmt: skip
    lines = {"kind": "lines", "xlabel": "steps τ", "marks": marks}
    split = _by_step(base, {name: name for name in (*PARTS, "bias", "total")})
    labels = _by_step(base, {"total": "noisy labels", "clean": "clean labels"})
    return [
        lines | {
            "name": "parts-over-training", "ylabel": "mean squared difference", "rows": split, "bold": "total", "floor": 1e-4,
            "caption": "The five parts of the error over training, the bias (early stopping and approximation together) and the "
            "measured total. Dotted: the held-out stop; dashed: the rule by complexity (medians). Parts below 10⁻⁴ of the largest "
            f"are cut off. Cross terms make up what the parts do not. {BANDS}",
        },
        lines | {
            "name": "stopping", "ylabel": "E‖f_W − f*‖²", "rows": labels + _by_step(said, {"mean": "noisy labels, expected"}), "floor": 1e-3,
            "caption": "Why noisy labels need early stopping: the same networks on noisy and on clean labels, beside the error expected "
            f"of kernel gradient descent at infinite width, which was written before training. {BANDS}",
        },
    ]  # fmt: skip


def _against(cells: Sequence[dict]) -> list[dict]:
    """How the parts move with m and n, where those vary."""
    curves = {"kind": "curves", "series": "network", "references": []}
    laws = [
        {"label": "m⁻⁴, said before (smooth)", "exponent": -4},
        {"label": "m⁻¹, said before (ReLU)", "exponent": -1},
    ]
    found = [
        *(
            curves | {
                "name": name, "x": "m", "xlabel": "width m", "y": quantity, "references": laws, "ylabel": f"coupling part {when}",
                "caption": f"The network against kernel gradient descent on the same labels, {when}. Median and range over draws; the "
                "dashed lines go through the first network's first point.",
            }
            for name, quantity, when in (
                ("coupling-against-m", "coupling", "at the held-out stop"),
                ("coupling-at-the-end", "coupling at the end", "at the last step"),
            )
        ),
        curves | {
            "name": "label-mismatch-against-n", "x": "n", "xlabel": "samples n", "y": "label mismatch", "ylabel": "label mismatch at the stop",
            "caption": "What noise in the labels costs at the held-out stop. Median and range over draws.",
        },
        curves | {
            "name": "stop-against-n", "x": "n", "xlabel": "samples n", "y": "stop", "ylabel": "held-out stopping time τ",
            "caption": "The held-out stopping time, a power of two. Median and range over draws.",
        },
    ]  # fmt: skip
    found = [each | {"where": foremost(cells, each["x"])} for each in found]
    return [each for each in found if len({c["params"][each["x"]] for c in trained(cells, **each["where"])}) > 1]


def _over_time(base: Sequence[dict]) -> dict:
    groups: dict[tuple, list] = {}
    for cell in base:
        edges = np.geomspace(cell["params"]["earliest"], cell["params"]["horizon"], BINS + 1)
        for place, value in enumerate(cell["curves"]["by time"]):
            middle = float(np.sqrt(edges[place] * edges[place + 1]))
            groups.setdefault(("", cell["params"]["network"], middle), []).append(value)
    return {
        "kind": "lines", "name": "error-over-time", "xlabel": "diffusion time t", "ylabel": "weighted score error", "rows": _bands(groups),
        "marks": [], "caption": f"Where along the diffusion the error E‖f_W − f*‖² sits, at the held-out stop: bins of log t. {BANDS}",
    }  # fmt: skip


def _excess(base: Sequence[dict]) -> list[dict]:
    rows = []
    for cell in base:
        for kind in (SDE, ODE):
            at = {key: cell["metrics"].get(f"{kind}, {SLICED}: {key}") for key in ("excess", "low", "high")}
            if at["excess"] is not None:
                label = f"{cell['params']['network']}, {kind}, draw {cell['seed']}"
                rows.append({"label": label, "value": at["excess"], "low": at["low"], "high": at["high"]})
    caption = "How much farther from the truth the learned score's samples are than the exact score's; 95% bootstrap intervals."
    spec = {
        "kind": "forest",
        "name": "sampling-excess",
        "rows": rows,
        "log": False,
        "zero": True,
        "predicted": "",
        "caption": caption,
    }
    return [spec | {"xlabel": "sliced Wasserstein distance beyond that of the exact score"}] if rows else []


def _pictures(drawn: Mapping[str, Mapping]) -> list[dict]:
    """Samples, score fields and images; the exact ones once, then each network's."""
    if not drawn:
        return []
    first = next(iter(drawn.values()))
    panels = [{"title": title, "points": points} for title, points in first["clouds"].items() if "learned" not in title]
    panels += [
        {"title": title.replace("learned", network), "points": points}
        for network, each in drawn.items() for title, points in each["clouds"].items() if "learned" in title
    ]  # fmt: skip
    caption = (
        "Samples at the earliest t, first two coordinates: fresh data, the exact score's, and the learned scores'."
    )
    found = [{"kind": "clouds", "name": "samples", "panels": panels, "caption": caption}]
    if "field" in first:
        field = first["field"]
        panels = [{"title": "exact", "x": field["x"], "v": field["exact"]}]
        panels += [
            {"title": network, "x": field["x"], "v": each["field"]["learned"]} for network, each in drawn.items()
        ]
        caption = f"The score at t = {field['t']:g} in the plane of the first two coordinates, the others 0."
        found.append({"kind": "field", "name": "score-field", "panels": panels, "caption": caption})
    if "images" in first:
        rows = [
            {"label": label, "images": first["images"][key]} for label, key in (("data", "truth"), ("exact", "exact"))
        ]
        rows += [{"label": network, "images": each["images"]["learned"]} for network, each in drawn.items()]
        caption = (
            "Digits from the reverse SDE, in the principal components kept, denoised once at the end by the same score; first row: "
            "data at the earliest t, denoised exactly."
        )
        found.append({"kind": "images", "name": "digits", "side": 8, "rows": rows, "caption": caption})
    return found


def _by_step(cells: Sequence[dict], named: Mapping[str, str]) -> list[dict]:
    """Curves over training, one panel a network; `named` says what the figure calls each curve."""
    groups: dict[tuple, list] = {}
    for cell in cells:
        for curve, name in named.items():
            for place, value in enumerate(cell["curves"][curve]):
                groups.setdefault((cell["params"]["network"], name, 2**place), []).append(value)
    return _bands(groups)


def _bands(groups: Mapping[tuple, list]) -> list[dict]:
    """One record for each (panel, series, x): the mean and its interval, or the value alone where there is one."""
    rows = []
    for (panel, series, x), values in groups.items():
        known = [value for value in values if value is not None]
        found = mean(known) or (known * 3 if known else None)
        if found:
            rows.append(
                {"panel": panel, "series": series, "x": x} | dict(zip(("value", "low", "high"), found, strict=True))
            )
    return rows
