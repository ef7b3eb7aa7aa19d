"""Windows of a log of a feed: whole days, by time alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.logs import SPLITS
from mlsd.types import Array, Ints

SHARES: Mapping[str, float] = MappingProxyType(
    {"retrieval": 0.4, "ranking": 0.3, "validation": 0.1, "test": 0.2}
)
"""Window -> its share of the events: four fifths to learn from and the latest fifth to test by."""

_ROUNDING = 1e-9


def checked(shares: Mapping[str, float]) -> dict[str, float]:
    """The share of each of `SPLITS`, in their order, all above 0 and together 1.

    Raises:
        InvalidValueError: one is missing, unknown or out of range, or they do not add up.
    """
    for name in shares:
        checks.one_of("shares", name, SPLITS)
    for name in SPLITS:
        checks.within(f"shares.{name}", shares.get(name, 0.0), 0, 1)
    total = sum(shares.values())
    checks.require(abs(total - 1) < _ROUNDING, "shares", dict(shares), f"must add up to 1, not {total:g}")
    return {name: shares.get(name, 0.0) for name in SPLITS}


def first_days(name: str, day: Ints, shares: Mapping[str, float]) -> Ints:
    """(n_windows,) the first day of each window.

    A window ends with the day up to which the share of events is nearest to that of it and the windows
    before; of days as near, the earlier. Each window has a day at least. A day is never cut in two, so that
    whatever counts by days looks into no other window.

    Args:
        name: of the log, for the message.
        day: (n_events,) the day of each event, in any order.
        shares: window -> its share of the events, in order of time; they add up to 1.

    Raises:
        InputError: there are fewer days than windows.

    Example:
        >>> first_days("posts", np.array([0, 0, 3, 3, 4, 9]), {"ranking": 0.6, "test": 0.4}).tolist()
        [0, 4]
    """
    days, counts = np.unique(day, return_counts=True)
    n_days, n_windows = len(days), len(shares)
    if n_days < n_windows:
        raise InputError(
            f"{name} has events on {n_days} days; each of the windows {', '.join(shares)} needs one"
        )
    so_far = np.cumsum(counts) / len(day)
    wanted = np.cumsum(list(shares.values()))[:-1]
    nearest, place = np.abs(so_far - wanted[:, None]).argmin(axis=1), np.arange(n_windows - 1)
    apart = np.maximum.accumulate(nearest - place) + place
    last = np.minimum(apart, n_days - n_windows + place)
    return np.concatenate([days[:1], days[last + 1]])


def window_of(day: Ints, first: Ints) -> Array:
    """(n,) the window of each day, one of `SPLITS`.

    Args:
        day: (n,) days, none before the first window.
        first: the first day of each window.
    """
    return np.array(SPLITS)[np.searchsorted(first, day, side="right") - 1]
