"""Text analysis: words, stems, and the same terms whichever way they are reached."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest
import Stemmer
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.text import UNKNOWN, Terms, Vocabulary, analyze, distinct, item_texts
from mlsd.types import Catalog

TEXTS = st.lists(st.text(alphabet="abhe tins.,-_1éß\n", max_size=30), max_size=6)


def words_of(vocabulary: Vocabulary, terms: Terms) -> list[list[str]]:
    words = ["?" if term == UNKNOWN else str(vocabulary.terms[term]) for term in terms.ids]
    return [words[start:end] for start, end in zip(terms.offsets, terms.offsets[1:], strict=False)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("the of and a", []),
        ("x + y = 7", []),
        ("Ranking, RANKED; ranks", ["rank", "rank", "rank"]),
        ("C++ and 42 dogs", ["42", "dog"]),
        ("Événement naïve", ["événement", "naïv"]),
        ("snake_case kebab-case", ["snake_cas", "kebab", "case"]),
        ("機械学習", ["機械学習"]),
    ],
)
def test_words_become_stems(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_a_long_run_of_characters_is_cut() -> None:
    assert analyze("z" * 200) == ["z" * 64, "z" * 64, "z" * 64, "z" * 8]
    assert Vocabulary.of(["z" * 10_000]).terms.dtype.itemsize <= 64 * 4


@settings(max_examples=80, deadline=None)
@given(texts=TEXTS)
def test_equals_the_analysis_of_bm25s(texts: list[str]) -> None:
    expected = bm25s.tokenize(
        texts, stopwords="en", stemmer=Stemmer.Stemmer("english"), return_ids=False, show_progress=False
    )
    assert [analyze(text) for text in texts] == expected


@settings(max_examples=80, deadline=None)
@given(texts=TEXTS, others=TEXTS)
def test_every_way_to_terms_is_the_same(texts: list[str], others: list[str]) -> None:
    vocabulary, terms = Vocabulary.learn(texts)
    assert words_of(vocabulary, terms) == [analyze(text) for text in texts]
    assert vocabulary.terms.tolist() == sorted({term for text in texts for term in analyze(text)})
    known = set(vocabulary.terms.tolist())
    expected = [[term if term in known else "?" for term in analyze(text)] for text in others]
    for _ in range(2):
        assert words_of(vocabulary, vocabulary.encode(others)) == expected
    found = [[term for term in text if term != "?"] for text in expected]
    assert words_of(vocabulary, vocabulary.encode(others).known()) == found


def test_terms_of_texts_can_be_taken_and_kept() -> None:
    vocabulary, terms = Vocabulary.learn(["jazz", "", "rock jazz rock"])
    assert words_of(vocabulary, terms.take(np.array([2, 1, 2]))) == [
        ["rock", "jazz", "rock"],
        [],
        ["rock", "jazz", "rock"],
    ]
    again = Terms.from_state(terms.state("items"), "items")
    assert words_of(vocabulary, again) == words_of(vocabulary, terms)
    assert len(again) == 3


def test_nothing_has_no_terms() -> None:
    vocabulary, terms = Vocabulary.learn([])
    assert len(vocabulary) == len(terms) == len(terms.ids) == 0
    assert vocabulary.encode(["jazz"]).ids.tolist() == [UNKNOWN]
    assert vocabulary.encode([]).offsets.tolist() == [0]
    assert distinct(np.array([], object))[0] == []


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_missing_text_is_refused(missing: object) -> None:
    with pytest.raises(InputError, match=r"text 1 of 3 is (None|nan), must be a string"):
        distinct(np.array(["jazz", missing, "rock"], object))
    with pytest.raises(InputError, match=r"a text is (None|nan), must be a string"):
        Vocabulary.learn(["jazz", missing])  # type: ignore[list-item]


def test_all_text_of_an_item_is_its_title_and_its_text() -> None:
    columns = {"title": np.array(["Jazz", ""], object), "text": np.array(["", "louder"], object)}
    assert [analyze(text) for text in item_texts(Catalog(np.arange(2), columns))] == [["jazz"], ["louder"]]
