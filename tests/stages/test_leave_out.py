"""The stage that leaves out what must not be shown: its filters together, and what it passes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mlsd.errors import InputError, InvalidValueError
from mlsd.filters.age import Age
from mlsd.filters.base import Filter
from mlsd.filters.own import Own
from mlsd.filters.related import Related
from mlsd.filters.seen import Seen
from mlsd.logs import Log, served_of
from mlsd.stages.base import Stage, TrainingData
from mlsd.stages.leave_out import LeaveOut
from mlsd.testing.small_feed import SmallFeed, rows_of
from mlsd.testing.stage_kit import FITTING, StageKit, same_batch
from mlsd.types import Catalog, RankingBatch, State

FEED = SmallFeed()
N_OUT = 5


def filters() -> dict[str, Filter | None]:
    return {
        "own": Own(),
        "blocked": Related("blocks", "author"),
        "off": None,
        "seen": Seen(),
        "too_old": Age(60.0),
    }


def fitted(n_out: int = N_OUT, log: Log | None = FEED.log) -> LeaveOut:
    stage = LeaveOut(n_out, filters())
    stage.fit(TrainingData(FEED.catalog, log), FITTING)
    return stage


class Nothing(Filter):
    """Lets nothing through."""

    def fit(self, catalog: Catalog, log: Log | None) -> None: ...

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        return np.zeros(len(batch.candidates), bool)

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None: ...


class TestLeaveOut(StageKit):
    def make(self) -> LeaveOut:
        return LeaveOut(N_OUT, filters())

    def batch(self) -> RankingBatch:
        return FEED.candidates(FEED.asked)

    def training(self) -> TrainingData:
        return TrainingData(FEED.catalog, FEED.log)

    def test_passes_on_the_first_that_every_filter_keeps(self, stage: Stage) -> None:
        """Request by request, each candidate asked of each filter by itself."""
        batch, out = self.batch(), stage(self.batch())
        masks = []
        for each in filters().values():
            if each is not None:
                each.fit(FEED.catalog, FEED.log)
                masks.append(each.kept(batch).tolist())
        for row in range(len(batch)):
            mine = range(*batch.candidates.offsets[row : row + 2].tolist())
            kept = [place for place in mine if all(mask[place] for mask in masks)][:N_OUT]
            start, end = out.candidates.offsets[row : row + 2]
            assert out.candidates.items[start:end].tolist() == batch.candidates.items[kept].tolist()
            assert out.candidates["score"][start:end].tolist() == batch.candidates["score"][kept].tolist()
        assert out.candidates.counts.max() == N_OUT
        assert np.count_nonzero(out.candidates.counts < N_OUT) > 0, "some have fewer left"


@pytest.mark.parametrize("start", [0, 70, 200])
def test_observing_is_known_as_if_it_had_been_logged(start: int) -> None:
    n, batch = len(FEED.requests), FEED.candidates(FEED.asked)
    before = fitted(log=rows_of(FEED.log, 0, start))
    later = before.observed(served_of(rows_of(FEED.log, start, n)))
    assert same_batch(later(batch), fitted()(batch))
    assert not same_batch(before(batch), fitted()(batch))
    assert later.is_live
    assert not LeaveOut(1, {"own": Own()}).is_live


def test_all_may_be_left_out_and_a_page_is_empty_then() -> None:
    stage = LeaveOut(3, {"all": Nothing(), "own": Own()})
    stage.fit(TrainingData(FEED.catalog), FITTING)
    batch = FEED.candidates(FEED.asked)
    out = stage(batch)
    assert out.candidates.counts.max() == 0
    assert (out.slates(4).items == -1).all()
    assert out.column_names == batch.column_names


def test_fewer_than_the_slate_are_passed_on_as_they_are() -> None:
    batch = FEED.candidates(FEED.asked).first(2)
    out = fitted(n_out=50)(batch)
    assert out.candidates.counts.max() <= 2


def test_what_it_is_without_a_filter() -> None:
    stage, batch = fitted(), FEED.candidates(FEED.asked)
    less = stage.without({"own", "seen"})
    assert list(less.filters) == ["blocked", "too_old"]
    assert len(less(batch).candidates) >= len(stage(batch).candidates)
    assert list(stage.filters) == ["own", "blocked", "seen", "too_old"]
    assert {name: piece.group for name, piece in stage.pieces.items()} == {
        name: f"filter/{name}" for name in stage.filters
    }


def test_bad_options_are_named() -> None:
    with pytest.raises(InvalidValueError, match=r"filters == \['own'\], must have one that is not null"):
        LeaveOut(3, {"own": None})
    with pytest.raises(InvalidValueError, match=r"filters == 'too.old', must be a name of letters, digits"):
        LeaveOut(3, {"too.old": Age(1.0)})
    with pytest.raises(InvalidValueError, match=r"n_out == 0, must be at least 1"):
        LeaveOut(0, {"own": Own()})
    data = TrainingData(replace(FEED.catalog, relations={}))
    with pytest.raises(InputError, match=r"no relation 'blocks'; there are none"):
        LeaveOut(3, filters()).fit(data, FITTING)
