"""What every filter must keep. Inherit `FilterKit` and give it your filter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from mlsd.errors import NotFittedError
from mlsd.filters.base import Filter
from mlsd.logs import Log, served_of
from mlsd.testing.small_feed import SmallFeed, changed_from, rows_of
from mlsd.types import RankingBatch, Requests

FEED = SmallFeed()


class FilterKit(ABC):
    """Conformance tests of a filter, on posts of a made-up feed."""

    @abstractmethod
    def make(self) -> Filter:
        """A filter that is not fitted. Of the kit's candidates it keeps some, not all."""

    def candidates(self, requests: Requests) -> RankingBatch:
        """What the filter decides about for these requests."""
        return FEED.candidates(requests)

    def batch(self) -> RankingBatch:
        """Requests of all hours of the log and of others, with their candidates."""
        return self.candidates(FEED.asked)

    def fitted_on(self, log: Log | None) -> Filter:
        """Fitted on the kit's catalog and a log."""
        one = self.make()
        one.fit(FEED.catalog, log)
        return one

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        """What the filter keeps that is fitted on the kit's log."""
        return self.fitted_on(FEED.log).kept(batch)

    def test_some_are_kept_and_some_are_not(self) -> None:
        kept = self.kept(self.batch())
        assert kept.dtype == bool
        assert kept.shape == (len(self.batch().candidates),)
        assert 0 < np.count_nonzero(kept) < len(kept)

    def test_each_is_decided_on_its_own(self) -> None:
        """Whatever else is asked and found, in whatever order."""
        batch, rows = self.batch(), np.arange(len(self.batch()))
        together = self.kept(batch)
        for some in (rows[::-1], rows[::3], rows[-1:], rows[:0]):
            part = batch.candidates.with_columns(kept=together)
            expected = RankingBatch(batch.requests, part).take(some).candidates["kept"]
            np.testing.assert_array_equal(self.kept(batch.take(some)), expected)
        odd = np.arange(len(together)) % 2 == 1
        np.testing.assert_array_equal(self.kept(batch.keep(odd)), together[odd])

    def test_declares_what_it_reads(self) -> None:
        one, batch = self.make(), self.batch()
        assert one.needs <= batch.column_names
        assert one.catalog_needs <= FEED.catalog.names
        bare = RankingBatch(batch.requests, batch.candidates)
        for name in {"request.user", "request.time_days"} - one.needs:
            zeros = {name.removeprefix("request."): np.zeros_like(batch.per_candidate(name)[: len(batch)])}
            other = Requests.of_columns({**batch.requests.named_columns(), **zeros})
            np.testing.assert_array_equal(self.kept(RankingBatch(other, batch.candidates)), self.kept(bare))

    def test_state_is_plain_arrays_that_make_it_again(self) -> None:
        one, again = self.fitted_on(FEED.log), self.make()
        state = one.state()
        assert not [name for name, array in state.items() if array.dtype.hasobject]
        again.load_state(state)
        np.testing.assert_array_equal(again.kept(self.batch()), one.kept(self.batch()))
        assert {name: array.tobytes() for name, array in again.state().items()} == {
            name: array.tobytes() for name, array in state.items()
        }

    def test_fitting_again_forgets_what_was_before(self) -> None:
        one = self.fitted_on(FEED.log)
        one.fit(FEED.catalog, None)
        fresh = self.fitted_on(None)
        assert {name: array.tobytes() for name, array in one.state().items()} == {
            name: array.tobytes() for name, array in fresh.state().items()
        }

    def test_unfitted_it_refuses(self) -> None:
        for use in (lambda: self.make().kept(self.batch()), lambda: self.make().state()):
            with pytest.raises(NotFittedError, match="before fit or load_state"):
                use()

    @pytest.mark.parametrize("share", [0.0, 0.37, 0.8])
    @pytest.mark.parametrize("n_pieces", [1, 3, 30])
    def test_what_is_observed_is_known_as_if_it_had_been_logged(self, share: float, n_pieces: int) -> None:
        """Whatever part of the log it is fitted on, and in whatever pieces it observes the rest."""
        log, n = FEED.log, len(FEED.requests)
        cuts = np.linspace(int(share * n), n, n_pieces + 1).astype(int).tolist()
        first = later = self.fitted_on(rows_of(log, 0, cuts[0]))
        before = first.kept(self.batch())
        for start, end in pairwise(cuts):
            later = later.observed(served_of(rows_of(log, start, end)))
        np.testing.assert_array_equal(later.kept(self.batch()), self.kept(self.batch()))
        np.testing.assert_array_equal(first.kept(self.batch()), before)
        whole = self.fitted_on(log).state()
        for name, array in later.state().items():
            np.testing.assert_array_equal(array, whole[name], err_msg=name)

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
    def test_what_happens_in_an_hour_is_known_from_the_next_one_on(self, share: float) -> None:
        """Other items and actions from some hour on change nothing before it, nor in it."""
        log, hours = FEED.log, FEED.requests.hour
        hour = int(hours[int(share * len(hours))])
        other = self.fitted_on(changed_from(log, hour, len(FEED.catalog)))
        until = self.candidates(FEED.requests.take(hours <= hour))
        np.testing.assert_array_equal(other.kept(until), self.kept(until))
