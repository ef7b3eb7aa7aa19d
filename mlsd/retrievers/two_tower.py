"""Two towers: queries and items as vectors, near each other where they belong together."""

# ruff: noqa: PLC0415  (torch is loaded for training only)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.errors import InputError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.models.bags import Bags, Vectors, normalised, products, rarity_of, vectors_of
from mlsd.models.pairs import Pairs, click_pairs, title_pairs
from mlsd.retrievers.base import TextIndex, TextRetriever
from mlsd.text import Vocabulary
from mlsd.types import Catalog, Ints, State

PairSource = Literal["clicks", "title", "both"]
Search = Literal["exact", "hnsw"]

_SPARE = 16
"""Items looked at beyond those asked for, so that scores equal up to rounding are put in their true order."""

_ROUNDING = 1e-5
"""More than two ways to add up one product can differ."""

_NEIGHBOURS, _LOOKED_AT = 32, 512
"""Links of an item in the graph of approximate search, and how many items a search keeps in view: M and ef
of Malkov and Yashunin (2020)."""


class TwoTowerRetriever(TextRetriever[Vectors]):
    """Items by the cosine of their vector and the query's, found by faiss.

        q = unit(sum over terms t of the query of w_t v_t)
        d = unit(unit(sum over its title) + unit(sum over its text))
        w_t = (1 + log count of t) * log(1 + (n_items - n_t + 0.5) / (n_t + 0.5)),  n_t items hold t
        score(q, d) = q d,  in [-1, 1]

    The term vectors v are learnt, so that words are near the words that answer them. Words that no item has
    say nothing; without any known word the score is 0. An item whose score is not above 0 does not match.

    Args:
        dim: of the space.
        pairs: what is learnt from: "clicks" on items in the log's `retrieval` window, "title" of items as
            queries for their own text, which needs no log, or "both".
        temperature: of the softmax over a batch's items; the lower, the more the hardest wrong ones count.
        long_click_s: a click counts as a long one from this dwell on, in seconds, where the log has
            `dwell_s`.
        long_click_weight: how much a long click counts beside a short one.
        batch_pairs: pairs of a batch; each item is a wrong answer to the others' queries.
        learning_rate: of AdamW.
        search: "exact" compares with every item; "hnsw" follows a graph and may miss some, for catalogs
            of more than some 100,000 items.

    Source: Yi et al. (RecSys 2019) for the loss; Johnson, Douze and Jégou (2019) for faiss.
    """

    def __init__(
        self,
        dim: int = 256,
        pairs: PairSource = "clicks",
        temperature: float = 0.1,
        long_click_s: float = 30.0,
        long_click_weight: float = 2.0,
        batch_pairs: int = 256,
        learning_rate: float = 0.01,
        search: Search = "exact",
    ) -> None:
        self.dim = checks.at_least("dim", dim, 1)
        self.pairs: PairSource = checks.one_of("pairs", pairs, ("clicks", "title", "both"))
        self.temperature = checks.above("temperature", temperature, 0)
        self.long_click_s = checks.at_least("long_click_s", long_click_s, 0)
        self.long_click_weight = checks.at_least("long_click_weight", long_click_weight, 1)
        self.batch_pairs = checks.at_least("batch_pairs", batch_pairs, 2)
        self.learning_rate = checks.above("learning_rate", learning_rate, 0)
        self.search: Search = checks.one_of("search", search, ("exact", "hnsw"))

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Learn the term vectors and index the catalog.

        Raises:
            InputError: there is no log to learn clicks from, or fewer than two queries to learn from.
        """
        language = _Language.of(catalog)
        table, curves = self._learn(
            self._pairs(language, log, fitting.name), len(language.vocabulary), fitting
        )
        items = normalised(vectors_of(language.titles, table) + vectors_of(language.texts, table))
        self._index = _Index.of(language, table, items, self.search)
        return curves

    def load_state(self, state: State) -> None:
        self._index = _Index.from_state(state)

    def _pairs(self, language: _Language, log: Log | None, name: str) -> Pairs:
        """What there is to learn from."""
        if self.pairs == "title":
            return title_pairs(language.titles, language.texts)
        if log is None:
            raise InputError(
                f"{name} learns from clicks, and nothing is logged yet; pairs: title needs no log"
            )
        window = log.window("retrieval")
        clicks = click_pairs(window, self._click_weights(window, name), *language)
        if self.pairs == "clicks":
            return clicks
        return clicks.followed_by(title_pairs(language.titles, language.texts))

    def _click_weights(self, log: Log, name: str) -> Vectors:
        """(n_impressions,) how much the click of each impression weighs; 0 without one."""
        shown = log.impressions
        if "click" not in shown:
            raise InputError(f"{name} learns from clicks: no action click, only {', '.join(shown.columns)}")
        clicked = shown["click"].to_numpy().astype(np.float32)
        if "dwell_s" not in shown:
            return clicked
        is_long = shown["dwell_s"].to_numpy() >= self.long_click_s
        return np.where(is_long, self.long_click_weight, 1).astype(np.float32) * clicked

    def _learn(self, pairs: Pairs, n_terms: int, fitting: Fitting) -> tuple[Vectors, Curves]:
        """A vector for every term, and how they were learnt."""
        from mlsd.models import base, two_tower

        train, validation = pairs.split(fitting.seed, fitting.name)
        with base.seeded(fitting.seed, "weights"):
            net = two_tower.TwoTower(n_terms, self.dim)
        module = two_tower.TwoTowerModule(net, self.temperature, self.learning_rate)
        train_batches = two_tower.PairBatches(pairs, train, self.batch_pairs, fitting.seed)
        validation_batches = two_tower.PairBatches(pairs, validation, self.batch_pairs, fitting.seed)
        curves = base.fit_module(module, train_batches, validation_batches, fitting)
        return net.terms.detach().numpy().copy(), curves


class _Language(NamedTuple):
    """The words of a catalog, and what each item says."""

    vocabulary: Vocabulary
    rarity: Vectors
    titles: Bags
    texts: Bags

    @staticmethod
    def of(catalog: Catalog) -> _Language:
        vocabulary, terms = Vocabulary.learn([*catalog["title"], *catalog["text"]])
        parts = [terms.take(rows) for rows in np.split(np.arange(len(terms)), 2)]
        rarity = rarity_of(parts, len(vocabulary))
        titles, texts = (Bags.of(part, rarity) for part in parts)
        return _Language(vocabulary, rarity, titles, texts)


@dataclass(frozen=True)
class _Index(TextIndex[Vectors]):
    """What queries are searched with.

    Args:
        vocabulary: of the catalog.
        rarity: (n_terms,) how much a term weighs.
        table: (n_terms, dim) term vectors.
        items: (n_items, dim) item vectors.
        searcher: a faiss index of the items.
    """

    vocabulary: Vocabulary
    rarity: Vectors
    table: Vectors
    items: Vectors
    searcher: Any

    @staticmethod
    def of(language: _Language, table: Vectors, items: Vectors, search: Search) -> _Index:
        searcher = _flat(items) if search == "exact" else _graph(items)
        return _Index(language.vocabulary, language.rarity, table, items, searcher)

    @property
    def is_exact(self) -> bool:
        return isinstance(self.searcher, faiss.IndexFlatIP)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """(n_texts, dim) vectors, of length 1 or, without any known word, 0."""
        return vectors_of(Bags.of(self.vocabulary.encode(texts), self.rarity), self.table)

    def scores_of(self, queries: Vectors, query: Ints, items: Ints) -> NDArray[np.float32]:
        return products(queries, query, self.items, items)

    def best(self, queries: Vectors, n: int) -> tuple[Ints, Vectors, Ints]:
        """Items, scores and offsets of each query's `n` items of highest score, best first.

        faiss adds up products in another order than `products` does. So some more items are looked at,
        and more again for queries where the last of them could still be among the best.
        """
        rows, looked_at = np.flatnonzero(queries.any(axis=1)), min(n + _SPARE, len(self.items))
        found = [_Found.nothing(min(n, len(self.items)))]
        while len(rows):
            nearest = self._nearest(queries, rows, looked_at)
            settled = (
                nearest.settled(n)
                if self.is_exact and looked_at < len(self.items)
                else np.ones(len(rows), bool)
            )
            found.append(nearest.take(settled, n))
            rows, looked_at = rows[~settled], min(2 * looked_at, len(self.items))
        return _Found.merged(found).ragged(len(queries))

    def _nearest(self, queries: Vectors, rows: Ints, n: int) -> _Found:
        with _one_thread() if len(rows) == 1 else nullcontext():
            _, items = self.searcher.search(queries[rows], n)
        scores = products(queries, np.repeat(rows, n), self.items, items.ravel()).reshape(items.shape)
        scores[items < 0] = -np.inf  # approximate search may find fewer
        order = np.lexsort((items, -scores), axis=1)
        return _Found(rows, np.take_along_axis(items, order, 1), np.take_along_axis(scores, order, 1))

    def state(self) -> State:
        words = {"terms": self.vocabulary.terms, "rarity": self.rarity}
        searcher = {} if self.is_exact else {"searcher": faiss.serialize_index(self.searcher)}
        return {**words, "table": self.table, "items": self.items, **searcher}

    @staticmethod
    def from_state(state: State) -> _Index:
        items = state["items"]
        searcher = faiss.deserialize_index(state["searcher"]) if "searcher" in state else _flat(items)
        return _Index(Vocabulary(state["terms"]), state["rarity"], state["table"], items, searcher)


class _Found(NamedTuple):
    """As many items for each of some queries, best first.

    Args:
        rows: (n_queries,) the queries.
        items: (n_queries, n).
        scores: (n_queries, n).
    """

    rows: Ints
    items: Ints
    scores: Vectors

    @staticmethod
    def nothing(n: int) -> _Found:
        return _Found(np.zeros(0, np.int64), np.zeros((0, n), np.int64), np.zeros((0, n), np.float32))

    @staticmethod
    def merged(parts: list[_Found]) -> _Found:
        """All queries of the parts, in order."""
        rows, items, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(rows)
        return _Found(rows[order], items[order], scores[order])

    def settled(self, n: int) -> NDArray[np.bool_]:
        """(n_queries,) whether no item beyond these can be among the `n` best that match."""
        last, worst = self.scores[:, -1], self.scores[:, n - 1]
        return np.asarray(last < np.maximum(worst, 0) - _ROUNDING)

    def take(self, mask: NDArray[np.bool_], n: int) -> _Found:
        """The `n` best of the queries where `mask` holds."""
        return _Found(self.rows[mask], self.items[mask, :n], self.scores[mask, :n])

    def ragged(self, n_queries: int) -> tuple[Ints, Vectors, Ints]:
        """Items, scores and offsets of what matches."""
        matches = self.scores > 0
        counts = np.zeros(n_queries, np.int64)
        counts[self.rows] = matches.sum(axis=1)
        return self.items[matches], self.scores[matches], ragged.offsets_of_counts(counts)


def _flat(items: Vectors) -> Any:
    """Compares with every item."""
    searcher = faiss.IndexFlatIP(items.shape[1])
    searcher.add(items)
    return searcher


def _graph(items: Vectors) -> Any:
    """Follows links from neighbour to neighbour."""
    searcher = faiss.IndexHNSWFlat(items.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    with _one_thread():
        searcher.add(items)
    searcher.hnsw.efSearch = _LOOKED_AT
    return searcher


@contextmanager
def _one_thread() -> Iterator[None]:
    """Searching on one thread: faster for one query, and a graph is built the same way every time."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
