"""1-Lipschitz networks R → R trained to follow a piecewise linear target in the largest error.

Norms: 12 Björck steps towards an orthonormal matrix, then a division by √‖WᵀW‖_∞ or √‖WWᵀ‖_∞, which are upper bounds on ‖W‖ and
near 1 then, and by 1 + 10⁻¹² against rounding; `kinks.norm_at_most_one` proves the result of the floats that come out.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.numerics import full_precision, random_key
from ntkverify.networks.lipschitz.kinks import Layer, MaxMin, Segments

ACTIVATIONS = ("absolute", "two-segment", "maxmin", "n")
"""|z|; two segments with slopes that are trained; pairs sorted; slopes 1, −1, 1 with kinks that are trained."""
SLOPES = {
    "absolute": (-1.0, 1.0, 1.0),
    "two-segment": (0.0, 0.0, 0.0),
    "maxmin": (1.0, 1.0, 1.0),
    "n": (1.0, -1.0, 1.0),
}
BJORCK, MARGIN, GRID, RATE = 12, 1e-12, 257, 0.03
POWER = 16
"""The norm of the error that is minimised at the end: L¹⁶ is near the largest error and has a gradient."""


def check(activation: str, width: int, depth: int) -> None:
    """`BadInput` for networks that cannot be."""
    choose("activation", activation, ACTIVATIONS)
    if width < 1 or depth < 1:
        raise BadInput(
            f"width {width} and depth {depth}", "at least one neuron in at least one layer", "width=4 depth=1"
        )
    if activation == "maxmin" and width % 2:
        raise BadInput(
            f"width = {width} with MaxMin", "even widths, because neurons come in pairs", f"width={width + 1}"
        )


@full_precision
def normalised(W):
    """(…, r, c) → the same shape, of norm at most 1."""

    def across(A, axis):
        return jnp.abs(A).sum(axis=axis, keepdims=True).max(axis=(-2, -1), keepdims=True)

    def step(W, _):
        return 1.5 * W - 0.5 * W @ (jnp.swapaxes(W, -1, -2) @ W), None

    if min(W.shape[-2:]) > 1:
        W, _ = jax.lax.scan(step, W / jnp.sqrt(across(W, -1) * across(W, -2)), None, length=BJORCK)
    else:  # a vector, of which one step would do
        W = W / jnp.sqrt(jnp.sum(W**2, axis=(-2, -1), keepdims=True))
    V = jnp.swapaxes(W, -1, -2)
    bound = jnp.sqrt(jnp.minimum(across(V @ W, -1), across(W @ V, -1))) * (1 + MARGIN)
    return W / jnp.maximum(bound, 1)


def drawn(key, width: int, depth: int, L):
    """Parameters before they are normalised, as `network` reads them."""
    keys = jax.random.split(key, 6)
    spread = jax.random.uniform(keys[4], (depth, width, 2))
    return {
        "first": jax.random.normal(keys[0], (width, 1)), "between": jax.random.normal(keys[1], (depth - 1, width, width)),
        "last": jax.random.normal(keys[2], (1, width)), "b": jax.random.uniform(keys[3], (depth, width), minval=-L / 2, maxval=L / 2),
        "shift": jnp.zeros(1), "kinks": jnp.stack([2 * spread[..., 0] - 2, 3 * spread[..., 1]], axis=-1),
        "slopes": jax.random.uniform(keys[5], (depth, width, 2), minval=-1, maxval=1),
    }  # fmt: skip


def network(raw, fixed, free):
    """The layers' arrays: matrices of norm at most 1, slopes in [−1, 1], kinks in order.  `fixed` (3,) are the slopes of
    the activation, `free` is 1 where they are trained instead."""
    own = raw["slopes"] / jnp.maximum(1, jnp.abs(raw["slopes"]))
    slopes = jnp.where(free, own[..., jnp.array([0, 1, 1])], jnp.broadcast_to(fixed, (*own.shape[:-1], 3)))
    start = raw["kinks"][..., :1]
    kinks = jnp.concatenate([start, start + jnp.abs(raw["kinks"][..., 1:])], axis=-1)
    return (
        raw
        | {name: normalised(raw[name]) for name in ("first", "between", "last")}
        | {"kinks": kinks, "slopes": slopes}
    )


@full_precision
def output(arrays, paired, x):
    """F at the points x (points,)."""

    def activation(Z, kinks, slopes):
        first, second, left, middle, right = (each[None] for each in (*kinks.T, *slopes.T))
        above = jnp.maximum(Z - first, 0)
        segments = left * jnp.minimum(Z - first, 0) + middle * jnp.minimum(above, second - first)
        segments = segments + right * jnp.maximum(Z - second, 0)
        if Z.shape[1] % 2:
            return segments
        pairs = Z.reshape(len(Z), -1, 2)
        sorted_pairs = jnp.stack([pairs.max(axis=2), pairs.min(axis=2)], axis=2).reshape(Z.shape)
        return jnp.where(paired, sorted_pairs, segments)

    def layer(H, one):
        W, b, kinks, slopes = one
        return activation(H @ W.T + b[None], kinks, slopes), None

    H = activation(x[:, None] @ arrays["first"].T + arrays["b"][:1], arrays["kinks"][0], arrays["slopes"][0])
    H, _ = jax.lax.scan(layer, H, (arrays["between"], arrays["b"][1:], arrays["kinks"][1:], arrays["slopes"][1:]))
    return (H @ arrays["last"].T)[:, 0] + arrays["shift"]


@functools.partial(jax.jit, static_argnames=("width", "depth", "steps"))
def _trained(keys, fixed, free, paired, x, y, width: int, depth: int, steps: int):
    """Arrays of a network for each key, by Adam under a cosine; one compilation for all activations and targets of these
    sizes."""
    time = jnp.arange(1.0, steps + 1)
    schedule = (time / steps, RATE * (1 + jnp.cos(jnp.pi * time / steps)) / 2, 1 - 0.9**time, 1 - 0.999**time)

    def loss(raw, share):
        rest = output(network(raw, fixed, free), paired, x) - y
        top = jnp.max(jnp.abs(rest)) + 1e-30  # powers of small numbers underflow
        high = top * jnp.mean((rest / top) ** POWER) ** (1 / POWER)
        return (1 - share) * jnp.sqrt(jnp.mean(rest**2) + 1e-30) + share * high

    def one(key):
        def step(carry, now):
            raw, mean, square = carry
            share, rate, early_mean, early_square = now
            slope = jax.grad(loss)(raw, share)
            mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slope)
            square = jax.tree.map(lambda q, g: 0.999 * q + 0.001 * g**2, square, slope)
            raw = jax.tree.map(
                lambda r, m, q: r - rate * (m / early_mean) / (jnp.sqrt(q / early_square) + 1e-8), raw, mean, square
            )
            return (raw, mean, square), None

        raw = drawn(key, width, depth, x[-1])
        still = jax.tree.map(jnp.zeros_like, raw)
        (raw, _, _), _ = jax.lax.scan(step, (raw, still, still), schedule)
        return network(raw, fixed, free)

    return jax.vmap(one)(keys)


def train(activation: str, width: int, depth: int, target, L: float, seeds: int, steps: int, seed: int = 0):
    """`seeds` trained networks, each the layers that `kinks.evaluate` reads."""
    check(activation, width, depth)
    x = np.linspace(-L, L, GRID)
    arrays = _trained(
        jax.random.split(random_key(seed), seeds), jnp.array(SLOPES[activation]), activation == "two-segment", activation == "maxmin",
        jnp.asarray(x), jnp.asarray(target(x)), width, depth, steps,
    )  # fmt: skip
    found = jax.tree.map(np.asarray, arrays)
    return [layers(activation, {name: value[index] for name, value in found.items()}) for index in range(seeds)]


def layers(activation: str, arrays: dict) -> list[Layer]:
    """One network's arrays as layers."""
    depth = len(arrays["b"])
    matrices = [arrays["first"], *arrays["between"]]
    of = [
        MaxMin() if activation == "maxmin" else Segments(arrays["kinks"][index], arrays["slopes"][index])
        for index in range(depth)
    ]
    hidden = [Layer(W, b, each) for W, b, each in zip(matrices, arrays["b"], of, strict=True)]
    return [*hidden, Layer(arrays["last"], arrays["shift"])]
