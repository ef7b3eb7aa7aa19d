"""The last items on which a user did something."""

from __future__ import annotations

from copy import copy
from typing import ClassVar, Self

import numpy as np

from mlsd import checks
from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Family, HistoryFeature
from mlsd.features.statistics.counted import actions
from mlsd.features.statistics.timelines import Timelines, joined
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Ints, RankingBatch, Served, State

_LOGGED = ("user", "time_days", "request_id", "position", "item")


class RecentItems(HistoryFeature):
    """A column of the last items that the user did something with, before the hour of the request.

    Most recent first: by the time of the request that showed them, then by its id; of one page the item
    further down comes first, since people read downwards. An item that was acted on twice is there twice. It
    is live: what users do while the system serves is there from the next hour on.

    Args:
        action: what was done, such as `like`.
        column: of the catalog, integers from 0, such as `topic`.
        length: items, at most; earlier ones are forgotten.
        like: the categorical feature of the same column, whose embeddings it shares; None for its own.
        at_least: what the action must be to count: 1 for actions that are done or not, or such as 10 of
            `dwell_s`.
    """

    family: ClassVar[Family] = "user_item"
    needs = frozenset({"request.user", "request.time_days"})

    def __init__(
        self, action: str, column: str, length: int = 20, like: str | None = None, at_least: float = 1.0
    ) -> None:
        super().__init__(length, like)
        self.action, self.column = action, column
        self.at_least = checks.above("at_least", at_least, 0)
        self.catalog_needs = frozenset({column})
        self._category: Ints | None = None
        self._logged = self._served = Timelines.none()

    def fit(self, catalog: Catalog, log: Log) -> None:
        """Take over what the log tells of all users.

        Raises:
            InputError: the log has no such action, or the column a value below 0.
        """
        category = catalog[self.column].astype(np.int64)
        if category.min(initial=0) < 0:
            raise InputError(f"item.{self.column} has the category {category.min()}, must be at least 0")
        self._take(category)
        shown = log.impressions[actions(log, self.action) >= self.at_least]
        user, time_days, request_id, position, item = (shown[name].to_numpy() for name in _LOGGED)
        self._logged = Timelines.of(user, time_days, request_id, position, 1 + category[item])
        self._served = Timelines.none()

    def values(self, batch: RankingBatch) -> Ints:
        return self.past(batch.requests.user, batch.requests.hour)[batch.candidates.request_rows]

    def past(self, user: Ints, hour: Ints) -> Ints:
        """(n, length) the history of each user before an hour; both are (n,)."""
        self._fitted()
        past = self._logged.last(user, hour, self.length)
        return joined(self._served.last(user, hour, self.length), past) if len(self._served) else past

    def observed(self, served: Served) -> Self:
        """The same when it knows, too, what users did since; quick where that was in later hours.

        Raises:
            InputError: nothing is told of the action.
        """
        newer, new = copy(self), self._events(served)
        if len(new) and len(self._logged) and new.hours[0] <= self._logged.hours[1]:
            newer._logged = self._logged.followed_by(self._served).followed_by(new)  # noqa: SLF001  (a copy)
            newer._served = Timelines.none()  # noqa: SLF001
        else:
            newer._served = self._served.followed_by(new)  # noqa: SLF001
        return newer

    def _events(self, served: Served) -> Timelines:
        if self.action not in served.feedback:
            known = ", ".join(sorted(served.feedback))
            raise InputError(f"nothing was told of the action {self.action!r}; there are {known}")
        done = served.slates.shown & (served.feedback[self.action] >= self.at_least)
        rows, position = np.nonzero(done)
        asked, value = served.requests.take(rows), 1 + self._fitted()[served.slates.items[done]]
        return Timelines.of(asked.user, asked.time_days, asked.request_id, position, value)

    def state(self) -> State:
        events = self._logged.followed_by(self._served)
        return {"category": self._fitted(), **events.state()}

    def load_state(self, state: State) -> None:
        self._take(state["category"])
        self._logged, self._served = Timelines.from_state(state), Timelines.none()

    def _take(self, category: Ints) -> None:
        self._category = category
        self.cardinality = int(category.max(initial=0)) + 1

    def _fitted(self) -> Array:
        if self._category is None:
            raise NotFittedError("RecentItems was used before fit or load_state")
        return self._category
