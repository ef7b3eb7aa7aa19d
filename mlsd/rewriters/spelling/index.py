"""Words within a few edits of another, found by what is left of both after deletions."""

from __future__ import annotations

from collections.abc import Iterable

from editdistpy import damerau_osa
from symspellpy import SymSpell

_PREFIX = 7
"""Letters of a word whose deletions are indexed: SymSpell's own default."""

_SHORT = 4
"""Words of so many letters or fewer are looked for within one edit: two would leave half of a word."""


class DeleteIndex:
    """The words of a dictionary by the deletions of their first seven letters, made by SymSpell.

    `SymSpell.lookup` itself is not used, as most of its time goes into Python for each pair of a deletion and
    a word. Here the words that share a deletion are put together first.

    Args:
        words: of the dictionary, different ones. Those of one letter and those with a digit are not found.
        max_edits: the most that are looked for, 1 or 2.

    Example:
        >>> sorted(DeleteIndex(["opera", "operas", "rock"], max_edits=2).near("opra"))
        [('opera', 1)]
    """

    def __init__(self, words: Iterable[str], max_edits: int) -> None:
        index = SymSpell(max_edits, _PREFIX)
        for word in words:
            if len(word) > 1 and word.isalpha():
                index.create_dictionary_entry(word, 1)
        # Tuples of strings, unlike lists, are none of the garbage collector's business: it would look
        # through hundreds of thousands of them time and again.
        self._words_of = {left: tuple(words_of) for left, words_of in index.deletes.items()}
        self._max_edits = max_edits

    def near(self, word: str) -> list[tuple[str, int]]:
        """Words of the dictionary with the number of edits that make them of this one, in alphabetical order.

        An edit is a letter omitted, too many or replaced, or two neighbours exchanged (Damerau 1964; no
        part is edited twice).
        """
        max_edits = 1 if len(word) <= _SHORT else self._max_edits
        shared = _deletions(word[:_PREFIX], max_edits) & self._words_of.keys()
        found = set[str]().union(*(self._words_of[left] for left in shared))
        fewest, most, distance = len(word) - max_edits, len(word) + max_edits, damerau_osa.distance
        near = [(one, distance(word, one, max_edits)) for one in found if fewest <= len(one) <= most]
        return sorted((one, n_edits) for one, n_edits in near if n_edits >= 0)


def _deletions(word: str, n: int) -> set[str]:
    """What is left of a word without up to `n` of its letters.

    Example:
        >>> sorted(_deletions("abc", 1))
        ['ab', 'abc', 'ac', 'bc']
    """
    found = last = {word}
    for _ in range(n):
        last = {left[:i] + left[i + 1 :] for left in last for i in range(len(left))}
        found = found | last
    return found
