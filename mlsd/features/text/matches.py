"""How the terms of queries meet the titles and texts of candidates: what all features of words read."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd import ragged
from mlsd.errors import NotFittedError
from mlsd.features.base import Shared, SharingFeature
from mlsd.features.text.index import Postings, TermIndex
from mlsd.logs import Log
from mlsd.text import Terms, distinct
from mlsd.types import Array, Catalog, Floats, Ints, RankingBatch, State

FIELDS = ("title", "all")
"""What a feature of words looks at: the title, or title and text together."""


class Pairs(NamedTuple):
    """Every candidate beside every distinct term of its query."""

    offsets: Ints
    """(n_candidates + 1,) of the pairs of each candidate."""

    term: Array
    """(n_pairs,) terms, ascending for each candidate."""

    candidate: Ints
    """(n_pairs,)"""

    postings: Postings

    def tf(self, field: str) -> Ints:
        """(n_pairs,) occurrences of the term in the candidate's field."""
        return self.postings.title_tf if field == "title" else self.postings.tf


class Neighbours(NamedTuple):
    """Every candidate beside every two terms that follow each other in its query."""

    offsets: Ints
    """(n_candidates + 1,)"""

    nearness: Floats
    """(n,) 1 / smallest distance of the two in the candidate; 0 where one is missing."""

    adjacent: NDArray[np.bool_]
    """(n,) whether they follow each other there too."""


@dataclass(frozen=True)
class Matches:
    """A batch as its words see it. Distinct queries are analysed once; the rest is computed when asked for.

    Args:
        index: of the catalog.
        queries: the terms of each distinct query of the batch, `UNKNOWN` for words no item has.
        query: (n_candidates,) the row of each candidate's query.
        items: (n_candidates,)
    """

    index: TermIndex
    queries: Terms
    query: Ints
    items: Ints

    @staticmethod
    def of(batch: RankingBatch, index: TermIndex) -> Matches:
        once, of_request = distinct(batch.requests["query"])
        query = np.repeat(of_request, batch.candidates.counts)
        return Matches(index, index.vocabulary.encode(once), query, batch.candidates.items)

    @cached_property
    def _distinct(self) -> tuple[Terms, Ints]:
        return distinct_terms(self.queries)

    def weights(self, field: str) -> Floats:
        """(n_terms + 1,) idf of each term in a field; the last is that of `UNKNOWN`, term -1."""
        return self.index.title_idf if field == "title" else self.index.idf

    def lengths(self, field: str) -> Ints:
        """(n_items,) terms of each item's field."""
        return self.index.n_title_terms if field == "title" else self.index.n_terms

    def mean_length(self, field: str) -> float:
        """Mean terms of a field, at least 1."""
        return max(self.index.mean_title_terms if field == "title" else self.index.mean_terms, 1.0)

    @cached_property
    def pairs(self) -> Pairs:
        terms = self._distinct[0]
        rows, offsets = ragged.take_segments(terms.offsets, self.query)
        term, candidate = terms.ids[rows], ragged.segment_ids(offsets)
        return Pairs(offsets, term, candidate, self.index.find(term, self.items[candidate]))

    @cached_property
    def neighbours(self) -> Neighbours:
        first, offsets_of_query = _not_last(self.queries.offsets)
        rows, offsets = ragged.take_segments(offsets_of_query, self.query)
        candidate, slot = ragged.segment_ids(offsets), self._distinct[1]
        a, b = (self.pairs.offsets[candidate] + slot[first[rows] + ahead] for ahead in (0, 1))
        tf = self.pairs.postings.tf
        both = np.flatnonzero((tf[a] > 0) & (tf[b] > 0))
        of_a = Postings(*(values[a[both]] for values in self.pairs.postings))
        distance, follows = self.index.distances(of_a, self.pairs.term[b[both]], self.items[candidate[both]])
        nearness, adjacent = np.zeros(len(rows)), np.zeros(len(rows), bool)
        nearness[both], adjacent[both] = 1.0 / distance, follows
        return Neighbours(offsets, nearness, adjacent)


class TextIndex(Shared):
    """The positional index of the catalog's titles and texts."""

    needs = frozenset({"request.query"})
    catalog_needs = frozenset({"title", "text"})

    def __init__(self) -> None:
        self._index: TermIndex | None = None

    @property
    def key(self) -> str:
        return "text"

    @property
    def index(self) -> TermIndex:
        if self._index is None:
            raise NotFittedError("a feature of words was used before fit or load_state")
        return self._index

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        self._index = TermIndex.of(catalog["title"].tolist(), catalog["text"].tolist())

    def prepare(self, batch: RankingBatch) -> Matches:
        return Matches.of(batch, self.index)

    def state(self) -> State:
        return self.index.state("index")

    def load_state(self, state: State) -> None:
        self._index = TermIndex.from_state(state, "index")


class TextFeature(SharingFeature, ABC):
    """A feature that reads `Matches`."""

    def __init__(self) -> None:
        self.shared = TextIndex()


def distinct_terms(terms: Terms) -> tuple[Terms, Ints]:
    """Each text's terms without repeats, ascending, and the place of every original term among them.

    Example:
        >>> once, slot = distinct_terms(Terms(np.array([0, 3, 4]), np.array([5, 2, 5, 7])))
        >>> once.ids.tolist(), slot.tolist()
        ([2, 5, 7], [1, 0, 1, 0])
    """
    text = ragged.segment_ids(terms.offsets)
    order = np.lexsort((terms.ids, text))
    ids = terms.ids[order]
    new = (np.diff(ids, prepend=-2) != 0) | (np.diff(text, prepend=-1) != 0)
    offsets = ragged.offsets_of_mask(new, terms.offsets)
    slot = np.empty(len(ids), np.int64)
    slot[order] = np.cumsum(new) - 1 - offsets[:-1][text]
    return Terms(offsets, ids[new]), slot


def _not_last(offsets: Ints) -> tuple[Ints, Ints]:
    """The rows of each segment but its last, and their offsets."""
    mask = np.ones(offsets[-1], bool)
    mask[offsets[1:][np.diff(offsets) > 0] - 1] = False
    return np.flatnonzero(mask).astype(np.int64), ragged.offsets_of_mask(mask, offsets)
