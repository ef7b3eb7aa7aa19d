from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError, NotFittedError
from mlsd.features.statistics.hourly import Done, HourlyCounts
from mlsd.testing.small_log import N_ITEMS, SmallLog
from mlsd.types import Candidates, Catalog, RankingBatch

SMALL = SmallLog()
CLICKS, STAYS = Done.of(["click"], 1.0), Done.of(["click", "dwell_s"], 20.0)


@pytest.mark.parametrize(
    "parts", [["user"], ["item"], ["item.category"], ["user", "item.category"], ["user", "item"]]
)
@pytest.mark.parametrize("shift", [0, -2])
def test_the_past_is_the_same_however_many_candidates_there_are(parts: list[str], shift: int) -> None:
    """Few candidates are looked up one by one, many by the values there are: to the last bit the same."""
    columns = {"category": SMALL.catalog["category"] + shift}
    counts = HourlyCounts(parts, [CLICKS])
    counts.fit(Catalog(SMALL.catalog.item_id, columns), SMALL.log)
    requests = SMALL.requests.take(np.array([300, 360, 360]))
    items, offsets = np.tile(np.arange(N_ITEMS), 3), N_ITEMS * np.arange(4)
    together = counts.prepare(RankingBatch(requests, Candidates(offsets, items)))
    assert together.shown.max() > 0
    for item in range(N_ITEMS):
        one = Candidates(np.arange(4), np.full(3, item))
        alone = counts.prepare(RankingBatch(requests, one))
        rows = item + N_ITEMS * np.arange(3)
        assert alone.past.sums.tobytes() == together.past.sums[rows].tobytes()
        assert alone.past.last.tobytes() == together.past.last[rows].tobytes()


def test_parts_of_one_key_are_joined_without_changing_either() -> None:
    clicks, stays = HourlyCounts(["item"], [CLICKS]), HourlyCounts(["item"], [STAYS, CLICKS])
    assert clicks.key == stays.key == "hourly(item)"
    assert clicks.joined(stays).done == (CLICKS, STAYS)
    assert (clicks.done, stays.done) == ((CLICKS,), (STAYS, CLICKS))
    assert stays.joined(clicks) is stays


def test_needs_what_is_a_part_of_the_key() -> None:
    assert HourlyCounts(["item"]).needs == {"request.time_days"}
    both = HourlyCounts(["user", "item.author"])
    assert both.needs == {"request.time_days", "request.user"}
    assert both.catalog_needs == {"author"}


def test_actions_in_any_order_are_the_same() -> None:
    assert Done.of(["like", "reply", "like"], 1) == Done.of(["reply", "like"], 1.0)
    with pytest.raises(InvalidValueError, match="at_least == nan, must be above 0"):
        Done.of(["like"], float("nan"))


def test_unfitted_is_refused() -> None:
    with pytest.raises(NotFittedError, match="a feature by the hour was used before fit or load_state"):
        HourlyCounts(["user"]).state()
