"""Losses that training descends: (problem, params) → (what is looked at, the gradient in the outputs F, which is pulled back)."""

import jax
import jax.numpy as jnp

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.quantities import residual


def squared(problem: Problem, params: Params):
    """(‖F − Y‖², F − Y): the gradient is that of ½‖F − Y‖²."""
    e = residual(problem, params)
    return jnp.sum(e**2), e


def logistic(problem: Problem, params: Params):
    """(mean of log(1 + e^{−yF}), its gradient), labels y = ±1."""
    y = problem.y
    margins = y * (residual(problem, params) + y)
    return jnp.mean(jax.nn.softplus(-margins)), -y * jax.nn.sigmoid(-margins) / y.size


LOSSES = {"squared": squared, "logistic": logistic}
SAID = {squared: "‖e‖²", logistic: "the mean logistic loss"}


def check_labels(problem: Problem) -> None:
    """`BadInput` for targets that the logistic loss cannot read."""
    if not bool(jnp.all(jnp.abs(problem.y) == 1)):
        raise BadInput("targets that are not ±1 with loss='logistic'", "labels −1 and 1", "y = np.sign(y)")
