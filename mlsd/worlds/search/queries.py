"""What users of the search world ask for, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd import checks, rng
from mlsd.types import Array, Floats, Ints
from mlsd.worlds.search.documents import without_repeats
from mlsd.worlds.search.vocabulary import Lexicon, join_rows, zipf_weights

INTENTS = ("navigational", "informational", "transactional")
NAVIGATIONAL, INFORMATIONAL, TRANSACTIONAL = range(3)
POPULARITIES = ("head", "torso", "tail")

_GOLDEN_RATIO = (np.sqrt(5.0) - 1.0) / 2.0
_FORMS = 2
"""Ways to ask for an entity: by its whole name, or by the first word of it."""


@dataclass(frozen=True)
class QueryOptions:
    """What queries are like.

    Args:
        intent_shares: intent -> share of the distinct queries; they are scaled to sum to 1.
        n_words_shares: about the shares of requests whose query has 1, 2, ... words; they are scaled to
            sum to 1. Among distinct queries short ones are rarer, since their texts repeat more often.
            Queries for an entity are as long as its name.
        popularity_zipf: exponent of the popularity of queries, by rank.
        fresh_share: of informational and transactional queries that ask for something new.
        marker_prob: that the last word of a transactional or fresh query of several words says so.
        head_share: of requests that the most popular queries, the head, make up; the torso makes up
            as much again, and the tail is the rest.
    """

    intent_shares: Mapping[str, float] = field(
        default_factory=lambda: {"navigational": 0.20, "informational": 0.48, "transactional": 0.30}
    )
    n_words_shares: Sequence[float] = (0.31, 0.31, 0.18, 0.07)
    popularity_zipf: float = 0.85
    fresh_share: float = 0.1
    marker_prob: float = 0.5
    head_share: float = 0.333

    def __post_init__(self) -> None:
        checks.require(
            set(self.intent_shares) == set(INTENTS), "intent_shares", sorted(self.intent_shares),
            f"must name {', '.join(INTENTS)}",
        )  # fmt: skip
        for intent, intent_share in self.intent_shares.items():
            checks.share(f"intent_shares.{intent}", intent_share)
        checks.above("sum of intent_shares", float(sum(self.intent_shares.values())), 0)
        checks.not_empty("n_words_shares", self.n_words_shares)
        for place, words_share in enumerate(self.n_words_shares):
            checks.share(f"n_words_shares[{place}]", words_share)
        checks.above("sum of n_words_shares", float(sum(self.n_words_shares)), 0)
        checks.at_least("popularity_zipf", self.popularity_zipf, 0)
        checks.share("fresh_share", self.fresh_share)
        checks.share("marker_prob", self.marker_prob)
        checks.between("head_share", self.head_share, 0, 0.5)

    @property
    def cumulative_intents(self) -> Floats:
        """(3,) cumulative shares, in the order of `INTENTS`."""
        shares = np.array([self.intent_shares[intent] for intent in INTENTS], dtype=np.float64)
        return np.asarray(np.cumsum(shares) / shares.sum())


@dataclass(frozen=True)
class Queries:
    """What users ask for, numbered in the alphabetical order of their clean texts.

    What is asked for decides what is relevant. Its text may be that of another query too, which is about
    another topic; and users may word it in other ways (`mlsd.worlds.search.forms`).

    Args:
        text: (n_queries,) str objects, without misspelling.
        intent: (n_queries,) int64, places in `INTENTS`.
        topic: (n_queries,) int64.
        concepts: (n_queries, n) int64, what is asked for, each once; -1 where there are fewer.
        fresh: (n_queries,) bool, whether something new is asked for.
        weight: (n_queries,) float64, popularity; they sum to 1.
        popularity: (n_queries,) int64, places in `POPULARITIES`.
        words: (n_queries, n + 1) int64, surfaces: in each column a word of the concept in that column, or the
            name of an entity whichever part of it the text is, and last a marker; -1 where there is none.
        n_topics: topics there are, asked about or not.
    """

    text: Array
    intent: Ints
    topic: Ints
    concepts: Ints
    fresh: NDArray[np.bool_]
    weight: Floats
    popularity: Ints
    words: Ints
    n_topics: int

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def topic_weight(self) -> Floats:
        """(n_topics,) popularity of each topic's queries together."""
        return np.asarray(np.bincount(self.topic, self.weight, self.n_topics), dtype=np.float64)

    def draw(self, topics: Ints, luck: Floats) -> Ints:
        """A query of each topic, by popularity.

        Args:
            topics: that have queries.
            luck: uniform draws.
        """
        order, cumulative = self._by_topic
        counts = np.bincount(self.topic, minlength=self.n_topics)
        last = np.cumsum(counts) - 1
        sought = cumulative[last[topics]] - self.topic_weight[topics] * (1.0 - luck)
        rows = np.searchsorted(cumulative, sought, side="right")
        return np.asarray(order[np.clip(rows, (last - counts + 1)[topics], last[topics])])

    @cached_property
    def _by_topic(self) -> tuple[Ints, Floats]:
        order = np.argsort(self.topic, kind="stable")
        return order, np.cumsum(self.weight[order])


