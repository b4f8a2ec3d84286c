"""Gaussian expectations of products, E[g(u) g(v)], by panels placed where g lives.

Gauss–Hermite with "raise the order until stable" is unsafe: for tanh' at σ = 30, orders 20, 40 and 80
agree near 0 while the truth is 0.0177, because no node comes near the origin.  Here both integrals
run over Gauss–Legendre panels whose ends combine a grid in standard deviations with a grid around
u = 0, where the slope of a sigmoidal activation changes.

The angle between two inputs enters by its cosine and by its sine, which is ‖û−v̂‖‖û+v̂‖/2: √(1 − c²) of a rounded
cosine errs by √u where inputs are nearly parallel.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkverify.ground.numerics import unit_roundoff

REACH = 9.0
"""Standard deviations integrated over; beyond lie 2·10⁻¹⁹ of the mass."""
_SPREAD = np.linspace(-REACH, REACH, 10)
_NEAR = np.array([-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32], float)
_LOW, _HIGH = 10, 14
"""Nodes a panel: of the value that tells how far the other one has settled, and of the other one."""


def length(vectors: Float[Array, "*rows d_in"]) -> Float[Array, "*rows"]:
    """‖·‖ along the last axis, with derivative 0 at 0, where it has none."""
    squares = jnp.sum(vectors**2, axis=-1)
    least = jnp.finfo(squares.dtype).tiny  # not 1: an enclosure that cannot tell squares from 0 takes both cases
    return jnp.where(squares > 0, jnp.sqrt(jnp.where(squares > 0, squares, least)), 0)


def direction(vectors: Float[Array, "*rows d_in"]) -> Float[Array, "*rows d_in"]:
    """Each vector divided by its length; 0 stays 0."""
    lengths = length(vectors)[..., None]
    return vectors / jnp.where(lengths > 0, lengths, 1)


def gaussian_products(g, X: Float[Array, "n d_in"], Z: Float[Array, "k d_in"], sigma) -> Float[Array, "n k"]:
    """E[g(⟨w, x_i⟩) g(⟨w, z_j⟩)], w ~ N(0, σ² I)."""

    def entry(x, z):
        return _products(g, _HIGH, x, z, sigma)[0]

    return jax.lax.map(lambda x: jax.lax.map(lambda z: entry(x, z), Z), X)


def products_error(g, X: Float[Array, "n d_in"], Z: Float[Array, "k d_in"], sigma) -> Float[Array, ""]:
    """A bound on the error of `gaussian_products`, relative to its largest entry.

    The difference of two orders bounds what quadrature leaves out (an estimate, as for every rule that knows g by
    its values); the rest bounds rounding to first order.
    """

    def entry(pair):
        (low, _), (high, rounding) = (_products(g, order, pair[0], pair[1], sigma) for order in (_LOW, _HIGH))
        return jnp.abs(high - low) + rounding, jnp.abs(high)

    pairs = np.triu_indices(len(X)) if Z is X else np.indices((len(X), len(Z))).reshape(2, -1)
    errors, sizes = jax.lax.map(entry, (X[pairs[0]], Z[pairs[1]]))
    return jnp.max(errors) / jnp.max(sizes)


def fourth_moment_ratio(g, s: Float[Array, ""]) -> Float[Array, ""]:
    """E[g(u)⁴] / E[g(u)²]², u ~ N(0, s²), for g that does not grow."""
    z, weight = _panels(jnp.zeros_like(s), s, _HIGH)
    squares = g(s * z) ** 2
    return jnp.sum(weight * squares**2) / jnp.sum(weight * squares) ** 2


def _products(g, order: int, x, z, sigma):
    """E[g(s p) g(t (c p + sin q))], p and q standard normal, s ≥ t the two lengths, and a bound on its rounding."""
    lengths, a, b = sigma * jnp.stack([length(x), length(z)]), direction(x), direction(z)
    s, t = jnp.max(lengths), jnp.min(lengths)  # the outer panels are fine enough for the inner integral too
    cosine, sine = jnp.sum(a * b), length(a - b) * length(a + b) / 2
    p, weight = _panels(jnp.zeros((), s.dtype), s, order)
    inner, inner_weight = jax.vmap(lambda centre: _panels(centre, t * sine, order))(t * cosine * p)
    u, v = s * p, (t * cosine * p)[:, None] + t * sine * inner
    value = jnp.sum(weight * g(u) * jnp.sum(inner_weight * g(v), axis=1))
    return value, _rounding(g, x.size, (s, t), (p, inner), (weight, inner_weight), (u, v))


def _rounding(g, d_in: int, scales, nodes, weights, arguments):
    """First order in u.  Sums of N terms lose Nu of their magnitude, weights e^{−p²/2} at most p²u; arguments err by
    the rounding of norms, cosine and sine ((4d + 24)u, the last two absolutely) times |g'|; and g itself, written
    as 1 − (what tends to 1), by 8(1 + |argument|)u up to where the difference is 0.  Beyond `REACH` g² ≤ 2."""
    (s, t), (p, inner), (u, v) = scales, nodes, arguments
    (g_u, slope_u), (g_v, slope_v) = (
        tuple(map(jnp.abs, jax.jvp(g, (each,), (jnp.ones_like(each),)))) for each in (u, v)
    )
    moved_u, moved_v = slope_u * s * (jnp.abs(p) + 1), slope_v * t * (jnp.abs(p)[:, None] + jnp.abs(inner) + 2)
    lost_u, lost_v = (8 * (1 + jnp.minimum(jnp.abs(each), 40)) for each in (u, v))
    outer_terms = 2 * p.size + 4 * REACH**2
    per_u, per_v = (4 * d_in + 24) * moved_u + lost_u, (4 * d_in + 24) * moved_v + lost_v
    by_u = jnp.sum(weights[1] * g_v, axis=1) * (outer_terms * g_u + per_u)
    by_v = jnp.sum(weights[1] * per_v, axis=1) * g_u
    return unit_roundoff(p.dtype) * jnp.sum(weights[0] * (by_u + by_v)) + 1e-18


def _panels(centre, scale, order: int):
    """Nodes and Gaussian weights in z for a function of centre + scale·z that changes near 0."""
    dtype = centre.dtype
    near = jnp.clip((jnp.asarray(_NEAR, dtype) - centre) / jnp.where(scale > 0, scale, 1), -REACH, REACH)
    ends = jnp.sort(jnp.concatenate([jnp.asarray(_SPREAD, dtype), near]))
    ends = jax.lax.stop_gradient(ends)  # the integral does not depend on where it is cut
    nodes, weights = (jnp.asarray(each, dtype) for each in np.polynomial.legendre.leggauss(order))
    half, middle = (ends[1:] - ends[:-1]) / 2, (ends[1:] + ends[:-1]) / 2
    z = (middle[:, None] + half[:, None] * nodes[None]).ravel()
    return z, (half[:, None] * weights[None]).ravel() * jnp.exp(-(z**2) / 2) / (2 * jnp.pi) ** 0.5
