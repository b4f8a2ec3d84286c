"""Precision, random numbers and intervals: what every other file may rely on about numbers."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from scipy.stats import binomtest
from scipy.stats import t as student

LEVEL = 0.95
"""Confidence level of every interval that is printed."""
SHOWN_AS_ZERO = 10
"""An eigenvalue below this, times n u ‖H‖_F, is printed as 0.  No verdict rests on it."""
GENERATOR = "threefry2x32"
"""The generator of every key that is made from a seed, whatever JAX's default is."""


def random_key(seed: int) -> PRNGKeyArray:
    """The key of a seed, so that a seed means the same network everywhere."""
    return jax.random.key(seed, impl=GENERATOR)


def full_precision(function):
    """Run `function`'s matrix products at full precision on every device.

    Recent NVIDIA cards otherwise use TF32 and TPUs bfloat16: 1e-4 a kernel entry, more than the
    drift that is measured.  The function keeps its arguments and its result.  Source: docs/theory.md §7.
    """

    @functools.wraps(function)
    def run(*args, **kwargs):
        with jax.default_matmul_precision("highest"):
            return function(*args, **kwargs)

    return run


def unit_roundoff(dtype) -> float:
    """u: the largest relative error of one rounded operation (2⁻⁵³ in float64, 2⁻²⁴ in float32)."""
    return float(jnp.finfo(dtype).eps) / 2


def gamma(terms: int, dtype) -> float:
    """γ_k = k u / (1 − k u): bounds the relative error of k roundings in any order of summation.

    Higham, Accuracy and Stability of Numerical Algorithms (2002), Lemma 3.1.
    """
    ku = terms * unit_roundoff(dtype)
    return ku / (1 - ku) if ku < 1 else math.inf


def relative_difference(A: Float[Array, "..."], B: Float[Array, "..."]) -> float:
    """max|A − B| / max|A| (0 when both vanish)."""
    top, difference = float(jnp.max(jnp.abs(A))), float(jnp.max(jnp.abs(A - B)))
    if top > 0:
        return difference / top
    return 0.0 if difference == 0 else math.inf


@functools.lru_cache(4096)
def hold_rate_interval(held: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper–Pearson interval of a success rate; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    interval = binomtest(held, trials).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def mean_interval(values, level: float = LEVEL) -> tuple[float, float, float]:
    """(mean, low, high): Student's t-interval of the mean of independent values; at least two."""
    values = np.asarray(values, float)
    mean, spread = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    reach = float(student.ppf((1 + level) / 2, len(values) - 1)) * spread
    return mean, mean - reach, mean + reach


def trials_needed(rate: float, promised: float, level: float = LEVEL, most: int = 10**7) -> int | None:
    """About how many trials at this hold rate would decide whether it reaches `promised`.

    None when even `most` would not: the rate lies too close to the promise.
    """
    trials = 20
    while trials <= most:
        low, high = hold_rate_interval(round(rate * trials), trials, level)
        if low >= promised or high < promised:
            return trials
        trials = math.ceil(trials * 1.2)
    return None
