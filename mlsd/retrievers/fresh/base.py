"""What sources of fresh items share: which items there are at a time, and the best of these."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.retrievers.base import Retriever, Scores
from mlsd.types import HOURS_A_DAY, Candidates, Catalog, Floats, Ints, Requests, State


@dataclass(frozen=True)
class Published:
    """When items were published, searched by time.

    Args:
        days: (n_items,) float64, when each was published.
        order: (n_items,) int64, items by that time, ties by the lower item.
    """

    days: Floats
    order: Ints

    @staticmethod
    def of(days: Floats, name: str = "published_days") -> Published:
        """From a column of the catalog.

        Raises:
            InputError: a time is not finite.
        """
        days = days.astype(np.float64)
        n_bad = np.count_nonzero(~np.isfinite(days))
        if n_bad:
            raise InputError(f"item.{name} of {n_bad} of {len(days)} items is not finite")
        return Published(days, np.argsort(days, kind="stable"))

    def between(self, after: Floats, before: Floats) -> tuple[Ints, Ints]:
        """Offsets, and the items published from one time on and before another, (n,) each, oldest first."""
        ordered = self.days[self.order]
        first = np.searchsorted(ordered, after)
        offsets = ragged.offsets_of_counts(np.maximum(np.searchsorted(ordered, before) - first, 0))
        return offsets, self.order[first[ragged.segment_ids(offsets)] + ragged.positions(offsets)]


class FreshRetriever(Retriever):
    """Finds items that were published before a request, at most so many hours before.

    Of these it finds those of highest score above 0; an item without one does not match. Scores of equal
    items are put in the order of publication, the newest first, then by the lower item.

    Args:
        max_age_hours: of an item, above 0.
        published: column of the catalog with the time of publication, in days since the start of the log.
    """

    needs = frozenset({"request.time_days"})

    def __init__(self, max_age_hours: float, published: str = "published_days") -> None:
        self.max_age_hours = checks.above("max_age_hours", max_age_hours, 0)
        self.published = published
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
        del log, fitting
        self._published = Published.of(catalog[self.published], self.published)
        return Curves()

    def fresh(self, requests: Requests) -> Candidates:
        """All items that are there and not too old, newest first."""
        time = requests.time_days
        offsets, items = self.items.between(time - self.max_age_hours / HOURS_A_DAY, time)
        ends = np.repeat(offsets[1:], np.diff(offsets))
        return Candidates(offsets, items[ends - 1 - ragged.positions(offsets)])

    def retrieve(self, requests: Requests, n: int) -> Candidates:
        found = self.found(requests)
        scores = self.score(requests, found)
        matching = scores > 0
        offsets = ragged.offsets_of_mask(matching, found.offsets)
        rows, best = ragged.top(scores[matching], offsets, n)
        return Candidates(best, found.items[matching][rows], {"score": scores[matching][rows]})

    def found(self, requests: Requests) -> Candidates:
        """What is scored, newest first: all fresh items unless a source knows fewer that may match."""
        return self.fresh(requests)

    @abstractmethod
    def score(self, requests: Requests, candidates: Candidates) -> Scores:
        """(n_candidates,) the score of any candidates, whoever found them; 0 and below do not match."""

    def age_hours(self, requests: Requests, candidates: Candidates) -> Floats:
        """(n_candidates,) how old each is when its request is made."""
        age = requests.time_days[candidates.request_rows] - self.items.days[candidates.items]
        return np.asarray(HOURS_A_DAY * age)

    def state(self) -> State:
        return {"published": self.items.days}

    def load_state(self, state: State) -> None:
        self._published = Published.of(state["published"], self.published)