def make_queries(options: QueryOptions, lexicon: Lexicon, n_queries: int, seed: int) -> Queries:
    """The queries of one world.

    Intents alternate down the ranks, so that head and tail have the same shares.
    """
    ranks = np.arange(n_queries)
    navigational = _intent_of(options, ranks) == NAVIGATIONAL
    pages = _Drafts.for_entities(lexicon, int(navigational.sum()), seed)
    others = _Drafts.for_concepts(options, lexicon, int((~navigational).sum()), seed)
    rank = np.concatenate([ranks[navigational][: len(pages.text)], ranks[~navigational][: len(others.text)]])
    return _numbered(options, _Drafts.joined(pages, others), rank, lexicon.options.n_topics)


def _intent_of(options: QueryOptions, places: Ints) -> Ints:
    """Intents in their declared shares over any stretch of places, by a Weyl sequence."""
    spread = places * _GOLDEN_RATIO % 1.0
    return np.asarray(np.searchsorted(options.cumulative_intents, spread, side="right"), dtype=np.int64)


@dataclass(frozen=True)
class _Drafts:
    """Queries before they are numbered: columns as in `Queries`."""

    text: Array
    intent: Ints
    topic: Ints
    concepts: Ints
    fresh: NDArray[np.bool_]
    words: Ints

    @staticmethod
    def joined(first: _Drafts, second: _Drafts) -> _Drafts:
        return _Drafts(
            np.concatenate([first.text, second.text]),
            np.concatenate([first.intent, second.intent]),
            np.concatenate([first.topic, second.topic]),
            _stacked(first.concepts, second.concepts),
            np.concatenate([first.fresh, second.fresh]),
            _stacked(first.words, second.words),
        )

    @staticmethod
    def for_entities(lexicon: Lexicon, n: int, seed: int) -> _Drafts:
        """Queries for official pages; each entity is asked for in one way before any in another."""
        n_entities = lexicon.n_concepts - lexicon.n_topical
        places = np.arange(min(n, _FORMS * n_entities))
        order = np.argsort(rng.uniform(seed, "asked_entities", np.arange(n_entities)))
        entity = lexicon.n_topical + order[places % n_entities]
        by_first_word = (places // n_entities + rng.integers(seed, "form", _FORMS, entity)) % _FORMS == 1
        words = lexicon.concept_offsets[entity]
        names = lexicon.surfaces[words]
        return _Drafts(
            np.where(by_first_word, first_words(names), names), np.full(len(places), NAVIGATIONAL),
            lexicon.concept_topic[entity], entity[:, None], np.zeros(len(places), bool), words[:, None],
        )  # fmt: skip

    @staticmethod
    def for_concepts(options: QueryOptions, lexicon: Lexicon, n: int, seed: int) -> _Drafts:
        """Queries for what documents are about: the first `n`, each text once in a topic."""
        drafted = np.arange(4 * n)
        intent = _other_intent(options, drafted)
        topic = rng.integers(seed, "query_topic", lexicon.options.n_topics, drafted)
        fresh = rng.uniform(seed, "fresh", drafted) < options.fresh_share
        concepts, words = _wording(options, lexicon, topic, intent, fresh, seed)
        text = join_rows(lexicon.surfaces, words)
        asked = pd.factorize(text)[0] * lexicon.options.n_topics + topic
        kept = np.sort(np.unique(asked, return_index=True)[1])[:n]
        return _Drafts(text[kept], intent[kept], topic[kept], concepts[kept], fresh[kept], words[kept])


def first_words(texts: Array) -> Array:
    """(n,) str objects: each text up to its first blank."""
    return np.array([text.partition(" ")[0] for text in texts.tolist()], dtype=object)


def _stacked(first: Ints, second: Ints) -> Ints:
    """Rows of both, the narrower ones filled with -1."""
    width = max(first.shape[1], second.shape[1])
    padded = [
        np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=-1) for part in (first, second)
    ]
    return np.concatenate(padded)


