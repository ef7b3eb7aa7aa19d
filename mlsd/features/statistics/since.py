"""How long ago a user was shown something like this."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.features.base import Family
from mlsd.features.statistics.hourly import ITEM, USER, HourlyCounts, HourlyFeature, Looked
from mlsd.types import Floats


class Since(HourlyFeature):
    """log(1 + h), with h the hours since the user was last shown an item of the same value; NaN if never.

    Hours are whole ones, from that of the impression to that of the request, which are different: h is 1 or
    more.

    Args:
        column: of the catalog, with integers: items are alike where it is the same, such as `author`.
    """

    family: ClassVar[Family] = "user_item"

    def __init__(self, column: str) -> None:
        self.shared = HourlyCounts([USER, f"{ITEM}.{column}"])

    def read(self, prepared: Looked) -> Floats:
        return np.asarray(np.log1p(prepared.hours_since))
