"""ReLU networks: which neurons a movement can switch, and what their theorems assume of a problem.

A neuron is open at an input where ⟨w, x⟩ > 0.  Moving by at most R changes ⟨w, x⟩ by at most R‖x‖, so that only neurons with
|⟨w, x⟩| ≤ R‖x‖, the *near* ones, can switch.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from ntkverify.networks.kernels.infinite_width import infinite_width
from ntkverify.networks.kinds import relu
from ntkverify.networks.nouns import COUPLED, Params, Problem
from ntkverify.networks.quantities import logits


def smallest(problem: Problem) -> Float[Array, ""]:
    """λ₀, of the limit kernel."""
    return jnp.linalg.eigvalsh(infinite_width(problem))[0]


def _is_relu(problem: Problem, c) -> Bool[Array, ""]:
    return jnp.asarray(relu(problem.network))


def unit_inputs(problem: Problem, c) -> Bool[Array, ""]:
    """All ‖x_i‖ = 1, up to rounding."""
    return jnp.max(jnp.abs(jnp.sum(problem.X**2, axis=1) - 1)) <= 1e-12


def _one_output(problem: Problem, c) -> Bool[Array, ""]:
    return jnp.asarray(problem.d_out == 1)


def _random_start(problem: Problem, c) -> Bool[Array, ""]:
    return jnp.asarray(problem.sigma > 0)


def _root_scaled(problem: Problem, c) -> Bool[Array, ""]:
    return jnp.asarray(problem.activation.root_scaled)


def _unit_start(problem: Problem, c) -> Bool[Array, ""]:
    return jnp.asarray(problem.sigma == 1)


def _positive(problem: Problem, c) -> Bool[Array, ""]:
    return smallest(problem) > c["least"]


RELU = {"a ReLU network": _is_relu}
"""What every such claim assumes of a problem."""
OF_SOURCE = RELU | {"inputs of length 1": unit_inputs, "one output": _one_output}
"""As in Du et al."""
RANDOM = {"σ > 0": _random_start}
ROOT_SCALED = {"the output scale m^(-1/2), as relu has it": _root_scaled}
STANDARD = ROOT_SCALED | {"σ = 1": _unit_start}
POSITIVE = {"λ_min(K) > 0, which two inputs of one direction make 0": _positive}
"""Reads the constant `least`."""


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
