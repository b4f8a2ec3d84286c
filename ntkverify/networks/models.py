"""A network of the user's own: any pytree of parameters and any function of them, laid out as two vectors.

What trains is the column W, (p, 1), and what does not is a, (q, 1), so that points, paths, training and kernels treat the
model as one neuron.  A coupled start pairs the network with a copy of the opposite sign, F = (f(θ) − f(θ'))/√2 with
θ = θ' at the start: then F = 0, the kernel is that of f, and what is odd in f cancels, as in pairs of neurons.
"""

import dataclasses
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput, told
from ntkverify.ground.numerics import random_key
from ntkverify.networks.nouns import Layout, Model, Network, Params

GIVEN = ("d_in", "d_out", "shape")
"""What `initialise` may ask for by name, beside the key and the width."""
NEAR = 0.25
"""Share of the digits that a model's outputs must keep when its inputs come one at a time: u^NEAR of the largest."""
WANTED = "initialise(key, width) → parameters, and apply(parameters, X) → (n, d_out)"


def as_usual(function: Callable) -> Callable:
    """The user's function under JAX's usual rules of promotion, whatever those of the caller are."""

    @functools.wraps(function)
    def called(*args, **given):
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return function(*args, **given)

    return called


def is_number(leaf: Any) -> bool:
    """Whether a leaf is a float or an array of floats, which is what can train."""
    if isinstance(leaf, float):
        return True
    return isinstance(leaf, jax.Array | np.ndarray | np.floating) and jnp.issubdtype(leaf.dtype, jnp.floating)


def read(name: str, source: str, found: Mapping[str, Any], digest: str = "") -> Model:
    """The model that a file's names describe: `initialise` and `apply`; `trained`, `scale` and `drift` if they are there.

    Raises `BadInput` where one is missing or no function.
    """
    for each in ("initialise", "apply"):
        if not callable(found.get(each)):
            raise BadInput(f"{source} without a function {each}", WANTED, "ntkverify new network mine.py")
    for each in ("trained", "scale"):
        if found.get(each) is not None and not callable(found[each]):
            raise BadInput(f"{source}: {each} = {found[each]!r}", f"a function {each}, or none")
    drift = found.get("drift")
    if drift is not None and not (isinstance(drift, int | float) and math.isfinite(drift)):
        raise BadInput(f"{source}: drift = {drift!r}", "the exponent that is predicted for the drift, such as -1.0")
    title = ((found.get("__doc__") or "").strip() or name or "model").splitlines()[0].rstrip(".")
    own = (found["initialise"], found["apply"], found.get("trained"), found.get("scale"))
    return Model(name or "model", title, source, digest, *own, drift=None if drift is None else float(drift))


def _layout(model: Model, parameters: Any) -> Layout:
    leaves, tree = jax.tree.flatten(parameters)
    flags = [True] * len(leaves)
    if model.trained is not None:
        mask = _called(model, "trained", model.trained, parameters)
        try:
            flags = tree.flatten_up_to(mask)
        except (TypeError, ValueError):
            raise BadInput(f"{model.name}: trained(parameters) gives another tree", "a Boolean for each leaf") from None
        if not all(isinstance(flag, bool | np.bool_) for flag in flags):
            raise BadInput(f"{model.name}: trained(parameters) gives something else", "True or False for each leaf")
        flags = list(map(bool, flags))
    trains = tuple(flag if is_number(leaf) else None for leaf, flag in zip(leaves, flags, strict=True))
    rest = tuple(leaf for leaf, flag in zip(leaves, trains, strict=True) if flag is None)
    for index, leaf in enumerate(rest):
        if isinstance(leaf, jax.Array | np.ndarray | np.generic):
            if not (jnp.issubdtype(leaf.dtype, jnp.integer) or leaf.dtype == bool):
                raise BadInput(
                    f"{model.name}: parameters with a leaf of {leaf.dtype}",
                    "arrays of floats; whole numbers and Booleans stay what they are",
                )
            rest = (
                *rest[:index],
                Constant(str(leaf.dtype), leaf.shape, np.asarray(leaf).tobytes()),
                *rest[index + 1 :],
            )
        elif not _hashable(leaf):
            raise BadInput(f"{model.name}: parameters with a leaf of type {type(leaf).__name__}", "arrays of floats")
    shapes = tuple(np.shape(leaf) if is_number(leaf) else () for leaf in leaves)
    return Layout(tree, trains, shapes, rest)


