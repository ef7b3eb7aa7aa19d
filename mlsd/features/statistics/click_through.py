"""How often an item was clicked for how often it was looked at."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.features.base import Family
from mlsd.features.statistics.counted import CountedFeature, Events, actions, days
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
        a, b = prior
        examined, clicks = sums.T
        return np.asarray(np.log((a + clicks) / (b + examined)) - np.log(a / b))


class QueryItemClickThrough(ItemClickThrough):
    """The same for the item as an answer to this very query, known by `request.query_id`."""

    family: ClassVar[Family] = "query_item_statistics"
    needs = frozenset({"request.query_id", "request.time_days"})

    def logged_key(self, log: Log) -> list[Array]:
        return [log.requests["query_id"][log.request_rows], log.impressions["item"].to_numpy()]

    def key(self, batch: RankingBatch) -> list[Array]:
        return [batch.per_candidate("request.query_id"), batch.candidates.items]


def gamma_prior(exposure: Floats, events: Floats) -> Floats:
    """(a, b) of the Gamma distribution of rates that differ between keys.

        m = (sum of C + 1/2) / (sum of E + 1),   v = sum of E (C/E - m)^2 / sum of E  -  m / mean of E
        a = m^2 / v,   b = m / v

    where v, the variance between keys, is what chance does not explain. If nothing remains, all keys are
    taken to be alike: b is the whole exposure.

    Source: Marshall (1991), "Mapping disease and mortality rates using empirical Bayes estimators".

    Args:
        exposure: (n_keys,) E.
        events: (n_keys,) C.

    Example:
        >>> a, b = gamma_prior(np.full(4, 100.0), np.array([10.0, 30.0, 10.0, 30.0]))
        >>> round(float(a / b), 2), round(float(b))  # v = .1**2 - .2 / 100, up to the half event
        (0.2, 25)
    """
    shown = exposure > 0
    exposure, events = exposure[shown], events[shown]
    total = float(exposure.sum())
    mean = (float(events.sum()) + 0.5) / (total + 1.0)
    if not len(exposure):
        return np.array([mean, 1.0])
    spread = float(np.sum(exposure * np.square(events / exposure - mean))) / total
    between = spread - mean * len(exposure) / total
    strength = min(mean / between, total) if between > 0 else total
    return np.array([mean * strength, strength])
