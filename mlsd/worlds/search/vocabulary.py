"""The words of the search world: background words, concepts with their synonyms, entities, markers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.text import analyze
from mlsd.types import Array, Floats, Ints

TRANSACTION_MARKERS = ("buy", "price", "order", "download", "shop", "discount", "delivery", "booking")
FRESHNESS_MARKERS = ("news", "latest", "update", "announcement")
ENTITY_KINDS = (
    "bay", "harbour", "valley", "island", "castle", "museum", "stadium", "festival", "airlines", "motors",
    "labs", "foods", "hotels", "records", "software", "outfitters", "press", "cycles", "brewery",
    "instruments",
)  # fmt: skip
"""Second words of entity names, so that they read as brands and places, never as people."""

_ONSETS = ("b", "d", "f", "k", "l", "m", "n", "r", "t", "v", "br", "dr", "fl", "kl", "kr", "tr")
_VOWELS = ("a", "e", "i", "o", "u")
_CODAS = ("", "", "", "n", "r", "l", "s", "m")
_SYLLABLES = np.array([onset + vowel + coda for onset in _ONSETS for vowel in _VOWELS for coda in _CODAS])
_SHORTEST_WORD = 5
MAX_SYNONYMS = 3


@dataclass(frozen=True)
class LanguageOptions:
    """What words there are and how often each is used.

    Args:
        n_topics: subjects of documents and queries.
        concepts_per_topic: things a topic's documents can be about.
        concept_zipf: exponent of the popularity of a topic's concepts, by rank.
        max_synonyms: words that name a concept, at most (1 to 3); each concept has 1 to this many.
        homonym_share: of concepts whose first word is also that of a concept of another topic, and about
            that of entities whose first name is also that of one of another topic and kind; none do where
            there is one topic.
        n_background: words that belong to no topic.
        background_zipf: exponent of their frequency, by rank.
    """

    n_topics: int = 30
    concepts_per_topic: int = 40
    concept_zipf: float = 0.7
    max_synonyms: int = 3
    homonym_share: float = 0.5
    n_background: int = 3000
    background_zipf: float = 1.0

    def __post_init__(self) -> None:
        checks.at_least("n_topics", self.n_topics, 1)
        checks.at_least("concepts_per_topic", self.concepts_per_topic, 1)
        checks.at_least("concept_zipf", self.concept_zipf, 0)
        checks.between("max_synonyms", self.max_synonyms, 1, MAX_SYNONYMS)
        checks.share("homonym_share", self.homonym_share)
        checks.at_least("n_background", self.n_background, 1)
        checks.at_least("background_zipf", self.background_zipf, 0)


@dataclass(frozen=True)
class Lexicon:
    """Everything that can be said. A concept is named by one of its consecutive `surfaces`.

    Topical concepts come first, topic by topic and by falling popularity; entities follow, one for each
    official page.

    Args:
        options: as declared.
        surfaces: (n_surfaces,) str objects: background words by falling frequency, markers of
            transactions and of freshness, then the words of every concept. Homonyms stand there twice.
        concept_offsets: (n_concepts + 1,) int64; the surfaces of each concept.
        concept_topic: (n_concepts,) int64.
    """

    options: LanguageOptions
    surfaces: Array
    concept_offsets: Ints
    concept_topic: Ints

    @property
    def n_topical(self) -> int:
        """Concepts that are not entities."""
        return self.options.n_topics * self.options.concepts_per_topic

    @property
    def n_concepts(self) -> int:
        return len(self.concept_topic)

    @property
    def transaction_markers(self) -> Ints:
        """(n,) surfaces of the words that mark a transaction."""
        return self.options.n_background + np.arange(len(TRANSACTION_MARKERS), dtype=np.int64)

    @property
    def freshness_markers(self) -> Ints:
        """(n,) surfaces of the words that ask for something new."""
        first = self.options.n_background + len(TRANSACTION_MARKERS)
        return first + np.arange(len(FRESHNESS_MARKERS), dtype=np.int64)

    @cached_property
    def rank_weights(self) -> Floats:
        """(concepts_per_topic,) popularity of a topic's concepts."""
        return zipf_weights(self.options.concepts_per_topic, self.options.concept_zipf)

    @cached_property
    def background_weights(self) -> Floats:
        """(n_background,) frequency of the background words."""
        return zipf_weights(self.options.n_background, self.options.background_zipf)

    def concepts_of(self, topics: Ints, seed: int, stream: str, *keys: Array) -> Ints:
        """A topical concept for each key, drawn by popularity within its topic."""
        ranks = rng.choice(seed, stream, self.rank_weights, *keys)
        return np.asarray(topics * self.options.concepts_per_topic + ranks)

    def words_of(self, concepts: Ints, luck: Floats) -> Ints:
        """A surface of each concept: its r-th synonym is chosen with a probability proportional to 1 / r.

        Args:
            concepts: of any shape; -1 gives -1.
            luck: uniform draws of the same shape.
        """
        n_words = np.diff(self.concept_offsets)[concepts]
        synonym = np.sum(luck[..., None] >= _SYNONYM_CHOICE[n_words], axis=-1)
        return np.where(concepts < 0, -1, self.concept_offsets[concepts] + synonym)


