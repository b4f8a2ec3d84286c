"""Denoising score matching on the line with a two-layer ReLU network.

s(x) = Σ_r a_r relu(w_r x + b_r) + c, and for n noisy inputs x̃_i = x_i + τ ε_i with targets t_i = −ε_i/τ, drawn once,

    F = 1/(2n) Σ_i (s(x̃_i) − t_i)² + β/2 Σ_r (w_r² + a_r²).

Inner biases b and the outer bias c are not regularised (docs/findings/convex-score.md).
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import full_precision
from ntkverify.truths.line import Line


class Net(NamedTuple):
    """A network on the line, or several along a leading axis."""

    w: jax.Array
    """(m,)"""
    b: jax.Array
    """(m,)"""
    a: jax.Array
    """(m,)"""
    c: jax.Array
    """()"""


class Task(NamedTuple):
    """What is regressed on what.  Make it with `task`."""

    noisy: np.ndarray
    """(n,) x̃, as float64."""
    targets: np.ndarray
    """(n,) −ε/τ."""
    beta: np.ndarray
    """() the weight decay."""


def task(noisy, targets, beta: float) -> Task:
    """The regression of targets on noisy inputs; `BadInput` for what has no convex program."""
    noisy, targets = (np.asarray(each, np.float64) for each in (noisy, targets))
    if noisy.ndim != 1 or noisy.shape != targets.shape:
        raise BadInput(f"noisy inputs of shape {noisy.shape} and targets of shape {targets.shape}", "two arrays (n,)")
    if len(noisy) < 2:
        raise BadInput(f"n = {len(noisy)} noisy inputs", "at least 2", "--grid n=16")
    if not (np.isfinite(noisy).all() and np.isfinite(targets).all()):
        raise BadInput("noisy inputs or targets that are not finite", "finite numbers")
    if np.ptp(noisy) == 0:
        raise BadInput(
            f"noisy inputs that all equal {noisy[0]:g}", "at least two different ones", "other draws of noise"
        )
    _positive("beta", beta, 0.02)
    return Task(noisy, targets, np.asarray(beta, np.float64))


def noised(population: Line, n: int, noises: int, tau: float, beta: float, seed: int) -> Task:
    """n draws of the population, each with `noises` draws of noise of size τ."""
    _positive("tau", tau, 0.5)
    clean = np.repeat(population.draw(seed, n), noises)
    noise = np.random.default_rng([seed, n, noises, 1]).standard_normal(n * noises)
    return task(clean + tau * noise, -noise / tau, beta)


def _positive(name: str, given: float, example: float) -> None:
    if not 0 < given < math.inf:
        raise BadInput(f"{name} = {given:g}", "a positive number", f"--grid {name}={example:g}")


@full_precision
def output(net: Net, x: Float[Array, " n"]) -> Float[Array, " n"]:
    """s(x)."""
    return net.a @ jnp.maximum(net.w[:, None] * x[None] + net.b[:, None], 0.0) + net.c


def objective(net: Net, task: Task) -> Float[Array, ""]:
    """F; a formula that enclosures evaluate too."""
    residual = output(net, jnp.asarray(task.noisy)) - task.targets
    decay = jnp.sum(net.w**2) + jnp.sum(net.a**2)
    return jnp.sum(residual**2) / (2 * len(task.noisy)) + task.beta * decay / 2


def drawn(key: PRNGKeyArray, task: Task, m: int) -> Net:
    """A start: w_r and a_r from N(0, 1/m), kinks −b_r/w_r uniform on the range of the noisy inputs."""
    first, second, third = jax.random.split(key, 3)
    w = jax.random.normal(first, (m,)) / math.sqrt(m)
    kinks = jax.random.uniform(second, (m,), minval=task.noisy.min(), maxval=task.noisy.max())
    return Net(w, -w * kinks, jax.random.normal(third, (m,)) / math.sqrt(m), jnp.zeros(()))


@functools.partial(jax.jit, static_argnames=("steps",))
def trained(nets: Net, task: Task, rate: Float[Array, ""], steps: int) -> Net:
    """Networks along a leading axis after `steps` full-batch steps of Adam, the rate falling to 0 like a cosine."""
    rule = optax.adam(optax.cosine_decay_schedule(rate, steps), b2=0.99)

    def one(net):
        def step(carry, _):
            net, state = carry
            change, state = rule.update(jax.grad(objective)(net, task), state)
            return (jax.tree.map(jnp.add, net, change), state), None

        return jax.lax.scan(step, (net, rule.init(net)), None, length=steps)[0][0]

    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to the power of its counter
        return jax.vmap(one)(nets)
