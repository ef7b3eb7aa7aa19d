"""Tasks in processes of their own: one that is killed or fails takes nothing else with it."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

from mlsd import checks
from mlsd.errors import MlsdError
from mlsd.threads import limited, threads_each

T = TypeVar("T")

N_ATTEMPTS = 2
"""A task that failed is tried once more: what a full memory killed may well succeed alone."""

MAX_MESSAGE = 2000
"""Characters of a failure's message, few enough for a pipe that nobody reads yet."""

Told = Callable[[T, str], None]
"""Called with a task that has ended, and why it failed; empty if it did not."""


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
        with limited(threads_each(self.n_workers)):
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
