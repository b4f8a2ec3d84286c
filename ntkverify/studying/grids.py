"""The grid of a study: its parameters, those given as tuples being the axes.  Needs no JAX."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.settings import INITIALISATIONS

Parameters = Mapping[str, int | float | str | tuple]


def grid(parameters: Parameters, alone: Sequence[str] = ()) -> Iterator[dict]:
    """The parameters of each cell, the last axis running fastest.

    Axes named in `alone` leave their first value one at a time, while every numeric axis is at its first.
    """
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in parameters.items()}
    values = [value if isinstance(value, tuple) else (value,) for value in parameters.values()]
    for choice in itertools.product(*values):
        cell = dict(zip(parameters, choice, strict=True))
        off = [name for name in cell if cell[name] != first[name] and not isinstance(first[name], str)]
        if not set(off) & set(alone) or len(off) == 1:
            yield cell


def axes(parameters: Parameters) -> tuple[str, ...]:
    """The names of the parameters that vary."""
    return tuple(name for name, value in parameters.items() if isinstance(value, tuple))


COUNTS = {"seeds": "draws", "draws": "seeds"}
"""Draws of the network and draws of the data: where a study has one of them, the other is meant."""


def changed(parameters: Parameters, changes: Sequence[str], known: Callable[[str], None]) -> dict:
    """The parameters after changes like "m=64,128" and "target=0.1"; `BadInput` for what cannot be.

    A parameter that was an axis stays one, however many values it is given.  `known` refuses what is no network.
    """
    result = dict(parameters)
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise BadInput(f"--grid {change}", "NAME=VALUE or NAME=VALUE,VALUE", "--grid m=64,128")
        if name not in parameters and COUNTS.get(name) in parameters:
            raise BadInput(
                f"--grid {change}", f"{COUNTS[name]}, which this study counts", f"--grid {COUNTS[name]}={text}"
            )
        choose("parameter of the grid", name, parameters)
        before = parameters[name]
        example = next(iter(before)) if isinstance(before, tuple) else before
        words = [word.strip() for word in text.split(",") if word.strip()]
        if not words:
            raise BadInput(f"--grid {change}", "at least one value", f"--grid {name}={example}")
        values = list(dict.fromkeys(_value(change, word, example) for word in words))
        if name in ("network", "init"):
            for value in values:
                known(str(value)) if name == "network" else choose(name, str(value), INITIALISATIONS)
        result[name] = tuple(values) if isinstance(before, tuple) or len(values) > 1 else values[0]
    for cell in grid(result):
        if cell.get("init", "coupled") == "coupled" and cell.get("m", 2) % 2:
            raise BadInput(
                f"m = {cell['m']} with coupled initialisation", "even widths, because neurons come in pairs",
                f"--grid m={cell['m'] + 1}",
            )  # fmt: skip
    return result


def _value(change: str, word: str, example):
    """The word as the type that the parameter has; numbers are positive and finite."""
    if isinstance(example, str):
        return word
    whole = isinstance(example, int)
    wanted = "whole numbers of at least 1" if whole else "finite numbers above 0"
    try:
        value = int(word) if whole else float(word)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise BadInput(f"--grid {change}", wanted, f"--grid {change.partition('=')[0]}={example}")
    return value
