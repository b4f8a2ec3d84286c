"""What is said of supported versions is the same everywhere that it is said."""

import importlib.util
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("matrix", ROOT / ".ci" / "matrix.py")
assert SPEC
assert SPEC.loader
matrix = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(matrix)


def test_the_matrix_runs_the_oldest_versions_that_the_project_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lowest = dict(line.split(">=", 1) for line in asked["dependencies"] if ">=" in line)
    for name, version in (pin.split("==") for pin in matrix.FLOOR):
        assert version.startswith(f"{lowest[name]}.")
    assert asked["requires-python"] == f">={min(python for python, _ in matrix.LEGS)}"


def test_the_readme_has_a_row_for_each_leg():
    table = re.findall(r"^\| (3\.\d+) \| (\S+) \| (\S+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    pins = [(python, dict(pin.split("==") for pin in pins)) for python, pins in matrix.LEGS]
    assert table == [(python, pin.get("jax", "newest"), pin.get("numpy", "newest")) for python, pin in pins]
