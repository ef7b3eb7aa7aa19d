"""How often an item was clicked for how often it was looked at."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.features.base import Family
from mlsd.features.statistics.counted import CountedFeature, Events, actions, days
from mlsd.features.statistics.gamma import gamma_prior, log_relative_rate
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, RankingBatch


class ItemClickThrough(CountedFeature):
    """Clicks of the item over its expected examination, smoothed, relative to the average, as a logarithm.

        log((a + C) / (b + E)) - log(a / b)

    with C the item's clicks and E the sum of the relative examination of the positions it was shown at,
    before the day of the request (clicks over expected clicks, Zhang and Jones 2007), and a Gamma(a, b) prior
    for the rate, fitted to the items of the training windows by moments. 0 for an item never shown.

    Examination is estimated from the shuffled slice of the training windows.
    """

    family: ClassVar[Family] = "item_statistics"

    def events(self, catalog: Catalog, log: Log) -> Events:  # noqa: ARG002
        clicks = actions(log, "click")
        if not len(clicks):
            return Events(self.logged_key(log), days(log), np.zeros((0, 2)))
        examined = shuffled_clicks(log).relative[log.impressions["position"].to_numpy()]
        return Events(self.logged_key(log), days(log), np.stack([examined, clicks], axis=1))

    def logged_key(self, log: Log) -> list[Array]:
        """Parts of the key of every impression."""
        return [log.impressions["item"].to_numpy()]

    def key(self, batch: RankingBatch) -> list[Array]:
        return [batch.candidates.items]

    def prior(self, totals: Floats) -> Floats:
        return gamma_prior(*totals.T)

    def smoothed(self, sums: Floats, prior: Floats) -> Floats:
        examined, clicks = sums.T
        return log_relative_rate(examined, clicks, prior)


class QueryItemClickThrough(ItemClickThrough):
    """The same for the item as an answer to this very query, known by `request.query_id`."""

    family: ClassVar[Family] = "query_item_statistics"
    needs = frozenset({"request.query_id", "request.time_days"})

    def logged_key(self, log: Log) -> list[Array]:
        return [log.requests["query_id"][log.request_rows], log.impressions["item"].to_numpy()]

    def key(self, batch: RankingBatch) -> list[Array]:
        return [batch.per_candidate("request.query_id"), batch.candidates.items]
