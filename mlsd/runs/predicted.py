"""Whether the probabilities of rank stages mean what they say, on what the log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlsd.config.schema import System
from mlsd.evaluation import (
    ActionPredictions,
    Bin,
    Evaluated,
    Figures,
    ItemCalibration,
    action_predictions,
    item_calibration,
    prediction_figures,
    reliability,
)
from mlsd.funnel import Funnel
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.metrics.base import PredictionMetric
from mlsd.stages.rank import RankStage
from mlsd.training import stage_in_blocks
from mlsd.types import RankingBatch

CLICK = "click"
"""The action whose figures have plain names."""


class Predicted(NamedTuple):
    """The probabilities of a rank stage, judged by the log."""

    figures: Figures
    """Of every action that it predicts."""
    actions: tuple[str, ...]
    """What it predicts. The rest is of the first: clicks or, where it predicts none, the first declared."""
    reliability: list[Bin]
    coverage: float
    by_item: dict[str, ItemCalibration]


def predicted_by(
    system: System,
    held_out: Log,
    labels: Labels,
    funnel: Funnel,
    ranked: Mapping[str, RankingBatch],
    evaluated: Evaluated,
) -> dict[str, Predicted]:
    """Rank stage -> its probabilities, judged, whatever the actions are that it predicts.

    Of the actions one stands for all where there is room for one: a click, else the first that is predicted.

    Args:
        system: what is run.
        held_out: the log of the evaluated requests.
        labels: with the estimated examination.
        funnel: fitted.
        ranked: stage -> what it passes on.
        evaluated: the requests.
    """
    metrics = [metric for metric in system.metrics.values() if isinstance(metric, PredictionMetric)]
    predicted = {}
    before = RankingBatch.of(evaluated.requests)
    for name, stage in funnel.stages.items():
        if isinstance(stage, RankStage) and stage.predictions and metrics:
            scored = stage_in_blocks(stage.scored, before, system.n_workers)
            made = {
                action: action_predictions(scored, prediction, held_out, labels, evaluated)
                for action, prediction in stage.predictions.items()
            }
            predicted[name] = _judged(system, made, metrics)
        before = ranked[name] if name in ranked else stage_in_blocks(stage, before, system.n_workers)
    return predicted


def _judged(
    system: System, made: Mapping[str, ActionPredictions], metrics: Sequence[PredictionMetric]
) -> Predicted:
    figures: Figures = {}
    for action, predictions in made.items():
        told_apart = None if action == CLICK else action
        figures |= prediction_figures(predictions, metrics, system.bootstrap, told_apart)
    actions = tuple(sorted(made, key=lambda action: action != CLICK))
    first = made[actions[0]]
    bins, by_item = reliability(first.predictions), _by_item(system, first)
    return Predicted(figures, actions, bins, first.coverage, by_item)


def _by_item(system: System, predicted: ActionPredictions) -> dict[str, ItemCalibration]:
    """Declared column of the catalog -> how well an action with items of its values is predicted."""
    catalog, columns = system.world.catalog, system.problem.item_segments
    return {column: item_calibration(predicted, catalog[column], system.bootstrap) for column in columns}
