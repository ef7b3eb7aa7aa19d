from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InputError
from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.features.base import Feature
from mlsd.features.statistics.click_through import ItemClickThrough, QueryItemClickThrough
from mlsd.features.statistics.gamma import gamma_prior
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


class TestItemClickThrough(FeatureKit):
    def make(self) -> Feature:
        return ItemClickThrough()


class TestQueryItemClickThrough(FeatureKit):
    def make(self) -> Feature:
        return QueryItemClickThrough()


@pytest.mark.parametrize("by_query", [False, True])
def test_equals_counting_by_hand(*, by_query: bool) -> None:
    feature = QueryItemClickThrough() if by_query else ItemClickThrough()
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.array([350])))
    request, seen = batch.requests, SMALL.log.impressions
    relative = shuffled_clicks(SMALL.log).relative
    a, b = feature.state()["prior"]
    for value, item in zip(feature.values(batch), batch.candidates.items, strict=True):
        before = (np.floor(seen["time_days"]) < request.day[0]) & (seen["item"] == item)
        if by_query:
            before &= SMALL.requests["query_id"][SMALL.log.request_rows] == request["query_id"][0]
        clicks, examined = seen["click"][before].sum(), relative[seen["position"][before]].sum()
        assert value == pytest.approx(np.log((a + clicks) / (b + examined) / (a / b)))


def test_an_item_never_shown_is_average() -> None:
    feature = ItemClickThrough()
    feature.fit(SMALL.catalog, SMALL.log)
    first_day = SMALL.candidates(SMALL.requests.take(np.array([0])))
    assert np.all(feature.values(first_day) == 0.0)


def test_prior_recovers_the_distribution_of_rates() -> None:
    """Rates from Gamma(4, 20), 4,000 keys with exposure 50: moments come within 10% of a and b.

    The standard error of the variance of 4,000 gamma rates is about 3% of it; Poisson noise adds as much.
    """
    keys = np.arange(4000)
    rates = -np.log(np.prod([1 - rng.uniform(5, f"gamma{i}", keys) for i in range(4)], axis=0)) / 20
    arrivals = np.cumsum([rng.exponential(5, f"poisson{i}", keys) for i in range(80)], axis=0)
    events = (arrivals < rates * 50).sum(axis=0).astype(np.float64)
    a, b = gamma_prior(np.full(4000, 50.0), events)
    assert a == pytest.approx(4, rel=0.1)
    assert b == pytest.approx(20, rel=0.1)


def test_prior_without_differences_or_exposure() -> None:
    a, b = gamma_prior(np.full(5, 10.0), np.full(5, 2.0))
    assert (a / b, b) == (pytest.approx(10.5 / 51), 50.0)
    assert gamma_prior(np.zeros(3), np.zeros(3)).tolist() == [0.5, 1.0]


def test_a_log_without_impressions_or_clicks_is_refused() -> None:
    empty = replace(SMALL.log, impressions=SMALL.log.impressions.iloc[:0])
    with pytest.raises(InputError, match="ItemClickThrough counts what users did, and the log is empty"):
        ItemClickThrough().fit(SMALL.catalog, empty)
    silent = replace(SMALL.log, impressions=SMALL.log.impressions.drop(columns="click"))
    with pytest.raises(InputError, match="the log has no action 'click'; its impressions have request_id"):
        ItemClickThrough().fit(SMALL.catalog, silent)
