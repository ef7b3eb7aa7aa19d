"""A study as all its callers keep it: who tries what next, what came of it, when enough has been tried."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, NamedTuple

import optuna
from optuna import Study, Trial
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from mlsd import rng
from mlsd.errors import InputError
from mlsd.locks import locked
from mlsd.tuning.callers import Callers
from mlsd.tuning.identity import ATTRIBUTE, check_same
from mlsd.tuning.parameter import Label, Parameter
from mlsd.tuning.schema import Search, Tuning
from mlsd.tuning.space import Space
from mlsd.tuning.storage import GRACE_S, HEARTBEAT_S, open_storage, said_plainly
from mlsd.tuning.trial import Result

CALLER, REASON, REPEATED, REPEATS, WITHDRAWN = "caller", "reason", "repeated", "repeats", "withdrawn"
"""Attributes of trials: who works on it; why it failed; that it is tried again; which trial it tries again;
that it was one too many."""

SETTLED = (TrialState.COMPLETE, TrialState.PRUNED)
TAKEN = (*SETTLED, TrialState.RUNNING)

SAME_SEED = ("QMCSampler", "GridSampler")
"""Samplers that deal from one sequence, which their seed fixes."""


class Begun(NamedTuple):
    """A trial that was begun."""

    number: int
    chosen: dict[str, Label]


class Ledger:
    """One caller's view of a study.

    Args:
        tuning: what it is about.
        search: how the next trial is chosen.
        about: what must not change within a study; see `identity`.
    """

    def __init__(self, tuning: Tuning, search: Search, about: Mapping[str, Any]) -> None:
        self.tuning, self.search = tuning, search
        self.space = Space.of(tuning.space)
        self.callers = Callers(tuning.place)
        self.storage = open_storage(tuning.storage, tuning.place, _given_up)
        self.is_exhausted = False
        self._running: dict[int, Trial] = {}
        with self._plainly(), self._turn():
            self.study = self._opened(about)

    @property
    def is_shared(self) -> bool:
        """Whether callers on other machines may work on it."""
        return self.tuning.storage is not None

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials that were begun and not withdrawn, in order."""
        with self._plainly():
            every = self.study.get_trials(deepcopy=False)
        return [one for one in every if WITHDRAWN not in one.user_attrs and one.state != TrialState.WAITING]

    @property
    def n_settled(self) -> int:
        """Trials that are finished or pruned, over all callers."""
        return sum(one.state in SETTLED for one in self.trials)

    @property
    def is_done(self) -> bool:
        """Whether enough is tried, or all that there is: a finite space may hold less than is asked for."""
        return self.is_exhausted or self.n_settled >= self.tuning.n_trials

    def close(self) -> None:
        """Let go of the storage; nothing more can be asked or told."""
        if isinstance(self.storage, RDBStorage):
            self.storage.remove_session()
            self.storage.engine.dispose()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While the block lasts, this caller is there; on an error what it began is tried again later."""
        with self.callers.here(), _heartbeat(self.storage, self._running):
            try:
                yield
            except BaseException:
                with self._plainly():
                    for number in list(self._running):
                        self._fail(number, "interrupted", again=True)
                raise

    def ask(self) -> Begun | None:
        """Begin the next trial; None where as many as are wanted are done or under way."""
        with self._plainly(), self._turn():
            self._give_up_abandoned()
            if self.is_exhausted or sum(one.state in TAKEN for one in self.trials) >= self.tuning.n_trials:
                return None
            self.study.sampler = self._sampler()
            trial = self._asked()
            trial.set_user_attr(CALLER, self.callers.own)
            if self._is_too_many(trial.number):
                trial.set_user_attr(WITHDRAWN, value=True)
                self._repeat_waiting(trial)
                self.study.tell(trial, state=TrialState.FAIL)
                return None
            self._running[trial.number] = trial
            return Begun(trial.number, self._suggested(trial))

    def judge(self, number: int, step: int, quality: float) -> bool:
        """Note how a training goes; whether the trial is to end."""
        if self.search.pruner is None:
            return False
        with self._plainly():
            trial = self._running[number]
            trial.report(quality, step)
            return trial.should_prune()

    def tell(self, number: int, result: Result) -> None:
        """Note what became of a trial."""
        with self._plainly():
            trial = self._running[number]
            for name, value in result.facts.items():
                trial.set_user_attr(name, value)
            if result.state == "failed":
                self._fail(number, result.reason, again=False)
                return
            state = TrialState.COMPLETE if result.state == "complete" else TrialState.PRUNED
            values = list(result.values) if result.state == "complete" else None
            self._settle(self._running.pop(number), state, values)

    def crashed(self, number: int, reason: str) -> bool:
        """A worker was killed. The trial is tried once more; returns whether it is."""
        with self._plainly():
            again = REPEATS not in self._running[number].user_attrs
            self._fail(number, reason, again=again)
            return again

    def _fail(self, number: int, reason: str, *, again: bool) -> None:
        trial = self._running.pop(number)
        trial.set_user_attr(REASON, reason)
        if again:
            trial.set_user_attr(REPEATED, value=True)
            self.study.enqueue_trial(trial.params, user_attrs={REPEATS: number})
        self._settle(trial, TrialState.FAIL)

    def _settle(self, trial: Trial, state: TrialState, values: list[float] | None = None) -> None:
        """Tell the study. A sampler that has nothing left asks the loop to stop, which is ours."""
        try:
            self.study.tell(trial, values, state)
        except RuntimeError as error:
            if "Study.stop" not in str(error):
                raise
            self.is_exhausted = True

    def _opened(self, about: Mapping[str, Any]) -> Study:
        directions = [one.direction for one in self.tuning.objectives.values()]
        study = optuna.create_study(
            study_name=self.tuning.study,
            storage=self.storage,
            directions=directions,
            pruner=self.search.made_pruner(),
            load_if_exists=True,
        )
        kept = study.user_attrs.get(ATTRIBUTE)
        if kept is None:
            study.set_user_attr(ATTRIBUTE, dict(about))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                study.set_metric_names(list(self.tuning.objectives))
        else:
            check_same(about, kept, self.tuning.study)
        return study

    def _sampler(self) -> optuna.samplers.BaseSampler:
        """A new one for each trial, so that a study that was interrupted goes on as it would have gone."""
        sampler = self.search.sampler
        if not sampler.takes_seed:
            return sampler.make()
        if sampler.name in SAME_SEED:
            return sampler.make(seed=self.tuning.seed)
        n_before = sum(REPEATED not in one.user_attrs for one in self.trials)
        return sampler.make(seed=rng.derive(self.tuning.seed, f"trial {n_before}"))

    def _suggested(self, trial: Trial) -> dict[str, Label]:
        chosen: dict[str, Label] = {}
        for name, parameter in self.space.parameters.items():
            if self.space.counts(name, chosen):
                chosen[name] = self._chosen(trial, name, parameter)
        return chosen

    def _chosen(self, trial: Trial, name: str, parameter: Parameter) -> Label:
        """What the sampler chooses.

        Raises:
            InputError: it cannot choose from this space, such as one without end where all is to be tried.
        """
        try:
            return _suggest(trial, name, parameter)
        except ValueError as error:
            self._running.pop(trial.number, None)
            self._settle(trial, TrialState.FAIL)
            sampler = self.search.sampler.name
            raise InputError(f"tuning.sampler == {sampler!r} cannot choose {name}: {error}") from error

    def _asked(self) -> Trial:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Heartbeat of storage is supposed")  # `_heartbeat` sees to it
            return self.study.ask()

    def _is_too_many(self, number: int) -> bool:
        """Whether callers elsewhere, who asked at the same moment, have begun enough without this trial."""
        before = sum(one.state in TAKEN for one in self.trials if one.number < number)
        return before >= self.tuning.n_trials

    def _repeat_waiting(self, trial: Trial) -> None:
        if REPEATS in trial.user_attrs:
            params = next(one.params for one in self.trials if one.number == trial.user_attrs[REPEATS])
            self.study.enqueue_trial(params, user_attrs={REPEATS: trial.user_attrs[REPEATS]})

    def _give_up_abandoned(self) -> None:
        """Trials whose caller was killed fail, and are tried again."""
        if isinstance(self.storage, RDBStorage):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                fail_stale_trials(self.study)
        for one in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if one.number not in self._running and self._is_abandoned(one):
                _give_up(self.study, self.storage, one)

    def _is_abandoned(self, trial: FrozenTrial) -> bool:
        caller = trial.user_attrs.get(CALLER)
        if caller is None:
            begun = trial.datetime_start or datetime.now()  # noqa: DTZ005  (as Optuna notes it)
            late = datetime.now() - begun > timedelta(seconds=GRACE_S)  # noqa: DTZ005
            return late if self.is_shared else True
        return self.callers.is_gone(str(caller), is_shared=self.is_shared)

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        with said_plainly(self.tuning.storage, self.tuning.place):
            yield

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Callers on this machine take turns, so that none begins a trial that another one has begun."""
        with locked(self.tuning.place / "asking.lock"):
            yield


