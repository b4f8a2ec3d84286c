"""Imports run downward: a file imports only files of lower floors."""

import ast
from pathlib import Path

import pytest

import ntkverify

ROOT = Path(ntkverify.__file__).parent
FLOORS = (
    {"errors"},
    {"checker"},
    {
        "numerics",
        "statement",
        "settings",
        "tabular",
        "terminal",
        "arithmetic.unknown",
        "arithmetic.elementary",
    },
    {"arithmetic.discrete", "arithmetic.primitives", "arithmetic.balls", "arithmetic.contract"},
    {"arithmetic.rules", "arithmetic.arrays", "arithmetic.sameness"},
    {"arithmetic.structure", "arithmetic.functions", "arithmetic.matrices"},
    {"arithmetic.interpreter"},
    {"arithmetic.running", "arithmetic.arb"},
    {"arithmetic.float64", "arithmetic.probe"},
    {"grids", "ascent", "nouns", "quadrature", "results", "environment", "progress", "ledger", "fits"},
    {"setting", "arguments", "diffusion.process", "diffusion.stopping", "diffusion.levels", "diffusion.distances"},
    {"diffusion.truth"},
    {"diffusion.population", "diffusion.regression"},
    {"diffusion.populations"},
    {"deciding", "activations", "inputs", "network", "problems", "compare", "report.mathml", "report.figures"},
    {"report.pictures"},
    {"kernels", "diffusion.sampling"},
    {"quantities"},
    {"training", "growth", "diffusion.estimator"},
    {"diffusion.lesson"},
    {"diffusion.stages"},
    {"diffusion.laws"},
    {"claims", "points", "degenerate", "widths", "lemma_template", "climbing"},
    {"paths"},
    {"lemmas"},
    {"judge"},
    {"catalogue"},
    {"measures", "pointfile", "falsifying", "certificates", "diffusion.measures"},
    {"launches", "diffusion.walks"},
    {"realising", "diffusion.rows"},
    {"diffusion.tables", "diffusion.figures"},
    {"studies"},
    {"studying", "certifying", "tightening", "report.page"},
    {"verification", "report.study", "report.realisation"},
    {"api", "cli"},
    {"__main__", "__init__"},
)
IMPORT_INSIDE = {"cli", "__init__"}
"""Where a function may import: the command line's dispatch (the bridge imports by importlib)."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def floor_of(module: str) -> int:
    for height, names in enumerate(FLOORS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return height
    raise AssertionError(f"{module} stands on no floor: add it to FLOORS")


def upward_imports(module: str, source: str) -> list[str]:
    """What a module imports from its own floor or above, or from inside a function."""
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ntkverify"):
            base = (node.module or "").removeprefix("ntkverify").removeprefix(".")
            package = not base or (ROOT / base.replace(".", "/")).is_dir()
            names = [".".join(filter(None, (base, alias.name))) for alias in node.names] if package else [base]
        elif isinstance(node, ast.Import):
            names = [
                alias.name.removeprefix("ntkverify.") for alias in node.names if alias.name.startswith("ntkverify")
            ]
        found += [name for name in names if floor_of(name) >= floor_of(module)]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and module not in IMPORT_INSIDE:
            found += [
                "inside " + function.name
                for node in ast.walk(function)
                if isinstance(node, ast.Import | ast.ImportFrom)
            ]
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=name_of)
def test_imports_run_downward(path):
    assert upward_imports(name_of(path), path.read_text("utf-8")) == []


def test_a_planted_upward_import_is_caught():
    assert upward_imports("network", "from ntkverify.judge import judge") == ["judge"]
    assert upward_imports("claims.zero_output", "from ntkverify.claims.rank_floor import lhs") == ["claims.rank_floor"]
    assert upward_imports("network", "def f():\n    import jax") == ["inside f"]


def test_keys_are_made_in_one_place():
    """With the generator named, or another default of JAX's would draw other networks from the same seed."""
    made = [name_of(path) for path in ROOT.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute) and ast.unparse(node) in ("jax.random.key", "jax.random.PRNGKey")]  # fmt: skip
    assert made == ["numerics"]


def test_only_the_bridge_touches_neural_tangents_and_private_jax():
    for path in ROOT.rglob("*.py"):
        if name_of(path) != "kernels.neural_tangents":
            imported = {
                name
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                for name in (
                    [node.module or ""] if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                )
            }  # fmt: skip
            assert not {name for name in imported if name.startswith(("jax._src", "neural_tangents"))}, path
