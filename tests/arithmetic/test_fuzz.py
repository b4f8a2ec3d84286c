"""Random formulas in every arithmetic against interval arithmetic of 2200 bits, eager, compiled and mapped."""

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from formulas import SCALES
from fuzzing import fuzz
from jax import lax

from ntkverify.arithmetic import running
from ntkverify.arithmetic.arb import enclosed, precision
from ntkverify.arithmetic.float64 import enclosed_in_float64
from ntkverify.arithmetic.running import with_error
from ntkverify.arithmetic.unknown import UnknownOperation

FORMULAS, KINDS = 300, 1


@pytest.mark.slow
def test_every_enclosure_contains_the_truth_and_most_are_finite():
    found = fuzz(0, FORMULAS, KINDS, batch=20, depth=4)
    assert found.formulas == FORMULAS
    assert found.wrong == []
    assert found.total("entries") > 3 * 8 * FORMULAS
    for kind in SCALES:
        share = found.total("finite", kind) / found.total("entries", kind)
        assert share > (0.6 if kind == "wild" else 0.8), kind
    assert found.total("finite", "moderate") > 0.95 * found.total("entries", "moderate")


@pytest.mark.slow
def test_bounds_that_are_too_small_are_found(monkeypatch):
    monkeypatch.setattr(running, "unit_roundoff", lambda dtype: 0.1 * np.finfo(dtype).epsneg)
    assert fuzz(0, 30, 1).wrong


def interval(function, *args):
    """(low, high) by each arithmetic, as flat arrays; −∞ and ∞ where nothing is known."""
    for run in (with_error(function), jax.jit(with_error(function))):
        value, error = (np.asarray(part, np.float64).ravel() for part in run(*args))
        known = np.isfinite(value) & np.isfinite(error)
        reach = np.where(known, error, np.inf)
        middle = np.where(known, value, 0)
        yield middle - reach, middle + reach
    for arithmetic in (enclosed, enclosed_in_float64):
        with np.errstate(all="ignore"):
            balls = [ball if ball.is_finite() else None for ball in arithmetic(function)(*args).ravel()]
        yield tuple(
            np.array([sign * np.inf if ball is None else float(getattr(ball, end)()) for ball in balls])
            for sign, end in ((-1, "lower"), (1, "upper"))
        )


X = np.array([1.0, 2.0, 3.0])
NAN = np.array([np.nan, 1.0, 2.0])
OPEN = {
    "1/0": lambda x: 1 / (x - x),
    "0/0": lambda x: (x - x) / (x - x),
    "log 0": lambda x: jnp.log(x - x),
    "log of a negative number": lambda x: jnp.log(-x),
    "log1p(-1)": lambda x: jnp.log1p(x / -x),
    "root of a negative number": lambda x: jnp.sqrt(-x),
    "negative power of 0": lambda x: (x - x) ** -2,
    "reciprocal root of 0": lambda x: lax.rsqrt(x - x),
    "power of a negative number": lambda x: jnp.power(-x, x + 0.5),
    "0 times what is unknown": lambda x: (x - x) * jnp.log(-x),
    "the larger of 1 and what is unknown": lambda x: jnp.maximum(jnp.log(-x), 1),
    "the smaller of 1 and what is unknown": lambda x: jnp.minimum(jnp.log(-x), 1),
    "the largest": lambda x: jnp.broadcast_to(jnp.max(jnp.log(2 - x)), (3,)),
    "sorted": lambda x: jnp.sort(jnp.log(2.5 - x)) + jnp.log(2.5 - x),
    "infinity less infinity": lambda x: x * jnp.inf - x * jnp.inf,
}


@pytest.mark.parametrize("name", OPEN)
def test_what_has_no_value_is_unknown(name):
    for low, high in interval(OPEN[name], jnp.asarray(X)):
        assert not (np.isfinite(low) & np.isfinite(high)).any()


GUARDS = {
    "isnan of a NaN": (lambda x: jnp.where(jnp.isnan(jnp.asarray(NAN)), 100.0, x), [100.0, 2.0, 3.0]),
    "isfinite of infinity": (
        lambda x: jnp.where(jnp.isfinite(jnp.asarray([np.inf, 1.0, 1.0])), 0.0, 100.0) * x, [100.0, 0.0, 0.0],
    ),
    "isnan of what is unknown": (lambda x: jnp.where(jnp.isnan(jnp.log(-x)), 100.0, 2.0), [100.0] * 3),
    "a NaN is not below 2": (lambda x: (jnp.asarray(NAN) < 2).astype(x.dtype) * x, [0.0, 2.0, 0.0]),
    "a NaN is not at least 2": (lambda x: jnp.where(~(jnp.asarray(NAN) >= 2), x, 0.0), [1.0, 2.0, 0.0]),
    "how many are below 2": (lambda x: x * jnp.sum((jnp.asarray(NAN) < 2).astype(x.dtype)), [1.0, 2.0, 3.0]),
    "a NaN is not at least −∞": (lambda x: jnp.where(jnp.log(-x) >= -jnp.inf, 0.0, 100.0), [100.0] * 3),
    "a NaN is not at most ∞": (lambda x: jnp.where(jnp.log(-x) <= jnp.inf, 0.0, 100.0), [100.0] * 3),
    "an unsigned number beyond the signed ones": (
        lambda x: (3e9 + x).astype(jnp.uint32).astype(jnp.int32).astype(x.dtype), X + 3e9 - 2.0**32,
    ),
    "a count of what is near": (lambda x: x * jnp.sum((jnp.exp(jnp.log(x)) > x - 1e-9).astype(x.dtype)), 3 * X),
    "bits in doubt": (
        lambda x: x * lax.reduce(jnp.exp(jnp.log(x)).astype(jnp.int32), np.int32(0), lax.bitwise_or, (0,)).astype(x.dtype), 3 * X,
    ),
    "a denormal constant": (lambda x: jnp.asarray(np.full(3, 1e-310)) * 1e300 * x, X * 1e-10),
}  # fmt: skip


