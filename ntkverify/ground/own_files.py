"""Files of the user's own: what they hold, and executed, each with what lies beside it and nothing of another folder's."""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Own:
    """A file that was executed."""

    module: ModuleType
    files: tuple[Path, ...]
    """It, and what it imported from beside it."""
    digest: str
    """Of their content, when they were executed."""


def digest_of(files: Iterable[Path]) -> str:
    """Sixteen hex digits of the files' content; of one that is gone, nothing."""
    content = hashlib.sha256()
    for file in files:
        content.update(f"{file.name}\n".encode() + (file.read_bytes() if file.is_file() else b""))
    return content.hexdigest()[:16]


def identified(config: dict) -> dict:
    """A configuration with the digest of every file that it names, `files`, so that a changed file is another question."""
    named = (each for value in (*config.values(), *config.get("grid", {}).values()) for each in _words(value))
    files = {name: digest_of(read_with(Path(name))) for name in named if _is_file(name)}
    return config | ({"files": files} if files else {})


def _words(value) -> list[str]:
    return [each for each in (value if isinstance(value, list | tuple) else [value]) if isinstance(each, str)]


def _is_file(name: str) -> bool:
    try:
        return bool(Path(name).suffix) and Path(name).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def read_with(path: Path) -> tuple[Path, ...]:
    """A file, and of a program what it imports from beside it, without executing anything."""
    found, todo = [], [path]
    while todo:
        file = todo.pop()
        if file in found or not file.is_file():
            continue
        found.append(file)
        if file.suffix == ".py":
            todo += [file.parent / f"{name}.py" for name in _imported(file)]
    return (path, *sorted(set(found) - {path}))


def _imported(file: Path) -> list[str]:
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):
        return []
    of = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return of + [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]


def execute(path: Path) -> Own:
    """Execute a file, which may import modules that lie beside it; whatever it raises passes.

    Such modules are forgotten afterwards, and those of other folders that have their names are set aside meanwhile: the next
    file's `helper` is its own.
    """
    folder = str(path.parent)
    names = {each.stem for each in path.parent.glob("*.py")}
    aside = {name: module for name, module in sys.modules.items() if name in names and _is_script(module)}
    for name in aside:
        del sys.modules[name]
    before = set(sys.modules)
    name = f"_own_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where the file's own records look for their names
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        spec.loader.exec_module(module)
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        fresh = {each: sys.modules[each] for each in set(sys.modules) - before - {name}}
        beside = {each: found for each, found in fresh.items() if path.parent in _file(found).parents}
        for each in beside:
            del sys.modules[each]
        sys.modules.update(aside)
    files = (path, *sorted(_file(found) for found in beside.values()))
    return Own(module, files, digest_of(files))


def _file(module: ModuleType) -> Path:
    return Path(getattr(module, "__file__", None) or ".").resolve()


def _is_script(module: ModuleType) -> bool:
    """Whether it comes from a folder of the user's: no package that is installed, nothing of Python's own."""
    file = _file(module)
    return file.suffix == ".py" and "site-packages" not in file.parts and Path(sys.base_prefix) not in file.parents
