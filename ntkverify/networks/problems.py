"""From data and scales to a `Problem`: validation, and the scaling that the theory assumes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.environment import require_memory
from ntkverify.ground.errors import BadInput
from ntkverify.networks import models
from ntkverify.networks.nouns import COUPLED, Dataset, Model, Network, Problem, TwoLayer
from ntkverify.networks.setting import excess, inside, rank

NEAR = 16
"""Ulps above 1 from which a row is divided, not moved, into the setting."""

ENTRY = 128
"""Bytes of memory for one number of the data, while they are made, read exactly and scaled; measured, up to 114."""


def require_rows(name: str, n: int, d_in: int, d_out: int) -> None:
    """`BadInput` where data of that size do not fit into memory; before anything of that size is made."""
    require_memory(ENTRY * n * (d_in + d_out), f"{name} of {n} rows of {d_in} and {d_out} numbers", "a smaller n")


def problem(
    dataset: Dataset,
    network: Network,
    *,
    m: int,
    init: str = COUPLED,
    sigma: float = 1.0,
    delta: float = 0.1,
    radius: float = 0.01,
    dtype: str = "float64",
    scale: bool = True,
) -> tuple[Problem, str]:
    """The problem, and the sentence that says how the data were scaled.

    Raises `BadInput` for data that are not finite, or break ‖x‖ ≤ 1, ‖y‖ ≤ 1, read exactly, without `scale`; for an
    odd m under coupling; for float64 where JAX does not have it.
    """
    if init == COUPLED and isinstance(network, TwoLayer) and (m < 2 or m % 2):
        raise BadInput(f"m = {m} with coupled initialisation", "an even m of at least 2", f"m = {m + m % 2 or 2}")
    if dtype == "float64" and not jax.config.read("jax_enable_x64"):
        raise BadInput("dtype float64", "64-bit numbers enabled", "jax.config.update('jax_enable_x64', True)")
    if isinstance(network, TwoLayer):
        network, dataset = _reading(network, dataset)
    X, y, sentence = _scaled(dataset, np.dtype(dtype), scale)
    if isinstance(network, Model):
        network = models.fitted(network, X, y, dataset.shape, m, init == COUPLED, np.dtype(dtype))
        sentence += f"; {network.size} numbers train, {network.title}"
        sentence += ", less its copy, divided by √2" if network.coupled else ""
    elif network.features is not None:
        sentence = f"a 1 appended to every input; {sentence}"
    if network.shape:
        sentence += f"; an input is a row of X, its {' × '.join(map(str, network.shape))} numbers scaled together"
    with np.errstate(over="ignore", under="ignore"):
        scales = {"sigma": sigma, "delta": delta, "radius": radius}
        numbers = {name: np.dtype(dtype).type(value) for name, value in scales.items()}
    for name, value in numbers.items():
        if not np.isfinite(value) or (value == 0 and scales[name] != 0):
            raise BadInput(f"{name} = {scales[name]}", f"a number that {dtype} can hold")
    return Problem(
        X=jnp.asarray(X),
        y=jnp.asarray(y),
        **{name: jnp.asarray(value) for name, value in numbers.items()},
        network=network,
        init=init,
        m=m,
        rank=rank(X),
    ), sentence


def at_width(problem: Problem, m: int) -> Problem:
    """The same question of networks of another width."""
    network = problem.network
    return dataclasses.replace(
        problem, m=m, network=models.widened(network, m) if isinstance(network, Model) else network
    )


def _reading(network: TwoLayer, dataset: Dataset) -> tuple[TwoLayer, Dataset]:
    """The network with the shape of its inputs, and the data as its neurons read them."""
    if network.features is not None:
        dataset = dataclasses.replace(dataset, X=network.features(dataset.X))
    if network.neuron is None:
        return dataclasses.replace(network, shape=()), dataset
    network.neuron.size(dataset.shape or dataset.X.shape[1:])  # refuses inputs that it cannot read
    return dataclasses.replace(network, shape=dataset.shape), dataset


def _norm(largest: float, amount: float) -> str:
    """The largest norm in words: that of a row whose squared length is above 1 by `amount`."""
    return f"1 + {amount / 2:.2g}" if amount < 1e-4 else f"{largest:.6g}"


def _scaled(dataset: Dataset, dtype: np.dtype, scale: bool):
    if len(dataset.X) != len(dataset.y) or not dataset.X.size or not dataset.y.size:
        shapes = f"X {dataset.X.shape} and y {dataset.y.shape}"
        raise BadInput(f"{dataset.name}: {shapes}", "one target for each input, at least one of them")
    require_rows(dataset.name, len(dataset.X), dataset.X.shape[1], dataset.y.shape[1])
    arrays, said = [], []
    for name, array in (("X", dataset.X), ("y", dataset.y)):
        if not np.isfinite(array).all():
            row, column = np.argwhere(~np.isfinite(array))[0]
            value = "NaN" if np.isnan(array[row, column]) else array[row, column]
            raise BadInput(f"{dataset.name}: {name} holds {value} (row {row}, column {column})", "finite numbers")
        top = float(np.abs(array).max()) or 1.0  # squares of huge entries would overflow
        largest = top * float(np.linalg.norm(array / top, axis=1).max())
        if not largest < 1e308:
            raise BadInput(f"{dataset.name}: the largest row of {name} has a norm beyond 1e308", "smaller numbers")
        amounts = excess(array)
        if amounts.any():
            clearly, norm = largest > 1 + 1e-6, _norm(largest, float(amounts.max()))
            if not scale:
                raise BadInput(
                    f"{dataset.name}: {np.count_nonzero(amounts)} of {len(array)} rows of {name} are longer than 1, row {amounts.argmax()} has norm {norm}",
                    "norms of at most 1, exactly, which the theory assumes",
                    "--scale, which divides by it" if clearly else "--scale, which moves it inside",
                )
            said.append(
                f"{name} divided by its largest row norm, {norm}"
                if clearly
                else f"{np.count_nonzero(amounts)} rows of {name} moved inside from norms of up to {norm}"
            )
        near = largest <= 1 + NEAR * np.finfo(np.float64).eps
        arrays.append(inside((array if near else array / largest).astype(dtype)))
    return *arrays, "; ".join(said) or "as they came, all row norms at most 1"
