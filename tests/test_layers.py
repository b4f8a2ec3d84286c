"""Imports run downward: a file imports only files of lower floors."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ntkverify

ROOT = Path(ntkverify.__file__).parent
ROOMS = (
    "examples", "cli", "studies", "studying", "diffusion", "exports", "report", "verifying", "claims", "truths", "convergence", "checking", "certifying",
    "searching", "judging", "catalogue", "statements", "networks", "arithmetic", "ground",
)  # fmt: skip
"""From the top down, as docs/design.md draws them: a room imports from those that follow it."""
FACES = ("__main__", "__init__", "questions", "api", "lemma")
"""What users meet; they import from every room."""
IMPORT_INSIDE = {"__init__"}
"""Where a function may import (the register, the command line's dispatch and the bridge import by importlib)."""
TEMPLATE = "cli.lemma_template"
"""A user's file, which imports what users meet and nothing else."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def room_of(module: str) -> str:
    return module.partition(".")[0]


def floor_of(module: str) -> int:
    room = room_of(module)
    assert room in FACES + ROOMS, f"{module} stands in no room: add it to ROOMS, and to docs/design.md"
    return (FACES + ROOMS).index(room)


def imports(source: str) -> list[str]:
    """The modules of this package that a source imports, without the package's name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ntkverify"):
            base = (node.module or "").removeprefix("ntkverify").removeprefix(".")
            package = not base or (ROOT / base.replace(".", "/")).is_dir()
            found += [".".join(filter(None, (base, alias.name))) for alias in node.names] if package else [base]
        elif isinstance(node, ast.Import):
            found += [a.name.removeprefix("ntkverify.") for a in node.names if a.name.startswith("ntkverify.")]
    return found


def upward_imports(module: str, source: str) -> list[str]:
    """What a module imports from a room above its own, or from inside a function; a claim imports no claim."""
    own = room_of(module)
    alone = own in ("claims", "studies")
    found = [
        name
        for name in imports(source)
        if floor_of(name) < floor_of(module) or (alone and room_of(name) == own) or name == own
    ]
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef) and module not in IMPORT_INSIDE:
            inner = (ast.Import, ast.ImportFrom)
            found += ["inside " + function.name for node in ast.walk(function) if isinstance(node, inner)]
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=name_of)
def test_imports_run_downward(path):
    name = name_of(path)
    assert upward_imports(name, path.read_text("utf-8")) == (["lemma"] if name == TEMPLATE else [])


def test_a_planted_upward_import_is_caught():
    assert upward_imports("networks.network", "from ntkverify.judging.verdict import judge") == ["judging.verdict"]
    assert upward_imports("networks.network", "from ntkverify import catalogue") == ["catalogue"]
    assert upward_imports("claims.softmax.zero_output", "from ntkverify.claims.kernel.rank_floor import lhs") == [
        "claims.kernel.rank_floor"
    ]
    assert upward_imports("claims.zero_output", "from ntkverify.lemma import Form") == ["lemma"]
    assert upward_imports("networks.network", "def f():\n    import jax") == ["inside f"]


@pytest.mark.parametrize("room", ROOMS)
def test_inside_a_room_imports_run_one_way(room):
    files = {name_of(path): path for path in ROOT.rglob("*.py") if room_of(name_of(path)) == room}
    graph = {name: {each for each in imports(path.read_text("utf-8")) if each in files} for name, path in files.items()}
    list(TopologicalSorter(graph).static_order())  # raises at a cycle


def test_at_the_top_are_the_faces_and_the_register():
    assert {path.stem for path in ROOT.glob("*.py")} == {*FACES, "catalogue"}
    others = {"__pycache__", "site"}  # the documentation, where it was built
    assert {path.name for path in ROOT.iterdir() if path.is_dir()} - others == {*ROOMS} - {"catalogue"}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=name_of)
def test_no_file_is_long(path):
    assert len(path.read_text("utf-8").splitlines()) <= 450


def test_keys_are_made_in_one_place():
    """With the generator named, or another default of JAX's would draw other networks from the same seed."""
    made = [name_of(path) for path in ROOT.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute) and ast.unparse(node) in ("jax.random.key", "jax.random.PRNGKey")]  # fmt: skip
    assert made == ["ground.numerics"]


def test_only_the_bridge_touches_neural_tangents_and_private_jax():
    for path in ROOT.rglob("*.py"):
        if name_of(path) != "networks.kernels.neural_tangents":
            imported = {
                name
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                for name in (
                    [node.module or ""] if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                )
            }  # fmt: skip
            assert not {name for name in imported if name.startswith(("jax._src", "neural_tangents"))}, path
