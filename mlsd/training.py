"""Fit a funnel: each stage learns on what the stages before it pass on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.serving import BLOCK
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
class _PassedOn:
    """What the fitted stages so far pass on, computed when somebody asks."""

    batches: dict[str, RankingBatch]
    pending: list[Stage] = field(default_factory=list)

    def now(self) -> Mapping[str, RankingBatch]:
        for stage in self.pending:
            self.batches = {split: stage_in_blocks(stage, batch) for split, batch in self.batches.items()}
        self.pending.clear()
        return self.batches


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
    passed = _PassedOn(_requests_by_split(lessons.log))
    key = key_of(lessons.key, fitting.seed, vars(fitting.options))
    curves, folders = {}, {}
    for name, stage in stages.items():
        key = key_of(key, name, configs[name])
        folders[name] = store.path(STAGE, key)
        state, curves[name] = _fit_or_load(name, stage, key, lessons, passed, fitting, store)
        stage.load_state(state)
        passed.pending.append(stage)
    return FittedFunnel(Funnel(stages), curves, folders)


def stage_in_blocks(stage: Callable[[RankingBatch], RankingBatch], batch: RankingBatch) -> RankingBatch:
    """A stage's work on a long batch, a block of requests at a time."""
    rows = np.arange(len(batch))
    blocks = [rows[start : start + BLOCK] for start in range(0, max(len(batch), 1), BLOCK)]
    return concat_batches([stage(batch.take(block)) for block in blocks])


def load_stage(folder: Path) -> Learnt:
    """What `save_stage` wrote."""
    curves = read_json(folder / "curves.json")
    return load_state(folder / STATE), {
        name: Curves(tuple(losses["train"]), tuple(losses["validation"])) for name, losses in curves.items()
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
    passed: _PassedOn,
    fitting: Fitting,
    store: Store,
) -> Learnt:
    work = store.work(STAGE, key)

    def make() -> Learnt:
        own = replace(fitting, name=name, folder=work, seed=rng.derive(fitting.seed, name))
        lesson = TrainingData(lessons.catalog, lessons.log, lessons.labels, passed.now())
        curves = stage.fit(lesson, own)
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
