"""Tasks in processes: killed, failing, few threads each, and none left when interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from multiprocessing import active_children
from pathlib import Path

import pytest

from mlsd.bench.processes import MAX_MESSAGE, Processes
from mlsd.errors import InvalidValueError
from mlsd.threads import THREADS, threads_each

WORK = '''
import os
import signal
from pathlib import Path

from mlsd.threads import THREADS
from mlsd.errors import InputError


def work(task: tuple[str, str]) -> None:
    """Leave a file for each attempt, then do what the task's name says."""
    name, folder = task
    n_before = len(list(Path(folder).glob(f"{name}.*")))
    threads = {os.environ.get(variable, "none") for variable in THREADS}
    Path(folder, f"{name}.{n_before}").write_text(",".join(threads), encoding="utf-8")
    if name == "killed" or (name == "killed_once" and not n_before):
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "mistaken":
        raise InputError("the task is not what it should be")
    if name == "broken":
        raise KeyError("x" * 100_000)
    if name == "gone":
        os._exit(7)
'''

Task = tuple[str, str]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Task], object]:
    (tmp_path / "some_work.py").write_text(WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found: Callable[[Task], object] = import_module("some_work").work
    return found


def test_what_fails_is_tried_once_more_and_takes_nothing_with_it(
    work: Callable[[Task], object], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    names = ["first", "killed", "killed_once", "mistaken", "broken", "gone", "last"]
    told: dict[str, str] = {}

    def tell(task: Task, failure: str) -> None:
        assert task[0] not in told, "a task ends once"
        told[task[0]] = failure

    Processes(work, 3, tell).run([(name, str(tmp_path / "out")) for name in names])
    assert told.keys() == set(names)
    assert [name for name in names if not told[name]] == ["first", "killed_once", "last"]
    assert told["killed"] == "killed by SIGKILL"
    assert told["mistaken"] == "the task is not what it should be"
    assert told["broken"].startswith("KeyError: 'xxx")
    assert len(told["broken"]) == MAX_MESSAGE
    assert told["gone"] == "ended with exit code 7"
    attempts = {name: len(list((tmp_path / "out").glob(f"{name}.*"))) for name in names}
    assert attempts == {"first": 1, "last": 1, **dict.fromkeys(names[1:6], 2)}


def test_threads_are_shared_out(
    work: Callable[[Task], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the processes alone: the environment of whoever starts them is as before."""
    monkeypatch.setenv(THREADS[0], "5")
    monkeypatch.delenv(THREADS[1], raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [threads_each(n) for n in (1, 3, 8, 9)] == [8, 2, 1, 1]
    Processes(work, 3, lambda *_: None).run([("one", str(tmp_path))])
    assert (tmp_path / "one.0").read_text(encoding="utf-8") == "2"
    assert os.environ[THREADS[0]] == "5"
    assert THREADS[1] not in os.environ


def test_an_interruption_ends_the_processes(work: Callable[[Task], object], tmp_path: Path) -> None:
    def interrupt(task: Task, failure: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Processes(work, 2, interrupt).run([(name, str(tmp_path)) for name in "abcd"])
    for process in active_children():
        process.join(10)
    assert active_children() == []


def test_at_least_one_at_a_time(work: Callable[[Task], object]) -> None:
    with pytest.raises(InvalidValueError, match="n_workers == 0, must be at least 1"):
        Processes(work, 0, lambda *_: None)
