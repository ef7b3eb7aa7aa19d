"""Words within a few edits of another, found by what is left of both after deletions."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract_iter

from mlsd import ragged
from mlsd.types import Ints

_PREFIX = 7
"""Letters of a word whose deletions are indexed: SymSpell's own default."""

_SHORT = 4
"""Words of so many letters or fewer are looked for within one edit: two would leave half of a word."""


class DeleteIndex:
    """The words of a dictionary by the deletions of their first seven letters.

    Words within n edits of each other have a text in common that is left of both after up to n deletions.
    What is left is hashed into buckets, and the index is two arrays: where each bucket starts, and the words
    in it. Words that meet in a bucket by chance, and those of other letters, are sorted out before edits
    are counted.

    Source: Garbe's SymSpell (2012) for deletions on both sides, of a prefix alone.

    Args:
        words: of the dictionary, different ones. Those of one letter and those with a digit are not found.
        max_edits: the most that are looked for, 1 or 2.

    Example:
        >>> DeleteIndex(["opera", "operas", "rock"], max_edits=2).near("opra")
        [('opera', 1)]
    """

    def __init__(self, words: Iterable[str], max_edits: int) -> None:
        self._words = tuple(word for word in words if len(word) > 1 and word.isalpha())
        self._max_edits = max_edits
        self._signatures = np.array([_signature(word) for word in self._words], np.uint64)
        hashes = [_hashes(word, max_edits) for word in self._words]
        counts = np.array([len(of_word) for of_word in hashes], np.int64)
        n_buckets = 1 << int(counts.sum()).bit_length()
        buckets = np.concatenate([np.zeros(0, np.int64), *hashes]) & (n_buckets - 1)
        rows = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        self._rows = rows[np.argsort(buckets)]
        self._starts = ragged.offsets_of_counts(np.bincount(buckets, minlength=n_buckets)).astype(np.int32)

    def near(self, word: str) -> list[tuple[str, int]]:
        """Words of the dictionary with the number of edits that make them of this one, in alphabetical order.

        An edit is a letter omitted, too many or replaced, or two neighbours exchanged (Damerau 1964; no
        part is edited twice).
        """
        max_edits = 1 if len(word) <= _SHORT else self._max_edits
        candidates = [self._words[row] for row in self._candidates(word, max_edits)]
        near = extract_iter(word, candidates, scorer=OSA.distance, score_cutoff=max_edits)
        return sorted((one, int(n_edits)) for one, n_edits, _ in near)

    def _candidates(self, word: str, max_edits: int) -> set[int]:
        """Rows of the words that share a bucket with this one and have a signature near its own."""
        buckets = _hashes(word, max_edits) & (len(self._starts) - 2)
        bounds = zip(self._starts[buckets].tolist(), self._starts[buckets + 1].tolist(), strict=True)
        rows = np.concatenate([self._rows[start:end] for start, end in bounds])
        different = np.bitwise_count(self._signatures[rows] ^ np.uint64(_signature(word)))
        return set(rows[different <= 2 * max_edits].tolist())


def _signature(word: str) -> int:
    """A word's letters and length in 64 bits, of which an edit changes two at most.

    One bit for each letter of the alphabet that the word has (letters of the same code modulo 32 share one),
    and as many bits as the word is long: a letter replaced changes two of the former, one omitted or too
    many one of each, neighbours exchanged none.
    """
    bits = (1 << min(len(word), 32)) - 1
    for letter in word:
        bits |= 1 << 32 + (ord(letter) & 31)
    return bits


def _hashes(word: str, n: int) -> Ints:
    """Hashes of what is left of a word's prefix without up to `n` letters; the same within a process only."""
    return np.array([hash(left) for left in _deletions(word[:_PREFIX], n)], np.int64)


def _deletions(word: str, n: int) -> set[str]:
    """What is left of a word without up to `n` of its letters.

    Example:
        >>> sorted(_deletions("abc", 1))
        ['ab', 'abc', 'ac', 'bc']
    """
    lengths = range(max(len(word) - n, 0), len(word) + 1)
    return {"".join(left) for length in lengths for left in combinations(word, length)}