def _other_intent(options: QueryOptions, places: Ints) -> Ints:
    """Informational and transactional, in their declared proportion."""
    navigational, informational, _ = options.cumulative_intents
    among_others = (informational - navigational) / max(1.0 - navigational, np.finfo(float).tiny)
    return np.where(places * _GOLDEN_RATIO % 1.0 < among_others, INFORMATIONAL, TRANSACTIONAL)


def _wording(
    options: QueryOptions, lexicon: Lexicon, topic: Ints, intent: Ints, fresh: NDArray[np.bool_], seed: int
) -> tuple[Ints, Ints]:
    """(n, n_words) the concepts of each query and its words, -1 where there are fewer."""
    rows, places = np.arange(len(topic))[:, None], np.arange(len(options.n_words_shares))
    n_words = 1 + rng.choice(seed, "n_words", options.n_words_shares, rows)
    concepts = lexicon.concepts_of(topic[:, None], seed, "query_concepts", rows, places)
    marked = (fresh | (intent == TRANSACTIONAL))[:, None] & (n_words > 1)
    marked &= rng.uniform(seed, "marked", rows) < options.marker_prob
    concepts = without_repeats(np.where(places < n_words - marked, concepts, -1))
    words = lexicon.words_of(concepts, rng.uniform(seed, "query_words", rows, places))
    markers = _marker(lexicon, fresh, seed)[:, None]
    return concepts, np.column_stack([words, np.where(marked, markers, -1)])


def _marker(lexicon: Lexicon, fresh: NDArray[np.bool_], seed: int) -> Ints:
    """(n,) a word that asks for something new, or for a transaction."""
    rows = np.arange(len(fresh))
    new, trade = lexicon.freshness_markers, lexicon.transaction_markers
    of_new = new[rng.integers(seed, "fresh_marker", len(new), rows)]
    return np.where(fresh, of_new, trade[rng.integers(seed, "query_marker", len(trade), rows)])


def _numbered(options: QueryOptions, drafts: _Drafts, rank: Ints, n_topics: int) -> Queries:
    """Drafts in alphabetical order, with the popularity of their ranks."""
    rank = np.argsort(np.argsort(rank))
    weights = zipf_weights(len(rank), options.popularity_zipf)
    before = np.cumsum(weights) - weights
    popularity = np.searchsorted([options.head_share, 2 * options.head_share], before, side="right")
    order = np.argsort(drafts.text.astype(str), kind="stable")
    return Queries(
        text=drafts.text[order],
        intent=drafts.intent[order],
        topic=drafts.topic[order],
        concepts=drafts.concepts[order],
        fresh=drafts.fresh[order],
        weight=weights[rank[order]],
        popularity=popularity[rank[order]],
        words=drafts.words[order],
        n_topics=n_topics,
    )
