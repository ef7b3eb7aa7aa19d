"""From text to integer terms: one analysis for items and queries, training and serving."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
import Stemmer
from bm25s.stopwords import STOPWORDS_EN

from mlsd import ragged
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Ints, State

_WORD = re.compile(r"\w{2,64}")
"""A word has two characters or more; a longer run than 64 is cut, so that noise cannot widen every term."""

_STOP_WORDS = frozenset(STOPWORDS_EN)
UNKNOWN = -1
"""The term of a word that the vocabulary does not hold."""

_STOPPED = -2
"""What stands for a stop word until it is dropped."""


def analyze(text: str) -> list[str]:
    """Lower-cased English stems (Snowball) without stop words and single characters, in order.

    Example:
        >>> analyze("The rankings of a ranked Document")
        ['rank', 'rank', 'document']
    """
    return [stem for word in _words(text) if (stem := _stem(word))]


def learn_words(texts: Iterable[str]) -> tuple[Array, Terms]:
    """All lower-cased words of the texts as they are, also stop words, ascending, and the texts in them.

    Example:
        >>> words, coded = learn_words(["The Rankings", "the end"])
        >>> words.tolist(), words[coded.ids].tolist()
        (['end', 'rankings', 'the'], ['the', 'rankings', 'the', 'end'])
    """
    numbers = _Numbers()
    coded = _coded(texts, numbers)
    words, place = np.unique(np.array(list(numbers), dtype=str), return_inverse=True)
    return words, Terms(coded.offsets, place[coded.ids].astype(np.int32))


def is_stop_word(word: str) -> bool:
    """Whether a lower-cased word is too common to say what a text is about."""
    return word in _STOP_WORDS


def item_texts(catalog: Catalog) -> list[str]:
    """All the text of each item: its title, then its text.

    Example:
        >>> columns = {"title": np.array(["Jazz"], object), "text": np.array(["Louder."], object)}
        >>> item_texts(Catalog(np.array(["a"]), columns))
        ['Jazz Louder.']
    """
    pairs = zip(catalog["title"].tolist(), catalog["text"].tolist(), strict=True)
    return [f"{title} {text}" for title, text in pairs]


def distinct(texts: Array) -> tuple[list[str], Ints]:
    """The different texts in order of appearance, and (n_texts,) the place of each text among them.

    Raises:
        InputError: a text is missing (None or NaN).

    Example:
        >>> once, rows = distinct(np.array(["jazz", "rock", "jazz"], object))
        >>> once, rows.tolist()
        (['jazz', 'rock'], [0, 1, 0])
    """
    rows, once = pd.factorize(texts)
    if len(rows) and rows.min() < 0:
        row = int(np.argmin(rows))
        raise InputError(f"text {row} of {len(rows)} is {texts[row]!r}, must be a string")
    return once.tolist(), rows.astype(np.int64, copy=False)


def _words(text: str) -> list[str]:
    try:
        return _WORD.findall(text.lower())
    except AttributeError:
        raise InputError(f"a text is {text!r}, must be a string") from None


@lru_cache(maxsize=1 << 18)
def _stem(word: str) -> str:
    """The stem of a lower-cased word; nothing for a stop word."""
    if word in _STOP_WORDS:
        return ""
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english", 0)


@dataclass(frozen=True)
class Vocabulary:
    """The terms of a collection, numbered in alphabetical order.

    Args:
        terms: (n_terms,) str, ascending.
    """

    terms: Array
    _ids: _WordIds = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", _WordIds(self.terms))

    def __len__(self) -> int:
        return len(self.terms)

    @staticmethod
    def of(texts: Iterable[str]) -> Vocabulary:
        """All terms of the texts.

        Example:
            >>> Vocabulary.of(["new music", "music news"]).terms.tolist()
            ['music', 'new', 'news']
        """
        return Vocabulary.learn(texts)[0]

    @staticmethod
    def learn(texts: Iterable[str]) -> tuple[Vocabulary, Terms]:
        """All terms of the texts, and the texts in these terms; every different word is stemmed once.

        Example:
            >>> vocabulary, terms = Vocabulary.learn(["new music", "the music news"])
            >>> vocabulary.terms[terms.ids].tolist(), terms.offsets.tolist()
            (['new', 'music', 'music', 'news'], [0, 2, 4])
        """
        numbers = _Numbers()
        coded = _coded(texts, numbers)
        stems = np.array([_stem(word) for word in numbers], dtype=str)
        terms, term_of_word = np.unique(stems, return_inverse=True)
        n_stopped = int(len(terms) > 0 and not terms[0])
        ids = (term_of_word - n_stopped)[coded.ids].astype(np.int32)
        ids[ids < 0] = _STOPPED
        return Vocabulary(terms[n_stopped:]), Terms(coded.offsets, ids).without(_STOPPED)

    def encode(self, texts: Sequence[str]) -> Terms:
        """The terms of each text; `UNKNOWN` for words of other collections.

        Example:
            >>> Vocabulary.of(["new music"]).encode(["newest music", "the music"]).ids.tolist()
            [-1, 0, 0]
        """
        return _coded(texts, self._ids).without(_STOPPED)


@dataclass(frozen=True)
class Terms:
    """Texts as terms, ragged.

    Args:
        offsets: (n_texts + 1,) int64.
        ids: (n_terms,) int32, rows of a vocabulary, or `UNKNOWN`.
    """

    offsets: Ints
    ids: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def known(self) -> Terms:
        """Without the unknown terms."""
        return self.without(UNKNOWN)

    def without(self, term: int) -> Terms:
        """Every text without this term."""
        mask = self.ids != term
        return Terms(ragged.offsets_of_mask(mask, self.offsets), self.ids[mask])

    def take(self, texts: Array) -> Terms:
        """The texts at these rows."""
        rows, offsets = ragged.take_segments(self.offsets, texts)
        return Terms(offsets, self.ids[rows])

    def state(self, prefix: str) -> State:
        return {f"{prefix}.offsets": self.offsets, f"{prefix}.ids": self.ids}

    @staticmethod
    def from_state(state: State, prefix: str) -> Terms:
        return Terms(state[f"{prefix}.offsets"], state[f"{prefix}.ids"])


class _Numbers(dict[str, int]):
    """Word -> its number in order of first appearance."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number


class _WordIds(dict[str, int]):
    """Word -> term. Known words are remembered, unknown ones are not: there is no end of them."""

    def __init__(self, terms: Array) -> None:
        self._terms = {term: number for number, term in enumerate(terms.tolist())}

    def __missing__(self, word: str) -> int:
        stem = _stem(word)
        term = self._terms.get(stem, UNKNOWN) if stem else _STOPPED
        if term != UNKNOWN:
            self[word] = term
        return term


def _coded(texts: Iterable[str], codes: dict[str, int]) -> Terms:
    """The code of every word of every text."""
    words = [np.fromiter(map(codes.__getitem__, _words(text)), np.int32) for text in texts]
    offsets = ragged.offsets_of_counts(np.array([len(coded) for coded in words], np.int64))
    return Terms(offsets, np.concatenate(words) if words else np.zeros(0, np.int32))
