"""Step sizes of gradient descent: the ordinary one, the theorem's, the one that leaves the loss no room to grow."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float

from ntkverify.ground.devices import by_rows, even_rows, here, one_at_a_time
from ntkverify.ground.numerics import full_precision
from ntkverify.networks import kinds
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.kernels.kernel import kernel
from ntkverify.networks.kernels.parted import parted
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import Params, Point, Problem
from ntkverify.networks.parting import NEURONS, parting
from ntkverify.networks.quantities import curvature, nominal_B, residual, width_missed


@full_precision
def ordinary_step(problem: Problem, params: Params, c: float = 1.0) -> Float[Array, ""]:
    """η = c / (s_m λ_max(H(0))): for c < 2 the linearised dynamics converges."""
    return _ordinary(problem, params, kernel(problem, params), c)


def _ordinary(problem: Problem, params: Params, H, c: float):
    return c / (kernel_scale(problem.network, params.m) * jnp.linalg.eigvalsh(H)[-1])


def ordinary_steps(problem: Problem, networks: Params) -> Float[Array, " seeds"]:
    """`ordinary_step` of each network, one at a time on each device; of a few large ones, each by all devices."""
    seeds = len(networks.W)
    how = parting(problem, seeds)
    if how.by == NEURONS:
        with one_at_a_time(how.mesh):
            return here(jax.block_until_ready(_of_large(problem, networks, how.mesh)))
    return here(_of_many(problem, even_rows(networks, how.mesh.size), how.mesh))[:seeds]


@functools.partial(jax.jit, static_argnums=2)
def _of_many(problem: Problem, networks: Params, mesh: Mesh):
    return by_rows(lambda problem, nets: jax.lax.map(lambda net: ordinary_step(problem, net), nets), mesh)(
        problem, networks
    )


@functools.partial(jax.jit, static_argnums=2)
@full_precision
def _of_large(problem: Problem, networks: Params, mesh: Mesh):
    return jax.lax.map(
        lambda net: _ordinary(problem, net, parted(closed_form, problem, net, None, mesh), 1.0), networks
    )


@full_precision
def theorem_step(problem: Problem, params: Params, C=10.0, power=16.0) -> Float[Array, ""]:
    """η = 0.1 λ / (m n² d² e^{16B}) (reconstructed, docs/theory.md §5; its constants are parameters)."""
    smallest = jnp.maximum(jnp.linalg.eigvalsh(kernel(problem, params))[0], 0)
    nd = problem.n * problem.d_out
    B = nominal_B(problem, jnp.asarray(C, problem.X.dtype))
    return 0.1 * smallest / (params.m * nd**2 * jnp.exp(power * B))


def theorem_missed(problem: Problem, point: Point, c: Mapping) -> Float[Array, ""]:
    """log₁₀ of the factor by which the theorem's width or its step size is missed on a path, the larger one
    (reconstructed)."""
    step = theorem_step(problem, point.path.start, c["C"], c["power"])
    return jnp.maximum(width_missed(problem, point, c), jnp.log10(point.path.eta / step))


@full_precision
def careful_step(problem: Problem, params: Params, slack: float = 1.25, R: float = 0.05) -> Float[Array, ""]:
    """η = 1 / (slack s_m λ_max(H(0)) + 2.5 χ ‖e(0)‖): leaves the loss no room to grow while neurons
    move at most R (docs/theory.md §5; χ bounds the curvature of the softmax network)."""
    top = jnp.linalg.eigvalsh(kernel(problem, params))[-1]
    size = jnp.sqrt(jnp.sum(residual(problem, params) ** 2))
    bend = curvature(problem, params, jnp.asarray(R, problem.X.dtype)) if kinds.softmax(problem.network) else 0
    return 1 / (slack * kernel_scale(problem.network, params.m) * top + 2.5 * bend * size)
