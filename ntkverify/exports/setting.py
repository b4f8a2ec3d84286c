"""How a run's numbers came about, as a caption says it."""

from collections.abc import Mapping
from typing import Any

from ntkverify.exports.table import Code, Maths, Piece
from ntkverify.report.page import command

SIZES = {"n": "n", "d_in": r"d_{\mathrm{in}}", "d_out": r"d_{\mathrm{out}}", "m": "m", "sigma": r"\sigma"}
PACKAGES = ("ntkverify", "jax", "numpy")


def setting(results: Mapping[str, Any], table: str = "") -> tuple[Piece, ...]:
    """Data, sizes, draws, precision, device, versions, and the command that repeats it; of several problems the one that the
    table names."""
    config, problems = results.get("config", {}), results.get("problems", [])
    named = [problem for problem in problems if table.endswith(problem["id"])] or problems
    pieces: list[Piece] = [piece for problem in named for piece in _problem(problem)]
    if "grid" in config:
        pieces.append("; ".join(f"{name} = {_listed(value)}" for name, value in config["grid"].items()) + ". ")
    if "seeds" in config and results["verb"] != "falsify":
        pieces.append(f"{config['seeds']} draws of the network, seed {config['seed']}. ")
    if "radius" in config:
        pieces.append(Maths(f"$R = {config['radius']:g}$, $\\delta = {config['delta']:g}$. "))
    if found := results.get("environment"):
        versions = ", ".join(f"{name} {found['packages'][name]}" for name in PACKAGES if found["packages"].get(name))
        pieces.append(
            f"{_precision(results)} on {', '.join(dict.fromkeys(found['devices']))}; Python {found['python']}, {versions}."
        )
    return (*pieces, " Repeat with ", Code(words), ".") if (words := repeated(results)) else tuple(pieces)


def repeated(results: Mapping[str, Any]) -> str:
    """The command that repeats a run; none where a caller's arrays were its data."""
    config = results.get("config", {})
    return command(dict(results)) if "data" in config or results["verb"] == "study" else ""


def _problem(row: Mapping) -> list[Piece]:
    sizes = ", ".join(f"${letter} = {row[name]:g}$" for name, letter in SIZES.items() if row.get(name) is not None)
    return [f"Data: {row['origin']}. Network: {row['network']}, {row['init']} initialisation, ", Maths(sizes + ". ")]


def _precision(results: Mapping) -> str:
    return results.get("config", {}).get("dtype") or ("float64" if results["environment"]["float64"] else "float32")


def _listed(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
