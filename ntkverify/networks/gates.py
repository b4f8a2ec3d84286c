"""ReLU networks: which neurons a movement can switch, and what their theorems assume of a problem.

A neuron is open at an input where ⟨w, x⟩ > 0.  Moving by at most R changes ⟨w, x⟩ by at most R‖x‖, so that only neurons with
|⟨w, x⟩| ≤ R‖x‖, the *near* ones, can switch.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ntkverify.networks.kinds import relu
from ntkverify.networks.nouns import COUPLED, Params, Problem
from ntkverify.networks.quantities import logits


def is_relu(problem: Problem) -> Bool[Array, ""]:
    """The network is one that these claims speak of."""
    return jnp.asarray(relu(problem.network))


def unit_inputs(problem: Problem) -> Bool[Array, ""]:
    """All ‖x_i‖ = 1, up to rounding."""
    return jnp.max(jnp.abs(jnp.sum(problem.X**2, axis=1) - 1)) <= 1e-12


def single_output(problem: Problem) -> Bool[Array, ""]:
    """ReLU, unit inputs and one output, as in Du et al."""
    return is_relu(problem) & unit_inputs(problem) & (problem.d_out == 1)


def drawn(problem: Problem) -> int:
    """m': how many neurons are drawn, m/2 where they come in pairs."""
    return problem.m // 2 if problem.init == COUPLED else problem.m


def lengths(problem: Problem) -> Float[Array, " n"]:
    """‖x_i‖."""
    return jnp.sqrt(jnp.sum(problem.X**2, axis=1))


def opened(problem: Problem, params: Params) -> Float[Array, "n m"]:
    """1 where ⟨w_r, x_i⟩ > 0, 0 elsewhere."""
    return (logits(problem, params) > 0).astype(problem.X.dtype)


def near(problem: Problem, params: Params, R) -> Float[Array, "n m"]:
    """1 where |⟨w_r, x_i⟩| ≤ R ‖x_i‖, 0 elsewhere."""
    return (jnp.abs(logits(problem, params)) <= R * lengths(problem)[:, None]).astype(problem.X.dtype)
