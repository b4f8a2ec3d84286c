"""Followed steps survive the process, whatever ends it."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from certified import two_points

from ntkverify.cli import main as cli
from ntkverify.convergence import kept as keeping
from ntkverify.convergence import later_starts
from ntkverify.convergence.kept import FOLLOWING, Kept
from ntkverify.convergence.later_starts import followed, launched
from ntkverify.networks.network import initialise


class Stop(Exception):
    pass


def stopping(at: int):
    def heard(what, done, total):
        if done == at:
            raise Stop

    return heard


def test_following_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "SECONDS", 0.0)
    problem = two_points(m=8)
    start = initialise(problem, jax.random.key(0))
    whole = followed(problem, start, 0.01, 12)
    with pytest.raises(Stop):
        followed(problem, start, 0.01, 12, stopping(7), Kept.of(tmp_path))
    steps = []
    again = followed(problem, start, 0.01, 12, lambda what, done, total: steps.append(done), Kept.of(tmp_path))
    assert steps == [8, 9, 10, 11, 12]
    assert whole is not None
    assert again is not None
    assert again.drift == whole.drift
    assert np.array_equal(again.at.W, whole.at.W)


def test_what_follows_from_something_else_is_begun_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "SECONDS", 0.0)
    problem = two_points(m=8)
    start = initialise(problem, jax.random.key(0))
    sine = dataclasses.replace(problem.network, value=jnp.sin, slope=jnp.cos, normalised=False)
    assert followed(problem, start, 0.01, 4, kept=Kept.of(tmp_path))
    other = dataclasses.replace(problem, network=sine)
    for question, eta, steps, at in (
        (problem, 0.02, 4, start), (problem, 0.01, 3, start), (problem, 0.01, 4, initialise(problem, jax.random.key(1))),
    ):  # fmt: skip
        seen = []
        assert followed(
            question, at, eta, steps, lambda what, done, total, seen=seen: seen.append(done), Kept.of(tmp_path)
        )
        assert seen == list(range(1, steps + 1))
    assert keeping.name_of("norms", problem, start) != keeping.name_of("norms", other, start)
    seen = []  # what is further is not forgotten for what was asked in between
    assert followed(problem, start, 0.01, 5, lambda what, done, total: seen.append(done), Kept.of(tmp_path))
    assert seen == [5]


@pytest.mark.parametrize("damage", [b"", b"damaged", b"PK\x03\x04 damaged", None])
def test_a_file_that_cannot_be_read_counts_for_nothing(damage, tmp_path):
    whole = Kept(tmp_path)
    whole.reached("launch", 3, np.ones((2, 2)), 0.5)
    whole.write()
    assert Kept.of(tmp_path).places["launch"].step == 3
    content = (tmp_path / FOLLOWING).read_bytes()
    for at in range(0, len(content), 97) if damage is None else (0,):
        flipped = content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]
        (tmp_path / FOLLOWING).write_bytes(flipped if damage is None else damage)
        assert len(Kept.of(tmp_path).places) <= 1


def test_a_launch_that_failed_is_not_followed_again(tmp_path, monkeypatch):
    problem = two_points(m=8)
    start = initialise(problem, jax.random.key(0))
    monkeypatch.setattr(later_starts, "room", lambda *_: 2.0)
    monkeypatch.setattr(later_starts, "followed", lambda *_: calls.append(1))
    calls: list[int] = []
    memory = Kept.of(tmp_path)
    assert launched(problem, start, most=32, kept=memory) is None
    assert launched(problem, start, most=32, kept=memory) is None
    assert len(calls) == 1


@pytest.mark.slow
def test_a_killed_realise_goes_on(tmp_path):
    words = ["realise", "--data", "sphere", "--n", "4", "--d-in", "3", "--d-out", "1", "--m", "16", "--sigma", "1"]
    words += ["--follow", "4096", "--out"]
    code = "from ntkverify.convergence import kept; kept.SECONDS = 0.0; from ntkverify.cli.main import main; import sys; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words, str(tmp_path / "killed")], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 240
        while not (tmp_path / "killed" / FOLLOWING).exists() and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    (reached,) = [place.step for place in Kept.of(tmp_path / "killed").places.values()]
    assert reached > 0
    first: list[int] = []
    right = Kept.before

    def before(self, name, W, most):
        found = right(self, name, W, most)
        first.append(found.step)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kept, "before", before)
        assert cli.main([*words, str(tmp_path / "killed")]) == 0
    assert first[0] == reached
    assert not (tmp_path / "killed" / FOLLOWING).exists()
    assert cli.main(["check", str(tmp_path / "killed" / "certificate.json")]) == 0
