from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.retrievers.fresh.sampled import Sampled
from mlsd.testing.retriever_kit import FEED, FITTING, FreshRetrieverKit, every_pair

MAX_AGE = 30.0


class TestSampled(FreshRetrieverKit):
    def make(self) -> Sampled:
        return Sampled(MAX_AGE, seed=5)


def fitted(seed: int) -> Sampled:
    source = Sampled(MAX_AGE, seed)
    source.fit(FEED.catalog, None, FITTING)
    return source


def test_each_request_has_its_own_order_of_everything_fresh() -> None:
    source, requests = fitted(5), FEED.asked
    found = source.retrieve(requests, len(FEED.catalog))
    every = every_pair(len(requests), len(FEED.catalog))
    fresh = source.is_fresh(requests, every).reshape(len(requests), -1)
    for row, request_id in enumerate(requests.request_id.tolist()):
        items = np.flatnonzero(fresh[row])
        luck = 1 - rng.uniform(5, "sampled", np.full(len(items), request_id), items)
        mine = found.items[found.offsets[row] : found.offsets[row + 1]]
        assert mine.tolist() == items[np.argsort(-luck, kind="stable")].tolist()
    assert not np.array_equal(fitted(6).retrieve(requests, 3).items, found.items[:0])


def test_every_fresh_item_is_as_likely_to_be_first() -> None:
    """Seed 0, 4,000 requests at one time: firsts of each of n items within four standard deviations."""
    n = 4000
    requests = FEED.requests.take(np.zeros(n, np.int64))
    requests = type(requests)(np.arange(n), requests.user, requests.session, np.full(n, 3.0))
    source = fitted(0)
    first = source.retrieve(requests, 1)
    items = np.flatnonzero(source.is_fresh(requests.take(np.array([0])), every_pair(1, len(FEED.catalog))))
    counts = np.bincount(first.items, minlength=len(FEED.catalog))[items]
    prob = 1 / len(items)
    assert counts.sum() == n
    assert np.abs(counts - n * prob).max() < 4 * np.sqrt(n * prob * (1 - prob))


def test_ages_are_checked() -> None:
    with pytest.raises(InvalidValueError, match="max_age_hours == nan, must be above 0"):
        Sampled(float("nan"))