@dataclasses.dataclass(frozen=True)
class Constant:
    """An array of whole numbers among the parameters, comparable."""

    dtype: str
    shape: tuple[int, ...]
    content: bytes

    def array(self) -> np.ndarray:
        """It."""
        return np.frombuffer(self.content, self.dtype).reshape(self.shape)


def _hashable(leaf: Any) -> bool:
    try:
        hash(leaf)
    except TypeError:
        return False
    return True


def _flat(layout: Layout, parameters: Any, trained: bool, dtype) -> Float[Array, " numbers"]:
    leaves = jax.tree.leaves(parameters)
    parts = [
        jnp.ravel(jnp.asarray(leaf)).astype(dtype)
        for leaf, trains in zip(leaves, layout.trains, strict=True)
        if trains is trained
    ]
    return jnp.concatenate(parts) if parts else jnp.zeros(0, dtype)


def start(model: Model, key, dtype) -> Params:
    """A network at initialisation."""
    assert model.layout is not None
    parameters = as_usual(model.initialise)(key, model.width)
    w, a = (_flat(model.layout, parameters, trained, dtype) for trained in (True, False))
    return Params(jnp.tile(w, 1 + model.coupled)[:, None], a[:, None])


def parameters(model: Network, params: Params) -> Any:
    """The pytree that `apply` reads; a pair of them where the start is coupled.  Raises `BadInput` for a network that is no
    model of a user's.  Source: docs/theory.md §9."""
    if not isinstance(model, Model):
        raise BadInput(f"parameters(...) of {model.name}", "a network of your own, whose parameters they are", "--network net.py")  # fmt: skip
    trees = tuple(_tree(model, each, params.a) for each in leaves(model, params))
    return trees if model.coupled else trees[0]


def leaves(model: Model, params: Params) -> list[list[Array]]:
    """The arrays that train: a list of them, and another of the copy where the start is coupled."""
    assert model.layout is not None
    halves = jnp.split(params.W[:, 0], 1 + model.coupled)
    return [_parts(half, _shapes(model.layout, True)) for half in halves]


def _shapes(layout: Layout, trained: bool) -> list[tuple[int, ...]]:
    return [shape for shape, trains in zip(layout.shapes, layout.trains, strict=True) if trains is trained]


def _parts(vector, shapes: list[tuple[int, ...]]) -> list[Array]:
    ends = np.cumsum([0, *(np.prod(shape, dtype=int) for shape in shapes)])
    return [vector[begin:end].reshape(shape) for begin, end, shape in zip(ends, ends[1:], shapes, strict=False)]


def _tree(model: Model, trained: list[Array], a) -> Any:
    layout = model.layout
    assert layout is not None
    sources = {True: iter(trained), False: iter(_parts(a[:, 0], _shapes(layout, False))), None: iter(layout.rest)}
    found = [next(sources[trains]) for trains in layout.trains]
    found = [leaf.array() if isinstance(leaf, Constant) else leaf for leaf in found]
    return jax.tree.unflatten(layout.tree, found)


def outputs(model: Model, params: Params, X: Float[Array, "n d_in"]) -> Float[Array, "n d_out"]:
    """F."""
    return of_leaves(model, leaves(model, params), params.a, X).astype(params.W.dtype)


def of_leaves(model: Model, trained: list[list[Array]], a, X: Float[Array, "n d_in"]) -> Float[Array, "n d_out"]:
    """F, of what `leaves` gives."""
    items = X.reshape(len(X), *model.shape) if model.shape else X
    found = [jnp.asarray(as_usual(model.apply)(_tree(model, each, a), items)) for each in trained]
    return (found[0] - found[1]) / jnp.sqrt(jnp.asarray(2.0, found[0].dtype)) if model.coupled else found[0]


