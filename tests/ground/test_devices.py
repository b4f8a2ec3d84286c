"""Many devices, and several processes, compute what one does."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import ntkverify as nv
from ntkverify.cli import main as cli
from ntkverify.ground import devices, progress
from ntkverify.ground.batches import batches_pay, cost_of_batches
from ntkverify.ground.errors import BadInput
from ntkverify.ground.meeting import meet
from ntkverify.ground.results import load
from ntkverify.judging import draws

MANY = 8
SCRIPT = Path(__file__).with_name("shared_work.py")


def started(command: list[str], count: int = 1) -> subprocess.Popen:
    """A process with so many CPU devices."""
    own = {**os.environ, "JAX_NUM_CPU_DEVICES": str(count), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen) -> int:
    try:
        _, said = process.communicate(timeout=300)
    finally:
        process.kill()
    print(said)
    return process.returncode


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_many_devices_compute_what_one_does(tmp_path):
    paths = {count: tmp_path / f"{count}.npz" for count in (1, MANY)}
    running = [started([sys.executable, str(SCRIPT), str(path)], count) for count, path in paths.items()]
    assert [ended(each) for each in running] == [0, 0]
    one, many = (np.load(path) for path in paths.values())
    assert one["devices"] == 1
    assert many["devices"] == MANY
    assert one.files == many.files
    for name in (name for name in one.files if name != "devices"):
        if one[name].dtype.kind == "U":
            assert (one[name] == many[name]).all(), name
            continue
        size = np.nanmax(np.abs(one[name]), initial=0)
        np.testing.assert_allclose(many[name], one[name], rtol=0, atol=1e-11 * size, err_msg=name)
    assert np.array_equal(one["W"], many["W"])


VERIFY = ["output-bound", "gradient-formula", "--data", "sphere", "--n", "3", "--d-in", "4", "--d-out", "1", "--m", "16", "--seeds", "25"]  # fmt: skip


def test_processes_that_join_give_the_verdicts_of_one(tmp_path):
    place = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "ntkverify", "verify", *VERIFY]
    joined = [
        started([*command, "--out", str(tmp_path / f"{k}"), "--process", f"{k}/2", "--coordinator", place], 2)
        for k in (1, 2)
    ]
    assert [ended(each) for each in joined] == [0, 0]
    assert cli.main(["verify", *VERIFY, "--out", str(tmp_path / "alone")]) == 0
    together, alone = load(tmp_path / "1"), load(tmp_path / "alone")
    assert len(together["environment"]["devices"]) == 4
    assert not (tmp_path / "2").exists()
    for ours, theirs in zip(together["claims"], alone["claims"], strict=True):
        assert [ours[key] for key in ("id", "form", "verdict", "held", "applicable")] == [
            theirs[key] for key in ("id", "form", "verdict", "held", "applicable")
        ]


def test_processes_that_disagree_are_refused(tmp_path):
    place = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "ntkverify", "verify", *VERIFY, "--coordinator", place, "--out"]
    running = [started([*command, str(tmp_path / f"{k}"), "--process", f"{k}/2", "--sigma", str(k)], 1) for k in (1, 2)]
    assert [ended(each) for each in running] == [2, 2]


@pytest.mark.parametrize(
    ("k", "place", "said"),
    [(2, "127.0.0.1:{}", "nobody answers"), (1, "127.0.0.1:{}", "not all came"), (1, "127.0.0.1", "HOST:PORT"), (2, "x:y", "HOST:PORT")],
)  # fmt: skip
def test_an_address_nobody_answers(k, place, said):
    began = time.monotonic()
    with pytest.raises(BadInput, match=said):
        meet(k, 2, place.format(free_port()), 1.0)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--devices", "1000"], "the devices there are"),
        (["--devices", "0"], "at least 1"),
        (["--devices", "some"], "or all"),
        (["--process", "3/2"], "1 ≤ K ≤ N"),
        (["--process", "1/2"], "the address"),
        (["--coordinator", "127.0.0.1:7650"], "--process K/N"),
    ],
)
def test_devices_and_processes_that_cannot_be(options, said, tmp_path, capsys):
    assert cli.main(["verify", *VERIFY, *options, "--out", str(tmp_path / "v")]) == 2
    assert said in capsys.readouterr().err
    devices.use(None)


def test_each_process_comes_once():
    place = f"127.0.0.1:{free_port()}"
    said: dict[str, str] = {}

    def come(name: str, k: int, n: int):
        try:
            meet(k, n, place, 8.0)
            said[name] = "came"
        except BadInput as error:
            said[name] = str(error)

    waiting = [threading.Thread(target=come, args=each) for each in (("one", 1, 3), ("two", 2, 3))]
    [each.start() for each in waiting]
    time.sleep(0.5)
    with socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2]))) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 4)
    come("two again", 2, 3)
    come("of two", 2, 2)
    come("three", 3, 3)
    [each.join() for each in waiting]
    assert "is there already" in said.pop("two again")
    assert "does not wait for 2" in said.pop("of two")
    assert said == {"one": "came", "two": "came", "three": "came"}


def test_how_many_devices():
    assert nv.devices(1) == nv.devices() == 1
    with pytest.raises(BadInput, match="devices"):
        nv.devices(2)


def test_a_chunk_is_even_and_wastes_little():
    for over in (1, 2, 3, 8, 16):
        for count in (1, 20, 25, 60, 200, 1000):
            each = draws.each_device(count, over)
            assert draws.CHUNK / over <= each <= max(draws.CHUNK, np.ceil(draws.CHUNK / over))
            parts = np.ceil(count / (each * over))
            assert parts * each * over - count < max(draws.CHUNK + over, parts * over)


def test_neurons_stay_where_they_are():
    """A step of a network whose neurons are parted sums over devices, and moves no weights between them."""
    code = """
