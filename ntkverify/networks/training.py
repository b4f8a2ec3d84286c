"""Full-batch gradient descent of many networks at once: (problem, networks, η) → Run.

Many networks are parted over the devices, a few large ones by their neurons (`parting.py`).  On a device each runs by itself
on a thread (CPUs) or all run in one batch (accelerators), in chunks of steps; a network
that is done costs nothing more, and between chunks progress is told.  Memory: the networks, their
`levels` snapshots and the losses; `train_bytes` says how much beforehand.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int

from ntkverify.ground.devices import by_rows, even_rows, held, here, one_at_a_time, whole
from ntkverify.ground.environment import cores
from ntkverify.ground.numerics import full_precision
from ntkverify.ground.shown import Kept, Shown
from ntkverify.networks.kernels.autodiff import columns
from ntkverify.networks.kernels.parted import laid_out, parted, parted_networks
from ntkverify.networks.kernels.shared_products import shared_products
from ntkverify.networks.losses import SAID, squared
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.parting import NETWORKS, NEURONS, parting
from ntkverify.networks.quantities import pulled_back, residual

CONVERGED, DIVERGED, UNFINISHED = "converged", "diverged", "unfinished"
CHUNK = 256
"""Steps between two looks at which networks are done."""
EXPLODED = 1e3
"""A loss this many times the initial one counts as diverged."""
LEVELS = (1.0, 0.5, 0.1, 0.01)
"""Snapshots are taken when ‖e‖² first falls to these fractions of ‖e(0)‖²."""


@dataclass(frozen=True)
class Run(Shown):
    """What training did, one row a network.  Losses are ‖e(τ)‖² = ‖F − Y‖², or what `measured` says."""

    start: Params
    """(seeds, d_in, m) and (seeds, d_out, m)."""
    last: Params
    eta: np.ndarray
    """(seeds,)"""
    losses: np.ndarray
    """(seeds, steps + 1); NaN after a network was done."""
    movement: np.ndarray
    """(seeds, steps + 1), max_r ‖w_r(τ) − w_r(0)‖; NaN after a network was done, (seeds, 0) where nobody asked."""
    snapshots: Float[Array, "seeds levels d_in m"]
    """W when the loss first fell to each of `levels` times its first value (W(0) where it did not)."""
    reached: np.ndarray
    """(seeds, levels), the step of each snapshot; −1 where the level was not reached."""
    levels: tuple[float, ...]
    target: float
    budget: int
    measured: str = SAID[squared]

    @property
    def steps(self) -> np.ndarray:
        """(seeds,) steps taken."""
        return np.sum(~np.isnan(self.losses), axis=1) - 1

    @property
    def outcome(self) -> list[str]:
        """converged | diverged | unfinished."""
        last = self.losses[np.arange(len(self.losses)), self.steps]
        first = self.losses[:, 0]
        return [
            CONVERGED if loss <= self.target else DIVERGED if _exploded(loss, start) else UNFINISHED
            for loss, start in zip(last, first, strict=True)
        ]

    def kernels(self, problem: Problem) -> Float[Array, "seeds levels nd nd"]:
        """H at each snapshot, computed one at a time."""
        by, over = parting(problem, len(self.eta))
        with one_at_a_time(over) if by == NEURONS else contextlib.nullcontext():
            rows = (self.start, self.snapshots) if by == NEURONS else even_rows((self.start, self.snapshots), over.size)
            return here(_kernels(problem, *rows, over, by))[: len(self.eta)]

    def kept(self) -> Kept:
        """A row for each network; losses and movement."""
        moved = [float(np.nanmax(row)) if row.size else None for row in self.movement]
        networks = [
            {
                "network": index, "outcome": outcome, "steps": int(steps), "step size": float(eta),
                "loss before": float(losses[0]), "loss after": float(losses[steps]), "movement": far,
            }
            for index, (outcome, steps, eta, losses, far) in enumerate(
                zip(self.outcome, self.steps, self.eta, self.losses, moved, strict=True)
            )
        ]  # fmt: skip
        results = {"verb": "train", "complete": True, "measured": self.measured, "networks": networks}
        return results, (), {"losses": self.losses, "movement": self.movement}

    def sentence(self, index: int) -> str:
        """What became of one network."""
        steps, outcome = int(self.steps[index]), self.outcome[index]
        loss = float(self.losses[index, steps])
        if outcome == CONVERGED:
            return f"{self.measured} fell to {loss:.3g} ≤ {self.target:g} in {steps} steps."
        if outcome == DIVERGED:
            return f"It diverged: after {steps} steps {self.measured} was {loss:.3g}; the step size {self.eta[index]:.3g} is too large."
        return f"Not converged in the budget of {self.budget} steps: {self.measured} was still {loss:.3g} > {self.target:g}."


@functools.partial(jax.jit, static_argnames=("mesh", "by"))
@full_precision
def _kernels(problem: Problem, start: Params, snapshots, mesh: Mesh, by: str):
    params = jax.vmap(lambda net, W: jax.vmap(lambda one: dataclasses.replace(net, W=one))(W))(start, snapshots)

    def each(of, params):
        return jax.lax.map(lambda nets: jax.lax.map(of, nets), params)

    if by == NEURONS:
        return each(lambda net: parted(shared_products, problem, net, None, mesh), params)
    return by_rows(lambda problem, params: each(lambda net: shared_products(problem, net), params), mesh)(
        problem, params
    )


def _exploded(loss, first):
    return not (np.isfinite(first) and loss <= EXPLODED * max(float(first), 1e-300))


def descend(problem: Problem, params: Params, eta) -> Params:
    """One step of gradient descent."""
    return dataclasses.replace(params, W=params.W - eta * pulled_back(problem, params, residual(problem, params)))


@jax.jit
@full_precision
def weights_at(problem: Problem, start: Params, eta, times: Int[Array, " times"]) -> Float[Array, "times d_in m"]:
    """W of one network after each of `times` steps of gradient descent, ascending; NaN once it has diverged."""

    def until(state, time):
        W, now = state
        W = jax.lax.fori_loop(now, time, lambda _, W: descend(problem, dataclasses.replace(start, W=W), eta).W, W)
        return (W, time), W

    return jax.lax.scan(until, (start.W, jnp.zeros_like(times[0])), times)[1]


def train(
    problem: Problem,
    start: Params,
    eta: Float[Array, " seeds"],
    *,
    target: float,
    budget: int,
    levels: Sequence[float] = (),
    movement: bool = False,
    optimiser: Callable = optax.sgd,
    loss: Callable = squared,
    heard: Callable[[int, int], None] = lambda step, running: None,
    together: bool | None = None,
) -> Run:
    """Train every network of `start` (leading axis: seeds) until its loss, ‖e‖² unless `loss` is another of `losses.py`, is at
    most the target, it diverges, or `budget` steps.

    `optimiser(η)` is an optax transformation that asks for gradients alone (a named function, or each call compiles);
    the default is gradient descent.  `heard(step, running)` is told after each chunk how many networks go on.
    `together`: all in one batch, as accelerators like it, or each by itself, on as many threads as there are
    processors, as CPUs do; by default what the device likes.  Movement and snapshots are computed where they are
    asked for.
    """
    seeds, levels, m = start.W.shape[0], tuple(levels), start.W.shape[-1]
    by, over = parting(problem, seeds)
    together = jax.default_backend() != "cpu" if together is None else together
    losses, moved = (np.full((seeds, columns), np.nan) for columns in (budget + 1, (budget + 1) * movement))
    first = whole(start.W)
    found = {
        "W": np.array(first), "reached": np.full((seeds, len(levels)), -1),
        "snapshots": np.repeat(first[:, None], len(levels), axis=1),
    }  # fmt: skip
    goal, state = jnp.asarray(target, problem.X.dtype), functools.partial(_begin, optimiser, levels)
    if by == NEURONS:
        problem, nets = parted_networks(problem, start, over)
        groups = [(np.arange(seeds), nets, eta, state(nets, eta))]
    else:
        groups = _groups(start, eta, state(start, eta), over.size, 1 if together else _parts(seeds, over.size))
    how = {
        "optimiser": optimiser,
        "loss": loss,
        "levels": levels,
        "movement": movement,
        "together": together,
        "mesh": over,
        "by": by,
    }
    for begin in range(0, budget + 1, CHUNK):
        end = min(begin + CHUNK, budget + 1)
        span = jnp.asarray([begin, end, budget])
        # Compiled here: threads know nothing of this one's settings of JAX.
        program = _advance.lower(problem, *groups[0][1:], span, goal, **how).compile()
        with one_at_a_time(over) if by == NEURONS else contextlib.nullcontext():
            ended = _side_by_side([functools.partial(program, problem, *group, span, goal) for _, *group in groups])
        left, running = [], 0
        for (these, nets, sizes, _), (state, seen) in zip(groups, ended, strict=True):
            on, own = whole(state["on"]), these < seeds
            for table, part in zip((losses, moved), seen, strict=True):
                if table.size:
                    table[these[own], begin:end] = whole(part)[own, : end - begin]
            if end > budget or not on[own].all():
                for name, kept in found.items():
                    kept[these[own]] = (
                        whole(state[name])[own] if name == "reached" else whole(state[name])[own, ..., :m]
                    )
            if on.any():
                shrinks = together and by == NETWORKS
                left.append(
                    _shrunk(over.size, these, nets, sizes, state, on) if shrinks else (these, nets, sizes, state)
                )
            running += on.sum()
        groups = left
        heard(min(begin + CHUNK, budget), int(running))
        if not running:
            break
    lay = functools.partial(laid_out, over) if by == NEURONS else jnp.asarray
    return Run(
        start=start, last=dataclasses.replace(start, W=lay(found["W"])), eta=whole(eta), losses=losses, movement=moved,
        snapshots=lay(found["snapshots"]), reached=found["reached"], levels=levels, target=float(goal), budget=budget,
        measured=SAID[loss],
    )  # fmt: skip


def _groups(start: Params, eta, state, devices: int, count: int) -> list[tuple]:
    """`count` parts of the networks with their indices; each is rows enough for all devices, those beyond the last network
    being its first one again, which is done already."""
    seeds = len(eta)
    everything = even_rows((start, eta, state), devices)
    rows = np.arange(len(everything[1]))
    everything[2]["on"] = everything[2]["on"] & (rows < seeds)
    return [(part, *_rows(everything, part)) for part in np.split(rows, count)]


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """One for all calls, so that calls from several threads do not get in each other's way."""
    return ThreadPoolExecutor(cores())


