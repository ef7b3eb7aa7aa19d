"""How long users stay with an item that they clicked."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.features.base import Family
from mlsd.features.statistics.counted import CountedFeature, Events, actions, days
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, RankingBatch


class ItemDwell(CountedFeature):
    """The mean of log(1 + dwell in seconds) over the item's clicks before the day of the request, smoothed.

        (k m + sum of x) / (k + clicks)

    with m the mean of the training windows and k the variance within items over that between them, by
    analysis of variance. An item without clicks has m.
    """

    family: ClassVar[Family] = "item_statistics"

    def events(self, catalog: Catalog, log: Log) -> Events:  # noqa: ARG002
        clicked = actions(log, "click") > 0
        stay = np.log1p(actions(log, "dwell_s")[clicked])
        values = np.stack([np.ones(len(stay)), stay, np.square(stay)], axis=1)
        return Events([log.impressions["item"].to_numpy()[clicked]], days(log)[clicked], values)

    def key(self, batch: RankingBatch) -> list[Array]:
        return [batch.candidates.items]

    def prior(self, totals: Floats) -> Floats:
        return np.array(normal_prior(*totals.T))

    def smoothed(self, sums: Floats, prior: Floats) -> Floats:
        mean, strength = prior
        return np.asarray((strength * mean + sums[:, 1]) / (strength + sums[:, 0]))


def normal_prior(count: Floats, total: Floats, squares: Floats) -> tuple[float, float]:
    """Mean of all, and how many observations of a key the mean is worth.

        k = MSW / tau^2,   tau^2 = (MSB - MSW) / n0,   n0 = (N - sum of n^2 / N) / (G - 1)

    over G keys with n observations each, N in all (one-way random effects; Searle, Casella and McCulloch
    1992, section 3.6). If keys do not differ by more than chance, k is N; without any observation, m is 0
    and k is 1.

    Args:
        count: (n_keys,) n.
        total: (n_keys,) sums of observations.
        squares: (n_keys,) sums of squares.

    Example:
        >>> # observations 0 and 1 of one key, 2 and 3 of another: MSB = 4, MSW = 1/2, n0 = 2, k = 1/2 / (7/4)
        >>> normal_prior(np.array([2.0, 2.0]), np.array([1.0, 5.0]), np.array([1.0, 13.0]))
        (1.5, 0.2857142857142857)
    """
    seen = count > 0
    count, total, squares = count[seen], total[seen], squares[seen]
    n, n_keys = float(count.sum()), len(count)
    if n_keys == 0:
        return 0.0, 1.0
    mean = float(total.sum()) / n
    if n_keys in {1, n}:
        return mean, n
    within = float(np.sum(squares - np.square(total) / count)) / (n - n_keys)
    between = float(np.sum(count * np.square(total / count - mean))) / (n_keys - 1)
    effective = (n - float(np.square(count).sum()) / n) / (n_keys - 1)
    variance = (between - within) / effective
    return mean, min(max(within, 1e-12) / variance, n) if variance > 0 else n