@pytest.mark.parametrize("name", GUARDS)
def test_guards_masks_and_conversions_contain_what_jax_computes(name):
    """Or are refused by name."""
    function, truth = GUARDS[name]
    try:
        for low, high in interval(function, jnp.asarray(X)):
            assert np.all(low <= np.asarray(truth) * (1 + 1e-12))
            assert np.all(high >= np.asarray(truth) * (1 - 1e-12))
            assert np.all(low <= high)
    except UnknownOperation:
        assert name in ("a denormal constant", "bits in doubt")


def test_constants_below_the_normal_range_are_found_wherever_they_come_from():
    """A constant that JAX holds, one that is traced, and an argument."""
    constant = jnp.asarray(np.full(3, 1e-310))
    times = lambda c: lambda x: c * 1e300 * x  # noqa: E731
    with pytest.raises(UnknownOperation, match="smallest normal"):
        with_error(times(constant))(jnp.asarray(X))
    _, error = jax.jit(lambda c, x: with_error(times(c))(x))(constant, jnp.asarray(X))
    assert np.isinf(error).all()
    _, error = with_error(lambda c, x: c * 1e300 * x)(constant, jnp.asarray(X))
    assert np.isinf(error).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logarithms_of_the_smallest_numbers(dtype):
    """There the roundings of e^y underflow."""
    least, rng = np.finfo(dtype).tiny, np.random.default_rng(0)
    x = (least * 10 ** rng.uniform(0, 20, 400)).astype(dtype)
    with precision(200):
        truth = [flint.arb(float(each)).log() for each in x]
        for arithmetic in (with_error, lambda f: jax.jit(with_error(f))):
            for value, error, true in zip(*map(np.asarray, arithmetic(jnp.log)(jnp.asarray(x))), truth, strict=True):
                assert not abs(true - float(value)) > float(error)
        for ball, true in zip(enclosed_in_float64(jnp.log)(jnp.asarray(x)), truth, strict=True):
            assert not ball.is_finite() or ball.overlaps(true)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bounds_do_not_underflow_before_they_are_divided_or_compared(dtype):
    """A quotient of a tiny number and one with an error; a choice between tiny numbers that rounding leaves open."""
    tiny, eps = np.finfo(dtype).tiny, np.finfo(dtype).eps
    x, a = jnp.asarray(8.4 * eps, dtype), jnp.asarray([2 * tiny, 2.5 * tiny])

    def quotient(x, a):
        return a / ((x + 1) - 1)

    def choice(x, a):
        return jnp.where((x + 1) - 1 > 8 * eps, a, a[::-1])

    for run in (with_error, lambda function: jax.jit(with_error(function))):
        value, error = (np.asarray(part, np.float64) for part in run(quotient)(x, a))
        assert np.all(np.abs(value - np.asarray(a, np.float64) / float(x)) <= error)
        value, error = (np.asarray(part, np.float64) for part in run(choice)(x, a))
        assert np.all(np.abs(value - np.asarray(a, np.float64)) <= error)


def test_two_loops_that_share_a_body_are_two():
    """One carries a number that to the other is a constant."""

    def both(x):
        y = x + 1
        body = lambda a, b: (a * b + 1, b - a)  # noqa: E731
        first = lax.scan(lambda b, _: body(x, b), y, None, length=3)
        second = lax.scan(lambda ab, _: (body(*ab), None), (x, y), None, length=3)[0]
        return first[0], first[1], second[0], second[1]

    expected = both(jnp.asarray(X))
    value, error = with_error(both)(jnp.asarray(X))
    for arithmetic in (enclosed, enclosed_in_float64):
        for got, right in zip(arithmetic(both)(jnp.asarray(X)), expected, strict=True):
            assert got.shape == right.shape
    for got, reach, right in zip(value, error, expected, strict=True):
        assert got.shape == right.shape
        assert np.all(np.abs(got - right) <= reach)


def test_products_of_vectors_and_loops_of_no_steps():
    for low, high in interval(lambda x: jnp.dot(x, x), jnp.asarray(X)):
        assert low <= 14 <= high
    none = lambda x: lax.scan(lambda s, row: (s + row, s), x[0], x[:0])[1]  # noqa: E731
    for arithmetic in (enclosed, enclosed_in_float64):
        with pytest.raises(UnknownOperation, match="no steps"):
            arithmetic(none)(jnp.asarray(X))
