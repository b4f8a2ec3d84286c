"""How networks are parted over the devices that share the work: many by networks, a few large ones by their neurons."""

from typing import NamedTuple

from jax.sharding import Mesh

from ntkverify.ground.devices import alone, mesh
from ntkverify.networks.kernels.closed_form import BLOCK
from ntkverify.networks.nouns import Problem, TwoLayer

NETWORKS, NEURONS = "networks", "neurons"


class Parting(NamedTuple):
    """What is parted, and over which devices."""

    by: str
    mesh: Mesh


def parting(problem: Problem, seeds: int) -> Parting:
    """By networks where there is one for each device; by neurons where each device gets `BLOCK` of them at least; otherwise
    one device does it all, as it does with a model of the user's."""
    over = mesh()
    if seeds >= over.size:
        return Parting(NETWORKS, over)
    if isinstance(problem.network, TwoLayer) and problem.m >= BLOCK * over.size:
        return Parting(NEURONS, over)
    return Parting(NETWORKS, alone())
