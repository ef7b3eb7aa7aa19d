"""Finding words by their deletions, against every word of the dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from symspellpy import SymSpell, Verbosity

from mlsd.rewriters.spelling.index import DeleteIndex

WORDS = st.text("abcde", min_size=2, max_size=10)


@given(words=st.lists(WORDS, max_size=12, unique=True), sought=WORDS)
def test_finds_what_symspell_finds(words: list[str], sought: str) -> None:
    """Its own lookup, at the same number of edits."""
    index = SymSpell(2, 7)
    for word in words:
        index.create_dictionary_entry(word, 1)
    max_edits = 1 if len(sought) <= 4 else 2
    found = index.lookup(sought, Verbosity.ALL, max_edits)
    expected = sorted((one.term, one.distance) for one in found)
    assert DeleteIndex(words, 2).near(sought) == expected


@pytest.mark.parametrize("max_edits", [1, 2])
def test_by_hand(max_edits: int) -> None:
    index = DeleteIndex(["opera", "operas", "opel", "rock"], max_edits)
    expected = [("opera", 0), ("operas", 1)] if max_edits == 1 else [("opel", 2), ("opera", 0), ("operas", 1)]
    assert index.near("opera") == expected


def test_words_with_digits_or_of_one_letter_are_not_found() -> None:
    assert DeleteIndex(["mp3", "a", "mps"], 2).near("mp") == [("mps", 1)]


def test_nothing_is_found_in_an_empty_dictionary() -> None:
    assert DeleteIndex([], 2).near("opera") == []
