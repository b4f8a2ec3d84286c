"""Where claims are evaluated: draws of (W, a), and in the ball around each the points that hurt."""

import functools

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float, Key, PRNGKeyArray

from ntkverify.ground.devices import by_rows
from ntkverify.networks.ascent import on_sphere, within
from ntkverify.networks.logits import pulled
from ntkverify.networks.network import forward, initialise
from ntkverify.networks.nouns import Model, Params, Point, Problem
from ntkverify.networks.quantities import kernel_change, pulled_back

DIRECTIONS = ("random", "sign-aligned", "product-aligned", "lone", "gradient-aligned")
"""The points of the ball that each draw is checked at, all at distance R for every neuron."""


@functools.partial(jax.jit, static_argnames=("batch", "mesh"))
def draw_points(problem: Problem, keys: Key[Array, " draws"], batch: int, mesh: Mesh) -> Point:
    """One `Point` for each key and each of `DIRECTIONS`: leading axes (draws, directions), the draws parted over the mesh."""
    return by_rows(lambda problem, keys: over_draws(functools.partial(_points, problem), keys, batch), mesh)(
        problem, keys
    )


def over_draws(function, draws, batch: int):
    """`function` on each of `draws` (leading axis), `batch` at a time by `vmap`."""
    return jax.lax.map(function, draws, batch_size=batch if batch > 1 else None)


def _points(problem: Problem, key: PRNGKeyArray) -> Point:
    """random: every neuron moves along its own random direction.  sign-aligned: along a_{1,r} x_1,
    which tilts the first sample's softmax towards one sign, the worst for ⟨a, S⟩.  product-aligned:
    along a_{1,r} a_{d,r} x_1, which does the same to an entry of the kernel.  lone: the first
    neuron along x_1, all others against it, the worst for its softmax weight.  gradient-aligned: along
    the gradient of ‖H(W̃) − H(W)‖_F, taken at the random point.  A model of the user's has none of these signs: it moves
    along the gradient of its first output of x_1, of the first less the last, and against the first.
    """
    key_draw, key_move, key_probe = jax.random.split(key, 3)
    base = initialise(problem, key_draw)
    probes = jax.random.rademacher(key_probe, (len(DIRECTIONS), *problem.y.shape), problem.y.dtype)

    def moved(direction):
        return Params(within(base.W, on_sphere(direction, problem.radius), problem.radius), base.a)

    wander = moved(jax.random.normal(key_move, base.W.shape, base.W.dtype))

    tilt, pair, lone = map(moved, _tilts(problem, base))
    slope = jax.grad(lambda W: kernel_change(problem, Point(base, Params(W, base.a), probes[0])))
    ascend = moved(slope(wander.W))
    return jax.tree.map(
        lambda *leaves: jnp.stack(leaves),
        *(Point(base, there, probe) for there, probe in zip((wander, tilt, pair, lone, ascend), probes, strict=True)),
    )


def _tilts(problem: Problem, base: Params):
    """The directions sign-aligned, product-aligned and lone."""
    if isinstance(problem.network, Model):
        first, last = (jnp.zeros_like(problem.y).at[0, output].set(1) for output in (0, -1))
        up = pulled_back(problem, base, first)
        return up, up - pulled_back(problem, base, last), -up
    up = raising(problem, base, problem.X[0])
    lone = jnp.where(jnp.arange(problem.m) == 0, 1, -1).astype(base.W.dtype)
    return up * base.a[0][None], up * (base.a[0] * base.a[-1])[None], up * lone[None]


def raising(problem: Problem, params: Params, x: Float[Array, " d_in"]) -> Float[Array, "p m"]:
    """What raises each neuron's logit of an input, which for ⟨w, x⟩ is the input itself; or a model's first output."""
    if not isinstance(problem.network, Model):
        return pulled(problem.network, params.W, x[None], jnp.ones_like(params.W[:1]))
    return jax.grad(lambda W: forward(problem.network, Params(W, params.a), x[None])[0, 0])(params.W)
