"""The computed error bounds hold: float32 evaluation against float64, whose own error is negligible."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import in_float32, make
from hypothesis import given, settings
from hypothesis import strategies as st

from ntkverify.arithmetic.arb import enclosed
from ntkverify.arithmetic.probe import probe
from ntkverify.arithmetic.running import with_error
from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import Params

FUNCTIONS = {
    "exp of products": lambda A, B: jnp.exp(A @ B),
    "softmax": lambda A, B: jax.nn.softmax(A @ B, axis=-1),
    "log-sum-exp": lambda A, B: jax.nn.logsumexp(A @ B, axis=-1),
    "expm1 and log1p": lambda A, B: jnp.expm1(A @ B) + jnp.log1p(jnp.abs(B @ A)),
    "tanh and logistic": lambda A, B: jnp.tanh(A @ B) * jax.nn.sigmoid(B @ A),
    "quotient": lambda A, B: (A @ B) / (1 + (B @ A) ** 2),
    "norm of a difference": lambda A, B: jnp.sqrt(jnp.sum((A @ B - B @ A) ** 2)),
    "relu": lambda A, B: jnp.where(A @ B > 0, A @ B, 0),
    "cumulated": lambda A, B: jnp.cumsum(A @ B, axis=0),
    "reciprocal cube": lambda A, B: (2 + jnp.abs(A @ B)) ** -3,
    "eigenvalues": lambda A, B: jnp.linalg.eigvalsh(A @ A.T),
    "sorted": lambda A, B: jnp.sort(A @ B, axis=0),
    "gradient": lambda A, B: jax.grad(lambda A: jnp.sum(jax.nn.softmax(A @ B) ** 2))(A),
    "loop": lambda A, B: jax.lax.scan(lambda s, b: (s + jnp.tanh(A @ b), jnp.max(s)), jnp.zeros(4), B)[0],
}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 8))
@pytest.mark.slow
def test_bound_covers_the_error_and_is_not_vacuous(name, seed, scale):
    A, B = scale * np.random.default_rng(seed).standard_normal((2, 4, 4)).astype(np.float32)
    function = FUNCTIONS[name]
    if name == "loop":
        function = lambda A, B: jax.lax.scan(  # noqa: E731
            lambda s, b: (s + jnp.tanh(A @ b), jnp.max(s)), jnp.zeros(4, A.dtype), B
        )[0]
    value, error = with_error(function)(jnp.asarray(A), jnp.asarray(B))
    truth = function(jnp.asarray(A, dtype=jnp.float64), jnp.asarray(B, dtype=jnp.float64))
    least = 64 * np.finfo(np.float32).tiny  # smaller errors are not tracked
    assert np.all(np.abs(np.asarray(value, np.float64) - truth) <= np.asarray(error, np.float64) + least)
    if name != "relu" and np.abs(A @ B).max() < 10:
        assert np.max(error) < 1e-3 * (1 + np.max(np.abs(value)))


def test_a_wrong_operation_escapes_the_bound():
    x = jnp.float32(1.1)
    value, error = with_error(lambda x: x * x * jnp.float32(1.000001))(x)
    assert abs(float(value) - float(x) ** 2) > float(error)


def test_comparisons_within_the_error_are_uncertain():
    A = jnp.asarray([[1.0, 1.0, -1.0]])
    step = lambda A, w: jnp.where(A @ w > 0, 1.0, 0.0)  # noqa: E731
    _, near = with_error(step)(A, jnp.asarray([0.1, 0.2, 0.3]))
    _, far = with_error(step)(A, jnp.asarray([0.1, 0.2, 0.1]))
    _, exact = with_error(step)(A, jnp.zeros(3))
    assert 1 <= float(near[0]) < 1.1
    assert (float(far[0]), float(exact[0])) == (0.0, 0.0)


def test_an_operation_without_a_rule_is_named():
    with pytest.raises(UnknownOperation, match="digamma"):
        with_error(jax.scipy.special.digamma)(jnp.ones(2))


@pytest.mark.parametrize("network", ["softmax", "relu"])
def test_the_kernel_in_float32_lies_within_its_bound(network):
    problem = make(network, m=600)
    params = initialise(problem, jax.random.key(0))
    params = Params(params.W + 0.01 * params.W**2, params.a)
    low = in_float32((problem, params))
    value, error = jax.jit(with_error(closed_form))(*low)
    back = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), low)
    difference = np.abs(np.asarray(value, np.float64) - closed_form(*back))
    assert np.all(difference <= np.asarray(error, np.float64))
    assert np.max(error) < 0.05 * np.max(np.abs(value))


def test_a_number_below_the_normal_range_makes_everything_unknown():
    x = jnp.asarray([1.0, 5e-324])
    _, error = jax.jit(with_error(lambda x: x * 1e300))(x)
    assert np.isinf(error).all()
    assert np.isfinite(with_error(lambda x: x * 1e300)(x[:1])[1]).all()
    assert with_error(lambda x: x > 0)(x)[1].all()


FENCED = {
    "a quotient of exponentials": lambda a, b: jnp.exp(a) / jnp.exp(b),
    "a quotient by a quotient": lambda a, b: (a / b) / (b + 3),
    "a quotient by a constant": lambda a, b: a / 49,
    "two constant factors": lambda a, b: a * 3.3 * 7.7,
    "two constant terms": lambda a, b: (a + 1e16) - 1e16,
    "a quotient by a root": lambda a, b: b / jnp.sqrt(jnp.abs(a)),
    "the logarithm of a power": lambda a, b: jnp.log(jnp.exp(a)),
}


@pytest.mark.parametrize("name", FENCED)
@pytest.mark.parametrize("mapped", [False, True], ids=["plain", "vmapped"])
def test_the_compiler_does_not_rewrite_what_the_bounds_speak_of(name, mapped):
    """Read off the compiled program, and held against Arb."""
    function = with_error(FENCED[name])
    function = jax.vmap(function) if mapped else function
    a, b = jnp.linspace(1.0, 2.0, 12).reshape(3, 4), jnp.linspace(0.5, 3.0, 12).reshape(3, 4)
    compiled = jax.jit(function).lower(a, b).compile().as_text() or ""
    assert " rsqrt(" not in compiled
    assert " exponential(" not in compiled
    assert "25.41" not in compiled  # 3.3 · 7.7
    value, error = jax.jit(function)(a, b)
    for ball, near, bound in zip(enclosed(FENCED[name])(a, b).ravel(), value.ravel(), error.ravel(), strict=True):
        assert abs(ball - float(near)) <= float(bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_this_machine_does_what_is_taken_for_granted(dtype):
    found = probe(dtype)
    assert [each for each in found if not each.kept] == []
    assert max(each.worst for each in found if "e^x" in each.operation) > 0.5  # it can tell


def test_a_quotient_below_the_range_by_an_uncertain_divisor_is_bounded():
    """4 ups and 3 downs of half a unit make the divisor 7.5 times too large; the quotient is flushed to 0."""
    unit, tiny = 2.0**12, np.finfo(np.float64).tiny

    def function(a, up, down):
        rounded = [(x + 2.0**64) - 2.0**64 for x in (up, down)]
        return a / (rounded[0] + rounded[0] + rounded[0] + rounded[0] - rounded[1] - rounded[1] - rounded[1])

    args = (3.999 * unit * tiny, 0.501 * unit, 0.499 * unit)
    value, error = jax.jit(with_error(function))(*args)
    assert abs(3.999 / (4 * 0.501 - 3 * 0.499) - float(value) / tiny) <= float(error) / tiny < 100
