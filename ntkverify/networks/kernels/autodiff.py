"""The NTK from the network alone: automatic differentiation's Jacobian, multiplied with itself."""

import jax
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.nouns import Params, Problem


@full_precision
def autodiff(problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None) -> Float[Array, "nd n2d"]:
    """J J₂ᵀ / s_m, (n·d_out, n2·d_out), sample slow.  Holds the Jacobians: (n + n2)·d_out·m·d_in numbers."""

    def jacobian(X):
        def outputs(W):
            return forward(problem.activation, Params(W, params.a, params.live), X).ravel()

        return jax.jacrev(outputs)(params.W).reshape(X.shape[0] * problem.d_out, -1)

    J = jacobian(problem.X)
    return J @ (J if X2 is None else jacobian(X2)).T / kernel_scale(problem.activation, params.m)
