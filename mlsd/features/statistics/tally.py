"""Sums of what happened to a key in each period, made of events in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from math import prod
from operator import and_
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd.errors import InputError
from mlsd.features.statistics.numbering import Numbering
from mlsd.types import Array, Floats, Ints, State

NEVER = np.iinfo(np.int64).min
"""The last period of a key to which nothing has happened."""

EXACT = 2.0**53
"""Sums of whole numbers below this are exact in any order."""

SortKind = Literal["quicksort", "stable"]
ANY_ORDER: SortKind = "quicksort"
TWO_RUNS: SortKind = "stable"
"""What sorts quickest; what is two ascending runs is merged in one pass by a stable sort."""

_BLOCK = 1 << 20
"""Keys that are looked up at once: what is needed meanwhile stays small. Changes no figure."""

_SORT_FROM = 1 << 12
"""From so many keys on, and in as many cells, it pays to look them up in the order of the cells, which are
then read from one end to the other."""


class Past(NamedTuple):
    """What had happened to some keys before a period of each."""

    sums: Floats
    """(n, n_values) 0 where nothing had."""

    last: Ints
    """(n,) the last period in which something had, `NEVER` where nothing had."""

    def take(self, rows: Ints) -> Past:
        """Of the keys at these rows."""
        return Past(self.sums.take(rows, axis=0), self.last.take(rows))


@dataclass(frozen=True)
class Tally:
    """Cumulative sums by key and period, looked up strictly before a period.

    Keys and periods are numbered in order and packed into one integer, cell = key * (n_periods + 1) + period,
    so that one binary search finds the last period of a key before any other.

    Args:
        parts: for each part of the key, the values it takes.
        cells: (n_cells,) int64, ascending: the periods of each key in which something happened.
        sums: (n_cells, n_values) float64, of everything up to and with that period.
        first: the first period of all.
        n_periods: from the first to the last.
    """

    parts: tuple[Numbering, ...]
    cells: Ints
    sums: Floats
    first: int
    n_periods: int

    @staticmethod
    def of(key: Sequence[Array], period: Ints, values: Floats) -> Tally:
        """Sum up events; those of the same key and period are added in their order.

        Raises:
            InputError: distinct keys times periods do not fit into 64 bits.
        """
        first = int(period.min()) if len(period) else 0
        n_periods = int(period.max(initial=first)) - first + 1
        parts = tuple(Numbering.of_rows(part) for part in key)
        _check_countable(parts, n_periods)
        cells = _packed(parts, [numbering.rows(part)[0] for numbering, part in zip(parts, key, strict=True)])
        cells *= n_periods + 1
        cells += period
        cells -= first
        return Tally._summed(parts, cells, values, first, n_periods)

    @staticmethod
    def _summed(
        parts: tuple[Numbering, ...],
        cells: Ints,
        values: Floats,
        first: int,
        n_periods: int,
        kind: SortKind = ANY_ORDER,
    ) -> Tally:
        cells, sums = _sums_of_cells(cells, values, kind)
        return Tally(parts, cells, _running(sums, cells // (n_periods + 1)), first, n_periods)

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def n_values(self) -> int:
        return int(self.sums.shape[1])

    @cached_property
    def whole(self) -> bool:
        """Whether all sums are whole numbers that are exact in any order."""
        return is_whole(self.sums) and bool(np.abs(self.sums).max(initial=0) < EXACT)

    def past(self, key: Sequence[Array], period: Ints) -> Past:
        """What had happened to (n,) keys strictly before a `period` of each."""
        past = Past(np.zeros((len(period), self.n_values)), np.full(len(period), NEVER))
        for start in range(0, len(period) if len(self) else 0, _BLOCK):
            rows = slice(start, start + _BLOCK)
            self._look_up([part[rows] for part in key], period[rows], Past(past.sums[rows], past.last[rows]))
        return past

    def totals_before(self, period: int) -> Floats:
        """(n_keys, n_values) the sums of every key before `period`, keys ascending."""
        width = self.n_periods + 1
        codes = self.cells // width
        first_cells = codes[np.flatnonzero(np.diff(codes, prepend=-1))] * width
        found, at, _ = self._found(first_cells, first_cells + self._elapsed(np.array([period])))
        totals = np.zeros((len(first_cells), self.n_values))
        totals[found] = self.sums.take(at[found], axis=0)
        return totals

    def joined(self, other: Tally) -> Tally:
        """What both together hold; the same as of all their events where sums are whole."""
        if not len(self) or not len(other):
            return self if len(self) else other
        first = min(self.first, other.first)
        n_periods = max(self.first + self.n_periods, other.first + other.n_periods) - first
        parts = tuple(one.joined(two) for one, two in zip(self.parts, other.parts, strict=True))
        _check_countable(parts, n_periods)
        cells = [tally.cells_among(parts, first, n_periods) for tally in (self, other)]
        values = np.concatenate([self.increments, other.increments])
        return Tally._summed(parts, np.concatenate(cells), values, first, n_periods, TWO_RUNS)

    def _look_up(self, key: Sequence[Array], period: Ints, into: Past) -> None:
        """Write the past of each key to its place, of those that have any."""
        numbered = [part.rows(of) for part, of in zip(self.parts, key, strict=True)]
        rows = reduce(and_, [known for _, known in numbered]).nonzero()[0]
        first_cell = _packed(self.parts, [places[rows] for places, _ in numbered]) * (self.n_periods + 1)
        wanted = first_cell + self._elapsed(period[rows])
        if min(len(wanted), len(self)) >= _SORT_FROM:
            wanted, order = _sorted(wanted, ANY_ORDER)
            rows, first_cell = rows[order], first_cell[order]
        found, at, elapsed = self._found(first_cell, wanted)
        rows = rows[found]
        into.sums[rows] = self.sums.take(at[found], axis=0)
        into.last[rows] = elapsed[found] + self.first

    def _elapsed(self, period: Ints) -> Ints:
        """Periods from the first on, all that come after the last being one."""
        return np.minimum(np.maximum(period - self.first, 0), self.n_periods)

    def _found(self, first_cell: Ints, wanted: Ints) -> tuple[NDArray[np.bool_], Ints, Ints]:
        """Whether a key has a cell from its first up to one that is wanted; the last such, and its period."""
        at = self.cells.searchsorted(wanted) - 1
        elapsed = self.cells.take(at, mode="wrap") - first_cell if len(self) else at
        return np.asarray((at >= 0) & (elapsed >= 0)), at, elapsed

    @property
    def increments(self) -> Floats:
        """(n_cells, n_values) the sums of each cell alone."""
        starts = np.flatnonzero(np.diff(self.cells // (self.n_periods + 1), prepend=-1))
        increments = np.diff(self.sums, axis=0, prepend=0.0)
        increments[starts] = self.sums[starts]
        return increments

    def cells_among(self, parts: tuple[Numbering, ...], first: int, n_periods: int) -> Ints:
        """(n_cells,) the same cells where the key has these parts and there are these periods."""
        codes, elapsed = np.divmod(self.cells, self.n_periods + 1)
        places = np.unravel_index(codes, tuple(len(part) for part in self.parts))
        moved = [
            new.rows(old.values)[0][of_part]
            for new, old, of_part in zip(parts, self.parts, places, strict=True)
        ]
        return _packed(parts, moved) * (n_periods + 1) + elapsed + (self.first - first)

    def state(self) -> State:
        parts = {f"key{i}": part.values for i, part in enumerate(self.parts)}
        periods = np.array([self.first, self.n_periods])
        return {**parts, "cells": self.cells, "sums": self.sums, "periods": periods}

    @staticmethod
    def from_state(state: State) -> Tally:
        n_parts = sum(name.removeprefix("key").isdecimal() for name in state if name.startswith("key"))
        first, n_periods = state["periods"].tolist()
        parts = tuple(Numbering.of(state[f"key{i}"]) for i in range(n_parts))
        return Tally(parts, state["cells"], state["sums"], first, n_periods)


def is_whole(values: Floats) -> bool:
    """Whether all are whole numbers."""
    return bool(np.all(values == np.rint(values)))


def _packed(parts: tuple[Numbering, ...], places: Sequence[Ints]) -> Ints:
    """One integer for each key, from the places of its parts."""
    codes = places[0].copy()
    for part, of_part in zip(parts[1:], places[1:], strict=True):
        codes *= len(part)
        codes += of_part
    return codes


def _check_countable(parts: tuple[Numbering, ...], n_periods: int) -> None:
    sizes = [len(part) for part in parts]
    if prod(sizes) * (n_periods + 1) >= 2**63:
        raise InputError(
            f"keys of {' x '.join(map(str, sizes))} values in {n_periods} periods are too many to count, "
            "must be fewer than 2**63 together"
        )


def _sums_of_cells(cells: Ints, values: Floats, kind: SortKind) -> tuple[Ints, Floats]:
    """The distinct cells, ascending, and the sums of the values of each."""
    ordered, order = _sorted(cells, kind)
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    sums = np.zeros((len(starts), values.shape[1]))
    for column, of_events in enumerate(values.T if len(starts) else ()):
        sums[:, column] = np.add.reduceat(of_events[order], starts, dtype=np.float64)
    return ordered[starts], sums


def _sorted(cells: Ints, kind: SortKind) -> tuple[Ints, Ints]:
    """Cells of 0 or more in ascending order, and the row of each; equal ones keep their order.

    Where cell and row fit into one integer, sorting such integers takes less than half as long.
    """
    bits = len(cells).bit_length()
    if int(cells.max(initial=0)) >= 2 ** (63 - bits):
        order = np.argsort(cells, kind="stable")
        return cells[order], order
    packed = cells << bits
    packed |= np.arange(len(cells))
    packed.sort(kind=kind)
    order = packed & ((1 << bits) - 1)
    packed >>= bits
    return packed, order


def _running(sums: Floats, keys: Ints) -> Floats:
    """Sums accumulated over the rows of each key, which stand together, without rounding of other keys."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(np.append(starts, len(keys)))
    if is_whole(sums) and np.abs(sums).sum() < EXACT:
        return _running_whole(sums, starts, counts)
    running = sums.copy()
    place = np.arange(len(keys)) - np.repeat(starts, counts)
    ends = np.cumsum(np.bincount(place))
    order = np.argsort(place.astype(np.min_scalar_type(len(ends))), kind="stable")
    for start, end in pairwise(ends):
        rows = order[start:end]
        running[rows] += running[rows - 1]
    return running


def _running_whole(sums: Floats, starts: Ints, counts: Ints) -> Floats:
    """The same for whole numbers, whose sums over all keys are exact, too."""
    running = np.cumsum(sums, axis=0)
    before = running.take(starts, axis=0) - sums.take(starts, axis=0)
    running -= np.repeat(before, counts, axis=0)
    return running
