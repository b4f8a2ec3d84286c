"""Mixtures whose denoiser, score and density are known exactly at every time.

X_0 ~ Σ_k π_k N(μ_k, Σ_k); Σ_k = 0 makes a component an atom, so that a data set is a mixture too.
Given the component, X_t ~ N(α μ_k, C_k), C_k = α² Σ_k + h I, and everything is a softmax average over
components with logits log π_k + log N(x; α μ_k, C_k) (docs/theory.md §6).  Covariances are kept by
their axes and variances, so that no inverse is taken.
"""

import functools
import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ntkverify.ground.errors import BadInput
from ntkverify.ground.numerics import full_precision
from ntkverify.truths.process import noise, signal


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["log_weights", "means", "variances", "axes"], meta_fields=[]
)
@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture.  Make it with `gaussians` or `atoms`."""

    log_weights: jax.Array
    """(k,)"""
    means: jax.Array
    """(k, d)"""
    variances: jax.Array
    """(k, d) along the axes, or (k, 1) where all directions have the same."""
    axes: jax.Array | None = None
    """(k, d, d), columns orthonormal; None: the coordinate axes."""

    @property
    def k(self) -> int:
        """The number of components."""
        return self.means.shape[0]

    @property
    def d(self) -> int:
        """The dimension."""
        return self.means.shape[1]


def gaussians(weights, means, covariances) -> Mixture:
    """The mixture with these (k,) weights, (k, d) means and (k, d, d) covariances.

    Raises `BadInput` for weights that are not positive or do not sum to 1, for numbers that are not
    finite, and for a covariance that is not symmetric or not positive definite.
    """
    weights, means, covariances = (np.asarray(each, float) for each in (weights, means, covariances))
    if not (np.isfinite(means).all() and np.isfinite(covariances).all()):
        raise BadInput("means or covariances that are not finite", "finite numbers")
    if not ((weights > 0).all() and abs(weights.sum() - 1) <= 1e-9):
        raise BadInput(f"weights {weights.tolist()}", "positive weights that sum to 1")
    for index, covariance in enumerate(covariances):
        largest = np.abs(covariance).max()
        if not np.allclose(covariance, covariance.T, rtol=0, atol=1e-12 * largest):
            raise BadInput(f"covariance {index}, which is not symmetric", "symmetric matrices")
        smallest = np.linalg.eigvalsh(covariance)[0]
        if smallest <= len(covariance) * np.finfo(float).eps * largest:
            raise BadInput(
                f"covariance {index}, which is degenerate (smallest eigenvalue {smallest:.3g})",
                "positive definite matrices", "atoms(points) for variance 0, or a multiple of I added",
            )  # fmt: skip
    variances, axes = np.linalg.eigh(covariances)
    return Mixture(*(jnp.asarray(each) for each in (np.log(weights), means, variances, axes)))


def atoms(points) -> Mixture:
    """The empirical distribution of (k, d) points."""
    points = jnp.asarray(points)
    weights = jnp.full(points.shape[0], -math.log(points.shape[0]), points.dtype)
    return Mixture(weights, points, jnp.zeros((points.shape[0], 1), points.dtype))


def standardised(mixture: Mixture) -> tuple[Mixture, np.ndarray, float]:
    """The mixture shifted to mean 0 and scaled to mean coordinate variance 1; the shift and the scale."""
    centre, spread = mean(mixture), math.sqrt(float(total_variance(mixture)) / mixture.d)
    means, variances = (mixture.means - centre[None]) / spread, mixture.variances / spread**2
    return replace(mixture, means=means, variances=variances), np.asarray(centre), spread


def mean(mixture: Mixture) -> Float[Array, " d"]:
    """E X_0."""
    return jnp.exp(mixture.log_weights) @ mixture.means


@jax.jit
def total_variance(mixture: Mixture) -> Float[Array, ""]:
    """E‖X_0 − E X_0‖²."""
    within = jnp.mean(mixture.variances, axis=1) * mixture.d
    around = jnp.sum((mixture.means - mean(mixture)[None]) ** 2, axis=1)
    return jnp.sum(jnp.exp(mixture.log_weights) * (within + around))


@functools.partial(jax.jit, static_argnames=("n",))
def drawn(mixture: Mixture, key: PRNGKeyArray, n: int) -> Float[Array, "n d"]:
    """n independent draws of X_0."""
    pick, wander = jax.random.split(key)
    chosen = jax.random.categorical(pick, mixture.log_weights, shape=(n,))
    Z = jax.random.normal(wander, (n, mixture.d), mixture.means.dtype) * jnp.sqrt(mixture.variances)[chosen]
    if mixture.axes is not None:
        Z = jnp.einsum("nij,nj->ni", mixture.axes[chosen], Z)
    return mixture.means[chosen] + Z


@full_precision
def _standing(mixture: Mixture, t, x: Float[Array, " d"]):
    """At one (t, x): x − α μ_k along the axes of each component, (k, d), and the variances of C_k there."""
    apart = x[None] - signal(t) * mixture.means
    if mixture.axes is not None:
        apart = jnp.einsum("kij,ki->kj", mixture.axes, apart)
    return apart, signal(t) ** 2 * mixture.variances + noise(t)


@full_precision
def _logits(mixture: Mixture, apart, spread):
    """log π_k + log N(x; α μ_k, C_k), (k,)."""
    determinant = jnp.sum(jnp.log(2 * math.pi * jnp.broadcast_to(spread, apart.shape)), axis=1)
    return mixture.log_weights - (jnp.sum(apart**2 / spread, axis=1) + determinant) / 2


def _outward(mixture: Mixture, along: Float[Array, "k d"]) -> Float[Array, "k d"]:
    """Vectors given along the components' axes, in coordinates."""
    return along if mixture.axes is None else jnp.einsum("kij,kj->ki", mixture.axes, along)


