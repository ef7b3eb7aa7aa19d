from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.stages.base import TrainingData
from mlsd.stages.hide_filter import HideFilter
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import RankingBatch

SMALL = SmallLog()


def training(often: int = 3) -> TrainingData:
    """A log in which one item is hidden whenever it is shown, and others now and then."""
    seen = SMALL.log.impressions
    hidden = (seen["item"] == often) | (seen.index % 50 == 0)
    log = replace(SMALL.log, impressions=seen.assign(hide=hidden))
    return TrainingData(SMALL.catalog, log, SMALL.labels)


def ordered(batch: RankingBatch) -> RankingBatch:
    return batch.top(batch.candidates["score"], 12)


class TestHideFilter(CandidateStageKit):
    def make(self) -> HideFilter:
        return HideFilter(self.n_out, max_ratio=3.0, strength=10.0)

    def batch(self) -> RankingBatch:
        return ordered(super().batch())

    def training(self) -> TrainingData:
        return replace(training(), batches=super().training().batches)


def fitted(n_out: int = 12, max_ratio: float = 3.0, strength: float = 10.0) -> HideFilter:
    stage = HideFilter(n_out, max_ratio, strength)
    stage.fit(training(), FITTING)
    return stage


def test_what_is_hidden_too_often_is_left_out_and_nothing_else() -> None:
    batch = ordered(SMALL.candidates(SMALL.requests))
    found = fitted()(batch).candidates
    assert np.any(batch.candidates.items == 3)
    assert set(np.unique(batch.candidates.items)) - set(np.unique(found.items)) == {3}


def test_the_ratio_by_hand() -> None:
    seen = training().log.until("validation").impressions  # type: ignore[union-attr]
    mine = seen[seen["item"] == 5]
    mean = seen["hide"].mean()
    expected = (mine["hide"].sum() + 10 * mean) / (len(mine) + 10) / mean
    assert fitted().ratio[5] == pytest.approx(expected)


def test_what_was_never_shown_is_kept() -> None:
    data = training()
    assert data.log is not None
    less = data.log.impressions[data.log.impressions["item"] != 7]
    stage = HideFilter(12, 3.0, 10.0)
    stage.fit(replace(data, log=replace(data.log, impressions=less.reset_index(drop=True))), FITTING)
    assert stage.ratio[7] == 1


def test_nobody_hides_anything() -> None:
    data = training()
    assert data.log is not None
    calm = data.log.impressions.assign(hide=False)
    stage = HideFilter(12, 1.0, 10.0)
    stage.fit(replace(data, log=replace(data.log, impressions=calm)), FITTING)
    assert set(stage.ratio.tolist()) == {1.0}


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InvalidValueError, match=r"max_ratio == 0.5, must be at least 1"):
        HideFilter(12, 0.5, 10.0)
    with pytest.raises(InvalidValueError, match=r"strength == 0, must be above 0"):
        HideFilter(12, 2.0, 0)
    with pytest.raises(InputError, match=r"needs the action 'hide', which the log lacks"):
        HideFilter(12, 2.0, 1.0).fit(replace(training(), log=SMALL.log), FITTING)
    with pytest.raises(InputError, match=r"nothing has been logged yet"):
        HideFilter(12, 2.0, 1.0).fit(TrainingData(SMALL.catalog), FITTING)
