"""BM25: items whose words match those of the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import bm25s
import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.retrievers.base import TextIndex, TextRetriever
from mlsd.text import Terms, Vocabulary, distinct, item_texts
from mlsd.types import Array, Catalog, Ints, Requests, State

_BLOCK_CELLS = 1 << 18
"""Scores held at once: as many queries at a time as keep them in the cache. Changes no result."""

_ITEM_BITS = np.uint64(32)
_ITEM_MASK = np.uint64((1 << 32) - 1)


class _Queries(NamedTuple):
    """What is looked for."""

    terms: Terms
    """The known terms of each query."""
    weights: NDArray[np.float32] | None = None
    """(n_terms,) what each term counts; None where all count alike."""


class BM25(TextRetriever[_Queries]):
    """Okapi BM25 over title and text, in the variant of Lucene, indexed by bm25s.

        score(q, d) = sum over terms t of q:  idf(t) * tf / (tf + k1 * (1 - b + b * |d| / mean |d|))
        idf(t) = log(1 + (n_items - df(t) + 0.5) / (df(t) + 0.5))

    A term that the query repeats counts as often. Words that no item has say nothing; a query without any
    known word finds nothing. An item without a word of the query has score 0 and is not found. With an
    `expansion_weight` above 0 the terms of `request.expansion`, which a rewrite stage adds, are terms of
    the query that count for as much.

    Source: Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond"; Kamphuis
    et al. (ECIR 2020) for the variant; Lù (2024), arXiv 2407.03618, for weights computed once, by the index.

    Args:
        k1: how far repetitions of a term in an item count, 0 or more; 0 only asks whether it is there.
        b: how much long items are held back, in [0, 1].
        expansion_weight: what a related term counts, beside 1 for a term of the query, 0 or more; 0 reads
            none.
    """

    def __init__(self, k1: float = 1.5, b: float = 0.75, expansion_weight: float = 0.0) -> None:
        self.k1 = checks.at_least("k1", k1, 0)
        self.b = checks.share("b", b)
        self.expansion_weight = checks.at_least("expansion_weight", expansion_weight, 0)
        if expansion_weight > 0:
            self.needs = frozenset({"request.query", "request.expansion"})

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:  # noqa: ARG002
        self._index = _Index.of(*Vocabulary.learn(item_texts(catalog)), self.k1, self.b)
        return Curves()

    def asked(self, requests: Requests) -> tuple[_Queries, Ints]:
        if not self.expansion_weight:
            return super().asked(requests)
        texts, text = distinct(requests["query"])
        expansions, expansion = distinct(requests["expansion"])
        width = max(len(expansions), 1)
        pairs, rows = np.unique(text * width + expansion, return_inverse=True)
        queries = self.index.queries(texts).terms.take(pairs // width)
        related = self.index.queries(expansions).terms.take(pairs % width)
        return _expanded(queries, related, self.expansion_weight), rows

    def load_state(self, state: State) -> None:
        self._index = _Index.from_state(state)


def _expanded(queries: Terms, related: Terms, weight: float) -> _Queries:
    """Each query's own terms, then those related to it."""
    n_own, n_related = np.diff(queries.offsets), np.diff(related.offsets)
    offsets = ragged.offsets_of_counts(n_own + n_related)
    own = ragged.positions(offsets) < np.repeat(n_own, n_own + n_related)
    ids = np.empty(len(own), queries.ids.dtype)
    ids[own], ids[~own] = queries.ids, related.ids
    return _Queries(Terms(offsets, ids), np.where(own, 1.0, weight).astype(np.float32))


