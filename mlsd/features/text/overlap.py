"""How much of a query an item says."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks, ragged
from mlsd.features.base import Family
from mlsd.features.text.matches import FIELDS, Matches, TextFeature
from mlsd.types import Array, Floats


class TermCoverage(TextFeature):
    """The share of the query's distinct terms that the item's field has, each term counted by its weight.

        sum of w(t) over t in query and field / sum of w(t) over t in query

    NaN for a query without terms.

    Args:
        field: "title", or "all" for title and text together.
        weighted: w is the idf within the field; else every term weighs the same.
    """

    family: ClassVar[Family] = "query_item"

    def __init__(self, field: str = "all", *, weighted: bool = True) -> None:
        super().__init__()
        self.field = checks.one_of("field", field, FIELDS)
        self.weighted = weighted

    def read(self, prepared: Matches) -> Floats:
        pairs = prepared.pairs
        weights = prepared.weights(self.field)[pairs.term] if self.weighted else np.ones(len(pairs.term))
        matched = ragged.sums(np.where(pairs.tf(self.field) > 0, weights, 0.0), pairs.offsets)
        return _share(matched, ragged.sums(weights, pairs.offsets))


class FieldBM25(TextFeature):
    """BM25 of the query in one field of the item, as log(1 + x).

        x = sum over t of idf(t) tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length))

    Source: Robertson and Zaragoza (2009), equation 3.15; distinct terms of the query count once.

    Args:
        field: "title", or "all" for title and text together.
        k1: how soon repetitions saturate.
        b: how much long fields are discounted, in [0, 1].
    """

    family: ClassVar[Family] = "query_item"

    def __init__(self, field: str = "title", k1: float = 1.2, b: float = 0.75) -> None:
        super().__init__()
        self.field = checks.one_of("field", field, FIELDS)
        self.k1 = checks.above("k1", k1, 0)
        self.b = checks.share("b", b)

    def read(self, prepared: Matches) -> Floats:
        pairs = prepared.pairs
        length = prepared.lengths(self.field)[prepared.items] / prepared.mean_length(self.field)
        tf = pairs.tf(self.field)
        saturation = self.k1 * (1 - self.b + self.b * length)[pairs.candidate]
        gains = prepared.weights(self.field)[pairs.term] * tf * (self.k1 + 1) / (tf + saturation)
        return np.asarray(np.log1p(ragged.sums(gains, pairs.offsets)))


class TitleMatch(TextFeature):
    """1 where the item's title is the query, term for term in its order; else 0."""

    family: ClassVar[Family] = "query_item"

    def read(self, prepared: Matches) -> Floats:
        index, queries = prepared.index, prepared.queries
        length = np.diff(queries.offsets)[prepared.query]
        matches = (length > 0) & (length == index.n_title_terms[prepared.items])
        likely = np.flatnonzero(matches)
        rows, offsets = ragged.take_segments(queries.offsets, prepared.query[likely])
        starts = index.starts[prepared.items[likely]][ragged.segment_ids(offsets)]
        right = index.stands_at(queries.ids[rows], starts + ragged.positions(offsets))
        matches[likely] = ragged.sums(right, offsets) == np.diff(offsets)
        return np.asarray(matches, dtype=np.float64)


class PhraseCoverage(TextFeature):
    """The share of the query's neighbouring terms that are neighbours, in that order, in the item too.

    NaN for a query of fewer than two terms.
    """

    family: ClassVar[Family] = "query_item"

    def read(self, prepared: Matches) -> Floats:
        neighbours = prepared.neighbours
        return _share(ragged.sums(neighbours.adjacent, neighbours.offsets), np.diff(neighbours.offsets))


class Proximity(TextFeature):
    """How near the query's neighbouring terms come to each other in the item, in either order.

    The mean of 1 / d, with d the smallest distance in the item between the two terms, and 0 where one of
    them is missing (after the minimum pair distance of Tao and Zhai 2007). NaN for fewer than two terms.
    """

    family: ClassVar[Family] = "query_item"

    def read(self, prepared: Matches) -> Floats:
        neighbours = prepared.neighbours
        return _share(ragged.sums(neighbours.nearness, neighbours.offsets), np.diff(neighbours.offsets))


class FieldLength(TextFeature):
    """log(1 + terms) of an item's field.

    Args:
        field: "title", or "all" for title and text together.
    """

    family: ClassVar[Family] = "item"

    def __init__(self, field: str = "all") -> None:
        super().__init__()
        self.field = checks.one_of("field", field, FIELDS)

    def read(self, prepared: Matches) -> Floats:
        return np.asarray(np.log1p(prepared.lengths(self.field)[prepared.items]))


def _share(part: Array, whole: Array) -> Floats:
    """One divided by the other; NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
