"""When to stop: a rule from theory, a held-out set, and what is lost against the best time."""

import math

import numpy as np


def critical_time(values: np.ndarray, deviation: float, rate: float, times: np.ndarray, norm: float = 1.0) -> int:
    """The place in `times` where kernel gradient descent should stop by its local Rademacher complexity.

    Raskutti, Wainwright and Yu, Early stopping and non-parametric regression (JMLR 2014): with λ_i/N the
    eigenvalues of the kernel matrix over its size N, running sum of steps η_τ, noise of standard deviation
    σ and ‖f*‖ ≤ `norm` in the kernel's space, the last τ with
    √(Σ_i min(λ_i/N, 1/η_τ) / N) ≤ norm / (2 e σ η_τ).  `values` are the λ_i, one step multiplies the error
    by I − rate·H, so η_τ = rate N τ.  Its constants are the paper's upper bounds; `norm` is a parameter.

    A rule for rates, not for use: with these constants and norm 1 it stops many times too early wherever the
    study has measured it (the table "when to stop" says how much), and is shown beside rules that do not.
    """
    size = len(values)
    spectrum = np.maximum(values, 0) / size
    place = 0
    for index, time in enumerate(times):
        eta = rate * size * float(time)
        complexity = math.sqrt(np.sum(np.minimum(spectrum, 1 / eta)) / size)
        if complexity > norm / (2 * math.e * max(deviation, 1e-300) * eta):
            break
        place = index
    return place


def held_out_time(fitted: np.ndarray, labels: np.ndarray) -> int:
    """The place in the times at which (times, rows, d) predictions are nearest to (rows, d) held-out labels."""
    return int(np.argmin(np.sum((fitted - labels[None]) ** 2, axis=(1, 2))))
