"""Order candidates by a ranker and pass on the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.calibration import Calibration, platt
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels, Negatives
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import Ranker
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.stages.rank.scoring import ALL_SHOWN, ScoringStage, required
from mlsd.types import Array, RankingBatch


class Rank(ScoringStage, CandidateStage):
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

    learns_from_labels = True

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
        CandidateStage.__init__(self, n_out)
        ScoringStage.__init__(self, ranker, loss, features, negatives, n_members)
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
            self._calibration = self._calibrated(data.batches["validation"], log, labels)
        return curves

    def process(self, batch: RankingBatch) -> RankingBatch:
        scored = self.scored(batch)
        return scored.top(scored.candidates["score"], self.n_out)

    def scored(self, batch: RankingBatch) -> RankingBatch:
        """All candidates in their order, with their `score` and, where calibrated, `click_prob`."""
        scores = self._scores(self.features.transform(batch))
        columns: dict[str, Array] = {"score": scores}
        if self.calibrate:
            columns["click_prob"] = self._calibration.prob(scores)
        if self.worth is not None:
            columns["score"] = columns["click_prob"] * batch.per_candidate(self.worth)
        return RankingBatch(batch.requests, batch.candidates.with_columns(**columns))

    def _calibrated(self, batch: RankingBatch, log: Log, labels: Labels) -> Calibration:
        """From what users did with the candidates of the validation window that they were shown."""
        click = _clicks(log.window("validation"), labels).of(batch)
        shown = ~np.isnan(click)
        if not shown.any():
            raise InputError(
                "click probabilities cannot be estimated: no candidate of the validation window was ever "
                "shown; set calibrate to false"
            )
        return platt(self._scores(self._features_of(batch, shown)), click[shown])


def _clicks(log: Log, labels: Labels) -> Labels:
    """What the clicks of a log would have been at the first position, as labels."""
    impressions = log.impressions
    if "click" not in impressions.columns:
        raise InputError(
            "click probabilities need the action 'click', which the log lacks; set calibrate to false"
        )
    weight = labels.weights(impressions["position"].to_numpy())
    clicked = (impressions["click"].to_numpy() > 0) * weight
    return Labels.of_pairs(impressions["request_id"].to_numpy(), impressions["item"].to_numpy(), clicked)
