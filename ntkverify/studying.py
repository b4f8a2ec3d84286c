"""The verb `study`: a grid of cells, evaluated through the ledger → results.json."""

import time
from collections.abc import Callable
from pathlib import Path

from ntkverify import catalogue
from ntkverify.environment import environment, require_memory
from ntkverify.ledger import opened
from ntkverify.results import SCHEMA

VERSIONS = ("ntkverify", "jax", "jaxlib", "numpy")
"""What a cell's numbers depend on beside its parameters."""


def study(
    name: str, preset: str, folder: Path, heard: Callable[[str, int, int], None] = lambda what, done, total: None
) -> dict:
    """Evaluate the preset's missing cells and return the content of results.json.

    Each finished cell is in the folder's ledger before the next begins.  An interruption leaves
    `complete` false and keeps what was finished.
    """
    module = catalogue.study(name, preset)
    grid, stamp = list(module.grid(preset)), _stamp(name)
    for params in grid:
        require_memory(module.bytes_needed(params), f"{name} with m = {params['m']}", "a smaller preset")
    cells, interrupted = [], False
    with opened(folder) as ledger:
        for done, params in enumerate(grid):
            heard(f"{params['network']} {params['init']} m = {params['m']}", done, len(grid))
            try:
                rows = ledger.get(params | stamp)
                if rows is None:
                    started = time.perf_counter()
                    rows = module.evaluate(params)
                    ledger.put(params | stamp, rows, time.perf_counter() - started)
            except KeyboardInterrupt:
                interrupted = True
                break
            cells += [{"params": params, "seed": seed} | row for seed, row in enumerate(rows)]
    for cell in cells:
        cell["id"] = "-".join(str(cell["params"][key]) for key in ("network", "init", "m")) + f"-{cell['seed']}"
    fits = module.fits(cells)
    return {
        "schema": SCHEMA, "verb": "study", "study": name, "preset": preset, "config": {"study": name, "preset": preset},
        "title": module.TITLE, "complete": not interrupted, "environment": environment(), "problems": [], "kernels": [],
        "claims": [], "cells": cells, "fits": fits, "tables": [table(fits)], "quantities": module.QUANTITIES,
        "answer": module.answer(fits),
    }  # fmt: skip


def _stamp(name: str) -> dict:
    found = environment()
    return {"study": name, "backend": found["backend"]} | {key: found["packages"][key] for key in VERSIONS}


def status(name: str, preset: str, folder: Path) -> tuple[int, int]:
    """(finished cells, cells) of a study in a folder."""
    grid, stamp = list(catalogue.study(name, preset).grid(preset)), _stamp(name)
    with opened(folder) as ledger:
        return sum(ledger.get(params | stamp) is not None for params in grid), len(grid)


def table(fits: list[dict]) -> dict:
    """The fits as a table: one row a group, one column a quantity."""
    quantities = list(dict.fromkeys(fit["quantity"] for fit in fits))
    groups = list(dict.fromkeys(fit["group"] for fit in fits))
    at = {(fit["group"], fit["quantity"]): fit for fit in fits}

    def cell(group, quantity):
        fit = at[group, quantity]
        if fit["exponent"] is None:
            return "no fit"
        return f"{fit['exponent']:.2f} [{fit['low']:.2f}, {fit['high']:.2f}]"

    rows = [[group, *(cell(group, quantity) for quantity in quantities)] for group in groups]
    return {"name": "exponents of m, 95% intervals", "columns": ["network and start", *quantities], "rows": rows}
