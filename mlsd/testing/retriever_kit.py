"""What every retriever must keep, as tests to inherit.

    class TestMyRetriever(RetrieverKit):
        def make(self):
            return MyRetriever()

The kit's catalog speaks of music, its requests have a `query`, and its log has clicks in every window.
Sources of fresh items inherit `FreshRetrieverKit`, whose catalog is of posts, and whose log is of a feed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mlsd import ragged, rng
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.logs import SPLITS, Log, served_of
from mlsd.retrievers.base import Retriever
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.testing.small_feed import SmallFeed, changed_from, rows_of
from mlsd.types import Candidates, Catalog, Ints, Requests

WORDS = np.array(
    ["jazz", "rock", "opera", "piano", "violin", "drums", "concert", "festival", "ticket", "review", "singer"]
)
N_ITEMS = 150
N_REQUESTS = 80
FITTING = Fitting(TrainerOptions(max_epochs=1, n_threads=1), name="kit")
FEED = SmallFeed()


class RetrieverKit(ABC):
    """Conformance tests of a retriever."""

    @abstractmethod
    def make(self) -> Retriever:
        """A retriever that is not fitted."""

    def make_catalog(self) -> Catalog:
        """What is searched; override where the retriever needs other columns."""
        return music(N_ITEMS)

    def make_requests(self) -> Requests:
        """Whose requests, the last of them without any word of the catalog."""
        return requests_for([*phrases("query", N_REQUESTS - 2, 2), "zzz", ""])

    def make_log(self) -> Log:
        """What was clicked on the catalog, in every window."""
        return clicks(self.make_requests(), len(self.make_catalog()))

    def is_live(self) -> bool:
        """Whether it remembers what users do; override where that is a matter of its options."""
        return type(self.make()).observed is not Retriever.observed

    def first_of_ties(self, items: Ints) -> Ints:
        """(n_candidates,) by what items of the same score are ordered, the lowest first."""
        return items

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls) -> Retriever:
        """Fitted once for all tests that only use it."""
        kit = cls()
        retriever = kit.make()
        retriever.fit(kit.make_catalog(), kit.make_log(), FITTING)
        return retriever

    def test_says_what_it_needs(self) -> None:
        retriever = self.make()
        assert retriever.catalog_needs <= self.make_catalog().names
        assert retriever.needs <= {f"request.{name}" for name in self.make_requests().named_columns()}

    def test_refuses_to_work_before_it_is_fitted(self) -> None:
        retriever, requests = self.make(), self.make_requests()
        for use in (lambda: retriever.retrieve(requests, 3), retriever.state):
            with pytest.raises(NotFittedError, match="before fit or load_state"):
                use()

    @pytest.mark.parametrize("n", [1, 7, N_ITEMS, 10 * N_ITEMS])
    def test_finds_at_most_n_items_each_once(self, fitted: Retriever, n: int) -> None:
        found = fitted.retrieve(self.make_requests(), n)
        pairs = found.request_rows * len(self.make_catalog()) + found.items
        assert found.counts.max() <= n
        assert len(np.unique(pairs)) == len(pairs) > 0
        assert found.items.min() >= 0
        assert found.items.max() < len(self.make_catalog())

    def test_best_come_first_and_ties_in_their_order(self, fitted: Retriever) -> None:
        found = fitted.retrieve(self.make_requests(), len(self.make_catalog()))
        order = np.lexsort((self.first_of_ties(found.items), -found["score"], found.request_rows))
        np.testing.assert_array_equal(order, np.arange(len(found)))

    def test_fewer_are_the_first_of_more(self, fitted: Retriever) -> None:
        requests = self.make_requests()
        few, many = fitted.retrieve(requests, 4), fitted.retrieve(requests, 40)
        rows, offsets = ragged.first(many.offsets, 4)
        assert_same(few, many.take(rows, offsets))

    def test_scores_of_what_it_finds_are_those_it_gives(self, fitted: Retriever) -> None:
        requests = self.make_requests()
        found = fitted.retrieve(requests, 20)
        assert found["score"].dtype == np.float32
        np.testing.assert_array_equal(fitted.score(requests, found), found["score"])

    def test_nothing_better_is_left_out(self, fitted: Retriever) -> None:
        requests, n_items = self.make_requests(), len(self.make_catalog())
        found = fitted.retrieve(requests, 10)
        scores = fitted.score(requests, every_pair(len(requests), n_items)).reshape(-1, n_items)
        full = np.flatnonzero(found.counts == 10)
        worst = found["score"][found.offsets[full + 1] - 1]
        n_better = np.count_nonzero(scores[full] > worst[:, None], axis=1)
        assert n_better.max(initial=0) < 10

    def test_scores_of_a_pair_are_the_same_in_any_company(self, fitted: Retriever) -> None:
        requests, n_items = self.make_requests(), len(self.make_catalog())
        together = fitted.score(requests, every_pair(len(requests), n_items)).reshape(-1, n_items)
        items = np.arange(n_items)[::-7]
        for row in (0, 5, len(requests) - 1):
            alone = Candidates(np.array([0, len(items)]), items)
            scores = fitted.score(requests.take(np.array([row])), alone)
            np.testing.assert_array_equal(scores, together[row, items])

    def test_candidates_of_a_request_are_the_same_in_any_company(self, fitted: Retriever) -> None:
        requests = self.make_requests()
        together = fitted.retrieve(requests, 9)
        for rows in (np.arange(len(requests))[::-1], np.array([3]), np.array([2, 2, 2]), np.arange(0)):
            taken, offsets = ragged.take_segments(together.offsets, rows)
            assert_same(fitted.retrieve(requests.take(rows), 9), together.take(taken, offsets))

    def test_state_is_plain_arrays_that_make_it_again(self, fitted: Retriever) -> None:
        requests, state = self.make_requests(), fitted.state()
        assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.values())
        again = self.make()
        again.load_state(state)
        assert_same(again.retrieve(requests, 9), fitted.retrieve(requests, 9))

    def test_fitting_again_changes_nothing(self, fitted: Retriever) -> None:
        again = self.make()
        again.fit(self.make_catalog(), self.make_log(), FITTING)
        for name, array in fitted.state().items():
            np.testing.assert_array_equal(again.state()[name], array, err_msg=name)

    def test_reads_no_window_but_its_own(self, fitted: Retriever) -> None:
        """Unless it remembers what users do; then it looks before the hour of each request."""
        if self.is_live():
            return
        log, again = self.make_log(), self.make()
        again.fit(self.make_catalog(), log.window("retrieval"), FITTING)
        for name, array in fitted.state().items():
            np.testing.assert_array_equal(again.state()[name], array, err_msg=name)

    @pytest.mark.parametrize("share", [0.0, 0.37, 0.8])
    @pytest.mark.parametrize("n_pieces", [1, 3, 30])
    def test_what_is_observed_is_known_as_if_it_had_been_logged(
        self, fitted: Retriever, share: float, n_pieces: int
    ) -> None:
        """Whatever part of the log it is fitted on, and in whatever pieces it observes the rest."""
        log = self.make_log()
        if not self.is_live():
            assert fitted.observed(served_of(log)) is fitted
            return
        cuts = (
            np.linspace(int(share * len(log.requests)), len(log.requests), n_pieces + 1).astype(int).tolist()
        )
        later = self.fitted_on(rows_of(log, 0, cuts[0]))
        before = {name: array.copy() for name, array in later.state().items()}
        first = later
        for start, end in pairwise(cuts):
            later = later.observed(served_of(rows_of(log, start, end)))
        for name, array in fitted.state().items():
            np.testing.assert_array_equal(later.state()[name], array, err_msg=name)
            np.testing.assert_array_equal(first.state()[name], before[name], err_msg="it changed itself")
        assert_same(later.retrieve(self.make_requests(), 9), fitted.retrieve(self.make_requests(), 9))

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    def test_what_happens_in_an_hour_is_known_from_the_next_one_on(
        self, fitted: Retriever, share: float
    ) -> None:
        """Other items and actions from some hour on change nothing before it, nor in it."""
        if not self.is_live():
            return
        log = self.make_log()
        hour = int(log.requests.hour[int(share * len(log.requests))])
        other = self.fitted_on(changed_from(log, hour, len(self.make_catalog())))
        until = log.requests.take(log.requests.hour <= hour)
        every = every_pair(len(until), len(self.make_catalog()))
        np.testing.assert_array_equal(other.score(until, every), fitted.score(until, every))
        assert_same(other.retrieve(until, 9), fitted.retrieve(until, 9))
        after = log.requests.take(log.requests.hour > hour)
        every = every_pair(len(after), len(self.make_catalog()))
        assert not np.array_equal(other.score(after, every), fitted.score(after, every))

    def fitted_on(self, log: Log) -> Retriever:
        """Fitted on another log than the kit's."""
        retriever = self.make()
        retriever.fit(self.make_catalog(), log, FITTING)
        return retriever


