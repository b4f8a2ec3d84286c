"""The forward process dX = −½ X dt + dB: X_t = α_t X_0 + √h_t Z, and what a denoiser says of its score.

α_t = e^{−t/2}, h_t = 1 − α_t² (docs/theory.md §6 with g = 1).  Times are (n,) arrays, states (n, d).
The denoiser f*(t,x) = E[X_0 | X_t = x] and the score s = ∇log p_t determine each other (Tweedie):
s = −(x − α_t f*)/h_t.  All errors of f are read as weighted errors of the score through `weight`.
"""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkverify.ground.errors import BadInput


def signal(t):
    """α_t, the share of X_0 in X_t."""
    return jnp.exp(-t / 2)


def noise(t):
    """h_t = Var(X_t | X_0), by expm1: 1 − e^{−t} loses all digits for small t."""
    return -jnp.expm1(-t)


def weight(t):
    """h_t²/α_t²: the score error times this is the error of the denoiser."""
    return (noise(t) / signal(t)) ** 2


def noised(t: Float[Array, " n"], clean: Float[Array, "n d"], Z: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """X_t from X_0 and standard normal Z."""
    return signal(t)[:, None] * clean + jnp.sqrt(noise(t))[:, None] * Z


def score(t: Float[Array, " n"], x: Float[Array, "n d"], f: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """−(x − α_t f)/h_t."""
    return -(x - signal(t)[:, None] * f) / noise(t)[:, None]


def smallest_time(dtype) -> float:
    """The smallest usable t: below it a score that is read off a denoiser has lost more than half of its digits.

    x − α_t f is h_t times the score, which is of size 1 where the population is smooth, and the rounding of x is
    about ε|x|: a relative error of ε/h_t, h_t ≈ t.  (Beside atoms the score is as large as 1/√h_t, and the loss √t times
    as large.)  `truth.exact_score` takes no such difference.
    """
    return math.sqrt(float(np.finfo(dtype).eps))


def check_times(earliest: float, horizon: float, dtype="float64") -> None:
    """`BadInput` unless smallest usable t ≤ earliest < horizon, both finite and `weight` too."""
    least, most = smallest_time(dtype), -math.log(float(np.finfo(dtype).tiny))
    if not 0 < horizon <= most:
        raise BadInput(f"a horizon of T = {horizon:g}", f"0 < T ≤ {most:.4g}, beyond which α_T² is 0", "T = 4")
    if not 0 < earliest < horizon:
        raise BadInput(f"t = {earliest:g} with T = {horizon:g}", "times in (0, T], the earliest below T", "t = 0.05")
    if earliest < least:
        raise BadInput(
            f"t = {earliest:g}, where h_t is so small that the score loses its digits in {dtype}",
            f"t ≥ {least:.3g}, the smallest usable t", "t = 0.01",
        )  # fmt: skip
