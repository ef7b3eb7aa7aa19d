"""`mlsd bench` from outside: goes on where it was cut off, survives what is killed, and holds figures."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import yaml

from mlsd.bench.job import perform
from mlsd.bench.plan import plan_of
from mlsd.bench.rendering import markdown
from mlsd.cli import main
from mlsd.store import Store, read_json
from mlsd.testing.tiny_benchmark import TINY_BENCHMARK

pytestmark = pytest.mark.slow

Bench = Callable[..., tuple[int, str, str]]
"""`mlsd bench tiny.yaml` with these options: exit code, what it printed, what it complained of."""


def write(**changed: Any) -> Path:
    path = Path("tiny.yaml")
    path.write_text(yaml.safe_dump({**TINY_BENCHMARK, **changed}, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All runs of the tiny benchmark, but for the last one, which the first test has killed."""
    return tmp_path_factory.mktemp("bench") / "store"


@pytest.fixture
def bench(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bench:
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> tuple[int, str, str]:
        code = main(["bench", "tiny.yaml", "--store", str(store), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def kill_the_first_worker(store: Path, killed: list[int]) -> None:
    """As soon as its run has begun to work."""
    until = monotonic() + 60
    while monotonic() < until:
        if list((store / "unfinished" / "benchmark").glob("*/store/unfinished")) and active_children():
            pid = active_children()[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
            return
        sleep(0.002)


def test_a_killed_worker_is_started_again_and_what_was_there_stays(bench: Bench, store: Path) -> None:
    jobs = plan_of(write()).jobs
    for job in jobs[:3]:
        perform(job, Store(store))
    before = {path: path.stat().st_mtime_ns for path in (store / "benchmark").rglob("*.parquet")}
    killed: list[int] = []
    killer = Thread(target=kill_the_first_worker, args=(store, killed))
    killer.start()
    code, out, err = bench("--n-workers", "1")
    killer.join()
    assert len(killed) == 1
    assert (code, err) == (0, "")
    assert "tiny: 4 runs (2 arms x 2 seeds), 3 of them there already" in out
    assert "[4/4] bm25, seed 2: done" in out
    assert len(before) == 3
    assert all(path.stat().st_mtime_ns == written for path, written in before.items())
    assert list((store / "unfinished" / "benchmark").iterdir()) == []
    again = bench()
    assert again[0] == 0
    assert "4 runs (2 arms x 2 seeds), 4 of them there already" in again[1]
    assert "done" not in again[1]


def test_what_is_written(bench: Bench, tmp_path: Path) -> None:
    write()
    code, out, _ = bench()
    assert code == 0
    assert Path("outputs/bench/tiny.md").is_file()
    assert "Leaderboard: outputs/bench/tiny.md" in out
    code, out, _ = bench("--write")
    assert "Leaderboard: results/tiny.md" in out
    found = read_json(Path("results/tiny.json"))
    assert markdown(found) == Path("results/tiny.md").read_text(encoding="utf-8")
    assert found == read_json(Path("outputs/bench/tiny.json"))
    assert str(tmp_path) not in Path("results/tiny.json").read_text(encoding="utf-8")
    for figure in found["figures"]:
        assert f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]" in out
    assert found["provenance"]["data, SHA-256"] == "none: all data are generated"


def test_the_gate(bench: Bench) -> None:
    write()
    bench()
    value = read_json(Path("outputs/bench/tiny.json"))["figures"][0]["value"]
    arm = read_json(Path("outputs/bench/tiny.json"))["figures"][0]["arm"]
    write(holds={arm: {"value": value + 0.01, "tolerance": 0.02}})
    assert bench("--check")[0] == 0
    write(holds={arm: {"value": value + 0.03, "tolerance": 0.02}})
    code, out, _ = bench("--check")
    assert code == 1
    assert f"outside its tolerance: {arm} == {value:.4f}, holds: must be within 0.02 of" in out
    assert bench()[0] == 0, "nobody asked"


def test_only_the_quick_ones(bench: Bench) -> None:
    """One that is not is not even asked for the collection that it needs."""
    write(needs_data="scifact")
    assert bench("--quick") == (0, "quick benchmarks: 0 of 1\n", "")
    write(quick=True)
    code, out, _ = bench("--quick")
    assert code == 0
    assert out.startswith("quick benchmarks: 1 of 1\ntiny: 4 runs")
    write(quick=True, seeds=[1])
    assert bench("--quick")[0] == 2


def test_mistakes_come_before_everything(bench: Bench, tmp_path: Path) -> None:
    write(seeds=[1])
    code, out, err = bench()
    assert (code, out) == (2, "")
    assert err == "mlsd: 1 fault in the config:\n  seeds == [1]: must be at least two.\n"
    code, _, err = bench("--n-workers", "0")
    rule = "must be a whole number of at least 1; see `mlsd bench --help`"
    assert (code, err) == (2, f"mlsd: argument --n-workers: 0, {rule}\n")
    Path("tiny.yaml").unlink()
    assert bench()[::2] == (2, "mlsd: tiny.yaml: no such file\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_a_collection_that_nobody_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLSD_DATA", raising=False)
    write(needs_data="scifact")
    assert "name the folder of collections by --data or MLSD_DATA" in bench()[2]
    monkeypatch.setenv("MLSD_DATA", ".")
    assert "needs_data == 'scifact': no such folder in ." in bench()[2]


def test_a_run_that_fails_is_named_and_there_is_no_leaderboard(bench: Bench, store: Path) -> None:
    """The last job's lock cannot be taken; everything else is there and stays."""
    job = plan_of(write()).jobs[-1]
    shutil.rmtree(store / "benchmark" / job.key)
    lock = store / "unfinished" / "benchmark" / f"{job.key}.lock"
    lock.mkdir()
    code, out, err = bench("--write")
    assert (code, err) == (1, "")
    assert "4 runs (2 arms x 2 seeds), 3 of them there already" in out
    assert "[4/4] bm25, seed 2: failed twice: IsADirectoryError: " in out
    assert "tiny: no leaderboard, 1 of 4 runs missing\n  bm25, seed 2: IsADirectoryError: " in out
    assert "The same command tries them again; what was finished is kept." in out
    assert not Path("results").exists()
    assert len(list((store / "benchmark").iterdir())) == 3
