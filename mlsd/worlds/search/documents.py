"""What the documents of the search world are about, how good, how old, and who put them there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, rng
from mlsd.types import Floats, Ints
from mlsd.worlds.search.vocabulary import Lexicon, zipf_weights


@dataclass(frozen=True)
class DocumentOptions:
    """What documents are like.

    Args:
        official_share: of documents that are the official page of an entity.
        spam_share: of documents stuffed with popular words and about nothing.
        transactional_share: of documents that sell, book or deliver rather than explain.
        entity_share: of other documents that mention an entity, as their last concept.
        max_concepts: a document is about 1 to this many concepts, evenly.
        second_topic_prob: that a concept comes from the document's second topic.
        length_median: words of body text.
        length_sigma: standard deviation of the log of that.
        topical_prob: that a word of the body names one of the document's concepts.
        stuffed_prob: the same in spam.
        passing_prob: that it names some other concept of the topic, in passing.
        marker_prob: that it is a word of transactions, in transactional documents.
        age_median_days: at day 0; nothing is published later.
        age_sigma: standard deviation of the log of that.
        site_share: sites for each document, two at least; official pages have one each besides.
        site_zipf: exponent of the number of documents of sites, by rank.
        spam_site_share: of these sites, those that all spam comes from and nothing else; at least one.
        official_authority: factor on the authority of official pages.
        spam_authority: factor on the authority of spam.
    """

    official_share: float = 0.05
    spam_share: float = 0.138
    transactional_share: float = 0.3
    entity_share: float = 0.3
    max_concepts: int = 5
    second_topic_prob: float = 0.2
    length_median: float = 50.0
    length_sigma: float = 0.6
    topical_prob: float = 0.35
    stuffed_prob: float = 0.6
    passing_prob: float = 0.15
    marker_prob: float = 0.05
    age_median_days: float = 365.0
    age_sigma: float = 1.3
    site_share: float = 0.1
    site_zipf: float = 0.8
    spam_site_share: float = 0.05
    official_authority: float = 2.0
    spam_authority: float = 0.5

    def __post_init__(self) -> None:
        for name in ("transactional_share", "entity_share", "second_topic_prob", "stuffed_prob"):
            checks.share(name, getattr(self, name))
        checks.share("official_share + spam_share", self.official_share + self.spam_share)
        checks.share("official_share", self.official_share)
        checks.share("spam_share", self.spam_share)
        checks.share("topical_prob + passing_prob + marker_prob", self._named_prob)
        checks.at_least("max_concepts", self.max_concepts, 1)
        for name in ("length_median", "age_median_days"):
            checks.above(name, getattr(self, name), 0)
        for name in ("site_share", "spam_site_share"):
            checks.share(name, getattr(self, name))
        for name in ("length_sigma", "age_sigma", "site_zipf", "official_authority", "spam_authority"):
            checks.at_least(name, getattr(self, name), 0)
        for name in ("topical_prob", "passing_prob", "marker_prob"):
            checks.share(name, getattr(self, name))

    @property
    def _named_prob(self) -> float:
        return self.topical_prob + self.passing_prob + self.marker_prob

    def n_official(self, n_items: int) -> int:
        """Official pages, and so entities, among this many documents; at least one."""
        return max(1, round(self.official_share * n_items))


@dataclass(frozen=True)
class Documents:
    """What the documents are, by item.

    Args:
        topic: (n_items,) int64, the main topic.
        concepts: (n_items, max_concepts) int64, -1 where there are fewer; what the text is made of.
            The first is what the document is mostly about.
        official_of: (n_items,) int64, the entity whose official page this is, or -1.
        spam: (n_items,) bool.
        transactional: (n_items,) bool.
        authority: (n_items,) float64 in [0, 1].
        published_days: (n_items,) float64, below 0.
        source: (n_items,) int64, the site it stands on.
    """

    topic: Ints
    concepts: Ints
    official_of: Ints
    spam: NDArray[np.bool_]
    transactional: NDArray[np.bool_]
    authority: Floats
    published_days: Floats
    source: Ints

    def __len__(self) -> int:
        return len(self.topic)

    @property
    def aboutness(self) -> Floats:
        """(n_items, max_concepts) how much the document is about each concept: 1, 1/2, 1/3, ...; spam 0."""
        by_place = 1.0 / (1 + np.arange(self.concepts.shape[1]))
        return np.where((self.concepts >= 0) & ~self.spam[:, None], by_place, 0.0)


def make_documents(options: DocumentOptions, lexicon: Lexicon, n_items: int, seed: int) -> Documents:
    """The documents of one world."""
    items = np.arange(n_items)
    official_of, spam = _roles(options, lexicon, n_items, seed)
    drawn_topic = rng.integers(seed, "topic", lexicon.options.n_topics, items)
    topic = np.where(official_of >= 0, lexicon.concept_topic[official_of], drawn_topic)
    return Documents(
        topic=topic,
        concepts=_concepts(options, lexicon, topic, official_of, seed),
        official_of=official_of,
        spam=spam,
        transactional=rng.uniform(seed, "transactional", items) < options.transactional_share,
        authority=_authority(options, official_of >= 0, spam, seed),
        published_days=-np.exp(
            np.log(options.age_median_days) + options.age_sigma * rng.normal(seed, "age", items)
        ),
        source=_sources(options, official_of, spam, seed),
    )


def _roles(
    options: DocumentOptions, lexicon: Lexicon, n_items: int, seed: int
) -> tuple[Ints, NDArray[np.bool_]]:
    """Which documents are official pages, of which entity, and which are spam: anywhere in the catalog."""
    n_official = lexicon.n_concepts - lexicon.n_topical
    n_spam = min(round(options.spam_share * n_items), n_items - n_official)
    order = np.argsort(rng.uniform(seed, "roles", np.arange(n_items)))
    official_of = np.full(n_items, -1, np.int64)
    official_of[order[:n_official]] = lexicon.n_topical + np.arange(n_official)
    spam = np.zeros(n_items, bool)
    spam[order[n_official : n_official + n_spam]] = True
    return official_of, spam


def _concepts(options: DocumentOptions, lexicon: Lexicon, topic: Ints, official_of: Ints, seed: int) -> Ints:
    """(n_items, max_concepts) concepts by falling weight, each once, then -1."""
    items, places = np.arange(len(topic))[:, None], np.arange(options.max_concepts)
    second = rng.integers(seed, "second_topic", lexicon.options.n_topics, items)
    from_second = rng.uniform(seed, "from_second_topic", items, places) < options.second_topic_prob
    topics = np.where(from_second & (places > 0), second, topic[:, None])
    concepts = lexicon.concepts_of(topics, seed, "concepts", items, places)
    n_concepts = 1 + rng.integers(seed, "n_concepts", options.max_concepts, items)
    mentions = rng.uniform(seed, "mentions_entity", items) < options.entity_share
    entity = _entity_of_topic(lexicon, topic, seed)[:, None]
    concepts = np.where(mentions & (places == n_concepts - 1) & (entity >= 0), entity, concepts)
    concepts = np.where((official_of[:, None] >= 0) & (places == 0), official_of[:, None], concepts)
    return without_repeats(np.where(places < n_concepts, concepts, -1))


def _entity_of_topic(lexicon: Lexicon, topic: Ints, seed: int) -> Ints:
    """(n_items,) an entity of each document's topic, or -1 where the topic has none."""
    entity_topic = lexicon.concept_topic[lexicon.n_topical :]
    by_topic = np.argsort(entity_topic, kind="stable")
    counts = np.bincount(entity_topic, minlength=lexicon.options.n_topics)
    chosen = rng.integers(seed, "entity", counts[topic], np.arange(len(topic)))
    first = (np.cumsum(counts) - counts)[topic]
    rows = by_topic[np.minimum(first + chosen, len(by_topic) - 1)]
    return np.where(counts[topic] > 0, lexicon.n_topical + rows, -1)


