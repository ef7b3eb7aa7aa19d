from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.errors import InvalidValueError
from mlsd.types import Array
from mlsd.worlds.search.spelling import EDITS, SpellingOptions, misspelled
from mlsd.worlds.search.vocabulary import made_up_words

WORDS = made_up_words(seed=2, n=6000)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def errors_of(words: Array, options: SpellingOptions | None = None, seed: int = 3) -> list[str]:
    found = misspelled(options or SpellingOptions(), words, np.unique(words), seed, np.arange(len(words)))
    return [str(word) for word in found]


def only(edit: str, phonetic_prob: float = 0.5) -> SpellingOptions:
    return SpellingOptions({name: float(name == edit) for name in EDITS}, phonetic_prob)


def edits(word: str) -> dict[str, set[str]]:
    """All words one error away, by kind of error, the first letter kept (after Norvig)."""
    splits = [(word[:place], word[place:]) for place in range(1, len(word) + 1)]
    return {
        "omission": {left + right[1:] for left, right in splits if right},
        "insertion": {left + letter + right for left, right in splits for letter in LETTERS},
        "substitution": {left + letter + right[1:] for left, right in splits if right for letter in LETTERS},
        "transposition": {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1},
    }


@pytest.mark.parametrize("edit", EDITS)
def test_an_error_is_one_edit_of_its_kind(edit: str) -> None:
    words = WORDS[:400]
    for word, wrong in zip(words.tolist(), errors_of(words, only(edit)), strict=True):
        assert wrong in edits(word)[edit]
        assert wrong not in set(words)


def test_kinds_come_in_their_declared_shares() -> None:
    # A share of 6,000 has a standard error of at most .0063. Doubling, and omission from a double, leave the
    # place open but not the kind; swaps of equal letters are drawn again, which costs that kind a little.
    wrong = errors_of(WORDS)
    lengths = np.array([len(one) - len(word) for one, word in zip(wrong, WORDS.tolist(), strict=True)])
    assert abs(np.mean(lengths == -1) - 0.35) < 0.03
    assert abs(np.mean(lengths == 1) - 0.30) < 0.03
    swapped = [sorted(one) == sorted(word) for one, word in zip(wrong, WORDS.tolist(), strict=True)]
    assert abs(np.mean(swapped) - 0.15) < 0.03


def test_phonetic_insertions_double_and_others_are_of_adjacent_keys() -> None:
    words = WORDS[:300]
    for word, wrong in zip(words.tolist(), errors_of(words, only("insertion", 1.0)), strict=True):
        assert wrong in {word[:place] + word[place - 1] + word[place:] for place in range(2, len(word) + 1)}
    touching = {"a": "qwsz", "l": "kop", "m": "jkn", "e": "wrsd"}
    words = np.array(["bamelo"] * 200)
    for wrong in errors_of(words, only("substitution", 0.0)):
        (place,) = (i for i, letter in enumerate("bamelo") if wrong[i] != letter)
        assert wrong[place] in touching.get("bamelo"[place], "ikpl")


def test_phonetic_substitutions_sound_alike() -> None:
    words = np.array(["rafisek"] * 200)
    alike = {"a": "eiou", "f": "v", "i": "aeouy", "s": "zc", "e": "aiou", "k": "cq"}
    for wrong in errors_of(words, only("substitution", 1.0)):
        (place,) = (i for i, letter in enumerate("rafisek") if wrong[i] != letter)
        assert wrong[place] in alike["rafisek"[place]]


def test_no_word_becomes_another_word() -> None:
    # Every omission of these is a word itself: nothing is found, and nothing is said.
    words = np.array(["abc", "ac", "ab"])
    assert errors_of(words, only("omission"))[0] == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.sampled_from("abkéß"), min_size=1, max_size=7), min_size=1, max_size=8))
def test_any_words_whoever_else_is_there(words: list[str]) -> None:
    texts, rows = np.array(words), np.arange(len(words))
    known = np.unique(texts)
    together = misspelled(SpellingOptions(), texts, known, 5, rows)
    for row in rows:
        alone = misspelled(SpellingOptions(), texts[[row]], known, 5, rows[[row]])
        assert alone[0] == together[row]
        assert together[row] not in words
        assert together[row] == "" or together[row][0] == words[row][0]


def test_one_letter_cannot_be_misspelled() -> None:
    assert errors_of(np.array(["a"])) == [""]
    assert errors_of(np.array([], dtype="U1")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"edit_shares": {"omission": 1.0}},
            "edit_shares == ['omission'], must name omission, insertion, substitution, transposition",
        ),
        (
            {"edit_shares": dict.fromkeys(EDITS, 0.0)},
            "sum of edit_shares == 0.0, must be above 0",
        ),
        ({"phonetic_prob": 1.5}, "phonetic_prob == 1.5, must be between 0 and 1"),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        SpellingOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