class FreshRetrieverKit(RetrieverKit):
    """Conformance tests of a source of fresh items."""

    def make_catalog(self) -> Catalog:
        return FEED.catalog

    def make_requests(self) -> Requests:
        return FEED.asked

    def make_log(self) -> Log:
        return FEED.log

    def first_of_ties(self, items: Ints) -> Ints:
        days = FEED.catalog["published_days"]
        return np.lexsort((np.arange(len(days)), -days)).argsort()[items]

    def test_finds_what_is_there_and_not_too_old(self, fitted: Retriever) -> None:
        """None of it from the future, of which it scores nothing either."""
        assert isinstance(fitted, FreshRetriever)
        requests, n_items = self.make_requests(), len(self.make_catalog())
        found = fitted.retrieve(requests, n_items)
        assert found.counts[-2:].tolist() == [0, 0]
        published = self.make_catalog()["published_days"]
        age = 24 * (requests.time_days[found.request_rows] - published[found.items])
        assert 0 < age.min() < age.max() <= fitted.max_age_hours
        every = every_pair(len(requests), n_items)
        fresh = np.zeros((len(requests), n_items), bool)
        for row, time in enumerate(requests.time_days.tolist()):
            for item, day in enumerate(published.tolist()):
                fresh[row, item] = time - fitted.max_age_hours / 24 <= day < time
        np.testing.assert_array_equal(fitted.is_fresh(requests, every), fresh.ravel())
        assert not fitted.score(requests, every)[~fresh.ravel()].any()

    def test_finds_everything_with_a_score(self, fitted: Retriever) -> None:
        requests, n_items = self.make_requests(), len(self.make_catalog())
        scores = fitted.score(requests, every_pair(len(requests), n_items)).reshape(-1, n_items)
        found = fitted.retrieve(requests, n_items)
        np.testing.assert_array_equal(found.counts, np.count_nonzero(scores > 0, axis=1))

    def test_a_time_that_is_not_finite_is_named(self) -> None:
        catalog = self.make_catalog()
        days = catalog["published_days"].copy()
        days[[3, 8]] = np.nan, np.inf
        broken = replace(catalog, columns={**catalog.columns, "published_days": days})
        with pytest.raises(
            InputError, match=r"item\.published_days\[3\] == nan, must be finite; 2 rows break"
        ):
            self.make().fit(broken, self.make_log(), FITTING)


