"""Integers numbered from 0 in their order, so that several of them fit into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd.types import Array, Ints

_ALWAYS_LISTED = 1 << 17
_GAPS = 4
"""Integers are looked up in a list of all from the lowest to the highest where there are at most so many, or
so many for each that is numbered; else by binary search."""


@dataclass(frozen=True)
class Numbering:
    """Distinct integers and their places in ascending order.

    Args:
        values: (n_values,) int64, ascending.
        listed: (highest - lowest + 1,) the place of each integer of the range, -1 where it is none of the
            values; None where the range is too wide to list.

    Example:
        >>> numbering = Numbering.of(np.array([3, 7, 8]))
        >>> rows, known = numbering.rows(np.array([8, 5, 3]))
        >>> known.tolist(), rows[known].tolist()
        ([True, False, True], [2, 0])
    """

    values: Ints
    listed: Ints | None

    def __len__(self) -> int:
        return len(self.values)

    @staticmethod
    def of(values: Ints) -> Numbering:
        """Number distinct integers, which ascend."""
        if not len(values) or not _listable(int(values[0]), int(values[-1]), len(values)):
            return Numbering(values, None)
        listed = np.full(int(values[-1]) - int(values[0]) + 1, -1, np.int64)
        listed[values - values[0]] = np.arange(len(values))
        return Numbering(values, listed)

    @staticmethod
    def of_rows(rows: Array) -> Numbering:
        """Number the integers that (n,) rows hold."""
        part = np.asarray(rows, np.int64)
        if not len(part) or not _listable(low := int(part.min()), int(part.max()), len(part)):
            return Numbering.of(pd.factorize(part, sort=True)[1])
        held = np.zeros(int(part.max()) - low + 1, bool)
        held[part - low] = True
        return Numbering.of(np.flatnonzero(held) + low)

    def joined(self, other: Numbering) -> Numbering:
        """Number the integers of both."""
        _, known = self.rows(other.values)
        new = other.values[~known]
        return Numbering.of(np.sort(np.concatenate([self.values, new]))) if len(new) else self

    def rows(self, wanted: Array) -> tuple[Ints, NDArray[np.bool_]]:
        """(n,) the place of each integer, meaningful where it is known, and (n,) whether it is."""
        part = np.asarray(wanted, np.int64)
        if not len(self.values):
            return np.zeros(len(part), np.int64), np.zeros(len(part), bool)
        if self.listed is None:
            rows = np.minimum(self.values.searchsorted(part), len(self.values) - 1)
            return rows, np.asarray(self.values[rows] == part)
        above_lowest = (part - self.values[0]).view(np.uint64)  # one below the lowest is very high
        rows = self.listed[np.minimum(above_lowest, len(self.listed) - 1).view(np.int64)]
        known = (rows >= 0) & (above_lowest < len(self.listed))
        return rows, known


def _listable(low: int, high: int, n_values: int) -> bool:
    return high - low < max(_GAPS * n_values, _ALWAYS_LISTED)
