"""The texts that say what is asked for: clean, misspelled, in other words, or in too many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlsd import ragged, rng
from mlsd.types import Array, Ints
from mlsd.worlds.search.queries import NAVIGATIONAL, Queries, first_words
from mlsd.worlds.search.spelling import SpellingOptions, misspelled
from mlsd.worlds.search.vocabulary import Lexicon, join_rows, join_surfaces

WORDINGS = ("clean", "misspelled", "synonym", "wordy")
CLEAN, MISSPELLED, SYNONYM, WORDY = range(4)

OPENINGS = (
    "how to find the best", "where can i get some", "what is the best", "i am looking for a",
    "does anybody know about the", "please tell me more about",
)  # fmt: skip
LINKS = ("near the", "with some", "for a", "in the", "and also the")
"""English words that say nothing, around what is asked for."""


@dataclass(frozen=True)
class Forms:
    """Every text that the world can say, numbered in alphabetical order: the `query_id` of requests.

    Args:
        text: (n_texts,) str objects, ascending, each once.
        of_query: (n_queries, n_forms) int64, the text of each form of each query; -1 where it has none.
        wording: (n_forms,) int64, places in `WORDINGS`; the first form is the clean one.
        topic: (n_queries,) int64.
    """

    text: Array
    of_query: Ints
    wording: Ints
    topic: Ints

    def __len__(self) -> int:
        return len(self.text)

    def of_wording(self, wording: int) -> Ints:
        """The forms of this wording."""
        return np.flatnonzero(self.wording == wording)

    @cached_property
    def queries_of(self) -> tuple[Ints, Ints]:
        """Offsets and queries of each text: all that it may ask for, ordered by topic."""
        query, form = np.nonzero(self.of_query >= 0)
        asked = np.unique(
            np.stack([self.of_query[query, form], self.topic[query], query], axis=1), axis=0
        ).astype(np.int64)
        counts = np.bincount(asked[:, 0], minlength=len(self))
        return ragged.offsets_of_counts(counts), asked[:, 2]

    @cached_property
    def ambiguous(self) -> NDArray[np.bool_]:
        """(n_texts,) whether queries of more than one topic have this text."""
        offsets, queries = self.queries_of
        topics = self.topic[queries]
        return np.asarray(topics[offsets[:-1]] != topics[offsets[1:] - 1])


def make_forms(
    n_variants: Mapping[int, int], spelling: SpellingOptions, queries: Queries, lexicon: Lexicon, seed: int
) -> Forms:
    """The texts of one world.

    Args:
        n_variants: wording -> how many forms of it each query may have.
        spelling: how words are misspelled.
        queries: what is asked for.
        lexicon: the words there are.
        seed: of all draws.
    """
    texts, wording = [queries.text], [CLEAN]
    known = known_words(lexicon)
    for variant in range(n_variants.get(MISSPELLED, 0)):
        texts.append(_misspelled(spelling, queries.text, known, variant, seed))
        wording.append(MISSPELLED)
    for variant in range(n_variants.get(SYNONYM, 0)):
        texts.append(_in_other_words(queries, lexicon, variant, seed))
        wording.append(SYNONYM)
    for variant in range(n_variants.get(WORDY, 0)):
        texts.append(_in_too_many_words(queries.text, lexicon, variant, seed))
        wording.append(WORDY)
    said = np.stack(texts, axis=1)
    said[said == ""] = None
    codes, distinct = pd.factorize(said.reshape(-1), sort=True)
    return Forms(
        np.asarray(distinct, dtype=object),
        codes.reshape(said.shape).astype(np.int64),
        np.array(wording),
        queries.topic,
    )


def known_words(lexicon: Lexicon) -> Array:
    """(n,) str, ascending: every word that is rightly spelled."""
    spoken = [*lexicon.surfaces.tolist(), *OPENINGS, *LINKS]
    return np.unique(np.array(" ".join(spoken).split()))


def _misspelled(options: SpellingOptions, texts: Array, known: Array, variant: int, seed: int) -> Array:
    """Each text with an error in one word: in a long one rather than in a short one; "" for none."""
    parts = [text.split() for text in texts.tolist()]
    offsets = ragged.offsets_of_counts(np.array([len(part) for part in parts], np.int64))
    words = np.array([word for part in parts for word in part], dtype=object)
    rows, variants = np.arange(len(texts)), np.full(len(texts), variant)
    cumulative = np.cumsum(np.array([len(word) - 1 for word in words.tolist()], np.int64))
    before = np.concatenate([[0], cumulative])[offsets]
    luck = rng.uniform(seed, "misspelled_word", rows, variants)
    sought = before[:-1] + luck * np.diff(before)
    chosen = np.minimum(np.searchsorted(cumulative, sought, side="right"), offsets[1:] - 1)
    wrong = misspelled(options, words[chosen].astype(str), known, seed, rows, variants)
    words[chosen] = wrong
    return np.where(wrong == "", "", join_surfaces(words, np.arange(len(words)), offsets))


def _in_other_words(queries: Queries, lexicon: Lexicon, variant: int, seed: int) -> Array:
    """Each text with another word for one of its concepts, or an entity's other name; "" for none."""
    width = queries.concepts.shape[1]
    rows, places = np.arange(len(queries))[:, None], np.arange(width)
    n_words = np.where(queries.concepts < 0, 0, np.diff(lexicon.concept_offsets)[queries.concepts])
    luck = rng.uniform(seed, "replaced_word", rows, places, variant)
    place = np.argmax(np.where(n_words > 1, luck, -1.0), axis=1)
    row = rows[:, 0]
    first, n_of_place = lexicon.concept_offsets[queries.concepts[row, place]], n_words[row, place]
    step = 1 + rng.integers(seed, "other_word", np.maximum(n_of_place - 1, 1), row, variant)
    words = queries.words.copy()
    other = first + (words[row, place] - first + step) % np.maximum(n_of_place, 1)
    words[row, place] = other
    texts = np.where(n_of_place > 1, join_rows(lexicon.surfaces, words), "")
    return np.where(queries.intent == NAVIGATIONAL, _other_name(queries, lexicon), texts)


def _other_name(queries: Queries, lexicon: Lexicon) -> Array:
    """The whole name of an entity asked for by its first word, and conversely."""
    names = lexicon.surfaces[queries.words[:, 0]]
    return np.where(queries.text == names, first_words(names), names)


def _in_too_many_words(texts: Array, lexicon: Lexicon, variant: int, seed: int) -> Array:
    """Each text between words that say nothing, with one or two background words."""
    rows = np.arange(len(texts))
    opening = np.array(OPENINGS, dtype=object)[
        rng.integers(seed, "opening", len(OPENINGS), rows, np.array(variant))
    ]
    wordy = opening + " " + texts
    for place in range(2):
        link = np.array(LINKS, dtype=object)[rng.integers(seed, "link", len(LINKS), rows, variant, place)]
        word = lexicon.surfaces[
            rng.choice(seed, "wordy_background", lexicon.background_weights, rows, variant, place)
        ]
        more = rng.uniform(seed, "wordier", rows, variant, place) < 1.0 / (1 + place)
        wordy = np.where(more, wordy + " " + link + " " + word, wordy)
    return wordy
