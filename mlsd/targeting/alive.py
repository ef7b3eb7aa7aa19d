"""Which ads may be shown at all: running, with budget left, between their start and their end."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mlsd.errors import InvalidValueError
from mlsd.targeting.bitmaps import WORD_BITS, Words, n_words, pack
from mlsd.types import Array, Floats

_RUNNING, _FUNDED, _ON_TIME = range(3)


class Alive:
    """The ads that may be shown now, as bits that are kept up to date in place.

        alive = running and funded and start_days <= now_days < end_days

    A change costs what it changes: the words of the ads it names, or of the ads that start or end between the
    time before and the new one. At first every ad runs and has budget left.

    Args:
        start_days: (n_ads,) days since the start of the log; -inf: always.
        end_days: (n_ads,) not before the start; inf: never.
        now_days: the time at first.

    Raises:
        InvalidValueError: an ad ends before it starts, or one of its times is NaN.

    Example:
        >>> alive = Alive(np.array([0.0, 0.0, 2.0]), np.array([9.0, 1.0, 9.0]), now_days=0.5)
        >>> alive.words.tolist()
        [3]
        >>> alive.set_time(2.0)
        >>> alive.set_funded(np.array([0]), False)
        >>> alive.words.tolist()
        [4]
    """

    def __init__(self, start_days: Floats, end_days: Floats, now_days: float) -> None:
        backward = ~(start_days <= end_days)
        if backward.any():
            row = int(np.argmax(backward))
            raise InvalidValueError(
                f"end_days[{row}]", end_days[row].item(), f"must be at least {start_days[row]}"
            )
        self._start, self._end = start_days, end_days
        self._by_start, self._by_end = np.argsort(start_days), np.argsort(end_days)
        self._starts, self._ends = start_days[self._by_start], end_days[self._by_end]
        self._flags = np.zeros((3, n_words(len(start_days)) * WORD_BITS), bool)
        self._flags[:, : len(self)] = True
        self._flags[_ON_TIME, : len(self)] = self._on_time(slice(None), now_days)
        self._now_days = now_days
        self._words = pack(np.asarray(self._flags.all(axis=0)))

    def __len__(self) -> int:
        return len(self._start)

    @property
    def words(self) -> Words:
        """(n_words,) bits of the ads that are alive, not to be written to; later changes show in them."""
        words = self._words.view()
        words.flags.writeable = False
        return words

    @property
    def now_days(self) -> float:
        """The time for which `words` hold."""
        return self._now_days

    def set_running(self, rows: Array, running: ArrayLike) -> None:
        """Pause ads or let them go on: one answer for all rows, or one for each."""
        self._set(_RUNNING, rows, running)

    def set_funded(self, rows: Array, funded: ArrayLike) -> None:
        """Say which ads have budget left: one answer for all rows, or one for each."""
        self._set(_FUNDED, rows, funded)

    def set_time(self, now_days: float) -> None:
        """Go to another time, later or earlier."""
        low, high = sorted((self._now_days, now_days))
        passed = [
            rows[slice(*np.searchsorted(times, (low, high), side="right"))]
            for rows, times in ((self._by_start, self._starts), (self._by_end, self._ends))
        ]
        rows = np.concatenate(passed)
        self._set(_ON_TIME, rows, self._on_time(rows, now_days))
        self._now_days = now_days

    def _on_time(self, rows: Array | slice, now_days: float) -> Array:
        if np.isnan(now_days):
            raise InvalidValueError("now_days", now_days, "must be a time")
        return np.asarray((self._start[rows] <= now_days) & (now_days < self._end[rows]))

    def _set(self, reason: int, rows: Array, holds: ArrayLike) -> None:
        outside = (rows < 0) | (rows >= len(self))
        if outside.any():
            row = int(rows[np.argmax(outside)])
            raise InvalidValueError("ad", row, f"must be a row in [0, {len(self)})")
        self._flags[reason, rows] = holds
        changed = np.unique(rows // WORD_BITS)
        alive = np.asarray(self._flags.reshape(3, -1, WORD_BITS)[:, changed].all(axis=0))
        self._words[changed] = pack(alive)[:, 0]
