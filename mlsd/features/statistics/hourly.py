"""What features by the hour share: impressions and actions counted once for each key, while serving, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Shared, SharingFeature
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.features.statistics.counted import action, first_hour_after_training
from mlsd.features.statistics.tally import NEVER, Past
from mlsd.logs import Log, impressions_of
from mlsd.types import Array, Catalog, Floats, Ints, RankingBatch, Requests, Served, State, hours_of

USER, ITEM = "user", "item"
_COLUMN = f"{ITEM}."


class Done(NamedTuple):
    """Which impressions count: those on which a user did any of some actions."""

    actions: tuple[str, ...]
    """Columns of the log's impressions."""

    at_least: float
    """From which value on it was done: 1 where it is or is not, 30 for half a minute of `dwell_s`."""

    @staticmethod
    def of(actions: Sequence[str], at_least: float) -> Done:
        """Checked; actions in any order are the same."""
        checks.require(not isinstance(actions, str), "actions", actions, "must be a list of names")
        checks.not_empty("actions", actions)
        checks.above("at_least", at_least, 0)
        return Done(tuple(sorted(set(actions))), float(at_least))

    def among(self, impressions: pd.DataFrame) -> NDArray[np.bool_]:
        """(n_impressions,) whether it was done."""
        enough = [action(impressions, name) >= self.at_least for name in self.actions]
        return np.asarray(np.logical_or.reduce(enough))


class Looked(NamedTuple):
    """What features by the hour read of a batch: what had happened to each candidate's key."""

    batch: RankingBatch

    value: Ints
    """(n_candidates,) of the item: what of it is a part of the key."""

    past: Past
    """Before the hour of the request; the first of its sums is that of impressions."""

    place: Mapping[Done, int]
    """The columns of the other sums."""

    @property
    def shown(self) -> Floats:
        """(n_candidates,) impressions of the key so far."""
        return self.past.sums[:, 0]

    def done(self, done: Done) -> Floats:
        """(n_candidates,) how many of them count."""
        return self.past.sums[:, self.place[done]]

    @property
    def hours_since(self) -> Floats:
        """(n_candidates,) hours since the last impression of the key, 1 or more; NaN without any."""
        last, hour = self.past.last, self.batch.requests.hour[self.batch.candidates.request_rows]
        return np.where(last == NEVER, np.nan, hour - np.where(last == NEVER, 0, last))


class HourlyCounts(Shared):
    """Impressions and actions of a key by the hour of the request, looked up strictly before an hour.

    Every impression counts as one, wherever it stood on the page.

    Args:
        parts: the key: "user"; or "item", or "item.<column>" for a column of the catalog with integers; or
            the first and one of the others.
        done: which impressions are counted beside all.
    """

    def __init__(self, parts: Sequence[str], done: Sequence[Done] = ()) -> None:
        self.parts, self.done = tuple(parts), tuple(done)
        self._column = "".join(part.removeprefix(_COLUMN) for part in parts if part.startswith(_COLUMN))
        self.catalog_needs = frozenset({self._column} if self._column else ())
        of_user = {"request.user"} if USER in self.parts else set()
        self.needs = frozenset({"request.time_days", *of_user})
        self._of_item: Ints | None = None
        self._counts: AsOfCounts | None = None

    @property
    def key(self) -> str:
        return f"hourly({','.join(self.parts)})"

    def joined(self, other: Self) -> Self:
        new = tuple(done for done in other.done if done not in self.done)
        return type(self)(self.parts, self.done + new) if new else self

    def fit(self, catalog: Catalog, log: Log) -> None:
        self._of_item = _integers(catalog, self._column) if self._column else None
        self._counts = AsOfCounts.of(*self._events(log.impressions))

    def totals_before(self, hour: int, done: Done) -> tuple[Floats, Floats]:
        """(n_keys,) and (n_keys,) impressions of every key before an hour, and those that count."""
        totals = self._known.totals_before(hour)
        return totals[:, 0], totals[:, self._place[done]]

    def prepare(self, batch: RankingBatch) -> Looked:
        value = self._value(batch.candidates.items)
        return Looked(batch, value, self._past(batch, value), self._place)

    def _past(self, batch: RankingBatch, value: Ints) -> Past:
        """Of every candidate; or, where that is less, of all values for everybody who asks or every hour."""
        user, hour, who = self._asking(batch.requests)
        who = who[batch.candidates.request_rows]
        n_values, lowest = int(value.max(initial=-1)) + 1, int(value.min(initial=0))
        if lowest < 0 or n_values * len(hour) >= len(value):
            return self._known.past(self._key(user[who], value), hour[who])
        asked, of_value = divmod(np.arange(n_values * len(hour)), n_values)
        every = self._known.past(self._key(user[asked], of_value), hour[asked])
        return every.take(who * n_values + value)

    def _asking(self, requests: Requests) -> tuple[Ints, Ints, Ints]:
        """User and hour of requests that know different things, and which of these each request is like."""
        if USER in self.parts:
            return requests.user, requests.hour, np.arange(len(requests))
        hour, who = np.unique(requests.hour, return_inverse=True)
        return hour, hour, who

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer._counts = self._known.extended(*self._events(impressions_of(served)))  # noqa: SLF001  (its own)
        return newer

    def _events(self, impressions: pd.DataFrame) -> tuple[list[Array], Ints, Floats]:
        """Key, hour and (n_impressions, 1 + n_done) values of what was shown."""
        values = np.ones((len(impressions), 1 + len(self.done)))
        for done, place in self._place.items():
            values[:, place] = done.among(impressions)
        key = self._key(impressions["user"].to_numpy(), self._value(impressions["item"].to_numpy()))
        return key, hours_of(impressions["time_days"].to_numpy()), values

    def _value(self, items: Ints) -> Ints:
        """(n,) what of each item is a part of the key; the same of all where nothing is."""
        if self.parts == (USER,):
            return np.zeros(len(items), np.int64)
        return items if self._of_item is None else self._of_item[items]

    def _key(self, user: Ints, value: Ints) -> list[Array]:
        """Its parts; users are not looked at where they are none."""
        return [user if part == USER else value for part in self.parts]

    @property
    def _place(self) -> dict[Done, int]:
        """The column of each sum; the first is that of impressions."""
        return {done: 1 + number for number, done in enumerate(self.done)}

    @property
    def _known(self) -> AsOfCounts:
        if self._counts is None:
            raise NotFittedError("a feature by the hour was used before fit or load_state")
        return self._counts

    def state(self) -> State:
        of_item = {} if self._of_item is None else {"of_item": self._of_item}
        return {**self._known.state(), **of_item}

    def load_state(self, state: State) -> None:
        self._of_item = state.get("of_item")
        self._counts = AsOfCounts.from_state(state)


class HourlyFeature(SharingFeature):
    """A feature of what had happened before the hour of the request, in the log and while serving."""

    shared: HourlyCounts

    def training_totals(self, log: Log, done: Done) -> tuple[Floats, Floats]:
        """(n_keys,) impressions and (n_keys,) those that count, of every key, in the training windows.

        Raises:
            InputError: nothing was shown to anybody in the log.
        """
        if not len(log.impressions):
            raise InputError(f"{type(self).__name__} counts what users did, and the log is empty")
        return self.shared.totals_before(first_hour_after_training(log), done)


def _integers(catalog: Catalog, name: str) -> Ints:
    column = np.asarray(catalog[name])
    if column.dtype.kind not in "iu":
        raise InputError(f"item.{name} has the type {column.dtype}, must be of integers to be counted by")
    return column.astype(np.int64)