def phrases(stream: str, n: int, n_words: int) -> list[str]:
    """`n` phrases of words drawn alike for the same stream, the first of `WORDS` more often."""
    drawn = rng.choice(
        0, stream, 1.0 / np.arange(1, len(WORDS) + 1), np.arange(n)[:, None], np.arange(n_words)
    )
    return [" ".join(words) for words in WORDS[drawn].tolist()]


def music(n_items: int) -> Catalog:
    """Items with a title and a text; some of them are equal."""
    columns = {
        "title": np.array(phrases("title", n_items, 2), object),
        "text": np.array(phrases("text", n_items, 3), object),
    }
    return Catalog(np.arange(n_items).astype(str), columns)


def requests_for(queries: list[str]) -> Requests:
    """A request for each query, by a user of its own."""
    rows = np.arange(len(queries))
    return Requests(rows, rows, np.zeros_like(rows), rows / 10, {"query": np.array(queries, object)})


def clicks(requests: Requests, n_items: int) -> Log:
    """Ten items shown to every request, about a third of them clicked; windows in the order of `SPLITS`."""
    n = len(requests)
    row, position = np.repeat(np.arange(n), 10), np.tile(np.arange(10), n)
    impressions = pd.DataFrame(
        {
            "request_id": requests.request_id[row],
            "user": requests.user[row],
            "time_days": requests.time_days[row],
            "item": rng.integers(0, "shown", n_items, row, position),
            "position": position,
            "propensity": 1.0,
            "explored": False,
            "click": rng.uniform(0, "clicked", row, position) < 1 / 3,
        }
    )
    return Log(requests, impressions, np.array(SPLITS)[np.arange(n) * len(SPLITS) // n])


def every_pair(n_requests: int, n_items: int) -> Candidates:
    """All items for every request."""
    offsets = np.arange(n_requests + 1) * n_items
    return Candidates(offsets, np.tile(np.arange(n_items), n_requests))


def assert_same(first: Candidates, second: Candidates) -> None:
    """The same candidates with the same columns, to the last bit."""
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.testing.assert_array_equal(first.items, second.items)
    np.testing.assert_array_equal(first["score"], second["score"])