def _suggest(trial: Trial, name: str, parameter: Parameter) -> Label:
    low, high, step = parameter.low, parameter.high, parameter.step
    if not parameter.is_number:
        return trial.suggest_categorical(name, list(parameter.labels))
    if parameter.is_whole:
        return trial.suggest_int(name, low, high, step=step or 1, log=parameter.log)  # type: ignore[arg-type]
    return trial.suggest_float(name, low, high, step=step, log=parameter.log)  # type: ignore[arg-type]


def _give_up(study: Study, storage: BaseStorage, trial: FrozenTrial) -> None:
    """Fail a trial of somebody else's, and have it tried again."""
    trial_id = trial._trial_id  # noqa: SLF001  (Optuna has no other door)
    try:
        storage.set_trial_user_attr(trial_id, REASON, "its caller was killed")
        storage.set_trial_user_attr(trial_id, REPEATED, value=True)
        study.tell(trial.number, state=TrialState.FAIL)
    except UpdateFinishedTrialError:
        return  # it finished after all, the moment before
    study.enqueue_trial(trial.params, user_attrs={REPEATS: trial.number})


def _given_up(study: Study, trial: FrozenTrial) -> None:
    """A database noticed that a caller no longer tells of its trial, and has failed it already."""
    study.enqueue_trial(trial.params, user_attrs={REPEATS: trial.number})


@contextmanager
def _heartbeat(storage: BaseStorage, running: Mapping[int, Trial]) -> Iterator[None]:
    """Tell a database, as long as the block lasts, that the trials that were begun here go on."""
    if not isinstance(storage, RDBStorage):
        yield
        return
    over = Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_S / 3):
            for trial in list(running.values()):
                with suppress(SQLAlchemyError, StorageInternalError):  # said when the storage is next needed
                    storage.record_heartbeat(trial._trial_id)  # noqa: SLF001

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
