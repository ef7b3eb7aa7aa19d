"""Order candidates by what people are expected to do with them, each action at its declared value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, nearest
from mlsd.estimators.calibration import Calibration, platt
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels, Negatives, TaskLabels
from mlsd.logs import Log, acted
from mlsd.losses.base import Loss
from mlsd.rankers.base import MultiTaskRanker, Scorer, check_log_odds
from mlsd.stages.base import TrainingData
from mlsd.stages.rank.base import Prediction, RankStage
from mlsd.stages.rank.scoring import ALL_SHOWN, required
from mlsd.types import Array, RankingBatch

Unshown = Literal["unknown", "not_done"]

UNSHOWN: tuple[Unshown, ...] = ("unknown", "not_done")


@dataclass(frozen=True)
class Task:
    """An action that is predicted, and what it is worth when somebody does it.

    Args:
        value: any finite number; below 0 of what nobody should be made to do.
        column: of the log; None where it is called as the task is.
        at_least: the value of the column from which on the action counts as done, above 0.
    """

    value: float
    column: str | None = None
    at_least: float = 1.0

    def __post_init__(self) -> None:
        checks.require(bool(np.isfinite(self.value)), "value", self.value, "must be finite")
        checks.above("at_least", self.at_least, 0)


class ActionRank(RankStage):
    """Predicts what people do by one ranker and passes on the `n_out` candidates of highest value.

        score = sum over tasks a of  value_a P(a | shown at the first position)

    Adds `candidate.<task>_prob` for each task and `candidate.score`. Tasks are learnt together from
    everything shown, each from what users did over the examination e of the position it was done at, so that
    all expectations are those of the first position:

        label of a task   [done] / e

    Probabilities are calibrated on the validation window, on what was shown; where that does not show an
    action once, its scores are taken for log-odds as they are. Some logs have nothing but items that people
    chose to act on, such as ratings; then P(done | shown) of the log says little about an item that is shown
    to somebody who did not choose it. With `unshown: not_done` a candidate that the log does not show counts
    as one with which nothing was done, and probabilities are calibrated on all candidates:

        candidate.<task>_prob = P(done in this request | candidate)

    Learn from `negatives.n_unshown` of them, too. An action that the ranking window does not show once cannot
    be learnt: say null for it.

    Args:
        n_out: candidates passed on for each request, at most.
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`), `loss` and `tasks`.
        loss: what the ranker's training minimises for each task; its scores are log-odds.
        features: name -> feature; None switches one off.
        tasks: name -> task; None switches one off.
        negatives: which candidates without any action are trained on.
        n_members: trainings of the ranker whose scores are averaged; see `ScoringStage`.
        unshown: "unknown", or "not_done"; see above.
    """

    def __init__(
        self,
        n_out: int,
        ranker: Callable[..., MultiTaskRanker],
        loss: Loss,
        features: Mapping[str, Declared | None],
        tasks: Mapping[str, Task | None],
        negatives: Negatives = ALL_SHOWN,
        n_members: int = 1,
        unshown: Unshown = "unknown",
    ) -> None:
        super().__init__(n_out, ranker, check_log_odds(loss), features, negatives, n_members)
        self.unshown: Unshown = checks.one_of("unshown", unshown, UNSHOWN)
        on = {name: task for name, task in tasks.items() if task is not None}
        self.tasks: Mapping[str, Task] = checks.not_empty("tasks", on)

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", *(f"candidate.{name}_prob" for name in self.tasks)})

    @property
    def predictions(self) -> Mapping[str, Prediction]:
        return {
            name: Prediction(f"{name}_prob", task.column or name, task.at_least, self._counts_unshown)
            for name, task in self.tasks.items()
        }

    def valued(self, values: Mapping[str, float]) -> Self:
        """This stage, fitted or not, where actions have other values; one that is not named is worth nothing.

        Raises:
            InputError: an action is named that is not predicted.
        """
        for name in values:
            if name not in self.tasks:
                close = nearest(name, self.tasks)
                hint = f"; nearest is {close!r}" if close else ""
                raise InputError(f"no action {name!r} is predicted, only {', '.join(self.tasks)}{hint}")
        other = copy(self)
        other.tasks = {
            name: replace(task, value=float(values.get(name, 0.0))) for name, task in self.tasks.items()
        }
        return other

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Fit features and the ranker on the ranking window, and calibrate on the validation window.

        Raises:
            InputError: nothing can be learnt: no log, no such action, an action nobody did, or no candidates.
        """
        log, labels = required(data)
        task_labels = self.task_labels(log, labels)
        curves = self._train(data, task_labels, fitting)
        self._calibrate(data.batches["validation"], task_labels)
        return curves

    def task_labels(self, log: Log, labels: Labels) -> TaskLabels:
        """Labels of all tasks before the test window.

        Args:
            log: with the actions.
            labels: with the estimated examination of positions.

        Raises:
            InputError: the log lacks an action.
        """
        shown = log.until("validation").impressions
        pairs = shown["request_id"].to_numpy(), shown["item"].to_numpy()
        weight = labels.weights(shown["position"].to_numpy())
        return TaskLabels(
            {name: Labels.of_pairs(*pairs, weight * self._done(name, shown)) for name in self.tasks}
        )

    def scored(self, batch: RankingBatch) -> RankingBatch:
        scores = self._scores(self.features.transform(batch))
        columns: dict[str, Array] = {}
        total = np.zeros(len(scores))
        for (name, task), calibration, column in zip(
            self.tasks.items(), self._calibrations, scores.T, strict=True
        ):
            columns[f"{name}_prob"] = calibration.prob(column)
            total += task.value * columns[f"{name}_prob"]
        return RankingBatch(batch.requests, batch.candidates.with_columns(**columns, score=total))

    @property
    def _counts_unshown(self) -> bool:
        return self.unshown == "not_done"

    def _done(self, name: str, shown: pd.DataFrame) -> NDArray[np.bool_]:
        """(n_impressions,) whether the user did it."""
        prediction = self.predictions[name]
        try:
            return acted(shown, prediction.column, prediction.at_least)
        except InputError as error:
            raise InputError(f"tasks.{name}: {error}") from error

    def _calibrate(self, batch: RankingBatch, labels: TaskLabels) -> None:
        label = labels.of(batch)
        shown = np.asarray(~np.isnan(label).any(axis=1), bool)
        if not shown.any():
            raise InputError("actions cannot be predicted: no candidate of the validation window was shown")
        counted = np.ones(len(label), bool) if self._counts_unshown else shown
        scores, done = self._scores(self._features_of(batch, counted)), np.nan_to_num(label[counted])
        self._check_undone(done)
        by_task = zip(self.tasks, scores.T, done.T, strict=True)
        self._calibrations = tuple(_calibrated(name, *of_task) for name, *of_task in by_task)

    def _check_undone(self, done: NDArray[np.float32]) -> None:
        """Refuse an action that always was done: nothing tells when it is not."""
        for name, of_task in zip(self.tasks, done.T, strict=True):
            if of_task.min() >= 1:
                raise InputError(
                    f"tasks.{name}: done with all {len(done)} candidates of the validation window that were "
                    "shown; say null for it, or let what was not shown count: unshown: not_done"
                )

    def _made(self) -> Scorer:
        return self.ranker(spec=self.features.spec, loss=self.loss, tasks=tuple(self.tasks))


def _calibrated(task: str, scores: Array, done: Array) -> Calibration:
    """Scores as they are where nobody did it."""
    if not done.any():
        return Calibration()
    try:
        return platt(scores, done)
    except InputError as error:
        raise InputError(f"tasks.{task}: {error}") from error