@dataclass(frozen=True)
class _Index(TextIndex[_Queries]):
    """What each term adds to the score of each item that has it; everything else adds nothing.

    Args:
        vocabulary: of the catalog.
        offsets: (n_terms + 1,) int64, of the items of each term.
        items: (n_postings,) int32, ascending for each term.
        weights: (n_postings,) float32, above 0.
        n_items: of the catalog.
    """

    vocabulary: Vocabulary
    offsets: Ints
    items: Array
    weights: NDArray[np.float32]
    n_items: int

    @staticmethod
    def of(vocabulary: Vocabulary, terms: Terms, k1: float, b: float) -> _Index:
        if not len(vocabulary):
            nothing = np.zeros(0, np.float32)
            return _Index(vocabulary, np.zeros(1, np.int64), np.zeros(0, np.int32), nothing, len(terms))
        ids, bounds = terms.ids.tolist(), terms.offsets.tolist()
        of_items = [ids[start:end] for start, end in pairwise(bounds)]
        numbers = {term: number for number, term in enumerate(vocabulary.terms.tolist())}
        index = bm25s.BM25(k1=k1, b=b, method="lucene")
        index.index((of_items, numbers), create_empty_token=False, show_progress=False)
        postings = index.scores
        offsets = postings["indptr"].astype(np.int64)
        return _Index(vocabulary, offsets, postings["indices"], postings["data"], len(terms))

    def queries(self, texts: Sequence[str]) -> _Queries:
        """The known terms of each text."""
        return _Queries(self.vocabulary.encode(texts).known())

    def best(self, queries: _Queries, n: int) -> tuple[Ints, NDArray[np.float32], Ints]:
        blocks = [_best(self._scores(queries, block), n) for block in self._blocks(len(queries.terms))]
        items = np.concatenate([np.zeros(0, np.int64), *(block[0] for block in blocks)])
        scores = np.concatenate([np.zeros(0, np.float32), *(block[1] for block in blocks)])
        counts = np.concatenate([np.zeros(0, np.int64), *(block[2] for block in blocks)])
        return items, scores, ragged.offsets_of_counts(counts)

    def scores_of(self, queries: _Queries, query: Ints, items: Ints) -> NDArray[np.float32]:
        by_query = np.argsort(query, kind="stable")
        bounds = np.searchsorted(query[by_query], np.arange(len(queries.terms) + 1))
        scores = np.zeros(len(query), np.float32)
        for block in self._blocks(len(queries.terms)):
            pairs = by_query[bounds[block.start] : bounds[block.stop]]
            scores[pairs] = self._scores(queries, block)[query[pairs] - block.start, items[pairs]]
        return scores

    def _blocks(self, n_queries: int) -> Iterator[slice]:
        """As many queries at a time as fit in a block."""
        n = max(_BLOCK_CELLS // max(self.n_items, 1), 1)
        return (slice(start, min(start + n, n_queries)) for start in range(0, n_queries, n))

    def _scores(self, queries: _Queries, block: slice) -> NDArray[np.float32]:
        """(n_block, n_items) the score of every item for a block of queries.

        Weights are added in double precision in the order of the query's terms, so that a score depends
        on nothing but its own query and item.
        """
        offsets = queries.terms.offsets[block.start : block.stop + 1]
        of_block = slice(offsets[0], offsets[-1])
        rows, of_terms = ragged.take_segments(self.offsets, queries.terms.ids[of_block])
        n_postings = np.diff(of_terms[offsets - offsets[0]])
        n_queries = len(offsets) - 1
        cells = np.repeat(np.arange(n_queries) * self.n_items, n_postings) + self.items[rows]
        weights = self.weights[rows]
        if queries.weights is not None:
            weights = weights * np.repeat(queries.weights[of_block], np.diff(of_terms))
        summed = np.bincount(cells, weights, n_queries * self.n_items)
        return summed.astype(np.float32).reshape(n_queries, self.n_items)

    def state(self) -> State:
        postings = {"offsets": self.offsets, "items": self.items, "weights": self.weights}
        return {"terms": self.vocabulary.terms, "n_items": np.array(self.n_items), **postings}

    @staticmethod
    def from_state(state: State) -> _Index:
        offsets, items, weights = (state[name] for name in ("offsets", "items", "weights"))
        return _Index(Vocabulary(state["terms"]), offsets, items, weights, int(state["n_items"]))


def _best(scores: NDArray[np.float32], n: int) -> tuple[Ints, NDArray[np.float32], Ints]:
    """The `n` highest positive scores of each row, best first, ties by the lower item.

    A score and its item are one integer: the bits of the score, which rise with a positive score, above
    the item counted from the end. Rows are filled up with small integers, all different, as selection
    slows down on equal ones.

    Returns:
        (n_found,) items, (n_found,) scores and (n_rows,) how many each row has.
    """
    n_rows, n_items = scores.shape
    cells = np.flatnonzero(scores > 0)
    counts = np.diff(np.searchsorted(cells, np.arange(n_rows + 1) * n_items))
    from_end = _ITEM_MASK - (cells - np.repeat(np.arange(n_rows) * n_items, counts)).astype(np.uint64)
    bits = scores.ravel()[cells].view(np.uint32).astype(np.uint64)
    places = np.arange(counts.max(initial=0))
    keys = np.tile(places.astype(np.uint64), (n_rows, 1))
    keys[places < counts[:, None]] = (bits << _ITEM_BITS) | from_end
    if len(places) > n:
        keys = np.partition(keys, len(places) - n, axis=1)[:, len(places) - n :]
    keys.sort(axis=1)
    found = keys[:, ::-1].ravel()
    found = found[found > _ITEM_MASK]
    items = (_ITEM_MASK - (found & _ITEM_MASK)).astype(np.int64)
    return items, (found >> _ITEM_BITS).astype(np.uint32).view(np.float32), np.minimum(counts, n)