import jax, jax.numpy as jnp, optax, ntkverify as nv
from ntkverify.ground.devices import mesh
from ntkverify.networks import training
from ntkverify.networks.losses import squared
from ntkverify.networks.kernels.parted import parted_networks
question = nv.problem("sphere", n=4, d_in=5, d_out=2, m=2048)
nets = jax.tree.map(lambda leaf: leaf[None], nv.draw(question, jax.random.key(0)))
wide, nets = parted_networks(question, nets, mesh())
eta = jnp.ones(1)
state = training._begin(optax.sgd, (), nets, eta)
how = dict(optimiser=optax.sgd, loss=squared, levels=(), movement=True, together=False, mesh=mesh(), by="neurons")
print(training._advance.lower(wide, nets, eta, state, jnp.asarray([0, 9, 9]), jnp.asarray(0.1), **how).compile().as_text())
"""
    process = started([sys.executable, "-c", code], MANY)
    text, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    moves = re.findall(r"(?:all-gather|all-to-all|collective-permute|all-reduce)(?:-start)?\(", text)
    assert moves
    assert {move.partition("(")[0] for move in moves} <= {"all-reduce", "all-reduce-start"}
    assert not re.search(r"all-reduce[^=]*= [^=]*\[[0-9,]*(256|2048)", text)


def test_a_device_without_float64(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "has_float64", lambda: False)
    assert cli.main(["verify", *VERIFY, "--out", str(tmp_path / "v")]) == 0
    assert "no float64: everything is computed in float32" in capsys.readouterr().err
    found = load(tmp_path / "v")
    assert found["config"]["dtype"] == "float32"
    assert found["environment"]["float64"] is False
    assert cli.main(["realise", "--n", "2", "--out", str(tmp_path / "r")]) == 2
    assert "JAX_PLATFORMS=cpu" in capsys.readouterr().err


def test_eigenvalues_go_the_way_that_is_measured_faster(monkeypatch):
    assert cost_of_batches(33, "float32") > 0
    large = nv.problem("sphere", n=12, d_in=5, d_out=3, m=16)
    small = nv.problem("sphere", n=4, d_in=5, d_out=3, m=16)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    for cost, batch in ((3.0, 1), (0.2, draws.CHUNK)):
        monkeypatch.setattr("ntkverify.ground.batches.cost_of_batches", lambda size, dtype, cost=cost: cost)
        assert batches_pay(12, "float64")
        assert batches_pay(36, "float64") == (cost <= 1)
        assert draws.batch_size(large) == batch
        assert draws.batch_size(small) == draws.CHUNK


@pytest.mark.parametrize("count", ["abc", "0"])
def test_a_number_of_devices_that_jax_cannot_read_is_said(count):
    own = {**os.environ, "JAX_NUM_CPU_DEVICES": count, "JAX_PLATFORMS": "cpu"}
    found = subprocess.run(
        [sys.executable, "-m", "ntkverify", "doctor"], env=own, capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert count in found.stderr
    assert "wanted" in found.stderr
