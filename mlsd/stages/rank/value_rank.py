"""Order candidates by what showing them is worth: clicks and conversions are learnt together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mlsd import checks
from mlsd.estimators.calibration import platt
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels, Negatives, TaskLabels
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import MultiTaskRanker, Scorer, check_log_odds
from mlsd.stages.base import TrainingData
from mlsd.stages.rank.base import RankStage, clicks_at_first, shown_clicks
from mlsd.stages.rank.conversions import CORRECTIONS, OFFERS, Clicks, Correction, priced
from mlsd.stages.rank.scoring import ALL_SHOWN, required
from mlsd.types import RankingBatch

CLICK, CONVERSION = "click", "conversion"
"""What is learnt together, in order: the second can only follow the first."""


class ValueRank(RankStage):
    """Predicts clicks and conversions by one ranker and passes on the `n_out` worth most, best first.

        click_value = bid, or bid * conversion_prob where a campaign pays for conversions
        score = click_prob * click_value

    Adds `candidate.click_prob`, P(click | shown at the first position), `candidate.conversion_prob`,
    P(conversion, sooner or later | click), `candidate.click_value` and `candidate.score`. Both tasks are
    learnt from everything shown, from what users did over the examination e of the position it was done at:

        label of click                  [click] / e
        label of click and conversion   [click] [converted] / (e P(arrived | elapsed))

    so that both expectations are those of the first position, and of conversions that arrive sooner or later
    (see `Clicks.labels`). Both probabilities are calibrated on the validation window: clicks on what was
    shown, as by `Rank`, conversions on what was clicked, as by `Value`.

    Args:
        n_out: candidates passed on for each request, at most.
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`), `loss` and `tasks`.
        loss: what its training minimises for each task; of log-odds.
        features: name -> feature; None switches one off.
        negatives: which candidates without a click are trained on.
        correction: of conversions that have not arrived, "importance" or "none".
        n_members: trainings of the ranker whose scores are averaged; see `ScoringStage`.

    Source: Ma et al., "Entire space multi-task model", SIGIR 2018, for what is learnt from.
    """

    def __init__(
        self,
        n_out: int,
        ranker: Callable[..., MultiTaskRanker],
        loss: Loss,
        features: Mapping[str, Declared | None],
        negatives: Negatives = ALL_SHOWN,
        correction: Correction = "importance",
        n_members: int = 1,
    ) -> None:
        super().__init__(n_out, ranker, check_log_odds(loss), features, negatives, n_members)
        self.correction: Correction = checks.one_of("correction", correction, CORRECTIONS)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | OFFERS

    @property
    def produces(self) -> frozenset[str]:
        made = ("score", "click_prob", "conversion_prob", "click_value")
        return frozenset(f"candidate.{name}" for name in made)

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Fit features and the ranker on the ranking window, and calibrate on the validation window.

        Raises:
            InputError: nothing can be learnt: no log, no clicks or conversions, or no candidates.
        """
        log, labels = required(data)
        curves = self._train(data, self.task_labels(log, labels), fitting)
        self._calibrate(data.batches["validation"], log, labels)
        return curves

    def task_labels(self, log: Log, labels: Labels) -> TaskLabels:
        """Labels of both tasks before the test window, as of its beginning.

        Args:
            log: with clicks and conversions.
            labels: with the estimated examination of positions.

        Raises:
            InputError: the log lacks clicks or conversions, or too few have arrived to know their delays.
        """
        clicks = Clicks.known(log)
        both = clicks.labels(self.correction, labels.weights(clicks.position))
        return TaskLabels({CLICK: clicks_at_first(log.until("validation"), labels), CONVERSION: both})

    def scored(self, batch: RankingBatch) -> RankingBatch:
        scores = self._scores(self.features.transform(batch))
        click_prob, conversion_prob = (
            calibration.prob(column) for calibration, column in zip(self._calibrations, scores.T, strict=True)
        )
        columns = {"click_prob": click_prob, **priced(batch.candidates, conversion_prob)}
        columns["score"] = click_prob * columns["click_value"]
        return RankingBatch(batch.requests, batch.candidates.with_columns(**columns))

    def _calibrate(self, batch: RankingBatch, log: Log, labels: Labels) -> None:
        click = shown_clicks(batch, clicks_at_first(log.window("validation"), labels))
        shown = ~np.isnan(click)
        converted = Clicks.known(log).labels(self.correction).of(batch)[shown]
        clicked = ~np.isnan(converted)
        of_click, of_conversion = self._scores(self._features_of(batch, shown)).T
        self._calibrations = (
            platt(of_click, click[shown]),
            platt(of_conversion[clicked], converted[clicked]),
        )

    def _made(self) -> Scorer:
        return self.ranker(spec=self.features.spec, loss=self.loss, tasks=(CLICK, CONVERSION))
