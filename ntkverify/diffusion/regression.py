"""The regression that learns the denoiser: inputs (t, x_t) made bounded, noisy labels X_0, clean labels f*.

The network sees x̂ = (min(1, ρ/‖x‖) x/ρ, α_t, √h_t)/√2.  The time enters as the unit vector (α_t, √h_t), which
is its own bias, so ‖x̂‖ ≤ 1 holds surely; what is clipped at the radius ρ is counted.  Labels are divided
by a declared bound L on ‖X_0‖; where X_0 is unbounded the share beyond L is counted, and kept as it is.
"""

import functools
import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ntkverify.truths.mixtures import Mixture, denoiser, drawn, log_density
from ntkverify.truths.process import noise, noised, signal

RAY = 400
"""Points of the quadrature along a ray beyond the clipping radius."""


@functools.partial(jax.tree_util.register_dataclass, data_fields=["t", "x", "noisy"], meta_fields=[])
@dataclass(frozen=True)
class Pairs:
    """n independent pairs of input and label, in the units of X_0."""

    t: jax.Array
    """(n,)"""
    x: jax.Array
    """(n, d), X_t."""
    noisy: jax.Array
    """(n, d), the X_0 that x came from: its mean given (t, x) is f*(t, x)."""


@functools.partial(jax.tree_util.register_dataclass, data_fields=["t", "x", "noisy", "clean"], meta_fields=[])
@dataclass(frozen=True)
class Sample(Pairs):
    """The same where f* is known."""

    clean: jax.Array
    """(n, d), f*(t, x)."""


@functools.partial(jax.jit, static_argnames=("n",))
def sample(mixture: Mixture, key: PRNGKeyArray, n: int, earliest, horizon) -> Sample:
    """n draws: X_0 from the mixture, log t uniform on [log earliest, log horizon], X_t given both."""
    first, when, wander = jax.random.split(key, 3)
    noisy = drawn(mixture, first, n)
    t, x = _forward(noisy, when, wander, earliest, horizon)
    return Sample(t, x, noisy, denoiser(mixture, t, x))


@functools.partial(jax.jit, static_argnames=("n",))
def resample(rows: Float[Array, "rows d"], key: PRNGKeyArray, n: int, earliest, horizon) -> Pairs:
    """The same with X_0 from these rows, with replacement; f* of what they came from stays unknown."""
    first, when, wander = jax.random.split(key, 3)
    noisy = rows[jax.random.randint(first, (n,), 0, len(rows))]
    return Pairs(*_forward(noisy, when, wander, earliest, horizon), noisy)


def _forward(clean: Float[Array, "n d"], when, wander, earliest, horizon):
    """t and X_t."""
    logs = jax.random.uniform(when, (len(clean),), clean.dtype, jnp.log(earliest), jnp.log(horizon))
    t = jnp.exp(logs)
    return t, noised(t, clean, jax.random.normal(wander, clean.shape, clean.dtype))


@jax.jit
def clipped(x: Float[Array, "n d"], radius) -> tuple[Float[Array, "n d"], Bool[Array, " n"]]:
    """x pulled back to the ball of that radius, and which rows were outside."""
    length = jnp.linalg.norm(x, axis=1)
    return x * jnp.minimum(1, radius / jnp.maximum(length, radius))[:, None], length > radius


@jax.jit
def embedded(t: Float[Array, " n"], x: Float[Array, "n d"], radius) -> Float[Array, "n d+2"]:
    """x̂, rows of norm at most 1."""
    inside, _ = clipped(x, radius)
    time = jnp.stack([signal(t), jnp.sqrt(noise(t))], axis=1)
    return jnp.concatenate([inside / radius, time], axis=1) / math.sqrt(2 * (1 + 8 * np.finfo(x.dtype).eps))


@functools.partial(jax.jit, static_argnames=("points",))
def seen(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"], radius, points: int = RAY):
    """g*(t, x̂) = E[X_0 | t, x̂], the best that a function of x̂ can do; (n, d).

    Inside the ball x̂ determines x and g* = f*.  On the sphere in direction u it is the mean of f* along
    the ray r u, r ≥ ρ, with density p_t(r u) r^{d−1}: Gauss–Legendre in s, r = ρ + s²·width, out to
    twelve standard deviations beyond the farthest component.
    """
    nodes, weights = (jnp.asarray(each, x.dtype) for each in np.polynomial.legendre.leggauss(points))
    s, ds = (nodes + 1) / 2, weights / 2
    farthest = jnp.max(jnp.linalg.norm(mixture.means, axis=1))
    widest = jnp.sqrt(jnp.max(mixture.variances))

    def one(t, x):
        length = jnp.linalg.norm(x)
        width = 12 * jnp.sqrt(signal(t) ** 2 * widest**2 + noise(t)) + signal(t) * farthest
        r = radius + width * s**2
        ray = r[:, None] * (x / jnp.maximum(length, radius))[None]
        times = jnp.full_like(r, t)
        logs = log_density(mixture, times, ray) + (mixture.d - 1) * jnp.log(r) + jnp.log(2 * s * ds)
        beyond = jax.nn.softmax(logs) @ denoiser(mixture, times, ray)
        return jnp.where(length > radius, beyond, denoiser(mixture, t[None], x[None])[0])

    return jax.lax.map(lambda both: one(*both), (t, x))
