"""Items of those whom users follow: against loops, by the hour, and who is related to nobody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError
from mlsd.logs import Log
from mlsd.relations import Relation
from mlsd.retrievers.fresh.related import Related
from mlsd.testing.retriever_kit import FEED, FITTING, FreshRetrieverKit, every_pair
from mlsd.testing.small_feed import N_USERS, NOBODY
from mlsd.types import Catalog, Requests, Served, Slates

MAX_AGE = 30.0


class TestRelated(FreshRetrieverKit):
    def make(self) -> Related:
        return Related("follows", "author", MAX_AGE, "follow")


class TestRelatedForGood(FreshRetrieverKit):
    """Nothing that users do relates them."""

    def make(self) -> Related:
        return Related("follows", "author", MAX_AGE)

    def is_live(self) -> bool:
        return False


def requests_of(user: list[int], time: list[float]) -> Requests:
    ids = np.arange(len(user))
    return Requests(ids, np.array(user, np.int64), ids * 0, np.array(time, np.float64))


def catalog_of(author: list[int], days: list[float], follows: Relation | None = None) -> Catalog:
    none = Relation.of(np.zeros(0, np.int64), np.zeros(0, np.int64))
    columns = {"author": np.array(author, np.int64), "published_days": np.array(days, np.float64)}
    return Catalog(np.arange(len(author)).astype(str), columns, {"follows": follows or none})


def fitted_on(catalog: Catalog, log: Log | None = None, action: str | None = "follow") -> Related:
    source = Related("follows", "author", MAX_AGE, action)
    source.fit(catalog, log, FITTING)
    return source


def test_scores_are_those_of_a_loop_over_pairs_and_the_log() -> None:
    """Who follows whom, when, read off the relation and the log row by row."""
    catalog, log, requests = FEED.catalog, FEED.log, FEED.asked
    first: dict[tuple[int, int], float] = {}
    follows = catalog.relation("follows")
    for user, value, since in zip(follows.user, follows.value, follows.since_days, strict=True):
        first[int(user), int(value)] = float(since) * 24
    told: dict[tuple[int, int], float] = {}
    for shown in log.impressions.to_dict("records"):
        if shown["follow"]:
            pair = int(shown["user"]), int(catalog["author"][shown["item"]])
            hour = float(np.floor(shown["time_days"] % 1 * 24) + 24 * np.floor(shown["time_days"]))
            told[pair] = min(hour, told.get(pair, np.inf))
    first = {**told, **first}
    found = fitted_on(catalog, log).score(requests, every_pair(len(requests), len(catalog)))
    scores = found.reshape(len(requests), -1)
    n_followed = 0
    for row, (user, time, hour) in enumerate(
        zip(requests.user.tolist(), requests.time_days.tolist(), requests.hour.tolist(), strict=True)
    ):
        for item, (author, day) in enumerate(
            zip(catalog["author"].tolist(), catalog["published_days"].tolist(), strict=True)
        ):
            related = first.get((user, author), np.inf) < hour and author != user
            fresh = time - MAX_AGE / 24 <= day < time
            expected = 1 / (1 + 24 * (time - day)) if related and fresh else 0.0
            assert scores[row, item] == np.float32(expected)
            n_followed += related and fresh and told.get((user, author)) == first[user, author]
    assert n_followed > 50, "some are followed because of what the log says"


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-4, 60)), max_size=25),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12),
    st.lists(st.tuples(st.integers(0, 5), st.integers(-10, 90)), max_size=6),
)
def test_what_is_found_is_what_a_loop_finds(
    posts: list[tuple[int, int]], pairs: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    """Times in whole hours, so that many are equal and some on the edge; users follow themselves, too."""
    follows = Relation.of(*(np.array(pairs, np.int64).reshape(-1, 2).T))
    catalog = catalog_of([author for author, _ in posts], [hour / 24 for _, hour in posts], follows)
    requests = requests_of([user for user, _ in asked], [hour / 24 for _, hour in asked])
    found = fitted_on(catalog, action=None).retrieve(requests, 10)
    for row, (user, hour) in enumerate(asked):
        time = hour / 24
        expected = [
            (-published / 24, item)
            for item, (author, published) in enumerate(posts)
            if (user, author) in pairs and author != user and time - MAX_AGE / 24 <= published / 24 < time
        ]
        mine = found.items[found.offsets[row] : found.offsets[row + 1]].tolist()
        assert mine == [item for _, item in sorted(expected)][:10]


def test_who_follows_nobody_and_whom_nobody_knows_find_nothing() -> None:
    """Until they follow somebody; the same in a catalog in which nobody follows anybody."""
    quiet, stranger = N_USERS - 1, NOBODY
    source = fitted_on(FEED.catalog)
    times = [2.0, 3.0]
    assert source.retrieve(requests_of([quiet, stranger], times), 9).counts.tolist() == [0, 0]
    nobody = fitted_on(catalog_of([0, 1], [0.1, 0.2]))
    assert nobody.retrieve(requests_of([0, 1], [0.5, 0.5]), 9).counts.tolist() == [0, 0]
    page = Served(requests_of([stranger], [2.0]), Slates(np.array([[7]])), {"follow": np.array([[True]])})
    later = source.observed(page).retrieve(requests_of([stranger, stranger], [2.0, 3.0]), 99)
    author = FEED.catalog["author"]
    assert later.counts[0] == 0, "not in the hour in which it happened"
    assert set(author[later.items].tolist()) == {int(author[7])}


def test_users_do_not_find_their_own() -> None:
    follows = Relation.of(np.array([3, 3]), np.array([3, 4]))
    source = fitted_on(catalog_of([3, 4, 3], [0.1, 0.2, 0.3], follows))
    assert source.retrieve(requests_of([3], [0.5]), 9).items.tolist() == [1]
    assert source.score(requests_of([3], [0.5]), every_pair(1, 3)).tolist()[::2] == [0, 0]


def test_items_of_one_time_come_by_the_lower_one() -> None:
    follows = Relation.of(np.array([0, 0]), np.array([1, 2]))
    source = fitted_on(catalog_of([2, 1, 2, 1], [0.3, 0.3, 0.3, 0.4], follows))
    assert source.retrieve(requests_of([0], [0.5]), 3).items.tolist() == [3, 0, 1]


def test_an_empty_catalog_is_one_in_which_nothing_is_found() -> None:
    source = fitted_on(catalog_of([], [], Relation.of(np.array([0]), np.array([1]))))
    found = source.retrieve(requests_of([0, 1], [0.5, 0.5]), 9)
    assert found.offsets.tolist() == [0, 0, 0]


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InvalidValueError, match="max_age_hours == 0, must be above 0"):
        Related("follows", "author", 0)
    with pytest.raises(
        InputError, match=r"no relation 'folows'; there are follows, blocks; nearest is 'follows'"
    ):
        Related("folows", "author", 1.0).fit(FEED.catalog, None, FITTING)
    with pytest.raises(InputError, match=r"no action 'folow'; users have .*; nearest is 'follow'"):
        fitted_on(FEED.catalog, FEED.log, "folow")
    columns = {**FEED.catalog.columns, "author": FEED.catalog["author"] - 1}
    with pytest.raises(InputError, match=r"item.author\[\d+\] == -1, must be a category, at least 0"):
        fitted_on(replace(FEED.catalog, columns=columns))
