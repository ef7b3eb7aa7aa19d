from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.stages.sort import Sort
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import CandidateStageKit
from mlsd.types import Candidates, Columns, RankingBatch, Requests

SMALL = SmallLog()


class TestSort(CandidateStageKit):
    learns = False

    def make(self) -> Sort:
        return Sort(self.n_out, "candidate.bm25_score")


def asked(*requests: dict[int, float]) -> RankingBatch:
    """A request for each mapping of item to its `near`."""
    ids, items = np.arange(len(requests)), [item for request in requests for item in request]
    near = np.array([value for request in requests for value in request.values()], np.float32)
    offsets = np.cumsum([0, *map(len, requests)])
    columns: Columns = {"near": near, "score": np.zeros(len(near))}
    candidates = Candidates(offsets, np.array(items, np.int64), columns)
    return RankingBatch(Requests(ids, ids, ids, np.zeros(len(ids))), candidates)


def test_the_highest_come_first_and_ties_as_they_came() -> None:
    out = Sort(3, "candidate.near")(asked({5: -1.0, 9: 2.0, 2: 0.0, 7: 2.0}, {}, {4: -3.0})).candidates
    assert out.offsets.tolist() == [0, 3, 3, 4]
    assert out.items.tolist() == [9, 7, 2, 4]
    assert out["score"].tolist() == [2, 2, 0, -3] == out["near"].tolist()
    assert out["score"].dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_has_no_order_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match=rf"candidate\.near\[1\] == {bad}, must be finite; 1 rows"):
        Sort(3, "candidate.near")(asked({1: 0.0, 2: bad}))


@pytest.mark.parametrize("by", ["near", "request.time_days", "candidate.", ""])
def test_it_goes_by_a_column_of_candidates(by: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"by == '{by}', must be a column of candidates"):
        Sort(3, by)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"Sort needs candidate.nearer; there are .*candidate.near"):
        Sort(3, "candidate.nearer")(asked({1: 0.0}))
