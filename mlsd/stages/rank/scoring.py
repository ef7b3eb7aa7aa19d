"""What stages share that score candidates by a ranker: its features, its training, its members."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged, rng
from mlsd.errors import InputError, NotFittedError
from mlsd.estimators.calibration import Calibration
from mlsd.features.base import Declared
from mlsd.features.sets.base import FeatureSet
from mlsd.fitting import Curves, Fitting, unwatched
from mlsd.labels.base import Labels, Negatives, TaskLabels
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import LabelledFeatures, Scorer
from mlsd.stages.base import Piece, Stage, TrainingData
from mlsd.types import Array, FeatureBatch, RankingBatch, Served, State

ALL_SHOWN = Negatives()
"""Everything that was shown without an action is trained on, and nothing that was not shown."""

RANKER = "ranker"
"""What the names of rankers begin with among the curves and states of rank stages."""

UNCALIBRATED: tuple[Calibration, ...] = (Calibration(),)
"""Scores taken as log-odds as they are."""

BLOCK = 512
"""Requests whose features are computed at once in training; changes no value."""


class ScoringStage(Stage, ABC):
    """Scores candidates from their features by a ranker, or by the mean of several trainings of it.

    Several members are the same ranker, trained on the same rows from different weights and in different
    orders. What one training has by luck, several have less of.

        score = (score of member 1 + ... + score of member n_members) / n_members

    Args:
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`) and `loss`.
        loss: what the ranker's training minimises.
        features: name -> feature; None switches one off.
        negatives: which candidates without a positive label are trained on.
        n_members: trainings of the ranker, at least 1; time to train and to score grows with it.

    Source of members: Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty
    estimation using deep ensembles", NeurIPS 2017.
    """

    def __init__(
        self,
        ranker: Callable[..., Scorer],
        loss: Loss,
        features: Mapping[str, Declared | None],
        negatives: Negatives,
        n_members: int,
    ) -> None:
        self.ranker = ranker
        self.loss = loss
        self.features = FeatureSet(features)
        self.negatives = negatives
        self.n_members = checks.at_least("n_members", n_members, 1)
        self._rankers: tuple[Scorer, ...] = ()
        self._calibrations = UNCALIBRATED

    @property
    def needs(self) -> frozenset[str]:
        return self.features.needs

    @property
    def catalog_needs(self) -> frozenset[str]:
        return self.features.catalog_needs

    @property
    def fitted_rankers(self) -> tuple[Scorer, ...]:
        """The members that `fit` or `load_state` made."""
        if not self._rankers:
            raise NotFittedError("a rank stage was used before fit or load_state")
        return self._rankers

    @property
    def pieces(self) -> Mapping[str, Piece]:
        features = self.features.features.items()
        return {
            name: Piece(f"features/{self.features.kin(name)}", feature.needs) for name, feature in features
        }

    def without(self, pieces: Collection[str]) -> Self:
        """Without some of its features; while a group does not know its columns, any of them may go."""
        known = self.pieces
        self._check_gone([name for name in pieces if name in known or not self.features.may_have(name)])
        less = copy(self)
        less.features = self.features.without(pieces)
        less._rankers, less._calibrations = (), UNCALIBRATED  # noqa: SLF001  (its own copy)
        return less

    def muted(self, pieces: Collection[str]) -> Self:
        """With some of its features as they are on average in training; see `FeatureSet.muted`."""
        self._check_gone(pieces)
        silent = copy(self)
        silent.features = self.features.muted(pieces)
        return silent

    @property
    def is_live(self) -> bool:
        return self.features.is_live

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer.features = self.features.observed(served)
        return newer

    def _train(
        self, data: TrainingData, labels: Labels | TaskLabels, fitting: Fitting
    ) -> Mapping[str, Curves]:
        """Fit features and members on the ranking window; each chooses its epoch on the validation window."""
        log, _ = required(data)
        lessons = {split: self._lesson(data.batches[split], labels, split, fitting) for split in _SPLITS}
        self.features.fit(data.catalog, log, data.batches["ranking"])
        self._rankers = self._unfitted()
        train, validation = (self._labelled(lessons[split]) for split in _SPLITS)
        return {
            name: ranker.fit(train, validation, _fitting_of(place, name, fitting))
            for place, (name, ranker) in enumerate(self._members.items())
        }

    def _unfitted(self) -> tuple[Scorer, ...]:
        return tuple(self._made() for _ in range(self.n_members))

    def _made(self) -> Scorer:
        return self.ranker(spec=self.features.spec, loss=self.loss)

    @property
    def _members(self) -> dict[str, Scorer]:
        """Each member by its name; a ranker on its own is called just that."""
        rankers = self.fitted_rankers
        if len(rankers) == 1:
            return {RANKER: rankers[0]}
        return {f"{RANKER}_{number}": ranker for number, ranker in enumerate(rankers, start=1)}

    def _scores(self, features: FeatureBatch) -> NDArray[np.float32]:
        """Of each candidate one, or one for each task."""
        scores = _mean([ranker.score(features) for ranker in self.fitted_rankers])
        n_bad = np.count_nonzero(~np.isfinite(scores))
        if n_bad:
            raise InputError(f"the ranker gave {n_bad} scores of {scores.size} that are not finite")
        return scores

    def _lesson(
        self, batch: RankingBatch, labels: Labels | TaskLabels, split: str, fitting: Fitting
    ) -> _Lesson:
        """What can be learnt from a window; requests that teach nothing are left out.

        Of a request without any label nothing is known, so nothing of it is a negative either.
        """
        label = labels.of(batch)
        known = labels.knows(batch.requests.request_id)[batch.candidates.request_rows]
        kept = self.negatives.kept(batch, _highest(label), fitting.seed) & known
        label = np.nan_to_num(label)
        self._check_tasks(_by_task(labels, label[kept]), split, f"{fitting.name}, {split} window")
        rows = np.flatnonzero(self._teaches(label, kept, batch))
        if not len(rows):
            raise InputError(
                f"{fitting.name}, {split} window: no request has candidates of different labels, "
                f"which {type(self.loss).__name__} learns from"
            )
        taken, _ = ragged.take_segments(batch.candidates.offsets, rows)
        return _Lesson(batch.take(rows), kept[taken], label[taken])

    def _check_tasks(self, labels: Mapping[str, Array], split: str, where: str) -> None:
        """Refuse a task that nothing can be learnt of; what validates several need not show each done."""
        if split == "validation" and len(labels) > 1:
            labels = {"": np.concatenate(list(labels.values()))}
        for task, label in labels.items():
            self._check_classes(label, f"{where}{task}")

    def _check_classes(self, label: Array, where: str) -> None:
        if not len(label):
            raise InputError(f"{where}: no candidate has a label")
        n_positive = np.count_nonzero(label > 0)
        if n_positive == 0 or (n_positive == len(label) and self.loss.calibrated):
            kind = "above 0" if n_positive else "0"
            raise InputError(
                f"{where}: all {len(label)} labels of candidates are {kind}; "
                f"{type(self.loss).__name__} learns from the difference"
            )

    def _teaches(self, label: Array, kept: NDArray[np.bool_], batch: RankingBatch) -> NDArray[np.bool_]:
        """(n_requests,) whether the loss learns from the request.

        A loss that compares candidates needs two of different labels; one that does not needs one.
        """
        offsets = batch.candidates.offsets
        n_kept = ragged.sums(kept, offsets)
        if self.loss.calibrated:
            return np.asarray(n_kept > 0)
        n_positive = ragged.sums(kept & (label > 0), offsets)
        kept_offsets = ragged.offsets_of_mask(kept, offsets)
        values = label[kept]
        differs = np.append(False, np.diff(values) != 0)[: len(values)]
        differs[kept_offsets[:-1][n_kept > 0]] = False
        return np.asarray((n_positive > 0) & (ragged.sums(differs, kept_offsets) > 0))

    def _labelled(self, lesson: _Lesson) -> LabelledFeatures:
        return LabelledFeatures(self._features_of(lesson.batch, lesson.kept), lesson.label[lesson.kept])

    def _features_of(self, batch: RankingBatch, kept: NDArray[np.bool_]) -> FeatureBatch:
        """Features of the kept candidates, a block of requests at a time."""
        offsets = batch.candidates.offsets
        blocks = [np.arange(start, min(start + BLOCK, len(batch))) for start in range(0, len(batch), BLOCK)]
        parts = [
            self.features.transform(batch.take(rows), kept[offsets[rows[0]] : offsets[rows[-1] + 1]])
            for rows in blocks
        ]
        return FeatureBatch(
            np.concatenate([part.dense for part in parts]),
            np.concatenate([part.categorical for part in parts]),
            ragged.offsets_of_mask(kept, offsets),
        )

    def state(self) -> State:
        state = {f"features.{name}": values for name, values in self.features.state().items()}
        for member, ranker in self._members.items():
            state |= {f"{member}.{name}": values for name, values in ranker.state().items()}
        return {**state, "calibration": np.array(self._calibrations)}

    def load_state(self, state: State) -> None:
        self.features.load_state(_under("features.", state))
        self._rankers = self._unfitted()
        for member, ranker in self._members.items():
            ranker.load_state(_under(f"{member}.", state))
        self._calibrations = tuple(Calibration(*line) for line in state["calibration"].tolist())


_SPLITS = ("ranking", "validation")


class _Lesson(NamedTuple):
    """Requests that teach something, with all their candidates.

    `kept` (n_candidates,) says which are trained on and `label` (n_candidates,) with what; it has a column
    for each task where there are several.
    """

    batch: RankingBatch
    kept: NDArray[np.bool_]
    label: NDArray[np.float32]


def _fitting_of(place: int, name: str, fitting: Fitting) -> Fitting:
    """How the member at a place is trained: the first as it would be on its own, and it alone is watched."""
    if place == 0:
        return fitting
    folder = fitting.folder and fitting.folder / name
    seed, whole_name = rng.derive(fitting.seed, name), f"{fitting.name} {name}"
    return replace(fitting, seed=seed, folder=folder, name=whole_name, watch=unwatched)


def _highest(label: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n_candidates,) the highest label of any task, NaN where there is none."""
    return label if label.ndim == 1 else label.max(axis=1)


def _by_task(labels: Labels | TaskLabels, label: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What is learnt, by what messages add to say which task it is of."""
    if isinstance(labels, Labels):
        return {"": label}
    return {f", {task}": column for task, column in zip(labels.tasks, label.T, strict=True)}


def _mean(scores: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean = np.mean(np.stack(scores), axis=0, dtype=np.float64)
    return np.asarray(mean, np.float32)


def _under(prefix: str, state: State) -> State:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def required(data: TrainingData) -> tuple[Log, Labels]:
    """The log and the labels that a scoring stage learns from.

    Raises:
        InputError: nothing has been logged yet.
    """
    if data.log is None or data.labels is None:
        raise InputError("a stage that scores learns from labels, and nothing has been logged yet")
    return data.log, data.labels