def without_repeats(ids: Ints) -> Ints:
    """Each row's ids without what the row already had, moved to the front, then -1.

    Example:
        >>> without_repeats(np.array([[3, 3, 5], [1, -1, -1]])).tolist()
        [[3, 5, -1], [1, -1, -1]]
    """
    same_before = np.tril(ids[:, :, None] == ids[:, None, :], k=-1).any(axis=2)
    unique = np.where(same_before, -1, ids)
    return np.take_along_axis(unique, np.argsort(unique < 0, axis=1, kind="stable"), axis=1)


def _authority(
    options: DocumentOptions, official: NDArray[np.bool_], spam: NDArray[np.bool_], seed: int
) -> Floats:
    """The log of a Pareto variable, divided by the log of the largest that n documents are expected to have.

    That is Exponential(1) / ln(n), whatever the exponent of the power law.
    """
    n_items = len(official)
    authority = rng.exponential(seed, "authority", np.arange(n_items)) / np.log(max(n_items, 3))
    factor = np.where(official, options.official_authority, np.where(spam, options.spam_authority, 1.0))
    return np.asarray(np.minimum(1.0, authority * factor))


def _sources(options: DocumentOptions, official_of: Ints, spam: NDArray[np.bool_], seed: int) -> Ints:
    """(n_items,) sites, few large and many small, in an order that tells nothing about them."""
    items = np.arange(len(official_of))
    n_sites = max(2, round(options.site_share * len(items)))
    n_spam = min(max(1, round(options.spam_site_share * n_sites)), n_sites - 1)
    good = n_spam + rng.choice(seed, "site", zipf_weights(n_sites - n_spam, options.site_zipf), items)
    bad = rng.choice(seed, "spam_site", zipf_weights(n_spam, options.site_zipf), items)
    own = n_sites + np.cumsum(official_of >= 0) - 1
    site = np.where(official_of >= 0, own, np.where(spam, bad, good))
    n_all = n_sites + np.count_nonzero(official_of >= 0)
    return np.argsort(rng.uniform(seed, "site_numbers", np.arange(n_all)))[site]
