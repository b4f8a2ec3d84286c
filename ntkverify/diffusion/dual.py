"""Lower bounds on the objective of every network of every width, with every rounding enclosed.

For v ∈ Rⁿ with Σ_i v_i = 0 and |Σ_i v_i relu(±(x̃_i − θ))| ≤ nβ for every θ, each network has F ≥ (⟨v,t⟩ − ‖v‖²/2)/n
(docs/findings/convex-score.md, Theorem 3).  In θ the sums are piecewise linear with kinks at the x̃_k and constant beyond them, so
that n values of θ are enough.  `bound` makes such a v of any vector: real arithmetic subtracts its mean and shrinks it, and
balls enclose what comes of it.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkverify.arithmetic.arb import BITS, enclosed
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.diffusion.denoising import Net, Task, objective
from ntkverify.ground.numerics import full_precision

PROVED, VIOLATED, UNDECIDED = "proved", "violated", "undecided"


@full_precision
def correlations(v: Float[Array, " n"], noisy: Float[Array, " n"]) -> Float[Array, "two n"]:
    """Σ_i v_i relu(x̃_i − x̃_k) and Σ_i v_i relu(x̃_k − x̃_i) for each k."""
    right = jnp.maximum(noisy[None] - noisy[:, None], 0.0)
    return jnp.stack([right @ v, right.T @ v])


@full_precision
def bound(vector: Float[Array, " n"], task: Task) -> Float[Array, ""]:
    """(⟨v,t⟩ − ‖v‖²/2)/n for the feasible v on the ray of the centred vector."""
    n = len(task.noisy)
    v = vector - jnp.sum(vector) / n
    allowed = n * task.beta
    v = v * (allowed / jnp.maximum(jnp.max(jnp.abs(correlations(v, jnp.asarray(task.noisy)))), allowed))
    return (v @ task.targets - v @ v / 2) / n


def certified(vector: np.ndarray, task: Task) -> float:
    """A float that no network's objective lies below, whatever the vector; residuals of an optimum make it tight."""
    ball = enclosed(bound, BITS)(np.asarray(vector, np.float64), task).item()
    return float(np.nextafter(float(ball.lower()), -np.inf))  # Arb's own rounding to a float is to nearest


def objective_between(net: Net, task: Task) -> tuple[float, float]:
    """Floats around F at exactly these weights."""
    ball = in_balls(objective)(net, task)
    return float(ball.lower), float(ball.upper)


def respects(net: Net, task: Task, least: float) -> str:
    """Whether F ≥ least at exactly these weights: by float64 balls, where they leave it open by Arb's."""
    low, high = objective_between(net, task)
    if low >= least or high < least:
        return PROVED if low >= least else VIOLATED
    difference = enclosed(objective, BITS)(net, task).item() - least
    return PROVED if difference >= 0 else VIOLATED if difference < 0 else UNDECIDED
