"""The documents of the search world in words, and the catalog as everybody may see it."""

from __future__ import annotations

import numpy as np

from mlsd import ragged, rng
from mlsd.types import Array, Catalog, Ints
from mlsd.worlds.search.documents import DocumentOptions, Documents
from mlsd.worlds.search.vocabulary import Lexicon, join_rows, join_surfaces

_SHORTEST_TEXT = 5
_TITLE_CONCEPTS = 3


def make_catalog(options: DocumentOptions, lexicon: Lexicon, documents: Documents, seed: int) -> Catalog:
    """What can be observed of the documents: no concept, no role, nothing of what is relevant."""
    offsets, surfaces = _body(options, lexicon, documents, seed)
    n_entities = ragged.sums(
        (surfaces >= lexicon.concept_offsets[lexicon.n_topical]).astype(np.int64), offsets
    )
    columns = {
        "title": join_rows(lexicon.surfaces, _title(lexicon, documents, seed)),
        "text": join_surfaces(lexicon.surfaces, surfaces, offsets),
        "category": documents.topic,
        "source": documents.source,
        "authority": documents.authority,
        "published_days": documents.published_days,
        "n_words": np.diff(offsets) + n_entities,
    }
    width = len(str(len(documents) - 1))
    return Catalog(np.char.add("d", np.char.zfill(np.arange(len(documents)).astype(str), width)), columns)


def _title(lexicon: Lexicon, documents: Documents, seed: int) -> Ints:
    """(n_items, n) surfaces: the first concepts in the author's words, and a background word; -1 for none."""
    items = np.arange(len(documents))
    concepts = _authors_words(lexicon, documents, seed)[:, :_TITLE_CONCEPTS]
    background = rng.choice(seed, "title_background", lexicon.background_weights, items)
    return np.column_stack([concepts, background])


def _body(options: DocumentOptions, lexicon: Lexicon, documents: Documents, seed: int) -> tuple[Ints, Ints]:
    """Offsets and surfaces of every document's words: concepts, words in passing, markers, background."""
    length = np.exp(np.log(options.length_median) + options.length_sigma * _normal(documents, seed))
    offsets = ragged.offsets_of_counts(np.maximum(_SHORTEST_TEXT, np.round(length)).astype(np.int64))
    item, place = ragged.segment_ids(offsets), ragged.positions(offsets)
    surfaces = rng.choice(seed, "background", lexicon.background_weights, item, place)
    luck = rng.uniform(seed, "kind_of_word", item, place)

    topical_prob = np.where(documents.spam, options.stuffed_prob, options.topical_prob)[item]
    passing_end = topical_prob + np.where(documents.spam, 0.0, options.passing_prob)[item]
    marker_end = passing_end + np.where(documents.transactional, options.marker_prob, 0.0)[item]
    kind = (luck >= topical_prob).astype(np.int8) + (luck >= passing_end) + (luck >= marker_end)

    for which, draw in ((0, _topical), (1, _passing), (2, _marker)):
        rows = np.flatnonzero(kind == which)
        surfaces[rows] = draw(lexicon, documents, item[rows], place[rows], seed)
    return offsets, surfaces


def _topical(lexicon: Lexicon, documents: Documents, item: Ints, place: Ints, seed: int) -> Ints:
    """Words that name the documents' concepts, chosen by 1, 1/2, 1/3, ...

    An author sticks to one word for a concept; a spammer takes them all.
    """
    weights = np.where(documents.concepts >= 0, 1.0 / (1 + np.arange(documents.concepts.shape[1])), 0.0)
    cumulative = np.cumsum(weights, axis=1)
    chosen = rng.uniform(seed, "which_concept", item, place) * cumulative[item, -1]
    slot = np.sum(chosen[:, None] >= cumulative[item], axis=1)
    any_word = lexicon.words_of(documents.concepts[item, slot], rng.uniform(seed, "stuffing", item, place))
    return np.where(documents.spam[item], any_word, _authors_words(lexicon, documents, seed)[item, slot])


def _passing(lexicon: Lexicon, documents: Documents, item: Ints, place: Ints, seed: int) -> Ints:
    """Words of some concept of the document's topic."""
    concepts = lexicon.concepts_of(documents.topic[item], seed, "in_passing", item, place)
    return lexicon.words_of(concepts, rng.uniform(seed, "word_in_passing", item, place))


def _marker(lexicon: Lexicon, documents: Documents, item: Ints, place: Ints, seed: int) -> Ints:  # noqa: ARG001
    """Words of transactions."""
    markers = lexicon.transaction_markers
    return markers[rng.integers(seed, "marker", len(markers), item, place)]


def _authors_words(lexicon: Lexicon, documents: Documents, seed: int) -> Ints:
    """(n_items, max_concepts) the word that each author has for each concept."""
    items, places = np.arange(len(documents))[:, None], np.arange(documents.concepts.shape[1])
    return lexicon.words_of(documents.concepts, rng.uniform(seed, "authors_word", items, places))


def _normal(documents: Documents, seed: int) -> Array:
    return rng.normal(seed, "length", np.arange(len(documents)))
