"""The NTK from the network alone: automatic differentiation's Jacobian, multiplied with itself in blocks of inputs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.network import forward, kernel_scale
from ntkverify.networks.nouns import Model, Params, Problem

BUDGET = 2**28
"""Bytes of one block of the Jacobian; two are held."""


@full_precision
def autodiff(problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None) -> Float[Array, "nd n2d"]:
    """J J₂ᵀ / s_m, (n·d_out, n2·d_out), sample slow.

    Holds the Jacobians where they fit into `BUDGET`, otherwise two blocks of their rows, computed anew for each pair of
    blocks.  Each output depends on its own input alone.
    """
    rows, size = (problem.X, problem.X if X2 is None else X2), samples(problem)
    if max(map(len, rows)) <= size:
        J = jacobian(problem, params, problem.X)
        H = J @ (J if X2 is None else jacobian(problem, params, X2)).T
    else:
        left, right = (_blocks(X, size) for X in rows)
        H = jax.lax.map(lambda X: _against(problem, params, X, right), left)
        H = jnp.moveaxis(H, 1, 2).reshape(len(left) * size * problem.d_out, -1)
        H = H[: len(rows[0]) * problem.d_out, : len(rows[1]) * problem.d_out]
    return H / kernel_scale(problem.network, params.m)


def samples(problem: Problem) -> int:
    """How many inputs a block of the Jacobian holds."""
    each = problem.d_out * problem.p * columns(problem) * problem.X.dtype.itemsize
    return max(1, BUDGET // each)


def columns(problem: Problem) -> int:
    """The columns of W: neurons, or one for a model."""
    return 1 if isinstance(problem.network, Model) else problem.m


def jacobian(problem: Problem, params: Params, X: Float[Array, "b d_in"]) -> Float[Array, "bd pm"]:
    """The rows of J that belong to these inputs."""

    def of_one(x):
        def outputs(W):
            return forward(problem.network, Params(W, params.a, params.live), x[None])[0]

        return jax.jacrev(outputs)(params.W)

    return jax.vmap(of_one)(X).reshape(len(X) * problem.d_out, -1)


def _blocks(X, size: int):
    """X in blocks of `size` rows, the last filled up with copies of the last row."""
    count = -(-len(X) // size)
    filled = jnp.concatenate([X, jnp.repeat(X[-1:], count * size - len(X), axis=0)])
    return filled.reshape(count, size, -1)


def _against(problem, params, X, blocks):
    J = jacobian(problem, params, X)
    return jax.lax.map(lambda other: J @ jacobian(problem, params, other).T, blocks)
