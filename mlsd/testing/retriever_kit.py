"""What every retriever must keep, as tests to inherit.

    class TestMyRetriever(RetrieverKit):
        def make(self):
            return MyRetriever()

The kit's catalog speaks of music, its requests have a `query`, and its log has clicks in every window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pandas as pd
import pytest

from mlsd import ragged, rng
from mlsd.errors import NotFittedError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.logs import SPLITS, Log
from mlsd.retrievers.base import Retriever
from mlsd.types import Candidates, Catalog, Requests

WORDS = np.array(
    ["jazz", "rock", "opera", "piano", "violin", "drums", "concert", "festival", "ticket", "review", "singer"]
)
N_ITEMS = 150
N_REQUESTS = 80
FITTING = Fitting(TrainerOptions(max_epochs=1, n_threads=1), name="kit")


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
        assert retriever.catalog_needs <= set(self.make_catalog().columns)
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

    def test_best_come_first_and_ties_by_the_lower_item(self, fitted: Retriever) -> None:
        found = fitted.retrieve(self.make_requests(), N_ITEMS)
        order = np.lexsort((found.items, -found["score"], found.request_rows))
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
        requests = self.make_requests()
        found = fitted.retrieve(requests, 10)
        scores = fitted.score(requests, every_pair(len(requests), N_ITEMS)).reshape(-1, N_ITEMS)
        full = np.flatnonzero(found.counts == 10)
        worst = found["score"][found.offsets[full + 1] - 1]
        n_better = np.count_nonzero(scores[full] > worst[:, None], axis=1)
        assert n_better.max(initial=0) < 10

    def test_scores_of_a_pair_are_the_same_in_any_company(self, fitted: Retriever) -> None:
        requests = self.make_requests()
        together = fitted.score(requests, every_pair(len(requests), N_ITEMS)).reshape(-1, N_ITEMS)
        items = np.arange(N_ITEMS)[::-7]
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
        log, again = self.make_log(), self.make()
        again.fit(self.make_catalog(), log.window("retrieval"), FITTING)
        for name, array in fitted.state().items():
            np.testing.assert_array_equal(again.state()[name], array, err_msg=name)


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