def make_lexicon(options: LanguageOptions, n_entities: int, seed: int) -> Lexicon:
    """The words of one world."""
    n_topical = options.n_topics * options.concepts_per_topic
    n_words = 1 + rng.integers(seed, "synonyms", options.max_synonyms, np.arange(n_topical))
    invented = made_up_words(seed, options.n_background + int(n_words.sum()) + n_entities)
    background, topical, names = np.split(invented, [options.n_background, len(invented) - n_entities])
    kind = rng.integers(seed, "kinds", len(ENTITY_KINDS), np.arange(n_entities))
    entity_topic = rng.integers(seed, "entity_topic", options.n_topics, np.arange(n_entities))
    topical = topical[_homonyms(options, ragged.offsets_of_counts(n_words), seed)]
    names = names[_namesakes(options, entity_topic, kind, seed)]
    entities = np.char.add(np.char.add(names, " "), np.array(ENTITY_KINDS)[kind])
    markers = np.array([*TRANSACTION_MARKERS, *FRESHNESS_MARKERS])
    first = options.n_background + len(markers)
    counts = np.concatenate([n_words, np.ones(n_entities, np.int64)])
    topical_topic = np.repeat(np.arange(options.n_topics), options.concepts_per_topic)
    return Lexicon(
        options=options,
        surfaces=np.concatenate([background, markers, topical, entities]).astype(object),
        concept_offsets=first + ragged.offsets_of_counts(counts),
        concept_topic=np.concatenate([topical_topic, entity_topic]),
    )


def _homonyms(options: LanguageOptions, offsets: Ints, seed: int) -> Ints:
    """(n_words,) the row that each topical word is taken from: its own, or a concept's of another topic.

    Topics are paired anew at every rank of popularity, so that both meanings of a word are about as popular.
    """
    rank = np.arange(options.concepts_per_topic)[:, None]
    order = np.argsort(rng.uniform(seed, "paired_topics", np.arange(options.n_topics), rank), axis=1)
    n_pairs = options.n_topics // 2
    kept = rng.uniform(seed, "homonyms", np.arange(n_pairs), rank) < options.homonym_share
    one, other = (
        offsets[(order[:, place : 2 * n_pairs : 2] * options.concepts_per_topic + rank)[kept]]
        for place in (0, 1)
    )
    rows = np.arange(offsets[-1])
    rows[other] = one
    return rows


def _namesakes(options: LanguageOptions, topic: Ints, kind: Ints, seed: int) -> Ints:
    """(n_entities,) the row that each entity's first name is taken from."""
    rows = np.arange(len(topic))
    order = np.argsort(rng.uniform(seed, "paired_entities", rows))
    n_pairs = len(topic) // 2
    one, other = order[: 2 * n_pairs : 2], order[1 : 2 * n_pairs : 2]
    kept = rng.uniform(seed, "namesakes", np.arange(n_pairs)) < options.homonym_share
    kept &= (topic[one] != topic[other]) & (kind[one] != kind[other])
    rows[other[kept]] = one[kept]
    return rows


def made_up_words(seed: int, n: int) -> Array:
    """(n,) pronounceable lower-case words; no two are the same term, and none is a marker's or a kind's.

    Example:
        >>> words = made_up_words(seed=0, n=3)
        >>> [len(analyze(word)) for word in words.tolist()]
        [1, 1, 1]
    """
    drafts = _drafts(seed, 2 * n + 64)
    terms = np.array([(analyze(word) or [""])[0] for word in drafts.tolist()])
    fresh = np.zeros(len(drafts), bool)
    fresh[np.unique(terms, return_index=True)[1]] = True
    english = {analyze(word)[0] for word in (*TRANSACTION_MARKERS, *FRESHNESS_MARKERS, *ENTITY_KINDS)}
    long_enough = np.char.str_len(drafts) >= _SHORTEST_WORD
    return np.asarray(drafts[fresh & long_enough & ~np.isin(terms, ["", *sorted(english)])][:n])


def zipf_weights(n: int, exponent: float) -> Floats:
    """(n,) weights proportional to 1 / rank ** exponent, summing to 1 (Zipf 1949).

    Example:
        >>> zipf_weights(2, 1.0).round(3).tolist()
        [0.667, 0.333]
    """
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def join_surfaces(surfaces: Array, ids: Ints, offsets: Ints) -> Array:
    """(n_texts,) str objects: the surfaces of each segment of `ids`, separated by blanks."""
    words = surfaces[ids].tolist()
    bounds = offsets.tolist()
    texts = np.empty(len(bounds) - 1, dtype=object)
    texts[:] = [" ".join(words[start:end]) for start, end in pairwise(bounds)]
    return texts


def join_rows(surfaces: Array, ids: Ints) -> Array:
    """(n_texts,) str objects: the surfaces of each row of `ids`, leaving out -1."""
    kept = ids >= 0
    return join_surfaces(surfaces, ids[kept], ragged.offsets_of_counts(np.count_nonzero(kept, axis=1)))


def _drafts(seed: int, n: int) -> Array:
    """(n,) strings of two or, in half of all cases, three syllables."""
    rows = np.arange(n)
    parts = _SYLLABLES[rng.integers(seed, "syllables", len(_SYLLABLES), rows[:, None], np.arange(3))]
    third = np.where(rng.uniform(seed, "word_length", rows) < 0.5, parts[:, 2], "")
    return np.asarray(np.char.add(np.char.add(parts[:, 0], parts[:, 1]), third))


def _synonym_choice() -> Floats:
    """(MAX_SYNONYMS + 1, MAX_SYNONYMS) cumulative probabilities of the synonyms, by how many there are."""
    table = np.ones((MAX_SYNONYMS + 1, MAX_SYNONYMS))
    for n_words in range(1, MAX_SYNONYMS + 1):
        table[n_words, :n_words] = np.cumsum(zipf_weights(n_words, 1.0))
        table[n_words, n_words - 1 :] = 1.0
    return table


_SYNONYM_CHOICE = _synonym_choice()
