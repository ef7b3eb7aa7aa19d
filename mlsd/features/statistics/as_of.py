"""Sums of what happened to a key before a given day: statistics without a look into the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd.errors import InputError
from mlsd.types import Array, Floats, Ints, State


@dataclass(frozen=True)
class AsOfCounts:
    """Cumulative sums by key and day, looked up strictly before a day.

    A key is a tuple of integers, such as (item,) or (query_id, item). Keys and days are numbered in order
    and packed into one integer, cell = key * (n_days + 1) + day, so that one binary search finds the last
    day of a key before any other. Past the last day nothing more is added: the sums are frozen there.

    Args:
        distinct: one array for each part of the key: the values it takes, ascending.
        cells: (n_cells,) int64, ascending: the days of each key on which something happened.
        sums: (n_cells, n_values) float64, of everything up to and with that day.
        first_day: the first day of all.
        n_days: from the first to the last.

    Example:
        >>> item, day, clicks = np.array([7, 7, 9]), np.array([0, 2, 1]), np.array([[1.0], [1.0], [5.0]])
        >>> counts = AsOfCounts.of([item], day, clicks)
        >>> counts.before([np.array([7, 7, 7, 9, 8])], np.array([0, 2, 99, 1, 99]))[:, 0].tolist()
        [0.0, 1.0, 2.0, 0.0, 0.0]
    """

    distinct: tuple[Ints, ...]
    cells: Ints
    sums: Floats
    first_day: int
    n_days: int

    @staticmethod
    def of(key: Sequence[Array], day: Ints, values: Floats) -> AsOfCounts:
        """Count events.

        Args:
            key: parts of the key, (n_events,) integers each.
            day: (n_events,) int64.
            values: (n_events, n_values) what each event adds.

        Raises:
            InputError: distinct keys times days do not fit into 64 bits.
        """
        first = int(day.min(initial=0))
        n_days = int(day.max(initial=first)) - first + 1
        numbered = [pd.factorize(np.asarray(part, np.int64), sort=True) for part in key]
        distinct = tuple(values for _, values in numbered)
        _check_countable(distinct, n_days)
        codes = np.zeros(len(day), np.int64)
        for numbers, part in numbered:
            codes = codes * len(part) + numbers
        cells, sums = _summed(codes * (n_days + 1) + (day - first), values)
        return AsOfCounts(distinct, cells, _running(sums, cells // (n_days + 1)), first, n_days)

    def before(self, key: Sequence[Array], day: Ints) -> Floats:
        """(n, n_values) sums of each key over the days strictly before `day`; 0 for an unknown key.

        Args:
            key: parts of the key, (n,) integers each.
            day: (n,) int64.
        """
        codes, known = _codes(self.distinct, key)
        if not len(self.cells):
            return np.zeros((len(codes), self.sums.shape[1]))
        first_cell = codes * (self.n_days + 1)
        elapsed = np.minimum(np.maximum(day - self.first_day, 0), self.n_days)
        rows = self.cells.searchsorted(first_cell + elapsed) - 1
        counted = known & (rows >= 0) & (self.cells[rows] >= first_cell)
        return np.asarray(self.sums[rows] * counted[:, None])

    def totals_before(self, day: int) -> Floats:
        """(n_keys, n_values) the sums of every key that was ever counted, before `day`."""
        codes = np.unique(self.cells // (self.n_days + 1))
        return self.before(self._parts(codes), np.full(len(codes), day, np.int64))

    def _parts(self, codes: Ints) -> list[Ints]:
        shape = tuple(len(part) for part in self.distinct)
        rows = np.unravel_index(codes, shape) if len(codes) else [codes] * len(shape)
        return [part[row] for part, row in zip(self.distinct, rows, strict=True)]

    def state(self) -> State:
        parts = {f"key{i}": part for i, part in enumerate(self.distinct)}
        return {
            **parts,
            "cells": self.cells,
            "sums": self.sums,
            "days": np.array([self.first_day, self.n_days]),
        }

    @staticmethod
    def from_state(state: State) -> AsOfCounts:
        n_parts = sum(name.startswith("key") for name in state)
        first, n_days = state["days"].tolist()
        parts = tuple(state[f"key{i}"] for i in range(n_parts))
        return AsOfCounts(parts, state["cells"], state["sums"], first, n_days)


def _codes(distinct: tuple[Ints, ...], key: Sequence[Array]) -> tuple[Ints, NDArray[np.bool_]]:
    """One integer for each key, and whether all its parts are known."""
    codes = np.zeros(len(key[0]), np.int64)
    known = np.ones(len(key[0]), bool)
    for values, part in zip(distinct, key, strict=True):
        if not len(values):
            return codes, np.zeros(len(codes), bool)
        rows = np.minimum(values.searchsorted(part), len(values) - 1)
        known &= values[rows] == part
        codes = codes * len(values) + rows
    return codes, known


def _check_countable(distinct: tuple[Ints, ...], n_days: int) -> None:
    sizes = [len(part) for part in distinct]
    if prod(sizes) * (n_days + 1) >= 2**63:
        raise InputError(
            f"keys of {' x '.join(map(str, sizes))} values on {n_days} days are too many to count, "
            "must be fewer than 2**63 together"
        )


def _summed(cells: Ints, values: Floats) -> tuple[Ints, Floats]:
    """The distinct cells, ascending, and the sums of the values of each."""
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    sums = np.zeros((len(starts), values.shape[1]))
    for column, of_events in enumerate(values.T if len(starts) else ()):
        sums[:, column] = np.add.reduceat(of_events[order], starts, dtype=np.float64)
    return ordered[starts], sums


def _running(sums: Floats, keys: Ints) -> Floats:
    """Sums accumulated over the rows of each key, which stand together, without rounding of other keys."""
    running = sums.copy()
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    place = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    ends = np.cumsum(np.bincount(place))
    order = np.argsort(place.astype(np.min_scalar_type(len(ends))), kind="stable")
    for start, end in pairwise(ends):
        rows = order[start:end]
        running[rows] += running[rows - 1]
    return running
