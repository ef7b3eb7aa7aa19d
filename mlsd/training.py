"""Fit a funnel: each stage learns on what the stages before it pass on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.fitting import Curves, Fitting, StoppedError
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.serving import BLOCK, in_threads
from mlsd.stages.base import Stage, TrainingData
from mlsd.store import Store, copy_folder, key_of, load_state, read_json, save_state, write_json
from mlsd.types import Catalog, RankingBatch, State, concat_batches

LEARNING_SPLITS = ("ranking", "validation")

STAGE = "stage"
"""What the store calls fitted stages."""

STATE = "state.npz"

Learnt = tuple[State, Mapping[str, Curves]]
"""A fitted stage's state, and the training curves of its models."""


@dataclass(frozen=True)
class Lessons:
    """Everything a funnel is fitted on.

    Args:
        catalog: everything that can be shown.
        log: what users did; None before anything was logged.
        labels: training targets; None before anything was logged.
        key: of what made these, for the store.
    """

    catalog: Catalog
    log: Log | None
    labels: Labels | None
    key: str


@dataclass(frozen=True)
class FittedFunnel:
    """A funnel that is ready to serve.

    Args:
        funnel: its stages, fitted.
        curves: stage -> model -> training curves.
        folders: stage -> where the store keeps its state, its curves and the logs of its training.
    """

    funnel: Funnel
    curves: Mapping[str, Mapping[str, Curves]]
    folders: Mapping[str, Path]

    @property
    def fingerprint(self) -> str:
        """Of what its stages learnt, however they came to learn it."""
        states = {name: (folder / STATE).read_bytes() for name, folder in self.folders.items()}
        return key_of({name: sha256(state).hexdigest() for name, state in states.items()})


@dataclass
class PassedOn:
    """What fitted stages pass on in each learning window, computed when somebody asks, and once.

    Args:
        made: split -> batch; None until it is asked for.
        before: what enters the last of the stages; None where there is no stage, or nothing more to compute.
        stage: the last of the stages.
        n_workers: threads that compute it.
    """

    made: Mapping[str, RankingBatch] | None
    before: PassedOn | None = None
    stage: Stage | None = None
    n_workers: int = 1

    def now(self) -> Mapping[str, RankingBatch]:
        if self.made is None:
            assert self.before is not None  # noqa: S101  (whoever has no batches has what makes them)
            assert self.stage is not None  # noqa: S101
            stage, batches = self.stage, self.before.now().items()
            self.made = {split: stage_in_blocks(stage, batch, self.n_workers) for split, batch in batches}
            self.before = None
        return self.made


@dataclass(frozen=True)
class Start:
    """Where the fitting of a funnel's next stage starts from.

    Args:
        key: of everything that the stages before it were made of.
        passed: what they pass on.
    """

    key: str
    passed: PassedOn

    @staticmethod
    def of(lessons: Lessons, fitting: Fitting) -> Start:
        """Before the first stage."""
        key = key_of(lessons.key, fitting.seed, vars(fitting.options))
        return Start(key, PassedOn(_requests_by_split(lessons.log), n_workers=fitting.n_workers))

    def key_after(self, name: str, config: object) -> str:
        """The key of the next stage, once it is fitted."""
        return key_of(self.key, name, config)

    def after(self, name: str, config: object, stage: Stage) -> Start:
        """Behind the next stage, which is fitted."""
        behind = PassedOn(None, self.passed, stage, self.passed.n_workers)
        return Start(self.key_after(name, config), behind)


def fit_funnel(
    stages: Mapping[str, Stage],
    configs: Mapping[str, object],
    lessons: Lessons,
    fitting: Fitting,
    store: Store,
) -> FittedFunnel:
    """Fit the stages in order, or take them from the store.

    Args:
        stages: name -> stage, in order.
        configs: name -> the plain config the stage was built from; part of its key.
        lessons: what to learn from.
        fitting: how; every stage gets a name, a folder and a seed stream of its own.
        store: where fitted stages are kept.
    """
    at = Start.of(lessons, fitting)
    curves, folders = {}, {}
    for name, stage in stages.items():
        folders[name] = store.path(STAGE, at.key_after(name, configs[name]))
        at, curves[name] = fit_stage(name, stage, configs[name], at, lessons, fitting, store)
    return FittedFunnel(Funnel(stages), curves, folders)


def fit_stage(
    name: str,
    stage: Stage,
    config: object,
    start: Start,
    lessons: Lessons,
    fitting: Fitting,
    store: Store,
) -> tuple[Start, Mapping[str, Curves]]:
    """Fit one stage on what those before it pass on, or take it from the store.

    Returns:
        What is behind it, and the training curves of its models.
    """
    key = start.key_after(name, config)
    state, curves = _fit_or_load(name, stage, key, lessons, start.passed, fitting, store)
    stage.load_state(state)
    return start.after(name, config, stage), curves


def stage_in_blocks(
    stage: Callable[[RankingBatch], RankingBatch], batch: RankingBatch, n_workers: int = 1
) -> RankingBatch:
    """A stage's work on a long batch, a block of requests at a time, by so many threads."""
    rows = np.arange(len(batch))
    blocks = [rows[start : start + BLOCK] for start in range(0, max(len(batch), 1), BLOCK)]
    return concat_batches(list(in_threads(lambda block: stage(batch.take(block)), blocks, n_workers)))


def load_stage(folder: Path) -> Learnt:
    """What `save_stage` wrote."""
    curves = read_json(folder / "curves.json")
    return load_state(folder / STATE), {
        name: Curves(**{kind: tuple(values) for kind, values in of_model.items()})
        for name, of_model in curves.items()
    }


def save_stage(learnt: Learnt, folder: Path) -> None:
    """A fitted stage's state and training curves, as files in a folder."""
    state, curves = learnt
    save_state(state, folder / STATE)
    write_json(folder / "curves.json", {name: vars(curve) for name, curve in curves.items()})


def _fit_or_load(
    name: str,
    stage: Stage,
    key: str,
    lessons: Lessons,
    passed: PassedOn,
    fitting: Fitting,
    store: Store,
) -> Learnt:
    work = store.work(STAGE, key)

    def make() -> Learnt:
        own = replace(fitting, name=name, folder=work, seed=rng.derive(fitting.seed, name))
        lesson = TrainingData(lessons.catalog, lessons.log, lessons.labels, passed.now())
        try:
            curves = stage.fit(lesson, own)
        except StoppedError:
            shutil.rmtree(work, ignore_errors=True)
            raise
        return stage.state(), curves

    def save(learnt: Learnt, folder: Path) -> None:
        save_stage(learnt, folder)
        _keep_logs(work, fitting.options.logger, folder)

    return store.get_or_make(STAGE, key, make, save, load_stage)


def _keep_logs(work: Path, logger: str, folder: Path) -> None:
    """Training logs outlive the checkpoints that they lie beside."""
    for logs in sorted(work.rglob(logger)):
        copy_folder(logs, folder / logs.relative_to(work))


def _requests_by_split(log: Log | None, splits: Iterable[str] = LEARNING_SPLITS) -> dict[str, RankingBatch]:
    if log is None:
        return {}
    return {split: RankingBatch.of(log.window(split).requests) for split in splits}
