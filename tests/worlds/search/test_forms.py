from __future__ import annotations

import numpy as np
import pytest

from mlsd.worlds.search.forms import (
    CLEAN,
    LINKS,
    MISSPELLED,
    OPENINGS,
    SYNONYM,
    WORDY,
    Forms,
    known_words,
    make_forms,
)
from mlsd.worlds.search.queries import NAVIGATIONAL, Queries, QueryOptions, make_queries
from mlsd.worlds.search.spelling import SpellingOptions
from mlsd.worlds.search.vocabulary import LanguageOptions, Lexicon, make_lexicon

ALL = {MISSPELLED: 2, SYNONYM: 2, WORDY: 2}
N = 600


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return make_lexicon(LanguageOptions(n_topics=8, n_background=200), n_entities=80, seed=4)


@pytest.fixture(scope="module")
def queries(lexicon: Lexicon) -> Queries:
    return make_queries(QueryOptions(), lexicon, N, seed=4)


@pytest.fixture(scope="module")
def forms(queries: Queries, lexicon: Lexicon) -> Forms:
    return make_forms(ALL, SpellingOptions(), queries, lexicon, seed=4)


def said(forms: Forms, wording: int) -> list[tuple[int, str]]:
    """Query and text of every form of a wording."""
    columns = forms.of_wording(wording)
    rows, places = np.nonzero(forms.of_query[:, columns] >= 0)
    texts = forms.text[forms.of_query[rows, columns[places]]]
    return list(zip(rows.tolist(), texts.tolist(), strict=True))


def test_texts_are_distinct_and_in_alphabetical_order(forms: Forms) -> None:
    texts = forms.text.tolist()
    assert texts == sorted(set(texts))
    assert np.array_equal(np.unique(forms.of_query[forms.of_query >= 0]), np.arange(len(forms)))


def test_the_clean_form_is_the_text_of_the_query(forms: Forms, queries: Queries) -> None:
    assert [text for _, text in said(forms, CLEAN)] == queries.text.tolist()


def test_a_misspelling_is_one_word_that_nobody_else_uses(
    forms: Forms, queries: Queries, lexicon: Lexicon
) -> None:
    known = set(known_words(lexicon).tolist())
    found = said(forms, MISSPELLED)
    assert len(found) > 1.98 * N
    for query, text in found:
        pairs = list(zip(text.split(), queries.text[query].split(), strict=True))
        ((wrong, _),) = [(one, right) for one, right in pairs if one != right]
        assert wrong not in known


def test_long_words_are_misspelled_rather_than_short_ones(forms: Forms, queries: Queries) -> None:
    hit, expected = [], []
    for query, text in said(forms, MISSPELLED):
        right = queries.text[query].split()
        letters = np.array([len(word) - 1 for word in right])
        hit.append(next(len(w) - 1 for w, t in zip(right, text.split(), strict=True) if w != t))
        expected.append(float(letters @ letters / letters.sum()))
    # Letters of the chosen word: about 1,200 draws with a standard deviation near 1.5, an error of .04.
    assert abs(np.mean(hit) - np.mean(expected)) < 0.2


def test_a_synonym_replaces_one_word_by_another_of_its_concept(
    forms: Forms, queries: Queries, lexicon: Lexicon
) -> None:
    starts = lexicon.concept_offsets
    for query, text in said(forms, SYNONYM):
        names = [
            set(lexicon.surfaces[starts[concept] : starts[concept + 1]].tolist())
            for concept in queries.concepts[query]
            if concept >= 0
        ]
        if queries.intent[query] == NAVIGATIONAL:
            (name,) = names[0]
            assert {text, queries.text[query]} == {name, name.split()[0]}
            continue
        pairs = list(zip(text.split(), queries.text[query].split(), strict=True))
        ((other, usual),) = [(one, right) for one, right in pairs if one != right]
        assert any({other, usual} <= of_concept for of_concept in names)


def test_whoever_has_a_synonym_gets_one(forms: Forms, queries: Queries, lexicon: Lexicon) -> None:
    several = np.diff(lexicon.concept_offsets) > 1
    can = (several[queries.concepts] & (queries.concepts >= 0)).any(axis=1)
    can |= queries.intent == NAVIGATIONAL
    assert np.array_equal((forms.of_query[:, forms.of_wording(SYNONYM)] >= 0).all(axis=1), can)
    assert not can.all()


def test_wordy_texts_hold_the_clean_one(forms: Forms, queries: Queries) -> None:
    for query, text in said(forms, WORDY):
        opening = next(words for words in OPENINGS if text.startswith(f"{words} "))
        rest = text.removeprefix(f"{opening} ")
        assert rest.startswith(f"{queries.text[query]} ")
        tail = rest.removeprefix(f"{queries.text[query]} ")
        assert any(tail.startswith(f"{link} ") for link in LINKS)
        assert len(text.split()) >= 7


def test_a_text_knows_all_that_it_asks_for(forms: Forms, queries: Queries) -> None:
    offsets, asked = forms.queries_of
    of_text: dict[int, set[int]] = {}
    for query, row in enumerate(forms.of_query.tolist()):
        for text in row:
            if text >= 0:
                of_text.setdefault(text, set()).add(query)
    for text in range(len(forms)):
        mine = asked[offsets[text] : offsets[text + 1]].tolist()
        assert set(mine) == of_text[text]
        assert len(set(mine)) == len(mine)
        topics = queries.topic[mine]
        assert np.all(np.diff(topics) >= 0)
        assert forms.ambiguous[text] == (len(set(topics.tolist())) > 1)
    assert forms.ambiguous.any()


def test_with_nothing_but_clean_texts_a_text_is_a_query() -> None:
    lexicon = make_lexicon(LanguageOptions(n_topics=8, homonym_share=0.0), n_entities=80, seed=4)
    queries = make_queries(QueryOptions(), lexicon, N, seed=4)
    forms = make_forms({}, SpellingOptions(), queries, lexicon, seed=4)
    assert forms.text.tolist() == queries.text.tolist()
    assert forms.of_query.tolist() == [[query] for query in range(N)]
    assert not forms.ambiguous.any()


def test_a_language_without_synonyms_has_none() -> None:
    language = LanguageOptions(n_topics=1, concepts_per_topic=2, max_synonyms=1, n_background=1)
    lexicon = make_lexicon(language, n_entities=1, seed=0)
    queries = make_queries(QueryOptions(), lexicon, 50, seed=0)
    forms = make_forms(ALL, SpellingOptions(), queries, lexicon, seed=0)
    others = queries.intent != NAVIGATIONAL
    assert np.all(forms.of_query[others][:, forms.of_wording(SYNONYM)] == -1)
    assert np.all(forms.of_query[:, forms.of_wording(WORDY)] >= 0)
    assert not forms.ambiguous.any()
