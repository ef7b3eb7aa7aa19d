"""What had been shown and done before an hour, counted row by row: what faster counts are held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mlsd.logs import Log

Holds = Callable[[dict[str, float]], bool]
"""Of a row of impressions, by column."""


class ByHand(NamedTuple):
    """Impressions so far, how many of them count, and the hour of the last; None without any."""

    shown: int
    done: int
    last: int | None


def before(log: Log, hour: int, alike: Holds, done: Holds) -> ByHand:
    """What a loop over the log finds strictly before an hour.

    Args:
        log: whose impressions are gone through.
        hour: of the request.
        alike: which impressions belong to the key.
        done: which of them count.
    """
    found = ByHand(0, 0, None)
    for row in log.impressions.to_dict("records"):
        named = {str(name): value for name, value in row.items()}
        day = int(np.floor(named["time_days"]))
        of_row = 24 * day + int(24 * (named["time_days"] - day))
        if of_row < hour and alike(named):
            last = of_row if found.last is None else max(found.last, of_row)
            found = ByHand(found.shown + 1, found.done + bool(done(named)), last)
    return found
