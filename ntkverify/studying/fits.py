"""Exponents: slopes on log-log axes, one a seed, with Student's t-interval of their mean."""

from collections.abc import Mapping, Sequence

import numpy as np

from ntkverify.ground.numerics import LEVEL, mean_interval


def slopes(x: Sequence, y: np.ndarray) -> np.ndarray:
    """Least-squares slope of log y on log x for each row of y (seeds, len(x))."""
    return np.polyfit(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)).T, 1)[0]


def exponent(cells: Sequence[Mapping], quantity: str, x: str, group: str, predicted: float | None, rule: str) -> dict:
    """The fit of one group's quantity: cells are {params, seed, metrics} with every seed at every x.

    `exponent`, `low`, `high` are None when fewer than three values of x or two seeds are left.
    """
    values = {(cell["params"][x], cell["seed"]): cell["metrics"][quantity] for cell in cells}
    places, seeds = sorted({place for place, _ in values}), sorted({seed for _, seed in values})
    table = np.array([[values.get((place, seed)) or np.nan for place in places] for seed in seeds], float)
    table = table[np.isfinite(table).all(axis=1)] if table.size else table.reshape(0, 0)
    row = {"quantity": quantity, "x": x, "group": group, "level": LEVEL, "rule": rule, "predicted": predicted}
    if len(places) < 3 or len(table) < 2:
        return row | {"exponent": None, "low": None, "high": None, "seeds": len(table)}
    mean, low, high = mean_interval(slopes(places, table))
    return row | {"exponent": mean, "low": low, "high": high, "seeds": len(table)}


def joint(
    cells: Sequence[Mapping], quantity: str, x: Sequence[str], group: str, predicted: Sequence[float], rule: str
) -> list[dict]:
    """Exponents of several x at once, log quantity = Σ_k a_k log x_k + c by least squares for each seed.

    An x is a parameter or a metric of the cells.  None where fewer than two seeds determine the fit.
    """
    found = []
    for seed in sorted({cell["seed"] for cell in cells}):
        own = [{**cell["params"], **cell["metrics"]} for cell in cells if cell["seed"] == seed]
        own = [row for row in own if row.get(quantity) and all(row.get(name) for name in x)]
        logs = np.log([[row[name] for name in x] for row in own]).reshape(len(own), len(x))
        design = np.column_stack([logs, np.ones(len(own))])
        if len(own) > len(x) + 1 and np.linalg.matrix_rank(design, tol=1e-6) == len(x) + 1:
            found.append(np.linalg.lstsq(design, np.log([row[quantity] for row in own]), rcond=None)[0][:-1])
    rows = []
    for index, name in enumerate(x):
        row = {"quantity": quantity, "x": f"{name} (joint)", "group": group, "level": LEVEL, "rule": rule}
        none = {"exponent": None, "low": None, "high": None}
        interval = (
            zip(none, mean_interval([each[index] for each in found]), strict=True) if len(found) > 1 else none.items()
        )
        rows.append(row | {"predicted": predicted[index], "seeds": len(found)} | dict(interval))
    return rows


def shown(fit: Mapping) -> str:
    """A fit as "exponent [low, high]"."""
    if fit["exponent"] is None:
        return "no fit"
    return f"{fit['exponent']:z.2f} [{fit['low']:z.2f}, {fit['high']:z.2f}]"
