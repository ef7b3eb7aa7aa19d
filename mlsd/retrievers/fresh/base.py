"""What sources of fresh items share: which items there are at a time, and the best of these."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.columns import published_days
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.retrievers.base import Retriever, Scores
from mlsd.types import HOURS_A_DAY, Candidates, Catalog, Floats, Ints, Requests, State


@dataclass(frozen=True)
class Published:
    """When items were published, searched by time.

    An item's rank is its place among all items, the newest first, those of one time by the lower item.

    Args:
        days: (n_items,) float64, when each was published, finite.

    Example:
        Items 1 and 2 are of one time; from .1 on and before .5 there are these and item 0.

        >>> published = Published(np.array([0.1, 0.2, 0.2, 0.5]))
        >>> first, last = published.span(np.array([0.1]), np.array([0.5]))
        >>> published.order[first[0] : last[0]].tolist()
        [1, 2, 0]
    """

    days: Floats

    @cached_property
    def order(self) -> Ints:
        """(n_items,) the item of each rank."""
        return np.argsort(-self.days, kind="stable")

    @cached_property
    def ranks(self) -> Ints:
        """(n_items,) the rank of each item."""
        ranks = np.empty(len(self.days), np.int64)
        ranks[self.order] = np.arange(len(ranks))
        return ranks

    @cached_property
    def _falling(self) -> Floats:
        """(n_items,) minus the times, by rank, so that they ascend."""
        return -self.days[self.order]

    def span(self, after: Floats, before: Floats) -> tuple[Ints, Ints]:
        """The first rank, and the one after the last, of items published from one time on and before another.

        Args:
            after: (n,) in days.
            before: (n,) in days.
        """
        first = np.searchsorted(self._falling, -before, side="right")
        return first, np.maximum(np.searchsorted(self._falling, -after, side="right"), first)


class FreshRetriever(Retriever):
    """Finds items that were published before a request, at most so many hours before.

        score = worth where it is fresh,  0 of any other item

    Of these it finds those of highest score above 0; an item without one does not match. Of items with the
    same score the newest comes first; of those of one time, the lower item.

    Args:
        max_age_hours: of an item, above 0.
        published: column of the catalog with the time of publication, in days since the start of the log.
    """

    needs = frozenset({"request.time_days"})

    def __init__(self, max_age_hours: float, published: str = "published_days") -> None:
        self.max_age_hours = checks.above("max_age_hours", max_age_hours, 0)
        self.published = checks.not_empty("published", published)
        self.catalog_needs = frozenset({published})
        self._published: Published | None = None

    @property
    def items(self) -> Published:
        """When items were published.

        Raises:
            NotFittedError: before `fit` or `load_state`.
        """
        if self._published is None:
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        return self._published

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Take over when items were published.

        Raises:
            InputError: a time is not finite.
        """
        del log, fitting
        self._published = Published(published_days(catalog, self.published))
        return Curves()

    def retrieve(self, requests: Requests, n: int) -> Candidates:
        found, worth = self.weighed(requests)
        scores = self._if_fresh(worth, requests, found)
        matching = scores > 0
        offsets = ragged.offsets_of_mask(matching, found.offsets)
        rows, best = ragged.top(scores[matching], offsets, n)
        return Candidates(best, found.items[matching][rows], {"score": scores[matching][rows]})

    def weighed(self, requests: Requests) -> tuple[Candidates, Floats]:
        """What may match, by rank, and its worth: a source that knows both at once says them at once."""
        found = self.found(requests)
        return found, self.worth(requests, found)

    def found(self, requests: Requests) -> Candidates:
        """What may match, by rank: all fresh items unless a source knows fewer."""
        first, last = self.fresh_span(requests)
        offsets = ragged.offsets_of_counts(last - first)
        return Candidates(
            offsets, self.items.order[first[ragged.segment_ids(offsets)] + ragged.positions(offsets)]
        )

    def score(self, requests: Requests, candidates: Candidates) -> Scores:
        return self._if_fresh(self.worth(requests, candidates), requests, candidates)

    @abstractmethod
    def worth(self, requests: Requests, candidates: Candidates) -> Floats:
        """(n_candidates,) the score of any candidates were they fresh; 0 and below do not match."""

    def fresh_span(self, requests: Requests) -> tuple[Ints, Ints]:
        """The first rank of the fresh items of each request, and the one after the last."""
        return self.items.span(self._oldest(requests), requests.time_days)

    def is_fresh(self, requests: Requests, candidates: Candidates) -> NDArray[np.bool_]:
        """(n_candidates,) whether each is there and not too old when its request is made."""
        rows, published = candidates.request_rows, self.items.days[candidates.items]
        return (published >= self._oldest(requests)[rows]) & (published < requests.time_days[rows])

    def age_hours(self, requests: Requests, candidates: Candidates) -> Floats:
        """(n_candidates,) how old each is when its request is made; below 0 before it is published."""
        age = requests.time_days[candidates.request_rows] - self.items.days[candidates.items]
        return np.asarray(HOURS_A_DAY * age)

    def _if_fresh(self, worth: Floats, requests: Requests, candidates: Candidates) -> Scores:
        return np.where(self.is_fresh(requests, candidates), worth, 0.0).astype(np.float32)

    def _oldest(self, requests: Requests) -> Floats:
        """(n_requests,) the time from which on items are not too old."""
        return requests.time_days - self.max_age_hours / HOURS_A_DAY

    def state(self) -> State:
        return {"published": self.items.days}

    def load_state(self, state: State) -> None:
        self._published = Published(state["published"])
