"""Order candidates by a ranker and pass on the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mlsd import checks
from mlsd.estimators.calibration import platt
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Negatives
from mlsd.losses.base import Loss
from mlsd.rankers.base import Ranker
from mlsd.stages.base import TrainingData
from mlsd.stages.rank.base import RankStage, clicks_at_first, shown_clicks
from mlsd.stages.rank.scoring import ALL_SHOWN, required
from mlsd.types import Array, RankingBatch


class Rank(RankStage):
    """Scores every candidate from its features and passes on the `n_out` best, best first.

    The best are those of highest score; or, where `worth` names a column, of highest `click_prob` times that:
    what they are expected to bring in. Their `candidate.score` is what they are ordered by.

    Adds `candidate.score` and, where calibrated, `candidate.click_prob`: P(click | shown at the first
    position), estimated from the clicks of the validation window divided by the examination of their
    positions. It rises with the score, whatever the loss. Where labels come from judgements there are no
    clicks: set `calibrate` to false, and the column is not there at all.

    Args:
        n_out: candidates passed on for each request, at most.
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`) and `loss`.
        loss: what the ranker's training minimises.
        features: name -> feature; None switches one off.
        negatives: which candidates without a positive label are trained on.
        calibrate: whether to estimate click probabilities.
        n_members: trainings of the ranker whose scores are averaged; see `ScoringStage`.
        worth: what a click on a candidate is worth, as `candidate.<name>`, at least 0; needs `calibrate`.
            None where all clicks are worth the same.
    """

    def __init__(
        self,
        n_out: int,
        ranker: Callable[..., Ranker],
        loss: Loss,
        features: Mapping[str, Declared | None],
        negatives: Negatives = ALL_SHOWN,
        *,
        calibrate: bool = True,
        n_members: int = 1,
        worth: str | None = None,
    ) -> None:
        super().__init__(n_out, ranker, loss, features, negatives, n_members)
        self.calibrate = calibrate
        self.worth = checks.require(
            calibrate or worth is None, "worth", worth, "must be null where calibrate is false"
        )

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | ({self.worth} if self.worth else frozenset())

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score"} | ({"candidate.click_prob"} if self.calibrate else set()))

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Fit features and the ranker on the ranking window, and calibrate on the validation window.

        Raises:
            InputError: nothing can be learnt: no log, no labels, no candidates, or labels of one kind only.
        """
        log, labels = required(data)
        curves = self._train(data, labels, fitting)
        if self.calibrate:
            batch = data.batches["validation"]
            click = shown_clicks(batch, clicks_at_first(log.window("validation"), labels))
            shown = ~np.isnan(click)
            self._calibrations = (platt(self._scores(self._features_of(batch, shown)), click[shown]),)
        return curves

    def scored(self, batch: RankingBatch) -> RankingBatch:
        """All candidates in their order, with their `score` and, where calibrated, `click_prob`."""
        scores = self._scores(self.features.transform(batch))
        columns: dict[str, Array] = {"score": scores}
        if self.calibrate:
            (calibration,) = self._calibrations
            columns["click_prob"] = calibration.prob(scores)
        if self.worth is not None:
            columns["score"] = columns["click_prob"] * batch.per_candidate(self.worth)
        return RankingBatch(batch.requests, batch.candidates.with_columns(**columns))