def _side_by_side(calls: Sequence[Callable]) -> list:
    """What each call gives, computed on as many threads as there are processors; an interruption leaves none waiting."""
    if len(calls) == 1:
        return [calls[0]()]
    working = []
    try:
        working += [_pool().submit(lambda call: jax.block_until_ready(call()), call) for call in calls]
        return [each.result() for each in working]
    except BaseException:
        for each in working:
            each.cancel()
        raise


def _parts(seeds: int, devices: int) -> int:
    """Into how many groups of one size threads divide the networks, so that all share a program: four or more a thread,
    but one where there are several devices, which work side by side without."""
    if devices > 1:
        return 1
    most = max(1, seeds // (4 * cores()))
    return seeds // next(size for size in range(most, 0, -1) if seeds % size == 0)


def _shrunk(devices: int, rows, nets, sizes, state, on):
    """Drop finished networks of a batch once at most half of it is running; batches of half the size compile at most
    log₂(seeds) times."""
    size, running = len(rows), np.flatnonzero(on)
    while len(running) <= size // 2 and size % (2 * devices) == 0:
        size //= 2
    if size == len(rows):
        return rows, nets, sizes, state
    keep = np.concatenate([running, np.flatnonzero(~on)[: size - len(running)]])
    return rows[keep], *_rows((nets, sizes, state), keep)


def _rows(tree, rows):
    return jax.tree.map(lambda leaf: leaf[rows], tree)


@functools.partial(jax.jit, static_argnames=("optimiser", "levels"))
def _begin(optimiser, levels, nets, eta):
    """The state of networks that nobody has looked at yet."""
    count = eta.shape[0]
    return {
        "W": jnp.copy(nets.W),
        "optimiser": jax.vmap(lambda eta, W: optimiser(eta).init(W))(eta, nets.W),
        "first": jnp.zeros(count, eta.dtype),
        "on": jnp.ones(count, bool),
        "reached": jnp.full((count, len(levels)), -1),
        "snapshots": jnp.repeat(nets.W[:, None], len(levels), axis=1),
    }


@functools.partial(
    jax.jit,
    static_argnames=("optimiser", "loss", "levels", "movement", "together", "mesh", "by"),
    donate_argnames=("state",),
)
@full_precision
def _advance(problem, nets, eta, state, span, target, optimiser, loss, levels, movement, together, mesh, by):
    """Look at every network at the steps from `begin` up to `end`, span = (begin, end, budget), and take a step after
    each look unless it is done; returns the state, and losses and movements, NaN where nobody looked.

    At most `CHUNK` looks, so that budgets share a program.
    """

    def part(shared, rows):
        walk = functools.partial(_walk, *shared, optimiser, loss, levels, movement)
        if not together:
            return jax.lax.map(lambda each: walk(lambda look: look, *each), rows)
        state, tables = walk(jax.vmap, *rows)
        return state, [jnp.moveaxis(table, 0, -1) for table in tables]

    shared, rows = (problem, span, target), (nets, eta, state)
    return part(shared, rows) if by == NEURONS else by_rows(part, mesh)(shared, rows)


def _walk(problem, span, target, optimiser, measured, levels, movement, over, nets, eta, state):
    """The steps of one network, or with `over` = vmap of many; one forward a step, whose error gives both the loss and
    the gradient.  Tables have the step first."""
    begin, end, budget = span
    fractions = jnp.asarray(levels, eta.dtype)

    def look(net, eta, state, index):
        W, on = state["W"], state["on"]
        params = dataclasses.replace(net, W=W)
        loss, slope = measured(problem, params)
        gradient = pulled_back(problem, params, slope)
        first = jnp.where(index == 0, loss, state["first"])
        update, memory = optimiser(eta).update(gradient, state["optimiser"], W)
        goes_on = on & (loss > target) & jnp.isfinite(loss) & (loss <= EXPLODED * first) & (index < budget)
        crossed = on & (state["reached"] < 0) & (loss <= fractions * first)
        moved = jnp.sqrt(jnp.max(jnp.sum((W - net.W) ** 2, axis=0))) if movement else jnp.nan
        seen = [jnp.where(on, jnp.where(jnp.isnan(each), jnp.inf, each), jnp.nan) for each in (loss, moved)]
        after = {
            "W": jnp.where(goes_on, W + update, W), "optimiser": memory, "first": first, "on": goes_on,
            "reached": jnp.where(crossed, index, state["reached"]),
        }  # fmt: skip
        return after, crossed, seen

    def step(carry):
        index, state, tables = carry
        after, crossed, seen = over(look)(nets, eta, state, jnp.full(eta.shape, index))
        after["snapshots"] = state["snapshots"]
        if levels:
            taken = crossed[..., None, None]
            after["snapshots"] = jax.lax.cond(
                jnp.any(crossed),
                lambda: jnp.where(taken, state["W"][..., None, :, :], state["snapshots"]),
                lambda: state["snapshots"],
            )
        tables = [
            table.at[index - begin].set(each) if table.size else table for table, each in zip(tables, seen, strict=True)
        ]
        return index + 1, after, tables

    tables = [jnp.full((rows, *eta.shape), jnp.nan, eta.dtype) for rows in (CHUNK, CHUNK * movement)]
    _, state, tables = jax.lax.while_loop(
        lambda carry: (carry[0] < end) & jnp.any(carry[1]["on"]), step, (begin, state, tables)
    )
    return state, tables


def train_bytes(problem: Problem, seeds: int, budget: int, levels: int = len(LEVELS)) -> int:
    """About what training takes of a device's memory: weights and snapshots twice (device and host), logits, losses."""
    size = problem.X.dtype.itemsize
    weights = (levels + 6) * problem.p * columns(problem) + 6 * problem.n * problem.m + problem.d_out * problem.m
    _, over = parting(problem, seeds)
    return held(2 * seeds * weights * size, over) + 4 * seeds * budget * 8
