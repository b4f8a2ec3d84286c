"""A network read as an estimator of f*(t, x) = E[X_0 | X_t = x], for claims: p_0 puts equal mass on the targets."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.arithmetic.primitives import given
from ntkverify.networks.nouns import Point, Problem
from ntkverify.networks.quantities import outputs
from ntkverify.truths.mixtures import atoms, denoiser
from ntkverify.truths.process import noised


def noisy(problem: Problem, point: Point, t):
    """t (n,), x = α_t y_i + √h_t ε_i with the probe's signs ε (n, d), and the estimator's values f there (n, d); x and f
    count as given, because the claims hold for every one."""
    t = jnp.full(problem.n, 1, problem.X.dtype) * t
    return t, given(noised(t, problem.y, point.probe)), given(outputs(problem, point.moved))


def regression_error(problem: Problem, point: Point, t) -> Float[Array, " n"]:
    """‖f − f*(t, x)‖² at each point."""
    t, x, f = noisy(problem, point, t)
    return jnp.sum((f - denoiser(atoms(problem.y), t, x)) ** 2, axis=1)