@jax.jit
def log_density(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, " n"]:
    """log p_t(x)."""

    def one(t, x):
        return jax.nn.logsumexp(_logits(mixture, *_standing(mixture, t, x)))

    return jax.vmap(one)(t, x)


@jax.jit
def denoiser(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """f*(t, x) = E[X_0 | X_t = x] = Σ_k r_k (μ_k + α Σ_k C_k⁻¹ (x − α μ_k))."""

    def one(t, x):
        shares, means = _components(mixture, t, x)
        return shares @ means

    return jax.vmap(full_precision(one))(t, x)


def _components(mixture: Mixture, t, x):
    """r_k = P(k | X_t = x), (k,), and E[X_0 | X_t = x, k], (k, d)."""
    apart, spread = _standing(mixture, t, x)
    shares = jax.nn.softmax(_logits(mixture, apart, spread))
    pulled = _outward(mixture, signal(t) * mixture.variances / spread * apart)
    return shares, mixture.means + pulled


@jax.jit
def exact_score(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """∇log p_t(x) = −Σ_k r_k C_k⁻¹ (x − α μ_k), without the denoiser."""

    def one(t, x):
        apart, spread = _standing(mixture, t, x)
        return -jax.nn.softmax(_logits(mixture, apart, spread)) @ _outward(mixture, apart / spread)

    return jax.vmap(full_precision(one))(t, x)


@jax.jit
def differentiated_score(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """∇log p_t(x) by automatic differentiation of `log_density`: the independent route."""
    return jax.vmap(jax.grad(lambda x, t: log_density(mixture, t[None], x[None])[0]))(x, t)


@jax.jit
def covariance(mixture: Mixture, t: Float[Array, " n"], x: Float[Array, "n d"]) -> Float[Array, "n d d"]:
    """Cov(X_0 | X_t = x): the noise of the label X_0 at the input (t, x)."""

    def one(t, x):
        shares, means = _components(mixture, t, x)
        middle = shares @ means
        around = jnp.einsum("k,ki,kj->ij", shares, means - middle[None], means - middle[None])
        _, spread = _standing(mixture, t, x)
        left = jnp.broadcast_to(mixture.variances * noise(t) / spread, means.shape)
        if mixture.axes is None:
            return around + jnp.eye(mixture.d, dtype=x.dtype) * (shares @ left)[None]
        return around + jnp.einsum("k,kia,ka,kja->ij", shares, mixture.axes, left, mixture.axes)

    return jax.vmap(full_precision(one))(t, x)


def labels_bound(mixture: Mixture, reach: float) -> float:
    """The declared bound on ‖X_0‖: the farthest atom, or `reach`·√d where there is no farthest."""
    farthest = float(jnp.max(jnp.linalg.norm(mixture.means, axis=1)))
    return farthest if not bool(jnp.any(mixture.variances > 0)) else reach * math.sqrt(mixture.d)
