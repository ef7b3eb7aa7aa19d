"""What is relevant in the search world: grades 0 to 4 by a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mlsd import checks, ragged
from mlsd.types import NO_ITEM, Floats, Ints
from mlsd.worlds.search.documents import Documents
from mlsd.worlds.search.queries import NAVIGATIONAL, TRANSACTIONAL, Queries

N_GRADES = 4
"""Grades above 0."""

Sparse: TypeAlias = "sparse.csr_array[np.float64, tuple[int, int]]"


@dataclass(frozen=True)
class RelevanceOptions:
    """The parameters of relevance; see `Relevance` for the formula.

    Args:
        other_topic: factor where the document's main topic is not the query's.
        other_kind: factor where a transaction is asked for and the document only explains, or conversely.
        not_official: factor where an official page is asked for and the document only mentions the entity.
        authority_weight: how much of the score a document without authority loses.
        freshness_weight: how much of it an old document loses where something new is asked for.
        half_life_days: age at which half of that is lost.
        thresholds: the score that each of the grades 1, 2, 3 and 4 begins at, rising.
    """

    other_topic: float = 0.8
    other_kind: float = 0.7
    not_official: float = 0.5
    authority_weight: float = 0.4
    freshness_weight: float = 0.5
    half_life_days: float = 90.0
    thresholds: Sequence[float] = (0.25, 0.45, 0.6, 0.75)

    def __post_init__(self) -> None:
        for name in ("other_topic", "other_kind", "not_official", "authority_weight", "freshness_weight"):
            checks.share(name, getattr(self, name))
        checks.above("half_life_days", self.half_life_days, 0)
        rising = all(low < high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False))
        checks.require(
            len(self.thresholds) == N_GRADES and rising and self.thresholds[0] > 0
            and self.thresholds[-1] <= 1,
            "thresholds", list(self.thresholds), f"must be {N_GRADES} rising numbers in (0, 1]",
        )  # fmt: skip


@dataclass(frozen=True)
class Relevance:
    """The score of every (query, item) pair that can reach a grade above 0.

        score = match * topic * kind * authority          for the official page asked for: 1
        grade = number of thresholds that score * freshness reaches

        match      sum of the document's aboutness (1, 1/2, 1/3, ... down its concepts) over the n concepts of
                   the query, divided by 1 + 1/2 + ... + 1/n: that of a document about just these; 0 for spam
        topic      1 if the document's main topic is the query's, else other_topic
        kind       1 if the intent is met, else other_kind; not_official for an entity's other pages
        authority  1 - authority_weight * (1 - sqrt(authority))
        freshness  1 - freshness_weight * (1 - 2 ** (-age / half_life_days)) where something new is asked for,
                   else 1

    Only freshness depends on the time of the request.

    Args:
        options: as declared.
        offsets: (n_queries + 1,) int64.
        items: (n_pairs,) int64, ascending within a query.
        scores: (n_pairs,) float64, before freshness.
        fresh: (n_queries,) bool.
        published_days: (n_items,) float64.
    """

    options: RelevanceOptions
    offsets: Ints
    items: Ints
    scores: Floats
    fresh: NDArray[np.bool_]
    published_days: Floats

    def grades(self, queries: Ints, items: Ints, time_days: Floats) -> Ints:
        """(n,) the grade of each pair at a time; 0 where there is no item (-1)."""
        grades = np.zeros(len(queries), np.int64)
        if len(self._pairs) == 0:
            return grades
        sought = queries * len(self.published_days) + items
        rows = np.minimum(np.searchsorted(self._pairs, sought), len(self._pairs) - 1)
        found = np.flatnonzero((self._pairs[rows] == sought) & (items != NO_ITEM))
        grades[found] = self._grades_of_rows(rows[found], queries[found], time_days[found])
        return grades

    def relevant(self, queries: Ints, time_days: Floats) -> tuple[Ints, Ints, Ints]:
        """Offsets, items and grades of everything that has a grade above 0 for each query at its time."""
        rows, offsets = ragged.take_segments(self.offsets, queries)
        asked = ragged.segment_ids(offsets)
        grades = self._grades_of_rows(rows, queries[asked], time_days[asked])
        kept = grades > 0
        return ragged.offsets_of_mask(kept, offsets), self.items[rows[kept]], grades[kept]

    @cached_property
    def _pairs(self) -> Ints:
        """(n_pairs,) query and item in one number, ascending."""
        return ragged.segment_ids(self.offsets) * len(self.published_days) + self.items

    def _grades_of_rows(self, rows: Ints, queries: Ints, time_days: Floats) -> Ints:
        scores = self.scores[rows]
        dated = np.flatnonzero(self.fresh[queries])
        age_days = time_days[dated] - self.published_days[self.items[rows[dated]]]
        scores[dated] *= freshness(self.options, age_days)
        return np.searchsorted(np.asarray(self.options.thresholds), scores, side="right").astype(np.int64)


def freshness(options: RelevanceOptions, age_days: Floats) -> Floats:
    """(n,) factor for documents of these ages where something new is asked for."""
    lost = 1.0 - np.exp2(-np.maximum(age_days, 0.0) / options.half_life_days)
    return np.asarray(1.0 - options.freshness_weight * lost)


def make_relevance(
    options: RelevanceOptions, queries: Queries, documents: Documents, n_concepts: int
) -> Relevance:
    """All pairs that can be relevant, found through the documents of each concept."""
    match = _asked(queries, n_concepts) @ _about(documents, n_concepts)
    match.sort_indices()
    offsets, items = match.indptr.astype(np.int64), match.indices.astype(np.int64)
    query = ragged.segment_ids(offsets)
    scores = np.minimum(match.data, 1.0) * _fit(options, queries, documents, query, items)
    official = (queries.intent[query] == NAVIGATIONAL) & (
        documents.official_of[items] == queries.concepts[query, 0]
    )
    scores[official] = 1.0
    kept = scores >= options.thresholds[0]
    return Relevance(
        options=options,
        offsets=ragged.offsets_of_mask(kept, offsets),
        items=items[kept],
        scores=scores[kept],
        fresh=queries.fresh,
        published_days=documents.published_days,
    )


def _fit(
    options: RelevanceOptions, queries: Queries, documents: Documents, query: Ints, item: Ints
) -> Floats:
    """(n_pairs,) the factors topic, kind and authority of (query, item) pairs."""
    topic = np.where(queries.topic[query] == documents.topic[item], 1.0, options.other_topic)
    met = (queries.intent[query] == TRANSACTIONAL) == documents.transactional[item]
    kind = np.where(met, 1.0, options.other_kind)
    kind = np.where(queries.intent[query] == NAVIGATIONAL, options.not_official, kind)
    authority = 1.0 - options.authority_weight * (1.0 - np.sqrt(documents.authority))
    return np.asarray(topic * kind * authority[item])


def _asked(queries: Queries, n_concepts: int) -> Sparse:
    """(n_queries, n_concepts) sparse: 1 / (1 + 1/2 + ... + 1/n) at each of a query's n concepts."""
    n_asked = np.count_nonzero(queries.concepts >= 0, axis=1)
    best = np.cumsum(1.0 / np.arange(1, queries.concepts.shape[1] + 1))[n_asked - 1]
    weights = np.repeat((1.0 / best)[:, None], queries.concepts.shape[1], axis=1)
    return _sparse(queries.concepts, np.where(queries.concepts >= 0, weights, 0.0), n_concepts)


def _about(documents: Documents, n_concepts: int) -> Sparse:
    """(n_concepts, n_items) sparse: how much each document is about each concept."""
    return _sparse(documents.concepts, documents.aboutness, n_concepts).T.tocsr()


def _sparse(columns: Ints, values: Floats, n_columns: int) -> Sparse:
    rows, places = np.nonzero(values)
    cells = (values[rows, places], (rows, columns[rows, places]))
    return sparse.csr_array(cells, shape=(len(columns), n_columns))
