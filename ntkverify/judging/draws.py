"""Draws by the chunk: how many points are held, and how many are evaluated, at a time."""

import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from ntkverify.ground import devices
from ntkverify.ground.batches import batches_pay
from ntkverify.ground.numerics import random_key
from ntkverify.networks.nouns import IN_BALL, ON_PATH, Model, Point, Problem
from ntkverify.networks.paths import draw_paths
from ntkverify.networks.points import DIRECTIONS, draw_points

CHUNK = 20
"""Draws a device between two reports of progress; a draw's points live only that long."""
BUDGET = 2**28
"""Bytes that the points under evaluation may take together."""


def point_bytes(n: int, d_in: int, d_out: int, m: int, itemsize: int) -> int:
    """About what evaluating a claim at one point takes: kernels, G and weights, each with its error
    bound and a few temporaries."""
    nd = n * d_out
    return 8 * (2 * nd * nd + nd * m + (n + 2 * d_in) * m) * itemsize


def chunk_bytes(n: int, d_in: int, d_out: int, m: int, itemsize: int) -> int:
    """What the points of one chunk take on a device, while they are drawn and while they are evaluated."""
    return 2 * CHUNK * len(DIRECTIONS) * (2 * (d_in + d_out) * m + n * d_out) * itemsize


def sizes(problem: Problem) -> tuple[int, int, int, int, int]:
    """n, d_in, d_out, m, and the bytes of a number; with gradients of their own, neurons are as long as those of a batch.

    A model is one neuron whose Jacobian is held, beside a few copies of its parameters.
    """
    if isinstance(problem.network, Model):
        return problem.n, problem.n * problem.d_out * problem.p, problem.d_out, 1, problem.X.dtype.itemsize
    long = problem.d_in if problem.network.neuron is None else problem.d_in + (problem.n + 1) * problem.p
    return problem.n, long, problem.d_out, problem.m, problem.X.dtype.itemsize


def batch_size(problem: Problem, draws: int = CHUNK) -> int:
    """How many of a device's `draws` points to evaluate at a time: one on a CPU, where more only compiles longer, and where
    eigenvalues of kernels take longer in batches.

    A divisor, because a remainder would be compiled apart.
    """
    if not batches_pay(problem.n * problem.d_out, str(problem.X.dtype)):
        return 1
    most = min(1 if jax.default_backend() == "cpu" else draws, BUDGET // point_bytes(*sizes(problem)))
    return max((size for size in range(1, draws + 1) if draws % size == 0 and size <= most), default=1)


def each_device(draws: int, over: int) -> int:
    """Draws of a chunk on each of `over` devices: as few chunks as may be, and as even."""
    parts = math.ceil(draws / (CHUNK * over))
    return max(math.ceil(CHUNK / over), math.ceil(draws / (parts * over)))


def chunks(
    problem: Problem, draws: int, seed: int, where: str = IN_BALL, mesh: Mesh | None = None
) -> Iterator[tuple[int, Point]]:
    """A chunk of draws at a time: how many of them count, and their points (draws, points of a draw), parted over the mesh
    (of all devices that share the work)."""
    mesh = devices.mesh() if mesh is None else mesh
    keys = jax.random.split(random_key(seed), draws)
    points = draw_paths if where == ON_PATH else draw_points
    each = each_device(draws, mesh.size)
    for begin in range(0, draws, each * mesh.size):
        part = keys[jnp.minimum(jnp.arange(begin, begin + each * mesh.size), draws - 1)]
        yield min(len(part), draws - begin), devices.plain(points(problem, part, batch_size(problem, each), mesh), mesh)
