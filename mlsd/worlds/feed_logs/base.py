"""What worlds made of logs of feeds have in common."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from mlsd import checks
from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.feed_source import FeedReader, FeedSource
from mlsd.types import Array, Ints
from mlsd.worlds.base import RecordedWorld
from mlsd.worlds.feed_logs.windows import checked, first_days, window_of


class FeedLogWorld(RecordedWorld, ABC):
    """A log of a feed, split by time.

    Args:
        path: folder of the log, as it was given.
        source: reads it.
        shares: window -> its share of the events, in order of time; see `first_days`.
        read: how the log is read; what was parsed once may be kept.
    """

    relevant_grade = 1.0

    def __init__(self, path: str, source: FeedSource, shares: Mapping[str, float], read: FeedReader) -> None:
        problem = source.missing_files()
        checks.require(not problem, "path", path, f"must be the folder of a log of a feed: {problem}")
        self.source = source
        self.shares = checked(shares)
        self._read = read

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.source.name

    @property
    def fingerprint(self) -> str:
        return f"{self._logged.name} {self._logged.fingerprint}"

    @cached_property
    def _logged(self) -> FeedLog:
        return self._read(self.source)

    @cached_property
    def _first_days(self) -> Ints:
        """(n_windows,) the first day of each window."""
        return first_days(self.name, self._logged.day, self.shares)

    def _windows(self, day: Ints) -> Array:
        """(n,) the window of each day."""
        return window_of(day, self._first_days)

    def _note_on_windows(self, events: str) -> str:
        """From when to when each window goes, and how much is in it."""
        log, first = self._logged, self._first_days
        last = np.append(first[1:] - 1, log.day.max())
        ends = np.searchsorted(log.day, [*first, log.day.max() + 1])
        parts = (
            f"{window} {log.date(int(low))} to {log.date(int(high))} ({n:,})"
            for window, low, high, n in zip(self.shares, first, last, np.diff(ends).tolist(), strict=True)
        )
        return f"Windows are whole days in order of time, with their {events}: {', '.join(parts)}."


def codes_of(names: Array) -> Ints:
    """(n,) a code for each name, in order of its text from 1 on; 0 for none, which is "".

    Example:
        >>> codes_of(np.array(["sea", "", "moon", "sea"], object)).tolist()
        [2, 0, 1, 2]
    """
    codes, known = pd.factorize(names, sort=True)
    has_none = len(known) > 0 and known[0] == ""
    return np.asarray(codes, np.int64) + (0 if has_none else 1)
