"""Compiled programs that are kept: a second run compiles nothing, and nothing that lies there can stop a run."""

import os
import subprocess
import sys

from ntkverify.ground import programs

SCRIPT = """
import jax, jax.numpy as jnp
from ntkverify.ground.progress import set_up_jax

hits = []
jax.monitoring.register_event_listener(
    lambda name, **_: hits.append(name) if name == "/jax/compilation_cache/cache_hits" else None
)
set_up_jax("float64")
print(float(jax.jit(lambda x: jnp.sin(x) @ x)(jnp.arange(100.0))), len(hits) > 0, jax.config.jax_compilation_cache_dir)
"""


def start(**environment):
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT], env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip


def ended(process):
    """(the number, whether a program was found, where they are kept), of a run that said nothing else."""
    said, complained = process.communicate(timeout=120)
    assert process.returncode == 0, complained
    assert not complained
    return said.split()


def test_a_second_run_compiles_nothing_and_damage_goes_unnoticed(tmp_path):
    home = str(tmp_path / "deep" / "home")
    first = ended(start(NTKVERIFY_CACHE=home))
    assert first[1] == "False"
    assert ended(start(NTKVERIFY_CACHE=home)) == [first[0], "True", first[2]]
    entries = list((tmp_path / "deep" / "home").rglob("*-cache"))
    assert entries
    for entry in entries:
        entry.write_bytes(entry.read_bytes()[:50])
    together = [start(NTKVERIFY_CACHE=home) for _ in range(2)]
    assert {tuple(ended(process)) for process in together} == {(first[0], "False", first[2])}


def test_where_nothing_can_be_written_programs_are_not_kept(tmp_path):
    (tmp_path / "a file").touch()
    own = str(tmp_path / "own")
    runs = [
        (start(NTKVERIFY_CACHE=str(tmp_path / "a file")), "None"),
        (start(NTKVERIFY_CACHE=" off"), "None"),
        (start(NTKVERIFY_CACHE="~nobody-of-this-name/x"), "None"),
        (start(NTKVERIFY_CACHE=os.fsdecode(os.fsencode(tmp_path) + b"/\xff")), "None"),
        (start(NTKVERIFY_CACHE=str(tmp_path), JAX_COMPILATION_CACHE_DIR=own), own),
        (start(NTKVERIFY_CACHE=str(tmp_path), JAX_COMPILATION_CACHE_DIR=own, JAX_ENABLE_COMPILATION_CACHE="0"), own),
    ]
    for process, where in runs:
        assert ended(process)[2] == where


def test_the_oldest_programs_go_first(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("jaxlib-1", "jaxlib-2")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "empty-cache").touch()
    for age in range(10):
        entry = folders[age % 2] / f"{age}-cache"
        entry.write_bytes(bytes(100))
        os.utime(entry, ns=(10**18 - age, 10**18 - age))
    monkeypatch.setattr(programs, "LARGEST", 1000)
    programs._prune(tmp_path)
    assert [programs.amount_kept(folder) for folder in folders] == [(5, 500), (5, 500)]
    monkeypatch.setattr(programs, "LARGEST", 999)
    programs._prune(tmp_path)
    assert {entry.name for entry in tmp_path.rglob("*-cache")} == {f"{age}-cache" for age in range(4)}
