"""Full-batch gradient descent of many networks at once: (problem, networks, η) → Run.

Seeds run side by side under `vmap`, steps in chunks of a `scan`; between chunks finished networks
are dropped and progress is told.  Memory: the networks, their `levels` snapshots and one chunk of
losses; `train_bytes` says how much beforehand.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import Params, Point, Problem
from ntkverify.networks.quantities import curvature, nominal_B, pulled_back, residual, width_missed

CONVERGED, DIVERGED, UNFINISHED = "converged", "diverged", "unfinished"
CHUNK = 256
"""Steps between two looks at which networks are done."""
EXPLODED = 1e3
"""A loss this many times the initial one counts as diverged."""
LEVELS = (1.0, 0.5, 0.1, 0.01)
"""Snapshots are taken when ‖e‖² first falls to these fractions of ‖e(0)‖²."""


@dataclass(frozen=True)
class Run:
    """What training did, one row a network.  Losses are ‖e(τ)‖² = ‖F − Y‖²."""

    start: Params
    """(seeds, d_in, m) and (seeds, d_out, m)."""
    last: Params
    eta: np.ndarray
    """(seeds,)"""
    losses: np.ndarray
    """(seeds, steps + 1); NaN after a network was done."""
    movement: np.ndarray
    """(seeds, steps + 1), max_r ‖w_r(τ) − w_r(0)‖; NaN after a network was done."""
    snapshots: Float[Array, "seeds levels d_in m"]
    """W when ‖e‖² first fell to each of `levels` · ‖e(0)‖² (W(0) where it did not)."""
    reached: np.ndarray
    """(seeds, levels), the step of each snapshot; −1 where the level was not reached."""
    levels: tuple[float, ...]
    target: float
    budget: int

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
        return _kernels(problem, self.start, self.snapshots)

    def sentence(self, index: int) -> str:
        """What became of one network."""
        steps, outcome = int(self.steps[index]), self.outcome[index]
        loss = float(self.losses[index, steps])
        if outcome == CONVERGED:
            return f"‖e‖² fell to {loss:.3g} ≤ {self.target:g} in {steps} steps."
        if outcome == DIVERGED:
            return f"It diverged: after {steps} steps ‖e‖² was {loss:.3g}; the step size {self.eta[index]:.3g} is too large."
        return f"Not converged in the budget of {self.budget} steps: ‖e‖² was still {loss:.3g} > {self.target:g}."


@jax.jit
@full_precision
def _kernels(problem: Problem, start: Params, snapshots):
    params = jax.vmap(lambda net, W: jax.vmap(lambda one: dataclasses.replace(net, W=one))(W))(start, snapshots)
    return jax.lax.map(lambda nets: jax.lax.map(lambda net: closed_form(problem, net), nets), params)


def _exploded(loss, first):
    return not loss <= EXPLODED * max(first, 1e-300)


@full_precision
def ordinary_step(problem: Problem, params: Params, c: float = 1.0) -> Float[Array, ""]:
    """η = c / (s_m λ_max(H(0))): for c < 2 the linearised dynamics converges."""
    top = jnp.linalg.eigvalsh(closed_form(problem, params))[-1]
    return c / (kernel_scale(problem.activation, params.m) * top)


@jax.jit
def ordinary_steps(problem: Problem, networks: Params) -> Float[Array, " seeds"]:
    """`ordinary_step` of each network, one at a time."""
    return jax.lax.map(lambda net: ordinary_step(problem, net), networks)


@full_precision
def theorem_step(problem: Problem, params: Params, C=10.0, power=16.0) -> Float[Array, ""]:
    """η = 0.1 λ / (m n² d² e^{16B}) (reconstructed, docs/theory.md §5; its constants are parameters)."""
    smallest = jnp.maximum(jnp.linalg.eigvalsh(closed_form(problem, params))[0], 0)
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
    top = jnp.linalg.eigvalsh(closed_form(problem, params))[-1]
    size = jnp.sqrt(jnp.sum(residual(problem, params) ** 2))
    bend = curvature(problem, params, jnp.asarray(R, problem.X.dtype)) if problem.activation.normalised else 0
    return 1 / (slack * kernel_scale(problem.activation, params.m) * top + 2.5 * bend * size)


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
    levels: Sequence[float] = LEVELS,
    optimiser: Callable = optax.sgd,
    heard: Callable[[int, int], None] = lambda step, running: None,
) -> Run:
    """Train every network of `start` (leading axis: seeds) until ‖e‖² ≤ target, it diverges, or `budget` steps.

    `optimiser(η)` is an optax transformation; the default is gradient descent.  `heard(step, running)`
    is told after each chunk how many networks are still running.
    """
    seeds = start.W.shape[0]
    losses, movement = (np.full((seeds, budget + 1), np.nan) for _ in range(2))
    last, reached = np.array(start.W), np.full((seeds, len(levels)), -1)
    snapshots = np.repeat(last[:, None], len(levels), axis=1)
    state = _begin(problem, optimiser, tuple(levels), start, eta)
    losses[:, 0], movement[:, 0] = state["loss"], 0
    running = np.arange(seeds)
    running = running[~(losses[:, 0] <= target)]
    rows, state = running, _rows(state, running)
    for begin in range(0, budget, CHUNK):
        if not len(running):
            break
        length = min(CHUNK, budget - begin)
        span = jnp.asarray([begin, budget])
        state, found = _advance(problem, _rows(start, rows), eta[rows], state, span, target, optimiser, tuple(levels))
        loss, moved = (np.nan_to_num(each[:, :length], nan=np.inf, posinf=np.inf) for each in found)
        done = (loss <= target) | ~(loss <= EXPLODED * losses[rows, :1])
        stop = np.where(done[:, -1], done.argmax(axis=1), length - 1)  # what is done stands still
        for place, row in enumerate(rows):
            if row in running:
                until = begin + 2 + stop[place]
                losses[row, begin + 1 : until] = loss[place, : stop[place] + 1]
                movement[row, begin + 1 : until] = moved[place, : stop[place] + 1]
                reached[row], snapshots[row] = state["reached"][place], state["snapshots"][place][:-1]
                last[row] = state["W"][place]
        ended = rows[done[:, -1]]
        running = np.setdiff1d(running, ended)
        heard(begin + length, len(running))
        rows, state = _shrunk(rows, running, state)
    return Run(
        start=start, last=dataclasses.replace(start, W=jnp.asarray(last)), eta=np.asarray(eta), losses=losses, movement=movement,
        snapshots=jnp.asarray(snapshots), reached=reached, levels=tuple(levels), target=target, budget=budget,
    )  # fmt: skip


def _shrunk(rows, running, state):
    """Drop finished networks once at most half of those carried are running; a batch of half the
    size compiles at most log₂(seeds) times."""
    size = len(rows)
    while size > 1 and len(running) <= size // 2:
        size //= 2
    if size == len(rows) or not len(running):
        return rows, state
    keep = np.concatenate([running, np.repeat(running[:1], size - len(running))]) if len(running) < size else running
    places = [int(np.flatnonzero(rows == row)[0]) for row in keep]
    return keep, _rows(state, np.asarray(places))


def _rows(tree, rows):
    return jax.tree.map(lambda leaf: leaf[rows], tree)


@functools.partial(jax.jit, static_argnames=("optimiser", "levels"))
@full_precision
def _begin(problem, optimiser, levels, start, eta):
    def one(params, eta):
        first = jnp.sum(residual(problem, params) ** 2)
        return {
            "W": params.W,
            "optimiser": optimiser(eta).init(params.W),
            "loss": first,
            "first": first,
            "reached": jnp.where(jnp.asarray(levels) >= 1, 0, -1),
            # The last slot takes what no level asks for.
            "snapshots": jnp.repeat(params.W[None], len(levels) + 1, axis=0),
        }

    return jax.vmap(one)(start, eta)


@functools.partial(jax.jit, static_argnames=("optimiser", "levels"), donate_argnames=("state",))
@full_precision
def _advance(problem, start, eta, state, span, target, optimiser, levels):
    """`CHUNK` steps of every network, none past the budget, span = (begin, budget); returns the state and
    the losses and movements after each.  Always the same length, so that budgets share a program."""
    begin, budget = span

    def one(start, eta, state):
        rule = optimiser(eta)

        def step(state, index):
            params = dataclasses.replace(start, W=state["W"])
            gradient = pulled_back(problem, params, residual(problem, params))
            update, memory = rule.update(gradient, state["optimiser"], state["W"])
            on = (state["loss"] > target) & (state["loss"] <= EXPLODED * state["first"])  # done networks stand still
            on &= index < budget
            W = jnp.where(on, state["W"] + update, state["W"])
            loss = jnp.sum(residual(problem, dataclasses.replace(start, W=W)) ** 2)
            moved = jnp.sqrt(jnp.max(jnp.sum((W - start.W) ** 2, axis=0)))
            crossed = (state["reached"] < 0) & (loss <= jnp.asarray(levels, loss.dtype) * state["first"])
            slot = jnp.where(jnp.any(crossed), jnp.argmax(crossed), len(levels))
            # A step that crosses several levels at once is the snapshot of the first; the next step's of the others.
            now = (jnp.arange(len(levels)) == slot) & crossed
            state = state | {
                "W": W,
                "optimiser": memory,
                "loss": loss,
                "reached": jnp.where(now, index + 1, state["reached"]),
                "snapshots": jax.lax.dynamic_update_index_in_dim(state["snapshots"], W, slot, 0),
            }
            return state, (loss, moved)

        return jax.lax.scan(step, state, begin + jnp.arange(CHUNK))

    return jax.vmap(one)(start, eta, state)


def train_bytes(problem: Problem, seeds: int, budget: int, levels: int = len(LEVELS)) -> int:
    """About what training takes: weights and snapshots twice (device and host), logits, losses."""
    size = problem.X.dtype.itemsize
    weights = (levels + 6) * problem.d_in * problem.m + 6 * problem.n * problem.m + problem.d_out * problem.m
    return 2 * seeds * weights * size + 4 * seeds * budget * 8
