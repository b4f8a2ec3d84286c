"""What callers of the library hand over, read as what is wanted: a value of that kind, or `BadInput`.

Nothing is rounded or cast in silence: 64.0 is no width, and a float32 network is no float64 one.
"""

import math
import numbers
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.errors import BadInput
from ntkverify.networks.nouns import Dataset, Model, Params, Problem

RAW_KEY = (2,)
"""The shape of a key of the old kind, for the generator that this project names (`numerics.GENERATOR`)."""


def whole(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """An integer of at least `least`."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    upper = "" if most is None else f" and at most {most}"
    attempt = f"{name}={int(value)}" if isinstance(value, float) and value.is_integer() and value >= least else ""
    raise BadInput(f"{name} = {_shown(value)}", f"a whole number of at least {least}{upper}", attempt)


def real(name: str, value: Any, wanted: str, above: float = -math.inf, below: float = math.inf, least: float = -math.inf) -> float:  # fmt: skip
    """A finite number with `above` < number < `below` and number ≥ `least`; `wanted` says so."""
    try:
        scalar = isinstance(value, numbers.Real) or (isinstance(value, np.ndarray | jax.Array) and _scalar(value))
        number = float(value) if scalar and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isfinite(number) and above < number < below and number >= least:
        return number
    raise BadInput(f"{name} = {_shown(value)}", wanted)


def seed(value: Any) -> int:
    """What JAX's generators can start from."""
    return whole("seed", value, 0, 2**32 - 1)


def _scalar(array: Any) -> bool:
    return array.ndim == 0 and _is_real(array.dtype)


def text(name: str, value: Any) -> str:
    """A name, or a file's path as a word."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return value
    raise BadInput(f"{name} = {_shown(value)}", "a name or a path")


def texts(name: str, value: Any) -> tuple[str, ...]:
    """Several names or paths; one alone stands for itself."""
    if isinstance(value, str | Path):
        return (text(name, value),)
    if not isinstance(value, Sequence):
        raise BadInput(f"{name} = {_shown(value)}", "names or paths")
    return tuple(text(name, each) for each in value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise BadInput(f"{name} = {_shown(value)}", "True or False")
    return bool(value)


def matrix(name: str, value: Any) -> np.ndarray:
    """Rows of real numbers, (rows, columns), in float64; one number a row may come as (rows,)."""
    array = _array(name, value)
    if not _is_real(array.dtype):
        attempt = f"{name}.astype(float)" if array.dtype.kind == "b" else ""
        raise BadInput(f"{name} of type {array.dtype}", "real numbers", attempt)
    if array.ndim not in (1, 2) or not array.size:
        attempt = f"{name}.reshape(len({name}), -1)" if array.ndim > 2 and array.size else ""
        raise BadInput(f"{name} of shape {array.shape}", "a (rows, columns) array with at least one entry", attempt)
    return array.astype(np.float64).reshape(len(array), -1)


def reals(name: str, value: Any) -> np.ndarray:
    """Finite real numbers of any shape, in float64."""
    array = _array(name, value)
    if not _is_real(array.dtype):
        raise BadInput(f"{name} of type {array.dtype}", "real numbers")
    found = array.astype(np.float64)
    if not np.isfinite(found).all():
        raise BadInput(f"{name} holds NaN or infinity", "finite numbers")
    return found


def _array(name: str, value: Any) -> np.ndarray:
    parts = value if isinstance(value, list | tuple) else (value,)
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise BadInput(f"{name} is a masked array", "one without a mask", f"{name}.filled(...), or only the full rows")
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever another library's object raises when it is asked for numbers
        raise BadInput(
            f"{name}: {_shown(value)} is no array ({type(error).__name__})", "real numbers in rows"
        ) from None
    if array.dtype == object:
        attempt = f"{name}.toarray()" if hasattr(value, "toarray") else ""
        raise BadInput(f"{name}: {_shown(value)} is no array of numbers", "rows of real numbers, all as long", attempt)
    return array


def _is_real(dtype) -> bool:
    if dtype.kind in "mM":  # spans of time count as integers in NumPy
        return False
    return bool(jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.floating))


def arrays(data: Any, n: int | None, d_in: int | None, d_out: int | None) -> Dataset:
    """A pair (X, y) as a data set; sizes that are given must be theirs."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise BadInput(f"data {_shown(data)}", "a name, a file, or a pair of arrays (X, y)", "data=(X, y)")
    items, y = _rows_of(data[0]), matrix("y", data[1])
    X = matrix("X", items.reshape(len(items), -1) if items.ndim > 2 else items)
    if len(X) != len(y):
        raise BadInput(f"X of {len(X)} rows and y of {len(y)}", "one target for each input")
    for name, given, there in (("n", n, len(X)), ("d_in", d_in, X.shape[1]), ("d_out", d_out, y.shape[1])):
        if given not in (None, there):
            raise BadInput(f"{name} = {given} for arrays that have {there}", str(there), f"leaving {name} out")
    return Dataset("arrays", X, y, "arrays given by the caller", shape=items.shape[1:] if items.ndim > 2 else ())


def _rows_of(value: Any) -> np.ndarray:
    """X as an array, its first axis the inputs."""
    array = _array("X", value)
    if array.ndim > 2 and not array.size:
        raise BadInput(f"X of shape {array.shape}", "at least one entry")
    return array


def asked(problem: Any) -> Problem:
    """A problem."""
    if not isinstance(problem, Problem):
        raise BadInput(f"problem {_shown(problem)}", "a problem", "ntkverify.problem(...)")
    return problem


def network(problem: Problem, params: Any, many: bool = False) -> Params:
    """A network of the problem's shapes and precision, with `many` also several, stacked along the first axis."""
    if not isinstance(params, Params):
        raise BadInput(f"params {_shown(params)}", "a network", "ntkverify.draw(problem, key)")
    widths = {"W": (problem.p, problem.m), "a": (problem.d_out, problem.m)}
    if isinstance(problem.network, Model):
        assert problem.network.layout is not None
        widths = {"W": (problem.p, 1), "a": (problem.network.layout.size(False), 1)}
    for name, array in (("W", params.W), ("a", params.a)):
        seeds = np.shape(params.W)[:-2] if many and np.ndim(params.W) == 3 else ()
        wanted = (*seeds, *widths[name])
        of_type = getattr(array, "dtype", None)
        if np.shape(array) != wanted or of_type != problem.X.dtype or 0 in np.shape(params.W):
            raise BadInput(
                f"a network with {name} {np.shape(array)} of {of_type}",
                f"{name} {wanted} of {problem.X.dtype}, as the problem asks",
                f"{name}.astype('{problem.X.dtype}')" if np.shape(array) == wanted else "ntkverify.draw(problem, key)",
            )
    return params


def inputs(problem: Problem, X: Any) -> Any:
    """Rows of the problem's input dimension and precision; those of JAX may be traced, and are taken as they are."""
    array = X if isinstance(X, jax.Array) else matrix("X2", X)
    if array.ndim != 2 or array.shape[1] != problem.d_in or not array.shape[0]:
        raise BadInput(f"X2 of shape {array.shape}", f"(rows, {problem.d_in}), at least one row")
    if isinstance(array, np.ndarray):
        if not np.isfinite(array).all():
            raise BadInput("X2 holds NaN or infinity", "finite numbers")
        return jnp.asarray(array.astype(problem.X.dtype))
    if array.dtype != problem.X.dtype:
        raise BadInput(
            f"X2 of {array.dtype}", f"{problem.X.dtype}, as in the problem", f"X2.astype('{problem.X.dtype}')"
        )
    return array


def random_key(key: Any) -> Any:
    """A key of JAX's generators, of either kind."""
    if isinstance(key, jax.Array):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
            return key
        if key.dtype == jnp.uint32 and key.shape == RAW_KEY:
            return key
    raise BadInput(f"key {_shown(key)}", "one random key", "jax.random.key(0)")


def _shown(value: Any) -> str:
    """The value in few characters; its type where it has no short form."""
    if isinstance(value, str | numbers.Number) or value is None:
        try:
            word = repr(value)
        except ValueError:  # an integer of too many digits
            word = "…" * 100
        if len(word) <= 60:
            return word
    shape = f" of shape {value.shape}" if isinstance(value, np.ndarray | jax.Array) else ""
    return f"something of type {type(value).__name__}{shape}"
