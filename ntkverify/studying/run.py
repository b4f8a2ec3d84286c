"""The verb `study`: a grid of cells, evaluated through the ledger → results.json."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ntkverify import catalogue
from ntkverify.ground.environment import environment, require_memory
from ntkverify.ground.errors import BadInput, choose
from ntkverify.ground.own_files import identified
from ntkverify.ground.programs import make_room
from ntkverify.ground.results import SCHEMA
from ntkverify.ground.shown import Results
from ntkverify.networks.inputs.file import digest
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import Model
from ntkverify.studying.grids import axes, changed, grid
from ntkverify.studying.ledger import LEDGER, opened

VERSIONS = ("ntkverify", "jax", "jaxlib", "numpy", "scikit-learn")
"""What a cell's numbers depend on beside its parameters."""


def configuration(name: str, preset: str, changes: Sequence[str] = (), data: str | None = None) -> dict:
    """What is asked, with every parameter of the grid spelled out; `BadInput` for what cannot be.

    `data` is the same as a change "data=...", for studies that have data of their own to choose from; what such
    data change in the preset comes before the other changes.
    """
    module = catalogue.study(name, preset)
    own = getattr(module, "DATA", None)
    if data is not None:
        if own is None:
            raise BadInput(
                f"--data {data} for the study {name}",
                "a study of its own data: diffusion",
                "--grid data=... where the grid has data",
            )
        changes = [f"data={choose('data set', data, own)}", *(c for c in changes if c.partition("=")[0] != "data")]
    parameters = dict(module.PRESETS[preset])
    if own is not None:
        named = [change.partition("=")[2] for change in changes if change.partition("=")[0] == "data"]
        parameters |= own[choose("data set", named[-1].strip(), own)] if named and "," not in named[-1] else {}
    parameters = changed(parameters, changes, catalogue.known_network)
    given = parameters.get("network", ())  # none where the study has a network of its own
    named = given if isinstance(given, tuple) else (given,)
    for network in (each for each in named if each not in catalogue.NETWORKS or module.NETWORKS != "any"):
        if reason := elsewhere(module.NETWORKS, catalogue.network(network)):
            raise BadInput(
                f"network={network} in the study {name}", reason, f"ntkverify study {name} --grid network=softmax"
            )
    listed = {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
    return identified({"study": name, "preset": preset, "changes": sorted(changes), "grid": listed})


Cells = Iterator[tuple[dict, list[dict], float]]
"""Cells as they are finished: parameters, rows, seconds."""


def here(study: str, preset: str, todo: Sequence[dict]) -> Cells:
    """One cell after the other, in this process."""
    module = catalogue.study(study, preset)
    for params in todo:
        started = time.perf_counter()
        make_room()
        rows = module.evaluate(params)
        yield params, rows, time.perf_counter() - started


def study(
    config: dict, folder: Path, heard: Callable[[str, int, int], None] = lambda what, done, total: None,
    evaluate: Callable[[str, str, Sequence[dict]], Cells] = here, shard: tuple[int, int] = (1, 1),
) -> Results:  # fmt: skip
    """Evaluate the missing cells of a configuration and return the content of results.json.

    Each finished cell is in the folder's ledger as soon as `evaluate` gives it.  An interruption leaves `complete` false and
    keeps what was finished.  Of `shard` = (k, n), only every nth cell is evaluated, from the kth on.
    """
    module = catalogue.study(config["study"], config["preset"])
    parameters = _parameters(config)
    varying, todo = axes(parameters), list(grid(parameters, module.ALONE))
    for params in todo:
        what = f"{config['study']} with {_named(params, varying)}"
        require_memory(module.bytes_needed(params), what, "a smaller grid")
    with opened(folder) as ledger:
        kept = {index: ledger.get(_cell(config["study"], params)) for index, params in enumerate(todo)}
        begin, step = shard
        missing = [todo[index] for index in range(begin - 1, len(todo), step) if kept[index] is None]
        done = sum(rows is not None for rows in kept.values())
        if missing:
            heard(_named(missing[0], varying), done, len(todo))
        with contextlib.suppress(KeyboardInterrupt):
            for params, rows, seconds in evaluate(config["study"], config["preset"], missing):
                ledger.put(_cell(config["study"], params), rows, seconds)
                kept[todo.index(params)] = rows
                done += 1
                heard(_named(params, varying), done, len(todo))
    return _found(config, module, [(params, kept[index]) for index, params in enumerate(todo)], varying)


def _found(config: dict, module, kept: Sequence[tuple[dict, list[dict] | None]], varying: Sequence[str]) -> Results:
    """The content of results.json, of the cells that are finished."""
    cells, notes = [], {}
    for params, rows in kept:
        notes |= dict.fromkeys(row["note"] for row in rows or () if row["note"])
        name = "-".join(str(params[key]) for key in varying)
        cells += [{"id": f"{name}-{seed}", "params": params, "seed": seed} | row for seed, row in enumerate(rows or ())]
    fits = module.fits(cells)
    figures = module.figures(cells, fits)
    for cell in cells:
        cell.pop("pictures", None)  # the figures hold what is shown of them, the ledger all
    return Results({
        "schema": SCHEMA, "verb": "study", **config, "config": config, "title": module.TITLE,
        "complete": all(rows is not None for _, rows in kept), "environment": environment(), "problems": [], "kernels": [],
        "claims": [], "cells": cells, "done": list(module.DONE), "notes": list(notes), "fits": fits,
        "tables": module.tables(cells, fits), "figures": figures, "answer": module.answer(cells, fits),
    })  # fmt: skip


def merge(folders: Sequence[Path], folder: Path, config: dict) -> Results:
    """What the ledgers of several folders hold of one study, put into one folder's ledger; the content of results.json.

    `BadInput` where two of them have a cell with other rows.  Nothing is evaluated.
    """
    with opened(folder) as ledger:
        for each in folders:
            if each.resolve() == folder.resolve():
                continue
            with opened(each) as other:
                for name, content in other.every().items():
                    if ledger.add(name, content) is not None:
                        raise BadInput(
                            f"{each / LEDGER} has other rows of the cell {content[0]} than those before it", "ledgers that agree",
                            "computing that cell again in a folder of its own",
                        )  # fmt: skip
    return study(config, folder, evaluate=lambda *_: iter(()))


def _parameters(config: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in config["grid"].items()}


def _named(params: dict, varying: Sequence[str]) -> str:
    return ", ".join(f"{key} {params[key]}" for key in varying)


def _cell(study: str, params: dict) -> dict:
    """All that a cell is computed from: its parameters, the content of its files, versions, random numbers."""
    found, data = environment(), str(params.get("data", ""))
    content = {"digest": digest(Path(data))} if catalogue.is_file(data) else {}
    if catalogue.own(name := str(params.get("network", ""))) and isinstance(network := catalogue.network(name), Model):
        content["network_digest"] = network.digest
    machine = {"backend": found["backend"], "random_numbers": found["random_numbers"]}
    return params | content | machine | {"study": study} | {name: found["packages"][name] for name in VERSIONS}


def finished(config: dict, folder: Path, shard: tuple[int, int]) -> bool:
    """Whether a shard's cells are all there."""
    module = catalogue.study(config["study"], config["preset"])
    own = list(grid(_parameters(config), module.ALONE))[shard[0] - 1 :: shard[1]]
    with opened(folder) as ledger:
        return all(ledger.get(_cell(config["study"], params)) is not None for params in own)


def status(config: dict, folder: Path) -> tuple[int, int]:
    """(finished cells, cells) of a study in a folder."""
    module = catalogue.study(config["study"], config["preset"])
    todo = list(grid(_parameters(config), module.ALONE))
    with opened(folder) as ledger:
        return sum(ledger.get(_cell(config["study"], params)) is not None for params in todo), len(todo)
