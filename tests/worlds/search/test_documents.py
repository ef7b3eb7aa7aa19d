from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InvalidValueError
from mlsd.worlds.search.documents import DocumentOptions, Documents, make_documents, without_repeats
from mlsd.worlds.search.vocabulary import LanguageOptions, Lexicon, make_lexicon

OPTIONS = DocumentOptions()
N = 10_000


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    language = LanguageOptions(n_topics=10, concepts_per_topic=20, n_background=100)
    return make_lexicon(language, n_entities=OPTIONS.n_official(N), seed=1)


@pytest.fixture(scope="module")
def documents(lexicon: Lexicon) -> Documents:
    return make_documents(OPTIONS, lexicon, N, seed=1)


def test_each_entity_has_one_official_page_about_it(lexicon: Lexicon, documents: Documents) -> None:
    official = np.flatnonzero(documents.official_of >= 0)
    assert sorted(documents.official_of[official]) == list(range(lexicon.n_topical, lexicon.n_concepts))
    assert np.array_equal(documents.concepts[official, 0], documents.official_of[official])
    assert np.array_equal(documents.topic[official], lexicon.concept_topic[documents.official_of[official]])


def test_shares_are_as_declared(documents: Documents) -> None:
    assert np.count_nonzero(documents.official_of >= 0) == 500
    assert documents.spam.sum() == 1380
    assert not np.any(documents.spam & (documents.official_of >= 0))
    # A share of 10,000 documents has a standard error of .0046.
    assert abs(documents.transactional.mean() - 0.3) < 0.023


def test_what_a_document_is_cannot_be_read_off_its_row(documents: Documents) -> None:
    # The mean row of 1,380 documents spread evenly over 10,000 has a standard error of 78.
    assert abs(np.flatnonzero(documents.spam).mean() - N / 2) < 390
    assert abs(np.flatnonzero(documents.official_of >= 0).mean() - N / 2) < 650


def test_spam_is_about_nothing_though_it_uses_the_words(documents: Documents) -> None:
    assert np.all(documents.aboutness[documents.spam] == 0)
    assert np.all(documents.concepts[documents.spam, 0] >= 0)


def test_aboutness_falls_down_the_concepts(documents: Documents) -> None:
    real = ~documents.spam
    assert np.all(documents.aboutness[real, 0] == 1.0)
    second = real & (documents.concepts[:, 1] >= 0)
    assert np.all(documents.aboutness[second, 1] == 0.5)
    assert np.all(documents.aboutness[documents.concepts < 0] == 0)


def test_concepts_come_first_and_once(documents: Documents) -> None:
    held = documents.concepts >= 0
    assert np.all(held[:, 0])
    assert np.all(held[:, :-1] >= held[:, 1:])
    sorted_ids = np.sort(documents.concepts, axis=1)
    assert not np.any((sorted_ids[:, 1:] == sorted_ids[:, :-1]) & (sorted_ids[:, 1:] >= 0))


def test_the_first_concept_is_of_the_main_topic(lexicon: Lexicon, documents: Documents) -> None:
    assert np.array_equal(lexicon.concept_topic[documents.concepts[:, 0]], documents.topic)


def test_other_pages_mention_entities_of_their_topic(lexicon: Lexicon, documents: Documents) -> None:
    others = documents.official_of < 0
    rows, places = np.nonzero((documents.concepts >= lexicon.n_topical) & others[:, None])
    mentioned = documents.concepts[rows, places]
    assert np.array_equal(lexicon.concept_topic[mentioned], documents.topic[rows])
    # Three in ten of 9,500 documents, with a standard error of .0047.
    assert abs(len(np.unique(rows)) / np.count_nonzero(others) - OPTIONS.entity_share) < 0.024


