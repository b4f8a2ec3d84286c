"""Studies in parts: shards, their merger, and workers that may die."""

import json
import os
import signal
import threading
import time
from typing import Any

import pytest

from ntkverify.cli import main as cli
from ntkverify.ground.errors import BadInput
from ntkverify.ground.results import load
from ntkverify.studies import drift
from ntkverify.studying import workers
from ntkverify.studying.ledger import LEDGER, opened
from ntkverify.studying.run import configuration, merge, study

GRID = ["network=softmax", "init=coupled", "m=8,16,32,64", "n=3", "d_in=4", "seeds=2"]


def told(params):
    """A cell that costs nothing."""
    metrics = dict.fromkeys(("drift", "movement", "limit"), 1 / params["m"])
    return [{"outcome": "converged", "sentence": "", "note": "", "metrics": metrics}] * 2


def same(one: dict, other: dict) -> bool:
    return all(one[key] == other[key] for key in ("cells", "fits", "tables", "answer", "complete"))


def test_shards_together_are_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(drift, "evaluate", told)
    config = configuration("drift", "quick", GRID)
    folders = [tmp_path / str(k) for k in (1, 2, 3, 4)]
    for k, folder in enumerate(folders, 1):
        folder.mkdir()
        part = study(config, folder, shard=(k, 4))
        assert not part["complete"]
        with opened(folder) as ledger:
            assert len(ledger) == 1
    (tmp_path / "whole").mkdir()
    (tmp_path / "merged").mkdir()
    whole, merged = study(config, tmp_path / "whole"), merge(folders, tmp_path / "merged", config)
    assert merged["complete"]
    assert same(whole, merged)
    (tmp_path / "few").mkdir()
    assert not merge(folders[:2], tmp_path / "few", config)["complete"]


def test_ledgers_that_differ_are_refused(tmp_path, monkeypatch):
    config = configuration("drift", "quick", GRID)
    for name, factor in (("one", 1), ("other", 1 + 1e-15)):
        monkeypatch.setattr(drift, "evaluate", lambda params, factor=factor: told(params | {"m": params["m"] * factor}))
        (tmp_path / name).mkdir()
        study(config, tmp_path / name)
    (tmp_path / "merged").mkdir()
    merge([tmp_path / "one", tmp_path / "one"], tmp_path / "merged", config)
    with pytest.raises(BadInput, match="other rows of the cell"):
        merge([tmp_path / "other"], tmp_path / "merged", config)


def test_what_cannot_be_merged_or_parted_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drift, "evaluate", told)
    monkeypatch.chdir(tmp_path)
    for name, grid in (("a", GRID), ("b", [*GRID, "sigma=1.0"])):
        assert cli.main(["study", "drift", "--grid", *grid, "--out", name, "--shard", "1/2"]) == 0
        assert "Shard 1 of 2 is finished" in capsys.readouterr().out
    assert cli.main(["merge", "a", "--out", "c"]) == 0
    assert "2 of 4 cells are missing" in " ".join(capsys.readouterr().out.split())
    for command, said in (
        (["merge", "a", "b"], "shards of one study with one configuration"),
        (["merge", "nowhere"], "nowhere"),
        (["merge"], "no folders"),
        (["study", "drift", "--shard", "3/2"], "K/N with 1 ≤ K ≤ N"),
        (["study", "drift", "--shard", "one"], "K/N with 1 ≤ K ≤ N"),
        (["study", "drift", "--workers", "0"], "a whole number of at least 1"),
        (["study", "drift", "--workers", "1", "--scheduler", "tcp://127.0.0.1:1"], "one of them"),
    ):
        assert cli.main(command) == 2
        assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what processes say that are killed
def test_a_worker_that_dies_costs_its_cell_and_no_more(tmp_path):
    """Two workers; one is killed while it computes.  The rows are those of a run without workers."""
    config = configuration("drift", "quick", [*GRID[:2], "m=8,16,32", *GRID[3:]])
    for name in ("alone", "workers"):
        (tmp_path / name).mkdir()
    alone = study(config, tmp_path / "alone")
    with workers.cluster(2, None) as client:
        pids: Any = client.run(os.getpid)
        assert len(pids) == 2
        threads: Any = client.run(lambda: (os.environ["OMP_NUM_THREADS"], os.environ["XLA_FLAGS"].count("=1")))
        assert set(threads.values()) == {("1", 1)}
        killed = []

        def kill():
            time.sleep(2)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = study(config, tmp_path / "workers", evaluate=workers.on(client))
        thread.join()
        left: Any = client.run(os.getpid)
        assert killed[0] not in left.values()
    assert found["complete"]
    for one, other in zip(alone["cells"], found["cells"], strict=True):
        assert one["outcome"] == other["outcome"]
        assert one["metrics"] == pytest.approx(other["metrics"], rel=1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_command_takes_workers_and_a_scheduler(tmp_path, capsys):
    grid = ["--grid", *GRID[:2], "m=8", *GRID[3:]]
    assert cli.main(["study", "drift", *grid, "--workers", "1", "--out", str(tmp_path / "one")]) == 0
    with workers.cluster(1, None) as client:
        address = client.scheduler_info()["address"]
        assert cli.main(["study", "drift", *grid, "--scheduler", address, "--out", str(tmp_path / "two")]) == 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workers, "version", lambda package: "0.0.7" if package == "jax" else None)
            capsys.readouterr()
            assert cli.main(["study", "drift", *grid, "--scheduler", address, "--out", str(tmp_path / "three")]) == 2
            assert "the same environment everywhere" in capsys.readouterr().err
    one, two = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("one", "two"))
    assert one["cells"] == two["cells"]
    assert load(tmp_path / "one")["complete"]
    assert (tmp_path / "one" / LEDGER).exists()