def fitted(
    model: Model, X: np.ndarray, y: np.ndarray, shape: tuple[int, ...], width: int, coupled: bool, dtype
) -> Model:
    """The model with what a problem settles, tried on its data.

    `BadInput` where it raises, has nothing to train, gives anything but one row of d_out finite real numbers for each
    input, mixes its inputs, differs between two calls, or does not depend on the width.
    """
    try:
        asked = inspect.signature(model.initialise).parameters
    except ValueError:  # a function of C has none
        asked = {}
    known = {"d_in": X.shape[1], "d_out": y.shape[1], "shape": shape or X.shape[1:]}
    initialise = model.initialise
    if given := {name: known[name] for name in GIVEN if name in asked}:
        initialise = Bound(model.initialise, tuple(given.items()))
    model = dataclasses.replace(model, initialise=initialise, width=width, coupled=coupled, shape=shape)
    sizes = [_numbers(model, each) for each in (width, 2 * width)]
    require_memory(12 * (1 + coupled) * sizes[0] * dtype.itemsize, f"{model.name} at width {width}", "a smaller width")
    first = _made(model)
    model = dataclasses.replace(model, layout=_layout(model, first), s_m=_scale(model))
    _try_parameters(model, first)
    if sizes[0] == sizes[1]:
        raise BadInput(
            f"{model.name}: initialise gives {sizes[0]} numbers at width {width} and at width {2 * width}",
            "a network that widens with `width`, which is what its claims and studies vary",
        )
    _try_outputs(model, jnp.asarray(X.astype(dtype)), y.shape[1], dtype)
    return model


def widened(model: Model, width: int) -> Model:
    """The model of a problem at another width."""
    model = dataclasses.replace(model, width=width)
    return dataclasses.replace(model, layout=_layout(model, _made(model)), s_m=_scale(model))


def _scale(model: Model) -> float:
    if model.scale is None:
        return 1.0
    value = _called(model, "scale", model.scale, model.width)
    try:
        number = float(value)
    except Exception:  # whatever another type says
        number = math.nan
    if not 0 < number < math.inf:
        raise BadInput(f"{model.name}: scale({model.width}) = {str(value)[:40]}", "a finite number above 0")
    return number


@dataclasses.dataclass(frozen=True)
class Bound:
    """The user's `initialise` with what it asked for by name."""

    function: Callable
    given: tuple[tuple[str, Any], ...]

    def __call__(self, key, width: int) -> Any:
        return self.function(key, width, **dict(self.given))


def _made(model: Model, seed: int = 0) -> Any:
    return _called(model, "initialise", as_usual(model.initialise), random_key(seed), model.width)


def _numbers(model: Model, width: int) -> int:
    """How many floats `initialise` gives at a width; nothing of that size is made."""

    def floats(key):
        return [leaf for leaf in jax.tree.leaves(as_usual(model.initialise)(key, width)) if is_number(leaf)]

    return sum(
        leaf.size for leaf in _called(model, "initialise, traced by JAX,", jax.eval_shape, floats, random_key(0))
    )


