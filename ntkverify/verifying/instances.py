"""Settings → instances: the problems of a run, each with the row that describes it."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from ntkverify import catalogue
from ntkverify.ground.devices import held, mesh
from ntkverify.ground.environment import cores, require_memory
from ntkverify.ground.settings import Settings
from ntkverify.judging.draws import CHUNK, chunk_bytes, point_bytes
from ntkverify.networks.kernels.autodiff import BUDGET as BLOCK
from ntkverify.networks.nouns import Problem, TwoLayer
from ntkverify.networks.points import DIRECTIONS
from ntkverify.networks.problems import problem as make_problem
from ntkverify.searching.falsifying import search_bytes
from ntkverify.verifying.kernels import BUDGET as REFERENCES

BASE = 2**30
"""Bytes for the programs themselves: JAX, compiled code, scikit-learn."""


class Instance(NamedTuple):
    """A problem and its row."""

    row: dict
    problem: Problem

    @property
    def id(self) -> str:
        """The row's id, which no other instance of the run has."""
        return self.row["id"]


def make_instances(settings: Settings, certified: bool = False) -> list[Instance]:
    """Each data set with each network, in the order of the settings; `BadInput` where one does not fit into memory."""
    every = [
        make_instance(settings, data, network, certified) for network in settings.network for data in settings.data
    ]
    _distinguish([each.row for each in every])
    return every


def _distinguish(rows: list[dict]) -> None:
    """Number the ids that are there already: copies of one file, whose names and content are the same."""
    taken: Counter[str] = Counter()
    for row in rows:
        taken[row["id"]] += 1
        if (copy := taken[row["id"]]) > 1:
            row["id"] += f"-{copy}"


def memory_needed(n: int, d_in: int, d_out: int, m: int, itemsize: int, certified: bool = False) -> int:
    """About the bytes that a run takes at its largest, with `--certify` or without."""
    over = mesh()
    points = held(over.size * chunk_bytes(n, d_in, d_out, m, itemsize), over)
    claims = points + cores() * point_bytes(n, d_in, d_out, m, itemsize)
    if certified:  # the first draws stay, in the ball and on the path, while one claim after another is searched
        claims = 2 * chunk_bytes(n, d_in, d_out, m, itemsize) + search_bytes(n, d_in, d_out, m, itemsize)
    jacobian = 3 * n * d_out * m * d_in * itemsize
    return BASE + claims + 2 * min(REFERENCES, jacobian) + 6 * (n * d_out) ** 2 * itemsize + n * (d_in + d_out) * 24


def _of_model(problem: Problem) -> int:
    """About the bytes that a run with a user's model takes: points of one chunk, and Jacobians with their error bounds."""
    size = problem.X.dtype.itemsize
    jacobian = problem.n * problem.d_out * problem.p * size
    points = 2 * CHUNK * len(DIRECTIONS) * 2 * problem.p * size
    return BASE + points + 2 * min(REFERENCES, 3 * jacobian) + cores() * 8 * min(jacobian, 2 * BLOCK)


def make_instance(
    settings: Settings, data: str, network: str, certified: bool = False, verified: bool = True
) -> Instance:
    """The row that describes a problem, and the problem; `BadInput` where it does not fit into memory, nor, where claims
    are to be `verified`, what that takes."""
    chosen = catalogue.network(network)
    itemsize = np.dtype(settings.dtype).itemsize

    def fits(n, d_in, d_out):
        sizes = {"n": n, "d-in": d_in, "d-out": d_out, "m": settings.m}
        what = " ".join(f"--{name} {size}" for name, size in sizes.items() if size)
        needed = 24 * (n or 1) * ((d_in or 1) + (d_out or 1))
        if verified:
            needed = memory_needed(n or 1, d_in or 1, d_out or 1, settings.m, itemsize, certified)
        require_memory(needed, what, "a smaller --m or --n")

    if isinstance(chosen, TwoLayer):
        fits(settings.n, settings.d_in, settings.d_out)  # before anything of that size is made
    dataset = catalogue.load_input(data)(data, settings.n, settings.d_in, settings.d_out, settings.seed)
    if isinstance(chosen, TwoLayer):
        fits(len(dataset.X), dataset.X.shape[1], dataset.y.shape[1])
    instance, scaling = make_problem(
        dataset,
        chosen,
        m=settings.m,
        init=settings.init,
        sigma=settings.sigma,
        delta=settings.delta,
        radius=settings.radius,
        dtype=settings.dtype,
        scale=settings.scale,
    )
    if not isinstance(chosen, TwoLayer):
        require_memory(_of_model(instance), f"{chosen.name} at --m {settings.m}", "a smaller --m or --n")
    row = {
        "id": "-".join(part for part in (dataset.name, dataset.digest, chosen.name) if part),
        "data": data,
        "origin": dataset.origin,
        "network": network,
        "formula": chosen.title,
        "init": settings.init,
        "n": instance.n,
        "d_in": instance.d_in,
        "d_out": instance.d_out,
        "m": instance.m,
        "sigma": settings.sigma if isinstance(chosen, TwoLayer) else None,
        "rank": instance.rank,
        "scaling": scaling,
    }
    return Instance(row, instance)
