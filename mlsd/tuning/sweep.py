"""A sweep, read top to bottom: from overrides to a study's report."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import sleep

import optuna
from rich.console import Console

from mlsd.errors import MlsdError
from mlsd.rankers.base import LightningScorer
from mlsd.report import numbers
from mlsd.report.console import Terminal
from mlsd.report.sweep import SweepResult
from mlsd.stages.rank import RankStage
from mlsd.threads import threads_each
from mlsd.tuning.asked import Asked, read
from mlsd.tuning.crew import Alone, Crew, Ended, JudgeOf, Processes
from mlsd.tuning.figures import MEASURED
from mlsd.tuning.identity import identity
from mlsd.tuning.ledger import Begun, Ledger
from mlsd.tuning.result import sweep_result, write_study
from mlsd.tuning.storage import shown
from mlsd.tuning.trial import Plan, Result

POLL_S = 0.5
"""How often a caller with nothing to do looks whether others have left something."""


class SweepFailedError(MlsdError):
    """Too many trials failed one after another."""


def sweep(
    overrides: Sequence[str], search: Iterable[Path] = (), console: Console | None = None
) -> SweepResult:
    """Try configs until a study has as many trials as it is to have: `mlsd sweep` in Python.

    Args:
        overrides: as on the command line, such as `problem=search` and `tuning.study=first`.
        search: further folders of YAML.
        console: where progress goes; the terminal unless given.

    Raises:
        ConfigError: with everything that is wrong; nothing was drawn or written.
        OtherStudyError: the name is that of a study about something else.
        StorageError: the study's storage cannot be used.
        SweepFailedError: too many trials failed one after another.
    """
    console = console or Terminal()
    with _quiet_optuna():
        asked = read(overrides, search)
        told = Told(console, asked)
        told.notes()
        with closing(Ledger(asked.tuning, asked.method, _about(asked))) as ledger:
            told.begins(ledger)
            try:
                _until_done(asked, ledger, told)
            finally:
                result = sweep_result(asked, ledger)
                write_study(result, asked)
        told.ends(result, ledger)
    return result


def _about(asked: Asked) -> dict[str, object]:
    section, tuning = asked.section, asked.tuning
    space, objectives = section["space"], section["objectives"]
    return identity(asked.config, space, objectives, tuning.n_seeds, tuning.prune_after)


def _until_done(asked: Asked, ledger: Ledger, told: Told) -> None:
    """Begin trials and note what becomes of them until enough are finished or pruned."""
    if ledger.is_done:
        return
    with ledger.at_work(), _crew(asked, ledger.judge) as crew:
        n_failed = 0
        while not ledger.is_done:
            _begin(crew, ledger)
            if not crew.is_busy:
                sleep(POLL_S)  # the rest is under way elsewhere
            for ended in crew.ended(POLL_S):
                n_failed = 0 if _noted(ended, ledger, told) else n_failed + 1
                if n_failed >= asked.tuning.max_failures:
                    raise SweepFailedError(_gave_up(n_failed, ended))


def _begin(crew: Crew, ledger: Ledger) -> None:
    while crew.n_free:
        begun: Begun | None = ledger.ask()
        if begun is None:
            return
        crew.start(begun.number, ledger.space.overrides(begun.chosen))


def _noted(ended: Ended, ledger: Ledger, told: Told) -> bool:
    """Keep what became of a trial; whether it was judged."""
    if ended.result is None:
        again = ledger.crashed(ended.number, ended.reason)
        told.trial(
            ended.number, Result("failed", reason=ended.reason + (", tried once more" if again else ""))
        )
        return False
    ledger.tell(ended.number, ended.result)
    told.trial(ended.number, ended.result)
    return ended.result.state != "failed"


def _gave_up(n_failed: int, last: Ended) -> str:
    reason = last.result.reason if last.result else last.reason
    return (
        f"{n_failed} trials failed one after another (tuning.max_failures), the last one since {reason}; "
        "what was finished is kept"
    )


@contextmanager
def _crew(asked: Asked, judge: JudgeOf) -> Iterator[Crew]:
    tuning = asked.tuning
    n_threads = threads_each(tuning.n_workers)
    metrics = {name: one.metric for name, one in tuning.objectives.items()}
    plan = Plan(
        asked.base, asked.search, metrics, tuning.n_seeds, tuning.place, n_threads, tuning.prune_after
    )
    crew = Alone(plan, judge) if tuning.n_workers == 1 else Processes(plan, tuning.n_workers, judge)
    try:
        yield crew
    finally:
        crew.stop()


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class Told:
    """What a terminal shows of a sweep: a line a trial.

    Args:
        console: the terminal.
        asked: what is tuned.
    """

    def __init__(self, console: Console, asked: Asked) -> None:
        self.console, self.asked = console, asked

    def notes(self) -> None:
        """What should be known before anything starts."""
        by_epoch = self.asked.tuning.prune_after == "epoch"
        if self.asked.method.pruner is not None and by_epoch and not _trains_by_epochs(self.asked):
            self._say("note: no stage is trained by epochs, so that nothing can be pruned")
        timed = [one.metric for one in self.asked.tuning.objectives.values() if one.metric in MEASURED]
        if timed:
            self._say(
                f"note: {', '.join(timed)} is measured, one trial at a time, while no other trial of the "
                "study is at work on this machine; no other moment gives the same"
            )

    def begins(self, ledger: Ledger) -> None:
        """Where the study is, and what it has."""
        tuning = self.asked.tuning
        where = shown(tuning.storage, tuning.place)
        self._say(
            f"study {tuning.study} in {where}: {ledger.n_settled} of {tuning.n_trials} trials are there"
        )

    def trial(self, number: int, result: Result) -> None:
        """What became of a trial."""
        mark = {"complete": "✓", "pruned": numbers.UNKNOWN, "failed": "✕"}[result.state]
        figures = dict(zip(self.asked.tuning.objectives, result.values, strict=False))
        values = "  ".join(f"{name} {numbers.significant(value, 4)}" for name, value in figures.items())
        seconds = result.facts.get("seconds")
        took = f"{seconds:.1f} s" if isinstance(seconds, float) else ""
        words = " ".join(result.facts.get("overrides", []))
        said = values or result.reason or result.state
        self._say(f"{mark} trial {number:<4} {took:>8}  {said}  {words}")

    def ends(self, result: SweepResult, ledger: Ledger) -> None:
        """The best, and where everything lies."""
        counts = ", ".join(f"{n} {state}" for state, n in result.counts.items())
        if ledger.is_exhausted:
            self._say("every combination was tried")
        self._say(f"{counts}; best: {'none' if result.best is None else f'trial {result.best}'}")
        for _, line in result.commands[1:2]:
            self._say(f"  {line}")
        self._say(f"report: {self.asked.tuning.place / 'report.html'}")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _trains_by_epochs(asked: Asked) -> bool:
    """Whether the base has a stage whose model tells after each epoch how good it is."""
    ranks = [stage for stage in asked.system.funnel.active.values() if isinstance(stage, RankStage)]
    makers = [getattr(stage.ranker, "func", stage.ranker) for stage in ranks]
    return any(isinstance(one, type) and issubclass(one, LightningScorer) for one in makers)
