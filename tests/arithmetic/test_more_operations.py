"""Operations that networks use: each encloses what real arithmetic gives, in every arithmetic."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax import lax

from ntkverify.arithmetic.arb import enclosed
from ntkverify.arithmetic.float64 import in_balls
from ntkverify.arithmetic.primitives import gaussian_integral
from ntkverify.arithmetic.running import with_error
from ntkverify.arithmetic.unknown import UnknownOperation

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
    """Also up to its factor, as the network of that name has it."""
    x = np.concatenate([np.linspace(-7, 7, 801), np.logspace(-300, 0.8, 100)])
    for function in (lax.erf, gaussian_integral):
        value, error = (np.asarray(part) for part in with_error(function)(jnp.asarray(x)))
        balls, in_arb = in_balls(function)(x), enclosed(function)(x)
        with mpmath.workdps(40):
            factor = mpmath.sqrt(mpmath.pi) / 2 if function is gaussian_integral else 1
            truth = [factor * mpmath.erf(mpmath.mpf(float(at))) for at in x]
            for true, v, e, mid, rad, ball in zip(truth, value, error, balls.mid, balls.rad, in_arb, strict=True):
                assert abs(mpmath.mpf(float(v)) - true) <= e
                assert abs(mpmath.mpf(float(mid)) - true) <= rad
                near = mpmath.mpf(ball.mid().str(40, radius=False))
                assert abs(near - true) <= float(ball.rad()) * (1 + 1e-9) + mpmath.mpf("1e-320")
        assert (error <= 1e-13 * np.abs(value) + 1e-300).all()
        assert (balls.rad <= 1e-13 * np.abs(value) + 1e-280).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arctan2_is_enclosed(dtype):
    """In all octants, on their edges and beside them, and for numbers of very different size."""
    rng = np.random.default_rng(0)
    angles = np.concatenate([np.arange(-8, 9) * np.pi / 8, rng.uniform(-np.pi, np.pi, 400)])
    size = 10.0 ** rng.uniform(-10, 10, angles.size)
    y, x = (size * f(angles + rng.normal(0, 1e-9, angles.size)) for f in (np.sin, np.cos))
    y, x = (
        np.concatenate([part, extra]).astype(dtype) for part, extra in ((y, [1e-30, 0.0, -2.0]), (x, [1.0, 3.0, 0.0]))
    )
    value, error = (np.asarray(part) for part in with_error(lax.atan2)(jnp.asarray(y), jnp.asarray(x)))
    balls = in_balls(lax.atan2)(y, x)
    with mpmath.workdps(40):
        truth = [mpmath.atan2(*(mpmath.mpf(float(part)) for part in pair)) for pair in zip(y, x, strict=True)]
        for true, v, e, mid, rad, ball in zip(
            truth, value, error, balls.mid, balls.rad, enclosed(lax.atan2)(y, x), strict=True
        ):
            assert abs(mpmath.mpf(float(v)) - true) <= e
            assert abs(mpmath.mpf(float(mid)) - true) <= rad
            assert abs(mpmath.mpf(ball.mid().str(40, radius=False)) - true) <= float(ball.rad()) * (1 + 1e-9) + 1e-38
    assert (error <= 30 * np.finfo(dtype).eps * np.abs(value) + 64 * np.finfo(dtype).tiny).all()
    assert (balls.rad <= 30 * np.finfo(dtype).eps * np.abs(balls.mid) + 1e-280).all()  # float32 rounds π


def test_beside_the_cut_of_arctan2_both_values_are_enclosed():
    y, x = np.asarray([0.0, -0.0, 1e-300]), np.asarray([-1.0, -1.0, -1.0])
    value, error = with_error(lambda y, x: lax.atan2(y - 1e-300, x))(jnp.asarray(y), jnp.asarray(x))
    assert (np.asarray(error)[2:] >= 3).all()
    assert (np.abs(np.abs(value) - np.pi) <= np.asarray(error) + 1e-15).all()
    for found in np.ravel(enclosed(lax.atan2)(y[:2], x[:2])):
        assert float(found.lower()) <= -3.14 < 3.14 <= float(found.upper())


def test_a_constant_that_float32_rounds_is_enclosed():
    """π in float32 is 8.7e-8 off; what is made of it is not taken for exact."""
    x = jnp.asarray([1.0, 0.3, -2.5], jnp.float32)
    with mpmath.workdps(40):
        truth = [mpmath.erf(mpmath.mpf(float(at))) for at in x]
        for found, true in zip(np.ravel(enclosed(lax.erf)(x)), truth, strict=True):
            assert abs(mpmath.mpf(found.mid().str(40, radius=False)) - true) <= float(found.rad()) * (1 + 1e-9)
        balls, (value, error) = in_balls(lax.erf)(x), with_error(lax.erf)(x)
        for mid, rad, v, e, true in zip(balls.mid, balls.rad, value, error, truth, strict=True):
            assert abs(mpmath.mpf(float(mid)) - true) <= float(rad)
            assert abs(mpmath.mpf(float(v)) - true) <= float(e)


def of_windows(x, padding, dilation=(1,)):
    return lax.reduce_window(x, -jnp.inf, lax.max, (2,), (1,), padding, base_dilation=dilation)


def test_padding_is_no_number():
    x = jnp.asarray([-1e30, -2e30], jnp.float32)
    assert float(enclosed(lambda x: of_windows(x * -x, [(1, 0)]))(x)[0].mid()) == pytest.approx(-1e60, rel=1e-5)
    for padding, dilation in (([(2, 0)], (1,)), ([(0, 0)], (3,))):
        for arithmetic in (with_error, enclosed, in_balls):
            with pytest.raises(UnknownOperation, match="the largest of no numbers"):
                arithmetic(lambda x, padding=padding, dilation=dilation: of_windows(x, padding, dilation))(x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: lax.conv_general_dilated(x[:1], x[:1], (1, 1), [(0, 0)] * 2, rhs_dilation=(9, 9), dimension_numbers=("NCHW", "OIHW", "NCHW")),
        lambda x: lax.conv_general_dilated(x[0, 0], x[1, 0].T[:, :6], (), ()),
        lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 1, 1), [(0, 0), (0, 0), (-9, 0), (0, 0)]),
        lambda x: lax.conv_general_dilated(x[:, :2].astype(jnp.float32), jnp.ones((1, 2, 1, 1), jnp.float32), (1, 1), "VALID", preferred_element_type=jnp.float64),
    ],
)  # fmt: skip
def test_what_a_rule_did_not_foresee_is_refused_or_right(function):
    plain = np.asarray(function(jnp.asarray(X)))
    for arithmetic in (with_error, in_balls):
        try:
            found = arithmetic(function)(jnp.asarray(X))
        except UnknownOperation:
            continue
        middle = np.asarray(found[0] if arithmetic is with_error else found.mid)
        assert middle.shape == plain.shape
        assert np.allclose(middle, plain, rtol=1e-6)
