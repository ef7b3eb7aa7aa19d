"""From text to integer terms: one analysis for documents and queries, training and serving."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import Stemmer
from bm25s.stopwords import STOPWORDS_EN

from mlsd import ragged
from mlsd.types import Array, Ints, State

_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(STOPWORDS_EN)
UNKNOWN = -1
"""The term of a word that the vocabulary does not hold."""


def analyze(text: str) -> list[str]:
    """Lower-cased English stems (Snowball) without stop words, in order.

    Example:
        >>> analyze("The rankings of ranked Documents")
        ['rank', 'rank', 'document']
    """
    return [stem for word in _WORD.findall(text.lower()) if (stem := _stem(word))]


@lru_cache(maxsize=1 << 18)
def _stem(word: str) -> str:
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {str(term): i for i, term in enumerate(self.terms)})

    def __len__(self) -> int:
        return len(self.terms)

    @staticmethod
    def of(texts: Iterable[str]) -> Vocabulary:
        """All terms of the texts.

        Example:
            >>> Vocabulary.of(["new music", "music news"]).terms.tolist()
            ['music', 'new', 'news']
        """
        terms = {term for text in texts for term in analyze(text)}
        return Vocabulary(np.array(sorted(terms), dtype=str))

    def encode(self, texts: Sequence[str]) -> Terms:
        """The terms of each text; `UNKNOWN` for words of other collections."""
        ids: dict[str, int] = self._ids  # type: ignore[attr-defined]
        encoded = [[ids.get(term, UNKNOWN) for term in analyze(text)] for text in texts]
        offsets = ragged.offsets_of_counts(np.array([len(terms) for terms in encoded], dtype=np.int64))
        return Terms(offsets, np.array([term for terms in encoded for term in terms], dtype=np.int32))


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
        mask = self.ids != UNKNOWN
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
