"""Where every term stands in every item: a positional index in one sorted array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd import ragged
from mlsd.text import Vocabulary
from mlsd.types import Array, Floats, Ints, State

_ABSENT = np.iinfo(np.int64).max


class Postings(NamedTuple):
    """What the index says about (term, item) pairs."""

    row: Ints
    """(n,) the first occurrence of the term in the item, where it occurs at all."""

    tf: Ints
    """(n,) occurrences in the whole item, title and text; 0 where it does not occur."""

    title_tf: Ints
    """(n,) occurrences in the title."""


@dataclass(frozen=True)
class TermIndex:
    """The terms of items that have a title and a text.

    All items' terms stand one after the other, each title before its text, with a free place between, and
    every term has a position there. An occurrence is the integer term * n_positions + position; as they
    are sorted, the occurrences of a term in an item are neighbours, found by one binary search.

    Args:
        vocabulary: the terms of all items.
        starts: (n_items,) int64, position of the first place of each title.
        title_ends: (n_items,) int64, the place after each title.
        ends: (n_items,) int64, the place after each text.
        occurrences: (n_occurrences,) int64, ascending.
    """

    vocabulary: Vocabulary
    starts: Ints
    title_ends: Ints
    ends: Ints
    occurrences: Ints

    @staticmethod
    def of(titles: Sequence[str], texts: Sequence[str]) -> TermIndex:
        """Index items by what they say.

        Example:
            >>> index = TermIndex.of(["cat food", "dogs"], ["a cat likes cats", "dogs chase a cat"])
            >>> cat = index.vocabulary.encode(["cat"]).ids
            >>> postings = index.find(np.repeat(cat, 2), np.array([0, 1]))
            >>> postings.tf.tolist(), postings.title_tf.tolist()
            ([3, 1], [1, 0])
        """
        vocabulary, terms = Vocabulary.learn([*titles, *texts])
        n = len(titles)
        n_title, n_text = np.diff(terms.offsets[: n + 1]), np.diff(terms.offsets[n:])
        ends = np.cumsum(n_title + n_text + 1)
        starts = ends - n_title - n_text - 1
        first = np.concatenate([starts, starts + n_title + 1])
        positions = np.repeat(first, np.concatenate([n_title, n_text])) + ragged.positions(terms.offsets)
        occurrences = np.sort(terms.ids.astype(np.int64) * max(int(ends[-1]), 1) + positions)
        return TermIndex(vocabulary, starts, starts + n_title, ends, occurrences)

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def n_positions(self) -> int:
        return max(int(self.ends[-1]), 1)

    @cached_property
    def n_title_terms(self) -> Ints:
        """(n_items,) length of each title."""
        return self.title_ends - self.starts

    @cached_property
    def n_terms(self) -> Ints:
        """(n_items,) length of each item, title and text."""
        return self.ends - self.starts - 1

    @cached_property
    def mean_title_terms(self) -> float:
        return float(self.n_title_terms.mean())

    @cached_property
    def mean_terms(self) -> float:
        return float(self.n_terms.mean())

    @cached_property
    def _groups(self) -> Ints:
        """(n_pairs + 1,) offsets of the occurrences of each (term, item) pair."""
        item = np.searchsorted(self.ends, self.occurrences % self.n_positions, side="right")
        pair = self.occurrences // self.n_positions * len(self) + item
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        return np.append(starts, len(pair)).astype(np.int64)

    @cached_property
    def _counts(self) -> tuple[Ints, Ints]:
        """(n_occurrences,) at the first occurrence of a pair: how many follow in the item and its title."""
        groups, position = self._groups, self.occurrences % self.n_positions
        item = np.searchsorted(self.ends, position, side="right")
        in_title = ragged.sums(position < self.title_ends[item], groups)
        count, title_count = np.zeros((2, len(self.occurrences)), np.int64)
        count[groups[:-1]], title_count[groups[:-1]] = np.diff(groups), in_title
        return count, title_count

    @cached_property
    def idf(self) -> Floats:
        """(n_terms + 1,) log(1 + (n_items - df + 0.5) / (df + 0.5)), BM25's (Robertson, Zaragoza 2009).

        The last is that of a term no item has, so that `UNKNOWN`, term -1, finds it.
        """
        return self._idf(self._groups[:-1])

    @cached_property
    def title_idf(self) -> Floats:
        """(n_terms + 1,) the same over titles alone."""
        rows = self._groups[:-1]
        return self._idf(rows[self._counts[1][rows] > 0])

    def _idf(self, rows: Ints) -> Floats:
        """From the first occurrence of every pair that counts."""
        df = np.bincount(self.occurrences[rows] // self.n_positions, minlength=len(self.vocabulary) + 1)
        return np.asarray(np.log1p((len(self) - df + 0.5) / (df + 0.5)))

    def find(self, term: Array, item: Ints) -> Postings:
        """How often each (term, item) pair occurs; `UNKNOWN` terms occur nowhere."""
        if not len(self.occurrences):
            nothing = np.zeros(len(term), np.int64)
            return Postings(nothing, nothing, nothing)
        base = term.astype(np.int64) * self.n_positions
        sought = base + self.starts[item]
        rows = np.minimum(np.searchsorted(self.occurrences, sought), len(self.occurrences) - 1)
        at = self.occurrences[rows]
        found = (at >= sought) & (at < base + self.ends[item]) & (term >= 0)
        count, title_count = self._counts
        return Postings(rows, np.where(found, count[rows], 0), np.where(found, title_count[rows], 0))

    def distances(self, first: Postings, second_term: Array, item: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """How near two terms come to each other in items that hold both.

        Args:
            first: (n,) where the first term stands in `item`; its tf is above 0.
            second_term: (n,) the other term.
            item: (n,).

        Returns:
            (n,) the smallest distance between an occurrence of one and of the other, in either order, and
            (n,) whether the second ever follows the first immediately.
        """
        if not len(item):
            return np.zeros(0, np.int64), np.zeros(0, bool)
        rows, offsets = _expand(first.row, first.tf)
        pair = ragged.segment_ids(offsets)
        position = self.occurrences[rows] % self.n_positions
        base = second_term.astype(np.int64)[pair] * self.n_positions
        after = np.searchsorted(self.occurrences, base + position, side="right")
        follows = self._gap(after, base + position, base + self.ends[item][pair], 1)
        precedes = self._gap(after - 1, base + position, base + self.starts[item][pair], -1)
        nearest = np.minimum.reduceat(np.minimum(follows, precedes), offsets[:-1])
        return nearest, np.logical_or.reduceat(follows == 1, offsets[:-1])

    def stands_at(self, term: Array, position: Ints) -> NDArray[np.bool_]:
        """(n,) whether each term stands at a position of the index."""
        sought = term.astype(np.int64) * self.n_positions + position
        rows = np.minimum(np.searchsorted(self.occurrences, sought), len(self.occurrences) - 1)
        return np.asarray((self.occurrences[rows] == sought) & (term >= 0))

    def _gap(self, rows: Ints, here: Ints, end: Ints, sign: int) -> Ints:
        """Distance from `here` to the occurrences at `rows`, if they stand before `end`; none to itself."""
        inside = (rows >= 0) & (rows < len(self.occurrences))
        at = self.occurrences[np.where(inside, rows, 0)]
        inside &= (at < end) if sign > 0 else (at >= end)
        gap = (at - here) * sign
        return np.where(inside & (gap > 0), gap, _ABSENT)

    def state(self, prefix: str) -> State:
        arrays = {"starts": self.starts, "title_ends": self.title_ends, "ends": self.ends}
        arrays |= {"occurrences": self.occurrences, "terms": self.vocabulary.terms}
        return {f"{prefix}.{name}": array for name, array in arrays.items()}

    @staticmethod
    def from_state(state: State, prefix: str) -> TermIndex:
        names = ("starts", "title_ends", "ends", "occurrences")
        return TermIndex(Vocabulary(state[f"{prefix}.terms"]), *(state[f"{prefix}.{name}"] for name in names))


def _expand(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """The rows start, start + 1, ... of every run, one run after the other, and their offsets."""
    offsets = ragged.offsets_of_counts(counts)
    return np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1]), offsets
