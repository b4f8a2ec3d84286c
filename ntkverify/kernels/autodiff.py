"""The NTK from the network alone: automatic differentiation's Jacobian, multiplied with itself."""

import jax
from jaxtyping import Array, Float

from ntkverify.network import forward, kernel_scale
from ntkverify.nouns import Params, Problem
from ntkverify.numerics import full_precision


@full_precision
def autodiff(problem: Problem, params: Params) -> Float[Array, "nd nd"]:
    """J Jᵀ / s_m, (n·d_out, n·d_out), sample slow.  Holds the Jacobian: n·d_out·m·d_in numbers."""

    def outputs(W):
        return forward(problem.activation, Params(W, params.a, params.live), problem.X).ravel()

    J = jax.jacrev(outputs)(params.W).reshape(problem.n * problem.d_out, -1)
    return J @ J.T / kernel_scale(problem.activation, params.m)
