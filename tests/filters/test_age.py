from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.filters.age import Age
from mlsd.retrievers.fresh.sampled import Sampled
from mlsd.testing.filter_kit import FEED, FilterKit
from mlsd.testing.retriever_kit import FITTING
from mlsd.types import Candidates, Catalog, RankingBatch, Requests


class TestAge(FilterKit):
    def make(self) -> Age:
        return Age(48.0)


@pytest.mark.parametrize("max_age_hours", [1.0, 30.0, 48.0])
def test_what_is_too_old_is_what_no_source_finds(max_age_hours: float) -> None:
    """To the last bit: on whole hours, where rounding decides, too."""
    hours = np.arange(-60.0, 60.0)
    catalog = Catalog(np.arange(120).astype(str), {"published_days": hours / 24})
    ids = np.arange(200)
    requests = Requests(ids, ids, ids, (ids - 100) / 24)
    batch = RankingBatch(requests, Candidates(np.arange(201) * 120, np.tile(np.arange(120), 200)))
    age, source = Age(max_age_hours), Sampled(max_age_hours)
    age.fit(catalog, None)
    source.fit(catalog, None, FITTING)
    kept = age.kept(batch)
    np.testing.assert_array_equal(kept, source.is_fresh(requests, batch.candidates))
    loop = [
        time - max_age_hours / 24 <= day < time
        for time in requests.time_days.tolist()
        for day in catalog["published_days"].tolist()
    ]
    assert kept.tolist() == loop


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InvalidValueError, match="max_age_hours == 0, must be above 0"):
        Age(0)
    days = FEED.catalog["published_days"].copy()
    days[5] = np.inf
    broken = replace(FEED.catalog, columns={"published_days": days})
    with pytest.raises(InputError, match=r"item.published_days\[5\] == inf, must be finite; 1 rows"):
        Age(3.0).fit(broken, None)
    named = replace(FEED.catalog, columns={"published_days": days.astype(str)})
    with pytest.raises(InputError, match=r"item.published_days is <U\d+, must be of numbers: days since"):
        Age(3.0).fit(named, None)
