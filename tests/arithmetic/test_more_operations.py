"""Operations that networks use: each encloses what real arithmetic gives, in every arithmetic."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax import lax

from ntkverify.arithmetic.arb import enclosed
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.arithmetic.running import with_error

X = np.random.default_rng(0).standard_normal((2, 4, 7, 6))
KERNEL = np.random.default_rng(1).standard_normal((6, 2, 3, 2))


def convolution(**options):
    options = {"window_strides": (1, 1), "padding": "SAME"} | options
    return lambda x, k: lax.conv_general_dilated(x, k, **options, precision=lax.Precision.HIGHEST)


def of_samples(x, k):
    """The gradient of each input's output in the kernel: convolutions in groups of the batch, or of the channels."""

    def alone(k, x):
        return jnp.sum(jnp.tanh(convolution(window_strides=(2, 1))(x[None], k)))

    return jax.vmap(jax.grad(alone), in_axes=(None, 0))(jnp.concatenate([k, k], axis=1), x)


FUNCTIONS = {
    "groups": convolution(feature_group_count=2),
    "strides": lambda x, k: convolution(window_strides=(2, 3), padding=[(2, 1), (0, 4)])(x[:, :2], k),
    "holes": lambda x, k: convolution(rhs_dilation=(2, 3), lhs_dilation=(1, 2), padding=[(2, 1), (0, 3)])(x[:, :2], k),
    "negative padding": lambda x, k: convolution(padding=[(-1, 0), (1, -2)])(x[:, :2], k),
    "axes": lambda x, k: lax.conv_general_dilated(
        x.transpose(0, 2, 3, 1)[..., :2], k.transpose(2, 3, 1, 0), (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ),
    "gradients": of_samples,
    "mean of windows": lambda x, k: lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 3), (1, 1, 2, 1), "SAME"),
    "largest of windows": lambda x, k: lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 3), (1, 1, 2, 1), "SAME"),
    "scattered": lambda x, k: x[0].at[jnp.asarray([0, 2, 0, 0])].add(x[1]),
    "gradient of places": lambda x, k: jax.grad(lambda x: jnp.sum(x[:, jnp.asarray([1, 1, 0])] ** 3))(x),
    "erf": lambda x, k: lax.erf(jnp.concatenate([3 * x.ravel(), jnp.asarray([0.0, 6.0, 6.5, -30.0, 1e-9])])),
    "spectral norms": lambda x, k: jnp.linalg.norm(x[0, :, :3, :4], ord=2, axis=(-2, -1)),
    "singular values": lambda x, k: jnp.linalg.svd(x[0, 0], compute_uv=False),
    "gelu": lambda x, k: jax.grad(lambda x: jnp.sum(jax.nn.gelu(x, approximate=False)))(x[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.slow
def test_three_arithmetics_agree_with_jax(name):
    function = FUNCTIONS[name]
    x, k = jnp.asarray(X), jnp.asarray(KERNEL)
    plain = np.asarray(function(x, k))
    value, error = (np.asarray(part) for part in with_error(function)(x, k))
    assert value.shape == error.shape == plain.shape
    size = np.abs(plain).max()
    assert np.abs(value - plain).max() <= 1e-13 * size
    assert (error <= 1e-12 * size).all()
    balls = np.asarray(enclosed(function)(x, k))
    assert balls.shape == plain.shape
    for found, bound, ball in zip(value.ravel(), error.ravel(), balls.ravel(), strict=True):
        middle, radius = float(ball.mid()), float(ball.rad())
        assert radius <= 1e-14 * size + 3e-17
        assert abs(found - middle) <= bound + radius + 2e-16 * abs(middle)
    found = in_balls(function)(x, k)
    middles = np.vectorize(lambda ball: float(ball.mid()))(balls)
    assert (np.abs(found.mid - middles) <= found.rad + 1e-15 * size).all()
    assert (found.rad <= 1e-12 * size).all()


@pytest.mark.slow
def test_erf_is_enclosed():
    x = np.concatenate([np.linspace(-7, 7, 801), np.logspace(-300, 0.8, 100)])
    value, error = (np.asarray(part) for part in with_error(lax.erf)(jnp.asarray(x)))
    with mpmath.workdps(40):
        off = [abs(mpmath.mpf(float(v)) - mpmath.erf(mpmath.mpf(float(at)))) for v, at in zip(value, x, strict=True)]
    assert all(float(gap) <= bound for gap, bound in zip(off, error, strict=True))
    assert (error <= 1e-13 * np.abs(value) + 1e-300).all()
