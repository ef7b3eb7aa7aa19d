"""Say what a click on each candidate is worth, where some pay for clicks and others for what follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from mlsd import checks
from mlsd.estimators.calibration import platt
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import Ranker
from mlsd.stages.base import TrainingData
from mlsd.stages.rank.conversions import CORRECTIONS, OFFERS, Clicks, Correction, priced
from mlsd.stages.rank.scoring import ALL_SHOWN, ScoringStage, required
from mlsd.types import RankingBatch


class Value(ScoringStage):
    """Adds `candidate.conversion_prob`, P(conversion, sooner or later | click), and `candidate.click_value`.

        click_value = bid                       where a campaign pays for clicks
        click_value = bid * conversion_prob     where it pays for conversions

    Candidates are passed on as they came. What is learnt from are clicks, by whether a conversion had
    followed when the validation window ended. A conversion that has not arrived yet is not a negative, so
    with `correction: importance` each one that has arrived counts for those like it that have not; see
    `Clicks.labels`.

    Args:
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`) and `loss`.
        loss: what the ranker's training minimises; of log-odds, so that it can be calibrated.
        features: name -> feature; None switches one off.
        correction: "importance" or "none".
        n_members: trainings of the ranker whose scores are averaged; see `ScoringStage`.
    """

    def __init__(
        self,
        ranker: Callable[..., Ranker],
        loss: Loss,
        features: Mapping[str, Declared | None],
        correction: Correction = "importance",
        n_members: int = 1,
    ) -> None:
        super().__init__(ranker, loss, features, ALL_SHOWN, n_members)
        self.correction: Correction = checks.one_of("correction", correction, CORRECTIONS)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | OFFERS

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.conversion_prob", "candidate.click_value"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Fit on the clicks of the ranking window, and calibrate on those of the validation window.

        Raises:
            InputError: the log has no clicks or conversions to learn from.
        """
        log, _ = required(data)
        labels = self.labels(log)
        curves = self._train(data, labels, fitting)
        batch = data.batches["validation"]
        label = labels.of(batch)
        clicked = ~np.isnan(label)
        self._calibrations = (platt(self._scores(self._features_of(batch, clicked)), label[clicked]),)
        return curves

    def labels(self, log: Log) -> Labels:
        """One label for each click before the test window, as of its beginning.

        Raises:
            InputError: the log lacks clicks or conversions, or too few have arrived to know their delays.
        """
        return Clicks.known(log).labels(self.correction)

    def process(self, batch: RankingBatch) -> RankingBatch:
        (calibration,) = self._calibrations
        prob = calibration.prob(self._scores(self.features.transform(batch)))
        candidates = batch.candidates
        return replace(batch, candidates=candidates.with_columns(**priced(candidates, prob)))
