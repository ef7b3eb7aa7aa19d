"""Who runs trials: this process, or several that live as long as the sweep."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

from mlsd.errors import StorageError
from mlsd.threads import limited
from mlsd.tuning.trial import Plan, Result, Workbench

JudgeOf = Callable[[int, int, float], bool]
"""Told the trial, a step and the quality at it; whether the trial is to end there."""

LEAVE_S = 10.0
"""How long a worker may take to go once it is told."""


class Ended(NamedTuple):
    """A trial came to its end."""

    number: int
    result: Result | None
    """None where the worker was killed."""
    reason: str = ""
    """How it was killed."""


class Crew(ABC):
    """Runs trials, as many at once as there are workers."""

    @property
    @abstractmethod
    def n_free(self) -> int:
        """Workers that have nothing to do."""

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """Whether any trial is under way."""

    @abstractmethod
    def start(self, number: int, overrides: Sequence[str]) -> None:
        """Give a trial to a worker that has nothing to do."""

    @abstractmethod
    def ended(self, timeout_s: float) -> list[Ended]:
        """Wait for trials to end, at most so long where none does."""

    @abstractmethod
    def stop(self) -> None:
        """Everybody goes home, whatever is under way."""


class Alone(Crew):
    """Runs trials in this process, one after another.

    Args:
        plan: of the study.
        judge: told how trainings go.
    """

    def __init__(self, plan: Plan, judge: JudgeOf) -> None:
        self.bench, self.judge = Workbench(plan), judge
        self.waiting: tuple[int, Sequence[str]] | None = None

    @property
    def n_free(self) -> int:
        return int(self.waiting is None)

    @property
    def is_busy(self) -> bool:
        return self.waiting is not None

    def start(self, number: int, overrides: Sequence[str]) -> None:
        self.waiting = number, overrides

    def ended(self, timeout_s: float) -> list[Ended]:
        del timeout_s
        if self.waiting is None:
            return []
        number, overrides = self.waiting
        unheard: list[Exception] = []

        def judge(step: int, quality: float) -> bool:
            try:
                return self.judge(number, step, quality)
            except StorageError as error:  # no fault of the trial's
                unheard.append(error)
                return True

        result = attempted(self.bench, overrides, judge)
        if unheard:
            raise unheard[0]
        self.waiting = None
        return [Ended(number, result)]

    def stop(self) -> None:
        self.waiting = None


@dataclass
class _Worker:
    process: SpawnProcess
    line: Connection
    number: int | None = None


class Processes(Crew):
    """Runs trials in processes of their own, which load what they need once.

    Args:
        plan: of the study.
        n: how many.
        judge: told how trainings go.
    """

    def __init__(self, plan: Plan, n: int, judge: JudgeOf) -> None:
        self.plan, self.judge = plan, judge
        self.workers = [self._hired() for _ in range(n)]

    @property
    def n_free(self) -> int:
        return sum(worker.number is None for worker in self.workers)

    @property
    def is_busy(self) -> bool:
        return any(worker.number is not None for worker in self.workers)

    def start(self, number: int, overrides: Sequence[str]) -> None:
        worker = next(one for one in self.workers if one.number is None)
        worker.number = number
        with suppress(OSError):  # killed while idle: `ended` finds out
            worker.line.send(list(overrides))

    def ended(self, timeout_s: float) -> list[Ended]:
        busy = {one.line: one for one in self.workers if one.number is not None}
        found = [
            self._heard(busy[line]) for line in wait(list(busy), timeout_s) if isinstance(line, Connection)
        ]
        return [one for one in found if one is not None]

    def stop(self) -> None:
        for worker in self.workers:
            worker.line.close()  # who has nothing to do goes by itself
            if worker.number is not None:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(LEAVE_S)
            worker.process.kill()
            worker.process.join()

    def _hired(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self.plan), daemon=True)
        with limited(self.plan.n_threads):
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _heard(self, worker: _Worker) -> Ended | None:
        """What a worker says, answered if it asks; that it is gone, if it is."""
        number = worker.number
        assert number is not None  # noqa: S101  (only busy ones are listened to)
        try:
            said = worker.line.recv()
            if isinstance(said, Result):
                worker.number = None
                return Ended(number, said)
            worker.line.send(self.judge(number, *said))
        except (EOFError, OSError):
            return self._gone(worker, number)
        return None

    def _gone(self, worker: _Worker, number: int) -> Ended:
        worker.process.join()
        worker.line.close()
        code = worker.process.exitcode or 0
        self.workers[self.workers.index(worker)] = self._hired()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return Ended(number, None, f"its worker ended by {how}")


def work(line: Connection, plan: Plan) -> None:
    """A worker's life: trials come in, how they go and what became of them goes out.

    Ctrl-C goes to all processes of a terminal; the one that hired the workers sends them home.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bench = Workbench(plan)

    def judge(step: int, quality: float) -> bool:
        line.send((step, quality))
        return bool(line.recv())

    with suppress(EOFError, OSError):
        while True:
            line.send(attempted(bench, line.recv(), judge))


def attempted(bench: Workbench, overrides: Sequence[str], judge: Callable[[int, float], bool]) -> Result:
    """A trial's result. Whatever goes wrong in one trial is its own affair; where, too, is kept of a bug."""
    try:
        return bench.run(overrides, judge)
    except (EOFError, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001  (one trial's bug must not end the others)
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
        return Result("failed", facts={"overrides": list(overrides)}, reason=reason)
