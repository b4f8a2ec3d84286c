"""The kernel of one large network whose neurons are parted over devices: each sums over its own, then all sums are added.

A device holds its part of W and a, one block of G and the result; nothing of the width of the whole.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from ntkverify.ground.devices import AXIS, COLUMNS, COPIES, laid, moved
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Params, Problem


def even(params: Params, parts: int) -> Params:
    """The same network, or networks (leading axis), padded so that neurons can be parted evenly."""
    missing = -params.W.shape[-1] % parts
    if not missing:
        return params
    live = params.live
    if live is None:
        live = jnp.full(params.W.shape[:-2], params.W.shape[-1], params.W.dtype)
    pads = ((0, 0),) * (params.W.ndim - 1) + ((0, missing),)
    return Params(jnp.pad(params.W, pads), jnp.pad(params.a, pads), live)


def laid_out(over: Mesh, array) -> Array:
    """An array whose last axis counts neurons, those parted over the mesh (on one device if they do not part evenly)."""
    if array.shape[-1] % over.size:
        return jnp.asarray(array)
    return laid(array, over, PartitionSpec(*(None,) * (array.ndim - 1), AXIS))


def placed(params: Params, over: Mesh) -> Params:
    """A network on the devices of the mesh, its neurons parted where they part evenly."""
    if params.W.shape[-1] % over.size:
        return moved(params, over)
    return Params(laid_out(over, params.W), laid_out(over, params.a), moved(params.live, over))


def parted_networks(problem: Problem, networks: Params, over: Mesh) -> tuple[Problem, Params]:
    """Networks (leading axis) with their neurons parted over the mesh, and the problem at the width that they are padded to."""
    wide = even(networks, over.size)
    live = None if wide.live is None else laid(wide.live, over, COPIES)
    W, a = (laid_out(over, each) for each in (wide.W, wide.a))
    return dataclasses.replace(problem, m=wide.W.shape[-1]), Params(W, a, live)


def draw_parted(problem: Problem, key, over: Mesh) -> Params:
    """`initialise`, its neurons drawn where they will lie; their number is a multiple of that of the devices."""
    return _drawn(over)(problem, key)


@functools.cache
def _drawn(over: Mesh):
    return jax.jit(initialise, out_shardings=NamedSharding(over, COLUMNS))


@functools.partial(jax.jit, static_argnames=("route", "mesh"))
def parted(
    route: Callable, problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None, mesh: Mesh
) -> Float[Array, "nd n2d"]:
    """`route`, one that takes an axis, of a network whose neurons are parted over the mesh."""

    def part(problem, W, a, live, X2):
        here = None
        if live is not None:
            here = jnp.clip(live - jax.lax.axis_index(AXIS) * W.shape[1], 0, W.shape[1]).astype(W.dtype)
        return route(problem, Params(W, a, here), X2, AXIS)

    specs = (COPIES, COLUMNS, COLUMNS, COPIES, COPIES)
    wide = even(params, mesh.size)
    return jax.shard_map(part, mesh=mesh, in_specs=specs, out_specs=COPIES, check_vma=False)(
        problem, wide.W, wide.a, wide.live, X2
    )
