"""BM25: items whose words match those of the query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import bm25s
import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.retrievers.base import TextIndex, TextRetriever
from mlsd.text import Terms, Vocabulary, item_texts
from mlsd.types import Array, Catalog, Ints, State

_BLOCK_CELLS = 1 << 18
"""Scores held at once: as many queries at a time as keep them in the cache. Changes no result."""

_ITEM_BITS = np.uint64(32)
_ITEM_MASK = np.uint64((1 << 32) - 1)


class BM25(TextRetriever[Terms]):
    """Okapi BM25 over title and text, in the variant of Lucene, indexed by bm25s.

        score(q, d) = sum over terms t of q:  idf(t) * tf / (tf + k1 * (1 - b + b * |d| / mean |d|))
        idf(t) = log(1 + (n_items - df(t) + 0.5) / (df(t) + 0.5))

    A term that the query repeats counts as often. Words that no item has say nothing; a query without any
    known word finds nothing. An item without a word of the query has score 0 and is not found.

    Source: Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond"; Kamphuis
    et al. (ECIR 2020) for the variant; Lù (2024), arXiv 2407.03618, for weights computed once, by the index.

    Args:
        k1: how far repetitions of a term in an item count, 0 or more; 0 only asks whether it is there.
        b: how much long items are held back, in [0, 1].
    """

    def __init__(self, k1: float = 1.5, b: float = 0.75) -> None:
        self.k1 = checks.at_least("k1", k1, 0)
        self.b = checks.share("b", b)

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:  # noqa: ARG002
        self._index = _Index.of(*Vocabulary.learn(item_texts(catalog)), self.k1, self.b)
        return Curves()

    def load_state(self, state: State) -> None:
        self._index = _Index.from_state(state)


@dataclass(frozen=True)
class _Index(TextIndex[Terms]):
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

    def queries(self, texts: Sequence[str]) -> Terms:
        """The known terms of each text."""
        return self.vocabulary.encode(texts).known()

    def best(self, queries: Terms, n: int) -> tuple[Ints, NDArray[np.float32], Ints]:
        blocks = [_best(self._scores(queries, block), n) for block in self._blocks(len(queries))]
        items = np.concatenate([np.zeros(0, np.int64), *(block[0] for block in blocks)])
        scores = np.concatenate([np.zeros(0, np.float32), *(block[1] for block in blocks)])
        counts = np.concatenate([np.zeros(0, np.int64), *(block[2] for block in blocks)])
        return items, scores, ragged.offsets_of_counts(counts)

    def scores_of(self, queries: Terms, query: Ints, items: Ints) -> NDArray[np.float32]:
        by_query = np.argsort(query, kind="stable")
        bounds = np.searchsorted(query[by_query], np.arange(len(queries) + 1))
        scores = np.zeros(len(query), np.float32)
        for block in self._blocks(len(queries)):
            pairs = by_query[bounds[block.start] : bounds[block.stop]]
            scores[pairs] = self._scores(queries, block)[query[pairs] - block.start, items[pairs]]
        return scores

    def _blocks(self, n_queries: int) -> Iterator[slice]:
        """As many queries at a time as fit in a block."""
        n = max(_BLOCK_CELLS // max(self.n_items, 1), 1)
        return (slice(start, min(start + n, n_queries)) for start in range(0, n_queries, n))

    def _scores(self, queries: Terms, block: slice) -> NDArray[np.float32]:
        """(n_block, n_items) the score of every item for a block of queries.

        Weights are added in double precision in the order of the query's terms, so that a score depends
        on nothing but its own query and item.
        """
        offsets = queries.offsets[block.start : block.stop + 1]
        terms = queries.ids[offsets[0] : offsets[-1]]
        rows, of_terms = ragged.take_segments(self.offsets, terms)
        n_postings = np.diff(of_terms[offsets - offsets[0]])
        n_queries = len(offsets) - 1
        cells = np.repeat(np.arange(n_queries) * self.n_items, n_postings) + self.items[rows]
        summed = np.bincount(cells, self.weights[rows], n_queries * self.n_items)
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
