"""How often something was done with an item: popularity, where a rate tells what it is worth."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.features.base import Family
from mlsd.features.statistics.hourly import ITEM, Done, HourlyCounts, HourlyFeature, Looked
from mlsd.types import Floats


class ItemActionCount(HourlyFeature):
    """log(1 + C), with C the item's impressions with an action before the hour of the request.

    Not divided by examination, nor by how often the item was shown.

    Args:
        action: column of the log's impressions, such as `like`.
        at_least: from which value on it was done, above 0.
    """

    family: ClassVar[Family] = "item_statistics"

    def __init__(self, action: str, at_least: float = 1.0) -> None:
        self.done = Done.of([action], at_least)
        self.shared = HourlyCounts([ITEM], [self.done])

    def read(self, prepared: Looked) -> Floats:
        return np.asarray(np.log1p(prepared.done(self.done)))
