from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from mlsd import ragged
from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel, missing_columns
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Candidates, RankingBatch, Requests, State


class Find(CandidateStage):
    """Finds the first `n_out` whole numbers, fewer for a request that says so."""

    needs = frozenset({"request.limit"})
    produces = frozenset({"candidate.score"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        offsets = ragged.offsets_of_counts(np.minimum(batch.requests["limit"], self.n_out))
        items = ragged.positions(offsets)
        return RankingBatch(batch.requests, Candidates(offsets, items, {"score": -items.astype(float)}))

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        pass


class Turn(Find):
    """Keeps the `n_out` lowest scores, lowest first."""

    needs = frozenset({"candidate.score"})
    produces = frozenset({"candidate.turned"})

    def process(self, batch: RankingBatch) -> RankingBatch:
        turned = batch.candidates.with_columns(turned=-batch.candidates["score"])
        return RankingBatch(batch.requests, turned).top(turned["turned"], self.n_out)


def asking(*limits: int) -> Requests:
    n = len(limits)
    columns = {"limit": np.array(limits, np.int64)}
    return Requests(np.arange(n), np.arange(n), np.zeros(n, np.int64), np.zeros(n), columns)


FUNNEL = Funnel({"find": Find(4), "turn": Turn(2)})


def test_candidates_pass_the_stages_in_order() -> None:
    batch = FUNNEL(asking(9, 3, 1, 0))
    assert batch.candidates.items.tolist() == [3, 2, 2, 1, 0]
    assert batch.candidates.counts.tolist() == [2, 2, 1, 0]


def test_trace_shows_what_each_stage_passes_on() -> None:
    requests = asking(9, 0)
    traced = FUNNEL.trace(requests)
    assert list(traced) == ["find", "turn"]
    assert traced["find"].candidates.items.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(traced["turn"].candidates.items, FUNNEL(requests).candidates.items)


def test_a_request_is_ranked_alike_in_any_company() -> None:
    together = FUNNEL(asking(3, 7, 2))
    alone = FUNNEL(asking(3, 7, 2).take(np.array([1])))
    np.testing.assert_array_equal(together.take(np.array([1])).candidates.items, alone.candidates.items)


def test_no_requests() -> None:
    assert len(FUNNEL(asking())) == 0
    assert len(FUNNEL(asking()).candidates) == 0


def test_last() -> None:
    assert isinstance(FUNNEL.last, Turn)


def test_a_funnel_only_narrows() -> None:
    rule = r"stages.turn.n_out == 5, must be at most find's n_out == 4: a funnel only narrows"
    with pytest.raises(InvalidValueError, match=rule):
        Funnel({"find": Find(4), "turn": Turn(5)})


def test_a_funnel_has_a_stage() -> None:
    with pytest.raises(InvalidValueError, match=r"stages == {}, must not be empty"):
        Funnel({})


def test_all_that_is_wrong_is_collected() -> None:
    with collecting() as faults:
        Funnel({})
        Funnel({"find": Find(1), "turn": Turn(2), "again": Turn(3)})
    assert [fault.name for fault in faults] == ["stages", "stages.turn.n_out", "stages.again.n_out"]


def test_a_stage_that_lacks_a_column_says_so() -> None:
    message = r"Turn needs candidate\.score; there are candidate\.items, request\.limit, request\.request_id"
    with pytest.raises(InputError, match=message):
        Funnel({"turn": Turn(2)})(asking(1))


class TestMissingColumns:
    def test_a_stage_may_use_what_an_earlier_one_produces(self) -> None:
        assert missing_columns(FUNNEL.stages, frozenset({"request.limit"})) == {}

    def test_every_stage_that_lacks_something_is_named(self) -> None:
        stages = {"turn": Turn(9), "find": Find(9)}
        expected = {"turn": {"candidate.score"}, "find": {"request.limit"}}
        assert missing_columns(stages, frozenset({"request.query"})) == expected

    def test_order_matters(self) -> None:
        stages = {"turn": Turn(9), "find": Find(9)}
        assert missing_columns(stages, frozenset({"request.limit"})) == {"turn": {"candidate.score"}}
