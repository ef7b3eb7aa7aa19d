"""Where a log of a feed lies and how it is to be read: what its formats have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from mlsd.datasets.base import SourceFile, fingerprint, is_there, missing
from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.moments import DAY_SECONDS, LATEST, date
from mlsd.datasets.source import Source
from mlsd.datasets.tables import Bools, Factor, Table
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Columns, Floats, Ints

_SHOWN = 8
"""Files of a folder that a message names."""


class Events(NamedTuple):
    """What the files of a log say, in any order."""

    items: Catalog
    """n_items of them."""

    published: Floats
    """(n_items,) Unix time; NaN where unknown."""

    user: Factor
    """(n_events,) names of users."""

    item: Ints
    """(n_events,) rows of `items`."""

    seconds: Floats
    """(n_events,) Unix time."""

    actions: Columns
    """Name -> (n_events,) float64."""

    left_out: tuple[str, ...]
    """What the files have that this does not, a sentence each."""


@dataclass(frozen=True)
class FeedSource(Source):
    """A folder of what people did with items in one format.

    Args:
        folder: of the data set.
        latest: a date as YYYY-MM-DD; times after the midnight that begins it are taken for mistakes. The
            clock is never read.
    """

    fallback: ClassVar[str | None] = None
    """The encoding of files that are not UTF-8; None refuses them."""

    latest: str = LATEST

    def __post_init__(self) -> None:
        date("latest", self.latest)

    @abstractmethod
    def parse(self, files: Mapping[str, SourceFile]) -> Events:
        """What the files say.

        Args:
            files: what a file is, as in `places`, -> its content.

        Raises:
            InputError: what is read is not what the format says.
        """

    def read(self) -> FeedLog:
        """Read everything anew.

        Raises:
            InputError: a file is missing or broken, or its content is not what the format says; with file,
                line, value and rule.
        """
        places = self.places()
        files = {role: SourceFile.read(self.folder, place, self.fallback) for role, place in places.items()}
        found = self.parse(files)
        user, user_id = numbered(found.user)
        order = np.lexsort((found.item, user, found.seconds))
        first = np.floor(found.seconds.min() / DAY_SECONDS)
        midnight = first * DAY_SECONDS
        return FeedLog(
            name=self.name,
            fingerprint=fingerprint(files.values()),
            start=str(np.datetime64(int(first), "D")),
            items=found.items,
            published_days=(found.published - midnight) / DAY_SECONDS,
            user_id=user_id,
            user=user[order],
            item=found.item[order],
            time_days=(found.seconds[order] - midnight) / DAY_SECONDS,
            actions={name: column[order] for name, column in found.actions.items()},
            left_out=found.left_out,
        )


class FeedReader:
    """Reads a source anew; others may keep what they read."""

    def __call__(self, source: FeedSource) -> FeedLog:
        """The log of a source.

        Raises:
            InputError: as `FeedSource.read`.
        """
        return source.read()


def numbered(names: Factor) -> tuple[Ints, Array]:
    """(n,) a number from 0 for each name, and the names in order of length, then of text.

    Numbers without leading zeros are in their own order, whatever the order of rows.

    Example:
        >>> numbers, names = numbered(Factor(np.array([0, 1, 0]), np.array(["10", "9"], object)))
        >>> numbers.tolist(), names.tolist()
        ([1, 0, 1], ['9', '10'])
    """
    texts = names.values.astype(str)
    order = np.lexsort((texts, np.char.str_len(texts)))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[names.codes], names.values[order]


def require_ids(table: Table, *names: str) -> None:
    """Refuse ids that are empty or begin or end with a blank, which would make them other ids.

    Raises:
        InputError: for such ids.
    """
    for name in names:
        ids = pa.array(table.columns[name].values, pa.string())
        bare = compute.equal(ids, compute.utf8_trim_whitespace(ids)).to_numpy(zero_copy_only=False)
        right = bare & (table.columns[name].values != "")
        table.require(name, right, "an id must not be empty or have blanks around it")


def counted_once(table: Table, key: Sequence[Array], values: Sequence[Array], rule: str) -> Bools:
    """(n,) which rows to keep so that each key is there once: its first row.

    Args:
        table: the rows came from.
        key: (n,) each; what tells rows apart.
        values: (n,) each; what rows of one key must agree on.
        rule: that rows break which do not.

    Raises:
        InputError: rows of one key differ.
    """
    order = np.lexsort(tuple(key))
    again = np.ones(len(order), bool)
    again[:1] = False
    for column in key:
        again[1:] &= column[order][1:] == column[order][:-1]
    differs = np.zeros(len(order), bool)
    for column in values:
        differs[1:] |= again[1:] & (column[order][1:] != column[order][:-1])
    if differs.any():
        rows = np.sort(order[differs])
        raise table.fault("lines that contradict an earlier one", rows, table.lines(rows), rule)
    kept = np.ones(len(order), bool)
    kept[order[again]] = False
    return kept


def one_of_places(folder: Path, places: Sequence[str], what: str) -> str:
    """The one of some files that a folder has, plain or zipped.

    Args:
        folder: of the data set.
        places: any of which would do.
        what: they hold, for the message.

    Raises:
        InputError: there is none, or more than one; what is there is named.
    """
    found = [place for place in places if is_there(folder, place)]
    problem = missing(folder, found)
    if problem:
        raise InputError(problem)
    name = folder.resolve().name
    if len(found) > 1:
        raise InputError(f"{name} has {' and '.join(found)}: keep one")
    if not found:
        there = sorted(path.name for path in folder.iterdir())
        listed = ", ".join(there[:_SHOWN]) + (", ..." if len(there) > _SHOWN else "") or "nothing"
        choices = " or ".join(f"{place}[.gz]" for place in places)
        raise InputError(f"{name} has no {choices} with {what}; it has {listed}")
    return found[0]