def _called(model: Model, name: str, function: Callable, *args) -> Any:
    try:
        return function(*args)
    except (BadInput, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever the user's code raises
        attempt = "jax.numpy in place of numpy" if isinstance(error, jax.errors.TracerArrayConversionError) else ""
        raise BadInput(f"{model.name}: {name} {told(error)}", WANTED, attempt) from None


def _try_parameters(model: Model, first: Any) -> None:
    layout = model.layout
    assert layout is not None
    if not layout.size(True):
        found = ", ".join(sorted({str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in jax.tree.leaves(first)}))
        raise BadInput(
            f"{model.name}: parameters of {found or 'no leaves'}", "at least one array of floats that trains"
        )
    again = _made(model)
    others = range(
        1, 17 if any(isinstance(leaf, Constant) for leaf in layout.rest) else 2
    )  # a sign agrees half of the time
    if any(_layout(model, made) != layout for made in (again, *(_made(model, seed) for seed in others))):
        raise BadInput(
            f"{model.name}: leaves that are no floats, or their number, differ between two calls of initialise",
            "the same tree for every key, whole numbers and Booleans included", "floats for what is drawn",
        )  # fmt: skip
    one, other = (
        np.concatenate([_flat(layout, tree, trained, np.float64) for trained in (True, False)])
        for tree in (first, again)
    )
    if not np.isfinite(one).all():
        raise BadInput(f"{model.name}: initialise gives NaN or infinity", "finite parameters")
    if not np.array_equal(one, other):
        raise BadInput(
            f"{model.name}: initialise gives other numbers when it is called again with the same key",
            "randomness from the key alone", "jax.random in place of numpy.random",
        )  # fmt: skip


def _try_outputs(model: Model, X: Float[Array, "n d_in"], d_out: int, dtype) -> None:
    params = start(model, random_key(0), dtype)
    bare = dataclasses.replace(model, coupled=False)
    one = dataclasses.replace(params, W=params.W[: bare.size])
    items = X.reshape(len(X), *model.shape) if model.shape else X

    def applied(items):
        return _called(model, "apply", as_usual(model.apply), parameters(bare, one), items)

    raw = applied(items)
    kind = getattr(raw, "dtype", None)
    if kind is None or not jnp.issubdtype(kind, jnp.floating):
        given = f"an array of {kind}" if kind is not None else f"something of type {type(raw).__name__}"
        raise BadInput(f"{model.name}: apply gives {given}", f"floats of shape {(len(X), d_out)}")
    if raw.shape != (len(X), d_out):
        raise BadInput(
            f"{model.name}: apply gives shape {raw.shape} for X of shape {items.shape} and targets of {d_out} numbers",
            f"{(len(X), d_out)}, a row for each input",
            "asking for d_out in initialise(key, width, d_out), or --d-out" if raw.shape[:1] == (len(X),) else "",
        )
    if not np.isfinite(raw).all():
        raise BadInput(f"{model.name}: apply gives NaN or infinity on these data", "finite outputs")
    if not np.array_equal(raw, applied(items)):
        raise BadInput(
            f"{model.name}: apply gives other numbers when it is called again", "a pure function: no dropout, no state"
        )
    some = np.unique(np.linspace(0, len(X) - 1, 8).astype(int))
    alone = np.concatenate([np.asarray(applied(items[row : row + 1])) for row in some])
    if np.abs(alone - np.asarray(raw)[some]).max() > np.finfo(raw.dtype).eps ** NEAR * np.abs(raw).max():
        raise BadInput(
            f"{model.name}: an output depends on the other inputs", "a function of each input by itself",
            "normalising over features in place of the batch",
        )  # fmt: skip
    _try_derivative(model, params, X)


STEP, APART = 1e-6, 0.05
"""Of a central difference; the share of the largest entry by which it and the derivative may part."""


def _try_derivative(model: Model, params: Params, X: Float[Array, "n d_in"]) -> None:
    """JAX can differentiate it forwards and backwards, and the derivative is finite, and that of the outputs: compared with a
    central difference along a random direction, where float64 can."""

    def at(W, X=X):
        return outputs(model, dataclasses.replace(params, W=W), X)

    def both(W, change):
        backwards = jax.vmap(lambda x: jax.jacrev(at)(W, x[None]))(X[:1])
        return jax.jvp(at, (W,), (change,)), backwards

    change = jax.random.normal(random_key(1), params.W.shape, params.W.dtype)
    (F, slope), backwards = _called(model, "apply, differentiated by JAX,", jax.jit(both), params.W, change)
    if not (np.isfinite(slope).all() and np.isfinite(backwards).all()):
        raise BadInput(f"{model.name}: the derivative of apply is NaN or infinite at the start", "a finite derivative")
    if params.W.dtype != np.float64:
        return
    ends = [at(params.W + sign * STEP * change) for sign in (1, -1)]
    near = (ends[0] - ends[1]) / (2 * STEP)
    size, lost = np.maximum(np.abs(near), np.abs(slope)).max(), 1e-12 * np.abs(F).max() / STEP
    if (np.abs(near - slope) > APART * size + lost).any():
        raise BadInput(
            f"{model.name}: the derivative of apply is not that of its outputs", "a function whose derivative JAX finds",
            "trained(parameters) in place of stop_gradient, and no wrong rule of your own",
        )  # fmt: skip
