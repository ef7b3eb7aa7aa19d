"""Say what a click on each candidate is worth, where some pay for clicks and others for what follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.calibration import platt
from mlsd.estimators.delays import Delays, fit_delays
from mlsd.features.base import Declared
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.losses.base import Loss
from mlsd.rankers.base import Ranker
from mlsd.stages.base import TrainingData
from mlsd.stages.rank.scoring import ALL_SHOWN, ScoringStage, required
from mlsd.types import Array, Floats, RankingBatch

Correction = Literal["importance", "none"]

NEEDED = ("click", "conversion_days")
"""Actions that a log must have."""

OFFERS = frozenset({"candidate.bid", "candidate.per_action"})


class Value(ScoringStage):
    """Adds `candidate.conversion_prob`, P(conversion, sooner or later | click), and `candidate.click_value`.

        click_value = bid                       where a campaign pays for clicks
        click_value = bid * conversion_prob     where it pays for conversions

    Candidates are passed on as they came. What is learnt from are clicks, by whether a conversion had
    followed when the validation window ended. A conversion that has not arrived yet is not a negative, so
    with `correction: importance` each one that has arrived counts for those like it that have not:

        label = [converted] / P(arrived | elapsed),    elapsed = end of the validation window - time of click

    whose expectation is P(conversion | click); delays are estimated from what has arrived (`fit_delays`).
    With `none` the label is [converted], which is too low for fresh clicks.

    Args:
        ranker: makes the ranker when called with `spec` (the fitted `FeatureSpec`) and `loss`.
        loss: what the ranker's training minimises; of log-odds, so that it can be calibrated.
        features: name -> feature; None switches one off.
        correction: "importance" or "none".
        n_members: trainings of the ranker whose scores are averaged; see `ScoringStage`.

    Source: inverse probability weights for delayed feedback, Yasui et al. (WWW 2020).
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
        self.correction: Correction = checks.one_of("correction", correction, ("importance", "none"))

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
        self._calibration = platt(self._scores(self._features_of(batch, clicked)), label[clicked])
        return curves

    def labels(self, log: Log) -> Labels:
        """One label for each click before the test window, as of its beginning.

        Raises:
            InputError: the log lacks clicks or conversions, or too few have arrived to know their delays.
        """
        clicks = _Clicks.known(log)
        weight = np.ones(len(clicks.item))
        if self.correction == "importance":
            arrived = clicks.delays().arrived(clicks.elapsed_days)
            weight = np.divide(1.0, arrived, out=weight, where=clicks.converted)
        return Labels.of_pairs(clicks.request_id, clicks.item, clicks.converted * weight)

    def process(self, batch: RankingBatch) -> RankingBatch:
        prob = self._calibration.prob(self._scores(self.features.transform(batch)))
        bid, per_action = batch.candidates["bid"], batch.candidates["per_action"]
        columns = {"conversion_prob": prob, "click_value": np.where(per_action, bid * prob, bid)}
        return replace(batch, candidates=batch.candidates.with_columns(**columns))


class _Clicks(NamedTuple):
    """Clicks before the test window, as they were known at its beginning; each (n_clicks,)."""

    request_id: Array
    item: Array
    elapsed_days: Floats
    delay_days: Floats
    converted: Array
    """bool: whether a conversion had arrived."""

    @staticmethod
    def known(log: Log) -> _Clicks:
        missing = [name for name in NEEDED if name not in log.impressions.columns]
        if missing:
            raise InputError(
                f"conversions are learnt from {' and '.join(NEEDED)}; the log lacks {missing[0]}"
            )
        before = log.until("validation")
        now = float(before.requests.day.max(initial=-1)) + 1.0
        clicked = before.impressions[before.impressions["click"].to_numpy() > 0]
        delay = clicked["conversion_days"].to_numpy(np.float64)
        elapsed = now - clicked["time_days"].to_numpy(np.float64)
        request_id, item = (clicked[name].to_numpy() for name in ("request_id", "item"))
        return _Clicks(request_id, item, elapsed, delay, (delay > 0) & (delay <= elapsed))

    def delays(self) -> Delays:
        return fit_delays(self.delay_days[self.converted], self.elapsed_days[self.converted])
