"""Histories of users: against loops over the log, strictly before the hour, and live."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.features.base import Feature
from mlsd.features.item import ItemCategory
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.recent import RecentItems
from mlsd.logs import Log, served_of
from mlsd.testing.feature_kit import FeatureKit, same_values
from mlsd.testing.small_log import SmallLog
from mlsd.types import Array, Ints, RankingBatch, Requests

SMALL = SmallLog()
EVERY_HOUR = np.arange(0, 400, 3)


class TestRecentClicks(FeatureKit):
    def make(self) -> Feature:
        return RecentItems("click", "category", length=4)


class TestRecentLongDwells(FeatureKit):
    def make(self) -> Feature:
        return RecentItems("dwell_s", "source", length=6, at_least=30.0)


def fitted(
    log: Log = SMALL.log, length: int = 4, action: str = "click", at_least: float = 1.0
) -> RecentItems:
    feature = RecentItems(action, "category", length, at_least=at_least)
    feature.fit(SMALL.catalog, log)
    return feature


def per_request(feature: RecentItems, requests: Requests) -> Ints:
    """(n_requests, length), from the first candidate of each."""
    batch = SMALL.candidates(requests)
    return feature.values(batch)[batch.candidates.offsets[:-1]]


def by_loops(log: Log, user: int, hour: int, length: int, action: str, at_least: float) -> list[int]:
    """The rows of the log from its end."""
    seen, category = log.impressions, SMALL.catalog["category"].tolist()
    rows = zip(*(seen[name].tolist() for name in ("user", "time_days", "item", action)), strict=True)
    found = [
        1 + category[item]
        for who, time_days, item, value in reversed(list(rows))
        if who == user and int(time_days * 24) < hour and value >= at_least
    ]
    return (found + [0] * length)[:length]


@pytest.mark.parametrize(("action", "at_least"), [("click", 1.0), ("dwell_s", 30.0)])
@pytest.mark.parametrize("length", [1, 4, 40])
def test_they_are_the_last_rows_of_the_log(action: str, at_least: float, length: int) -> None:
    """With 40, longer than what most users did: the rest is empty."""
    requests = SMALL.requests.take(np.arange(0, 400, 17))
    found = per_request(fitted(length=length, action=action, at_least=at_least), requests)
    asked = zip(requests.user.tolist(), requests.hour.tolist(), strict=True)
    assert found.tolist() == [by_loops(SMALL.log, *one, length, action, at_least) for one in asked]
    assert (found > 0).any()
    assert (found == 0).any()


def test_all_candidates_of_a_request_have_the_same_history() -> None:
    batch = SMALL.candidates(SMALL.requests.take(EVERY_HOUR))
    values = fitted().values(batch)
    assert values.shape == (len(batch.candidates), 4)
    assert np.array_equal(values, values[batch.candidates.offsets[:-1]][batch.candidates.request_rows])


def test_nothing_of_the_own_hour_or_later_changes_a_history() -> None:
    """Whatever is done from an hour on, its requests have the histories they had, to the last bit."""
    seen = SMALL.log.impressions
    for row in (57, 200, 311):
        own = SMALL.requests.take(np.array([row]))
        later = np.floor(seen["time_days"].to_numpy() * 24) >= own.hour[0]
        changed = replace(SMALL.log, impressions=seen.assign(click=seen["click"].to_numpy() ^ later))
        assert np.array_equal(per_request(fitted(changed), own), per_request(fitted(), own))


def test_an_hour_later_it_is_there() -> None:
    seen = SMALL.log.impressions
    clicked = seen[seen["click"]].iloc[100]
    asked = SMALL.requests.take(SMALL.requests.request_id == clicked["request_id"])
    later = replace(asked, time_days=(asked.hour + 1) / 24)
    in_the_hour = (seen["user"] == clicked["user"]) & (np.floor(seen["time_days"] * 24) == asked.hour[0])
    n_new = np.count_nonzero(seen["click"] & in_the_hour)
    before, after = (np.count_nonzero(per_request(fitted(length=40), one)) for one in (asked, later))
    assert after == before + n_new > before


def test_of_one_page_the_item_further_down_comes_first() -> None:
    seen = SMALL.log.impressions
    request = seen["request_id"].iloc[1000]
    both = (seen["request_id"] == request) & seen["position"].isin([1, 3])
    log = replace(SMALL.log, impressions=seen.assign(click=both))
    asked = SMALL.requests.take(SMALL.requests.request_id == request)
    found = per_request(fitted(log), replace(asked, time_days=asked.time_days + 1))
    items = seen["item"][both].to_numpy()[::-1]
    assert found[0].tolist() == [*(1 + SMALL.catalog["category"][items]), 0, 0]


def test_a_user_who_is_unknown_has_none() -> None:
    requests = SMALL.requests.take(EVERY_HOUR)
    strangers = replace(requests, user=requests.user + 10_000)
    assert not per_request(fitted(), strangers).any()
    nobody = replace(SMALL.log, impressions=SMALL.log.impressions.assign(click=False))
    assert not per_request(fitted(nobody), requests).any()


def log_until(n: int) -> Log:
    """The first requests of the log, whatever windows they are of."""
    rows = np.arange(n)
    known = SMALL.log.impressions["request_id"].isin(SMALL.requests.request_id[rows])
    impressions = SMALL.log.impressions[known].reset_index(drop=True)
    return Log(SMALL.requests.take(rows), impressions, SMALL.log.split[rows])


def live(n_fitted: int, ends: Array) -> RecentItems:
    """Fitted on the first requests, and told of all others in parts that end with these."""
    feature = fitted(log_until(n_fitted))
    starts = np.append(n_fitted, ends[:-1])
    for start, end in zip(starts, ends, strict=True):
        feature = feature.observed(served_of(SMALL.log).take(np.arange(start, end)[::-1]))
    return feature


@pytest.mark.parametrize("n_fitted", [1, 150, 399])
def test_observed_equals_having_been_in_the_log(n_fitted: int) -> None:
    """Told by the hour, in whatever order within one; asked about every request, old and new."""
    hours = SMALL.requests.hour
    ends = np.append(np.flatnonzero(np.diff(hours)) + 1, len(hours))
    told, whole = live(n_fitted, ends[ends > n_fitted]), fitted()
    asked = SMALL.candidates(SMALL.requests)
    assert same_values(told.values(asked), whole.values(asked))
    assert all(same_values(value, whole.state()[name]) for name, value in told.state().items())


@pytest.mark.parametrize("n_fitted", [1, 150, 399])
def test_what_is_told_twice_an_hour_is_put_in_order(n_fitted: int) -> None:
    """Where users ask again, an hour is told of in parts: here request by request, the last one first."""
    told = fitted(log_until(n_fitted))
    for row in np.arange(n_fitted, len(SMALL.requests)).reshape(-1, 1)[::-1]:
        told = told.observed(served_of(SMALL.log).take(row))
    asked = SMALL.candidates(SMALL.requests)
    assert same_values(told.values(asked), fitted().values(asked))


def test_observing_leaves_the_feature_as_it_was() -> None:
    before = fitted(log_until(200))
    asked = SMALL.candidates(SMALL.requests)
    values = before.values(asked)
    after = before.observed(served_of(SMALL.log).take(np.arange(200, 400)))
    assert not np.array_equal(after.values(asked), values)
    assert np.array_equal(before.values(asked), values)


def test_what_was_observed_is_saved() -> None:
    told = fitted(log_until(200)).observed(served_of(SMALL.log).take(np.arange(200, 400)))
    again = RecentItems("click", "category", length=4)
    again.load_state(told.state())
    asked = SMALL.candidates(SMALL.requests)
    assert np.array_equal(again.values(asked), told.values(asked))
    assert again.cardinality == told.cardinality == 4


def test_it_has_the_categories_of_the_item_that_it_is_like() -> None:
    features = FeatureSet(
        {"category": ItemCategory(), "clicked": RecentItems("click", "category", 3, like="category")}
    )
    batch = RankingBatch(SMALL.requests, SMALL.candidates(SMALL.requests).candidates)
    features.fit(SMALL.catalog, SMALL.log, batch)
    (history,) = features.spec.histories.values()
    assert (history.length, history.cardinality, history.like) == (3, 4, "category")


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(InvalidValueError, match="length == 0, must be at least 1"):
        RecentItems("click", "category", length=0)
    with pytest.raises(InvalidValueError, match="at_least == 0, must be above 0"):
        RecentItems("click", "category", at_least=0)
    with pytest.raises(InputError, match="the log has no action 'like'; its impressions have"):
        fitted(action="like")
    served = served_of(SMALL.log)
    without_clicks = replace(served, feedback={"dwell_s": served.feedback["dwell_s"]})
    with pytest.raises(InputError, match=r"nothing was told of the action 'click'; there are dwell_s"):
        fitted().observed(without_clicks)
    with pytest.raises(NotFittedError, match="RecentItems was used before fit"):
        RecentItems("click", "category").values(SMALL.candidates(SMALL.requests))
    below = {**SMALL.catalog.columns, "category": SMALL.catalog["category"] - 1}
    with pytest.raises(InputError, match=r"item\.category has the category -1, must be at least 0"):
        RecentItems("click", "category").fit(replace(SMALL.catalog, columns=below), SMALL.log)