def test_authority_is_the_log_of_a_power_law(documents: Documents) -> None:
    plain = ~documents.spam & (documents.official_of < 0)
    authority = documents.authority[plain]
    assert authority.min() >= 0
    assert documents.authority.max() <= 1
    # Exponential with mean 1 / ln n: the mean of 8,120 has a standard error of 1.1%.
    np.testing.assert_allclose(authority.mean(), 1 / np.log(N), rtol=0.055)
    np.testing.assert_allclose(np.quantile(authority, 0.99) / np.quantile(authority, 0.5), 6.64, rtol=0.15)


def test_official_pages_have_more_and_spam_less_of_it(documents: Documents) -> None:
    plain = documents.authority[~documents.spam & (documents.official_of < 0)].mean()
    assert documents.authority[documents.official_of >= 0].mean() > 1.5 * plain
    assert documents.authority[documents.spam].mean() < 0.7 * plain


def test_everything_is_published_before_day_0_at_a_log_normal_age(documents: Documents) -> None:
    assert documents.published_days.max() < 0
    log_age = np.log(-documents.published_days)
    # Standard errors of mean and deviation: .013 and .0092.
    assert abs(log_age.mean() - np.log(365)) < 0.065
    assert abs(log_age.std() - 1.3) < 0.046


def test_sites_are_few_and_large_or_many_and_small(documents: Documents) -> None:
    sizes = np.sort(np.bincount(documents.source[documents.official_of < 0]))[::-1]
    assert sizes[0] > 10 * np.median(sizes[sizes > 0])
    assert sizes[:100].sum() > 0.3 * sizes.sum()


def test_spam_stands_on_few_sites_of_its_own(documents: Documents) -> None:
    spam_sites = np.unique(documents.source[documents.spam])
    assert len(spam_sites) <= 50
    assert not np.any(np.isin(documents.source[~documents.spam], spam_sites))


def test_an_official_page_has_a_site_to_itself(documents: Documents) -> None:
    sizes = np.bincount(documents.source)
    assert np.all(sizes[documents.source[documents.official_of >= 0]] == 1)


def test_the_number_of_a_site_tells_nothing(documents: Documents) -> None:
    # 50 spam sites of 1,500, in any order: their mean number has a standard error of 61.
    assert abs(np.unique(documents.source[documents.spam]).mean() - 750) < 310


def test_a_world_of_one_document_is_one_official_page() -> None:
    language = LanguageOptions(n_topics=3, concepts_per_topic=2, n_background=5)
    lexicon = make_lexicon(language, n_entities=OPTIONS.n_official(1), seed=0)
    documents = make_documents(OPTIONS, lexicon, 1, seed=0)
    assert documents.official_of.tolist() == [lexicon.n_topical]
    assert not documents.spam[0]
    assert 0 <= documents.authority[0] <= 1


@given(st.lists(st.lists(st.integers(-1, 4), min_size=4, max_size=4), min_size=1, max_size=6))
def test_without_repeats_keeps_the_first_of_each(rows: list[list[int]]) -> None:
    expected = []
    for row in rows:
        kept = [value for value in dict.fromkeys(row) if value >= 0]
        expected.append(kept + [-1] * (4 - len(kept)))
    assert without_repeats(np.array(rows)).tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spam_share": 0.99}, "official_share + spam_share == 1.04, must be between 0 and 1"),
        ({"transactional_share": -0.1}, "transactional_share == -0.1, must be between 0 and 1"),
        ({"topical_prob": 0.9}, "topical_prob + passing_prob + marker_prob == 1.1, must be between 0 and 1"),
        ({"site_share": 1.5}, "site_share == 1.5, must be between 0 and 1"),
        ({"site_zipf": -1.0}, "site_zipf == -1.0, must be at least 0"),
        ({"max_concepts": 0}, "max_concepts == 0, must be at least 1"),
        ({"length_median": 0.0}, "length_median == 0.0, must be above 0"),
        ({"age_median_days": -1.0}, "age_median_days == -1.0, must be above 0"),
        ({"age_sigma": -1.0}, "age_sigma == -1.0, must be at least 0"),
        ({"spam_authority": -1.0}, "spam_authority == -1.0, must be at least 0"),
    ],
)
def test_bad_values(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        DocumentOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
