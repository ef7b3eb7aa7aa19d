"""Batches keep their rows together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.relations import Relation
from mlsd.types import (
    HOURS_A_DAY,
    Array,
    Candidates,
    Catalog,
    Floats,
    Ints,
    Judgements,
    RankingBatch,
    Requests,
    concat_batches,
    hours_of,
)

Pair = tuple[int, int, int]
"""A user, a value, and since when."""


def requests(n: int) -> Requests:
    ids = np.arange(n)
    return Requests(
        ids, ids % 2, ids, np.linspace(0.25, n, n), {"query": np.array([f"q{i}" for i in ids], dtype=object)}
    )


def batch() -> RankingBatch:
    candidates = Candidates(np.array([0, 2, 2, 5]), np.array([7, 8, 1, 2, 3]), {"score": np.arange(5.0)})
    return RankingBatch(requests(3), candidates)


def test_columns_are_found_by_their_owner() -> None:
    assert batch().per_candidate("request.query").tolist() == ["q0", "q0", "q2", "q2", "q2"]
    assert batch().per_candidate("candidate.score").tolist() == [0, 1, 2, 3, 4]
    assert {"request.query", "request.user", "candidate.items", "candidate.score"} <= batch().column_names


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no column candidate\.bm25; there are items, score"):
        batch().per_candidate("candidate.bm25")


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])])
def test_taking_requests_takes_their_candidates(rows: Array) -> None:
    taken = batch().take(rows)
    expected = {0: [7, 8], 2: [1, 2, 3]}
    for row, request in enumerate(taken.requests.request_id):
        start, end = taken.candidates.offsets[row : row + 2]
        assert taken.candidates.items[start:end].tolist() == expected[int(request)]


def test_top_is_best_first_and_ties_keep_their_order() -> None:
    top = batch().top(np.array([1.0, 2.0, 5.0, 5.0, 6.0]), 2)
    assert top.candidates.items.tolist() == [8, 7, 3, 1]
    assert top.candidates.counts.tolist() == [2, 0, 2]


def test_keep_leaves_requests_without_candidates() -> None:
    kept = batch().keep(np.array([False, False, True, False, True]))
    assert kept.candidates.counts.tolist() == [0, 0, 2]
    assert len(kept) == 3


def test_slates_fill_up_with_no_item() -> None:
    slates = batch().slates(2)
    assert slates.items.tolist() == [[7, 8], [-1, -1], [1, 2]]
    assert slates.shown.sum() == 4


def test_concatenating_takes_apart_and_puts_together() -> None:
    whole = batch()
    again = concat_batches([whole.take(np.array([0])), whole.take(np.array([1, 2]))])
    assert again.candidates.items.tolist() == whole.candidates.items.tolist()
    assert again.candidates.offsets.tolist() == whole.candidates.offsets.tolist()
    assert again.requests["query"].tolist() == whole.requests["query"].tolist()


def test_judgements_grade_what_they_list_and_nothing_else() -> None:
    judged = Judgements(np.array([0, 1, 1, 3]), np.array([8, 2, 9]), np.array([4.0, 1.0, 2.0]))
    assert judged.grades_of(batch().candidates).tolist() == [0, 4, 0, 1, 0]
    assert judged.take(np.array([2])).grades.tolist() == [1, 2]


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"request\.query has 2 rows, must have 3"):
        Requests(*(np.arange(3),) * 3, np.zeros(3), {"query": np.array(["a", "b"])})
    with pytest.raises(InputError, match="must run from 0 to n_candidates == 1"):
        Candidates(np.array([0, 2]), np.array([5]))
    with pytest.raises(InputError, match="2 requests but candidates for 3"):
        RankingBatch(requests(2), Candidates.none(3))


def test_an_empty_batch_is_a_batch() -> None:
    empty = RankingBatch.of(requests(0))
    assert len(empty.take(np.zeros(0, int))) == 0
    assert empty.slates(3).items.shape == (0, 3)
    assert empty.top(np.zeros(0), 5).candidates.items.tolist() == []


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 9)), max_size=30)


@given(PAIRS, PAIRS)
def test_a_relation_holds_from_its_first_time_on(told: list[Pair], asked: list[Pair]) -> None:
    """Against a dictionary of the earliest time of each pair."""
    first: dict[tuple[int, int], int] = {}
    for user, value, since in told:
        first[user, value] = min(since, first.get((user, value), since))
    relation = Relation.of(*columns_of(told))
    assert len(relation) == len(first)
    held = relation.held(*columns_of(asked))
    assert held.tolist() == [first.get((user, value), 99) < time for user, value, time in asked]


def test_a_relation_refuses_pairs_out_of_order() -> None:
    for value in ([3, 3], [3, 2]):
        with pytest.raises(InputError, match="must ascend by user and value without repeats"):
            Relation(np.array([1, 1]), np.array(value), np.zeros(2))


@pytest.mark.parametrize("bad", [-1, -7])
def test_a_relation_refuses_what_cannot_be(bad: int) -> None:
    for user, value, name in ([bad, 1], [3, 2], "user"), ([1, 1], [bad, 2], "value"):
        with pytest.raises(InputError, match=rf"relation.{name}\[0\] == {bad}, must be at least 0; 1 rows"):
            Relation(np.array(user), np.array(value), np.zeros(2))
    with pytest.raises(InputError, match=r"relation.since_days\[1\] == nan, must be a time in days"):
        Relation(np.array([1, 1]), np.array([2, 3]), np.array([0.0, np.nan]))


def test_nobody_and_nothing_are_related_to_anything() -> None:
    """Value -1 of user 3 is not the last value of user 2, and value 9 not the first of user 4."""
    users, values = (part.ravel() for part in np.meshgrid(np.arange(5), np.arange(9)))
    everything = Relation.of(users, values)
    asked = np.array([3, 3, -1, -1, 5]), np.array([-1, 9, 0, -1, 0])
    assert not everything.held(*asked, np.full(5, 1.0)).any()
    none = Relation.of(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert not none.held(*asked, np.full(5, 1.0)).any()


def test_a_relation_that_is_told_nothing_new_stays_itself() -> None:
    relation = Relation.of(np.array([1, 2]), np.array([5, 6]))
    assert relation.joined(np.array([2, 1]), np.array([6, 5]), np.array([9, 9])) is relation
    none = np.zeros(0, np.int64)
    assert relation.joined(none, none, none) is relation


def test_a_catalog_names_its_columns_and_relations() -> None:
    follows = Relation.of(np.array([1]), np.array([5]))
    catalog = Catalog(np.array(["a"]), {"author": np.array([5])}, {"follows": follows})
    assert catalog.names == {"author", "relation.follows"}
    assert catalog.relation("follows") is follows
    with pytest.raises(InputError, match=r"no relation 'folows'; there are follows; nearest is 'follows'$"):
        catalog.relation("folows")
    with pytest.raises(InputError, match=r"no relation 'blocks'; there are none$"):
        Catalog(np.array(["a"])).relation("blocks")


@given(st.floats(0, 400))
def test_hours_are_those_of_their_day(time: float) -> None:
    """As rounds of a day are told apart: by the part of the day, however the whole is rounded."""
    day, hour = divmod(int(hours_of(np.array([time]))[0]), HOURS_A_DAY)
    assert day == int(time)
    assert hour == int(time % 1.0 * 24)


def columns_of(pairs: list[Pair]) -> tuple[Ints, Ints, Floats]:
    user, value, time = (np.array(column, np.int64) for column in zip(*(pairs or [(0, 0, 0)]), strict=True))
    return user[: len(pairs)], value[: len(pairs)], time[: len(pairs)].astype(np.float64)


@given(PAIRS, st.lists(PAIRS, max_size=3))
def test_a_relation_grows_hour_by_hour(told: list[Pair], later: list[list[Pair]]) -> None:
    """Against a dictionary: what is known stays as it is, what is new holds from the end of its hour on."""
    relation = Relation.of(*columns_of(told))
    first = dict(zip(zip(relation.user, relation.value, strict=True), relation.since_days, strict=True))
    for pairs in later:
        user, value, hour = columns_of(pairs)
        relation = relation.joined(user, value, hour.astype(np.int64))
        since: dict[tuple[int, int], float] = {}
        for one, other, time in pairs:
            since[one, other] = min(time / HOURS_A_DAY, since.get((one, other), np.inf))
        first = {**since, **first}
    asked = np.divmod(np.arange(64), 8)
    for hour_asked in (0, 3, 99):
        known = relation.known(*asked, np.full(64, hour_asked))
        pairs_asked = zip(*(part.tolist() for part in asked), strict=True)
        assert known.tolist() == [first.get(pair, np.inf) < hour_asked / HOURS_A_DAY for pair in pairs_asked]
