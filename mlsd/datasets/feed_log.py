"""Who did what with which item and when, in columns, whatever the format it came in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Columns, Floats, Ints

_EVENTS, _ITEMS, _USERS, _ABOUT = "events.parquet", "items.parquet", "users.parquet", "log.json"
_PUBLISHED, _ACTION, _COLUMN = "published_days", "action.", "column."


@dataclass(frozen=True)
class FeedLog:
    """Events of users with items, in order of time, then of user and item.

    Args:
        name: of the data set.
        fingerprint: SHA-256 of its files, unzipped.
        start: the day of the first event, as "1997-09-20".
        items: everything there is, also what no event is about, with columns of texts and numbers.
        published_days: (n_items,) float64, days from the midnight that begins `start` to when each item came
            out, below 0 for older ones; NaN where unknown.
        user_id: (n_users,) str, the name of everybody who did something.
        user: (n_events,) int64, rows of `user_id`.
        item: (n_events,) int64, rows of `items`.
        time_days: (n_events,) float64, ascending, days since the midnight that begins `start`: its whole part
            is the day of the calendar.
        actions: name -> (n_events,) float64, such as `rating`.
        left_out: what the files have that this does not, a sentence each.

    Raises:
        InputError: columns of different lengths.
    """

    name: str
    fingerprint: str
    start: str
    items: Catalog
    published_days: Floats
    user_id: Array
    user: Ints
    item: Ints
    time_days: Floats
    actions: Columns
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, column in self.named_columns():
            if len(column) != len(self.user):
                raise InputError(f"{name} has {len(column)} rows, must have {len(self.user)}")
        if len(self.published_days) != len(self.items):
            found = len(self.published_days)
            raise InputError(f"{_PUBLISHED} has {found} rows, must have {len(self.items)}")

    def __len__(self) -> int:
        return len(self.user)

    def named_columns(self) -> Iterator[tuple[str, Array]]:
        """Every column of events, by a name of its own."""
        yield from (("user", self.user), ("item", self.item), ("time_days", self.time_days))
        yield from ((_ACTION + name, column) for name, column in self.actions.items())

    @property
    def day(self) -> Ints:
        """(n_events,) the day of each event, 0 for `start`."""
        return np.floor(self.time_days).astype(np.int64)

    @property
    def n_events_of_items(self) -> Ints:
        """(n_items,) how many events are about each item."""
        return np.bincount(self.item, minlength=len(self.items))

    def first_days(self) -> Floats:
        """(n_items,) the time of the first event about each item; infinity where there is none."""
        first = np.full(len(self.items), np.inf)
        np.minimum.at(first, self.item, self.time_days)
        return first

    def date(self, day: int) -> str:
        """The date of a day.

        Example:
            >>> none, zero = np.zeros(0, np.int64), np.zeros(0)
            >>> log = FeedLog("posts", "", "2016-02-28", Catalog(none), zero, none, none, none, zero, {})
            >>> log.date(2)
            '2016-03-01'
        """
        return str(np.datetime64(self.start) + np.timedelta64(day, "D"))


def save(log: FeedLog, folder: Path) -> None:
    """Write a log into an empty folder, as Parquet and JSON."""
    parquet.write_table(pa.table(dict(log.named_columns())), folder / _EVENTS)
    items = {"item_id": pa.array(log.items.item_id, pa.string()), _PUBLISHED: log.published_days}
    items |= {_COLUMN + name: column for name, column in log.items.columns.items()}
    parquet.write_table(pa.table(items), folder / _ITEMS)
    parquet.write_table(pa.table({"user_id": pa.array(log.user_id, pa.string())}), folder / _USERS)
    about = {"name": log.name, "fingerprint": log.fingerprint, "start": log.start, "left_out": log.left_out}
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def load(folder: Path) -> FeedLog:
    """What `save` wrote.

    Raises:
        InputError: it cannot be read.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        events, items, users = (_columns(folder / place) for place in (_EVENTS, _ITEMS, _USERS))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {folder}: {str(error).partition(chr(10))[0]}") from error
    return FeedLog(
        name=about["name"],
        fingerprint=about["fingerprint"],
        start=about["start"],
        items=Catalog(items["item_id"], _named(_COLUMN, items)),
        published_days=items[_PUBLISHED],
        user_id=users["user_id"],
        user=events["user"],
        item=events["item"],
        time_days=events["time_days"],
        actions=_named(_ACTION, events),
        left_out=tuple(about["left_out"]),
    )


def _named(prefix: str, columns: Columns) -> dict[str, Array]:
    """The columns whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): column for name, column in columns.items() if name.startswith(prefix)}


def _columns(path: Path) -> dict[str, Array]:
    with path.open("rb") as file:
        table = parquet.read_table(file)
    return {name: table[name].to_numpy() for name in table.column_names}
