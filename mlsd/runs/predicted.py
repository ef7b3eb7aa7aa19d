"""Whether the click probabilities of rank stages mean what they say, on what the log shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlsd.config.schema import System
from mlsd.evaluation import (
    Bin,
    ClickPredictions,
    Evaluated,
    Figures,
    ItemCalibration,
    click_predictions,
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


class Predicted(NamedTuple):
    """The click probabilities of a rank stage, judged by the clicks of the log."""

    figures: Figures
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
    """Rank stage -> its click probabilities, judged.

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
        if isinstance(stage, RankStage) and stage.calibrate and metrics and len(labels.examination):
            clicks = click_predictions(
                stage_in_blocks(stage.scored, before, system.n_workers), held_out, labels, evaluated
            )
            predicted[name] = Predicted(
                prediction_figures(clicks, metrics, system.bootstrap),
                reliability(clicks.predictions),
                clicks.coverage,
                _by_item(system, clicks),
            )
        before = ranked[name] if name in ranked else stage_in_blocks(stage, before, system.n_workers)
    return predicted


def _by_item(system: System, clicks: ClickPredictions) -> dict[str, ItemCalibration]:
    """Declared column of the catalog -> how well clicks on its values are predicted."""
    catalog, columns = system.world.catalog, system.problem.item_segments
    return {column: item_calibration(clicks, catalog[column], system.bootstrap) for column in columns}
