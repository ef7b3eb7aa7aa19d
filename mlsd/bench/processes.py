"""Tasks in processes of their own: one that is killed or fails takes nothing else with it."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

from mlsd import checks
from mlsd.errors import MlsdError

T = TypeVar("T")

N_ATTEMPTS = 2
"""A task that failed is tried once more: what a full memory killed may well succeed alone."""

MAX_MESSAGE = 2000
"""Characters of a failure's message, few enough for a pipe that nobody reads yet."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

Told = Callable[[T, str], None]
"""Called with a task that has ended, and why it failed; empty if it did not."""


def threads_each(n_workers: int) -> int:
    """Threads of each of so many processes, so that together they are no more than there are cores.

    Example:
        >>> threads_each(10_000)
        1
    """
    return max(1, (os.cpu_count() or 1) // n_workers)


@dataclass
class Processes(Generic[T]):
    """Does tasks in freshly spawned processes, some at a time.

    Args:
        work: does one task; importable by name, as the tasks can be pickled.
        n_workers: processes at a time.
        told: hears of every task's end, after its last attempt.
    """

    work: Callable[[T], object]
    n_workers: int
    told: Told[T]
    _running: dict[int, tuple[SpawnProcess, Connection, T, int]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        checks.at_least("n_workers", self.n_workers, 1)

    def run(self, tasks: Sequence[T]) -> None:
        """Do all tasks; failures are told, not raised. Whatever interrupts it ends the processes."""
        waiting = deque((task, 1) for task in tasks)
        try:
            while waiting or self._running:
                while waiting and len(self._running) < self.n_workers:
                    self._start(*waiting.popleft())
                for task, attempt, failure in self._ended():
                    if failure and attempt < N_ATTEMPTS:
                        waiting.append((task, attempt + 1))
                    else:
                        self.told(task, failure)
        finally:
            for process, _, _, _ in self._running.values():
                process.kill()

    def _start(self, task: T, attempt: int) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_attempt, args=(self.work, task, theirs), daemon=True)
        with _limited(threads_each(self.n_workers)):
            process.start()
        theirs.close()
        self._running[process.sentinel] = (process, ours, task, attempt)

    def _ended(self) -> Iterator[tuple[T, int, str]]:
        """Tasks whose process has ended, as soon as there is any: the attempt, and why it failed."""
        for sentinel in wait(list(self._running)):
            assert isinstance(sentinel, int)  # noqa: S101  (sentinels are what was waited for)
            process, ours, task, attempt = self._running.pop(sentinel)
            process.join()
            yield task, attempt, _failure(process.exitcode or 0, ours)


def _failure(exit_code: int, said: Connection) -> str:
    """Why a process failed; empty if it did not."""
    with said:
        if exit_code == 0:
            return ""
        try:
            return str(said.recv())
        except EOFError:
            killed_by = signal.Signals(-exit_code).name if exit_code < 0 else ""
            return f"killed by {killed_by}" if killed_by else f"ended with exit code {exit_code}"


def _attempt(work: Callable[[T], object], task: T, said: Connection) -> None:
    """What a process does. An interruption is for whoever started it to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(task)
    except MlsdError as error:
        _say(said, str(error))
    except Exception as error:  # noqa: BLE001  (told, and the process ends)
        _say(said, f"{type(error).__name__}: {error}")


def _say(said: Connection, message: str) -> None:
    said.send(message[:MAX_MESSAGE])
    raise SystemExit(1)


@contextmanager
def _limited(n_threads: int) -> Iterator[None]:
    """An environment in which libraries start so many threads; processes inherit it."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(n_threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
