"""What every diversifier must keep. Inherit `DiversifierKit` and give it yours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mlsd import ragged
from mlsd.diversifiers.base import Diversifier, Pool
from mlsd.errors import InvalidValueError, MlsdError
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, Catalog, Floats, Ints

SMALL = SmallLog()
N_TOPICS = 4


class DiversifierKit(ABC):
    """Conformance tests of a diversifier."""

    @abstractmethod
    def make(self, trade_off: float) -> Diversifier:
        """The diversifier to test, not fitted."""

    def catalog(self) -> Catalog:
        """What it is fitted on: four topics, a word shared by some titles, an item without either."""
        catalog = SMALL.catalog
        titles, topics = catalog["title"].copy(), catalog["category"].copy()
        titles[3], topics[3] = "", -1
        return replace(catalog, columns={**catalog.columns, "title": titles, "category": topics})

    def pool(self) -> Pool:
        """Requests of 1 to 12 candidates, whose topics are understood."""
        batch = SMALL.candidates(SMALL.requests.take(np.arange(0, 60)))
        batch = batch.keep(ragged.positions(batch.candidates.offsets) <= batch.candidates.request_rows % 12)
        relevance: Floats = np.floor(100 * batch.candidates["score"].astype(np.float64)) / 100
        rows = ragged.order(relevance, batch.candidates.offsets)
        topic_prob = np.tile(np.arange(1, N_TOPICS + 1) / 10, (len(batch), 1)).astype(np.float32)
        requests = batch.requests.with_columns(topic_prob=topic_prob)
        return Pool(requests, batch.candidates.take(rows, batch.candidates.offsets), relevance[rows])

    def fitted(self, trade_off: float) -> Diversifier:
        diversifier = self.make(trade_off)
        diversifier.fit(self.catalog())
        return diversifier

    def test_unfitted_is_refused(self) -> None:
        for use in (lambda: self.make(0.5).begin(self.pool()), self.make(0.5).state):
            with pytest.raises(MlsdError, match="before fit or load_state"):
                use()

    def test_a_trade_off_beyond_its_range_is_refused(self) -> None:
        with pytest.raises(InvalidValueError, match=r"trade_off == 1\.5, must be between 0 and 1"):
            self.make(1.5)

    def test_without_trade_off_relevance_alone_counts(self) -> None:
        pool = self.pool()
        choice = self.fitted(0.0).begin(pool)
        for _ in range(3):
            assert np.array_equal(choice.gains(), pool.relevance)
            choice.add(pool.of_request(pool.candidates.offsets[:-1]))

    def test_gains_stay_finite_whatever_is_chosen(self) -> None:
        for trade_off in (0.5, 1.0):
            pool = self.pool()
            choice = self.fitted(trade_off).begin(pool)
            for place in range(12):
                assert np.isfinite(choice.gains()).all()
                chosen = np.minimum(pool.candidates.offsets[:-1] + place, pool.candidates.offsets[1:] - 1)
                choice.add(pool.of_request(chosen))

    def test_a_request_alone_gains_the_same(self) -> None:
        pool, diversifier = self.pool(), self.fitted(0.4)
        together = greedy(diversifier, pool, 6)
        for row in range(0, len(pool.requests), 7):
            alone = greedy(diversifier, _only(pool, row), 6)
            (start, end) = pool.candidates.offsets[row : row + 2]
            for mine, all_of_them in zip(alone, together, strict=True):
                assert mine.tobytes() == all_of_them[start:end].tobytes()

    def test_no_requests_at_all(self) -> None:
        pool = self.pool()
        nothing = Pool(pool.requests.take(np.arange(0)), Candidates.none(0), np.zeros(0))
        choice = self.fitted(0.4).begin(nothing)
        choice.add(np.zeros(0, np.int64))
        assert choice.gains().shape == (0,)

    def test_it_needs_no_other_column_of_the_catalog(self) -> None:
        catalog, diversifier = self.catalog(), self.make(0.4)
        columns = {name: catalog[name] for name in diversifier.catalog_needs}
        diversifier.fit(Catalog(catalog.item_id, columns))
        assert same(diversifier, self.fitted(0.4), self.pool())

    def test_state_restores_every_bit(self) -> None:
        fitted, restored = self.fitted(0.4), self.make(0.4)
        state = fitted.state()
        assert not [name for name, array in state.items() if array.dtype.hasobject]
        restored.load_state(state)
        assert same(restored, fitted, self.pool())


def greedy(diversifier: Diversifier, pool: Pool, n_rounds: int) -> list[Floats]:
    """The gains of all candidates in each round, when each request takes the best that it has not taken."""
    choice, left, rounds = diversifier.begin(pool), np.ones(len(pool.candidates), bool), []
    for _ in range(n_rounds):
        gains = choice.gains()
        rounds.append(gains)
        best = ragged.argmax(np.where(left, gains, -np.inf), pool.candidates.offsets)
        left[best] = False
        choice.add(pool.of_request(best))
    return rounds


def same(one: Diversifier, other: Diversifier, pool: Pool) -> bool:
    """Whether both give every candidate the same gains, to the last bit."""
    pairs = zip(greedy(one, pool, 5), greedy(other, pool, 5), strict=True)
    return all(mine.tobytes() == yours.tobytes() for mine, yours in pairs)


def _only(pool: Pool, row: int) -> Pool:
    rows, offsets = ragged.take_segments(pool.candidates.offsets, np.array([row]))
    requests = pool.requests.take(np.array([row]))
    return Pool(requests, pool.candidates.take(rows, offsets), pool.relevance[rows])


def pool_of(relevance: Sequence[float], items: Ints | None = None, topic_prob: Floats | None = None) -> Pool:
    """One request with candidates of this falling relevance: items 0, 1, ... unless others are given."""
    n = len(relevance)
    requests = SMALL.requests.take(np.array([0]))
    if topic_prob is not None:
        requests = requests.with_columns(topic_prob=topic_prob[None, :])
    chosen = np.arange(n) if items is None else items
    return Pool(requests, Candidates(np.array([0, n]), chosen), np.array(relevance, np.float64))
