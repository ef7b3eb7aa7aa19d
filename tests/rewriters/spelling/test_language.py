"""The language model: counts by hand, and probabilities that sum to one."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from mlsd.logs import Log
from mlsd.rewriters.spelling.language import LETTER_NATS, Language
from mlsd.testing.retriever_kit import clicks, requests_for
from mlsd.types import Catalog

MU = 4.0


def catalog_of(*items: tuple[str, str]) -> Catalog:
    titles, texts = np.array([*items, ("", "")], object).T
    return Catalog(np.arange(len(items)).astype(str), {"title": titles[:-1], "text": texts[:-1]})


def log_of(queries: list[str], users: list[int], split: str) -> Log:
    requests = replace(requests_for(queries), user=np.array(users))
    log = clicks(requests, 1)
    return Log(log.requests, log.impressions, np.full(len(queries), split))


CATALOG = catalog_of(("jazz club", "Jazz, jazz & the club"), ("rock club", "loud"))


def counts(language: Language) -> dict[str, tuple[int, int]]:
    columns = language.words.tolist(), language.counts.tolist(), language.n_in_catalog.tolist()
    return {word: (count, in_catalog) for word, count, in_catalog in zip(*columns, strict=True)}


def pairs(language: Language) -> dict[tuple[str, str], int]:
    words = language.words[language.pairs].tolist()
    return {(one, other): n for (one, other), n in zip(words, language.pair_counts.tolist(), strict=True)}


def test_words_of_the_catalog_and_pairs_of_titles() -> None:
    language = Language.learn(CATALOG, None, 1, MU)
    assert counts(language) == {
        "club": (3, 3), "jazz": (3, 3), "loud": (1, 1), "rock": (1, 1), "the": (1, 1),
    }  # fmt: skip
    assert pairs(language) == {("jazz", "club"): 1, ("rock", "club"): 1}


def test_words_of_the_log_count_once_for_a_user_and_text() -> None:
    queries = ["jazz bar", "jazz bar", "jazz bar", "bar rock", "jaz"]
    language = Language.learn(CATALOG, log_of(queries, [1, 1, 2, 2, 2], "retrieval"), 2, MU)
    found = counts(language)
    assert found["jazz"] == (5, 3)
    assert found["bar"] == (3, 0)
    assert "jaz" not in found
    expected = {("jazz", "club"): 1, ("rock", "club"): 1, ("jazz", "bar"): 2, ("bar", "rock"): 1}
    assert pairs(language) == expected


@pytest.mark.parametrize(
    ("split", "has"), [("retrieval", True), ("ranking", True), ("validation", True), ("test", False)]
)
def test_of_the_windows_before_the_test(split: str, *, has: bool) -> None:
    assert Language.learn(CATALOG, log_of(["bar"], [1], split), 1, MU).has("bar") is has


def test_probabilities_by_hand() -> None:
    language = Language.learn(CATALOG, None, 1, MU)
    total = 9 + 3
    assert language.log_prob("jazz", None) == pytest.approx(log(3 / total))
    assert language.log_prob("jazz", "zzz") == pytest.approx(log(3 / total))
    assert language.log_prob("club", "jazz") == pytest.approx(log((1 + MU * 3 / total) / (1 + MU)))
    assert language.log_prob("rock", "jazz") == pytest.approx(log(MU * 1 / total / (1 + MU)))
    assert language.log_prob("bar", None) == pytest.approx(log(3 / total) - 3 * LETTER_NATS)
    assert language.log_prob("bar", "jazz") == pytest.approx(log(3 / total * MU / (1 + MU)) - 3 * LETTER_NATS)


def test_known_words_and_new_ones_share_all_probability() -> None:
    language = Language.learn(CATALOG, None, 1, MU)
    known = sum(exp(language.log_prob(word, None)) for word in language.words.tolist())
    assert known + 3 / 12 == pytest.approx(1)


def test_a_new_word_of_any_length_has_a_finite_probability() -> None:
    assert Language.learn(CATALOG, None, 1, MU).log_prob("z" * 10_000, "jazz") < -20_000


@pytest.mark.parametrize("catalog", [catalog_of(), catalog_of(("", ""))])
def test_no_words_at_all(catalog: Catalog) -> None:
    language = Language.learn(catalog, None, 1, MU)
    assert len(language.words) == 0
    assert language.log_prob("jazz", "rock") == pytest.approx(-4 * LETTER_NATS)


def test_a_published_list_in_any_order() -> None:
    language = Language.of_counts(np.array(["rock", "jazz"]), np.array([1, 3]), MU)
    assert counts(language) == {"jazz": (3, 3), "rock": (1, 1)}
    assert language.log_prob("jazz", "rock") == pytest.approx(log(3 / 5))
