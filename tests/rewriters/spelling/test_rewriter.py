"""Spelling: what is corrected, what is left alone, and how sure it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlsd.datasets.spelling import read_counts, read_test_set
from mlsd.errors import InvalidValueError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.rewriters.spelling import Spelling
from mlsd.rewriters.spelling.language import Language
from mlsd.testing.retriever_kit import clicks, requests_for
from mlsd.testing.rewriter_kit import RewriterKit
from mlsd.types import Catalog

ITEMS = (
    *30 * ["jazz concert in the city hall"],
    *30 * ["rock festival review"],
    *30 * ["opera singer and violin player"],
    *3 * ["kyoto temple 2019"],
    "cd mp3",
)


class TestSpelling(RewriterKit):
    def make(self) -> Spelling:
        return Spelling()


def fitted(*titles: str, log: Log | None = None, **options: float) -> Spelling:
    columns = {"title": np.array([*titles, None], object)[:-1], "text": np.full(len(titles), "", object)}
    spelling = Spelling(**options)  # type: ignore[arg-type]
    spelling.fit(Catalog(np.arange(len(titles)).astype(str), columns), log, Fitting())
    return spelling


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return fitted(*ITEMS)


def corrected(spelling: Spelling, text: str) -> str:
    return str(spelling.rewrite([text]).texts[0])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("festval", "festival"),
        ("festivall", "festival"),
        ("fesitval", "festival"),
        ("festivel", "festival"),
        ("fèstival", "festival"),
        ("fistival revew", "festival review"),
        ("Vioiln PLAYRE", "violin player"),
        ("cityhall", "city hall"),
        ("con cert", "concert"),
        ("consert, in cityhall!", "concert, in city hall!"),
        ("<b>festval</b>\x00", "<b>festival</b>\x00"),
    ],
)
def test_corrects_what_was_mistyped(spelling: Spelling, typed: str, meant: str) -> None:
    assert corrected(spelling, typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "jazz concert",
        "JAZZ  Concert!",
        "kyoto temple",
        "jaz",
        "hal",
        "2018",
        "mp4",
        "festval1",
        "фестивал",
        "xylophone",
        "city  hall",
        "f" * 65,
    ],
)
def test_does_no_harm(spelling: Spelling, typed: str) -> None:
    assert corrected(spelling, typed) == typed


def test_what_is_right_by_rule_is_certain(spelling: Spelling) -> None:
    texts = ["jazz concert", "2018", "the", "фестивал", "", "jaz"]
    assert spelling.rewrite(texts).confidence.tolist() == [1.0] * len(texts)


def test_every_word_of_the_catalog_is_left_alone(spelling: Spelling) -> None:
    words = spelling.state()["words"].tolist()
    assert spelling.rewrite(words).texts.tolist() == words


def test_confidence_is_the_share_of_the_reading_among_all(spelling: Spelling) -> None:
    readings = spelling.suggest("festval", 50)
    assert readings[0][0] == "festival"
    assert sum(prob for _, prob in readings) == pytest.approx(1)
    rewritten = spelling.rewrite(["festval"])
    assert rewritten.confidence[0] == pytest.approx(readings[0][1])


def test_what_is_unsure_is_left_as_it_is_and_said_to_be() -> None:
    """Two words are equally near: neither is half as likely as is asked for."""
    spelling = fitted(*20 * ["master"], *20 * ["mister"])
    rewritten = spelling.rewrite(["mystery", "muster"])
    assert rewritten.texts.tolist() == ["mystery", "muster"]
    readings = dict(spelling.suggest("muster", 9))
    assert readings["master"] == pytest.approx(readings["mister"]) == pytest.approx(0.5, abs=0.05)
    assert rewritten.confidence[1] == pytest.approx(readings["muster"])
    assert corrected(fitted(*20 * ["master"], *20 * ["mister"], min_confidence=0.4), "muster") in {
        "master",
        "mister",
    }


def test_neighbours_decide_between_candidates() -> None:
    spelling = fitted(*20 * ["master chef"], *20 * ["mister president"])
    assert corrected(spelling, "muster chef") == "master chef"
    assert corrected(spelling, "muster president") == "mister president"


def test_queries_of_the_log_decide_between_candidates() -> None:
    queries = [*10 * ["master degree"], *10 * ["mister degrees"]]
    log = clicks(requests_for(queries), 1)
    log = Log(log.requests, log.impressions, np.full(len(queries), "ranking"))
    titles = [*20 * ["master"], *20 * ["mister"]]
    assert corrected(fitted(*titles), "muster degree") == "muster degree"
    assert corrected(fitted(*titles, log=log), "muster degree") == "master degree"


def test_words_that_only_users_know_need_enough_of_them() -> None:
    log = clicks(requests_for(12 * ["karaoke bar"]), 1)
    for min_users, expected in ((9, "karaoke"), (10, "karaoki")):
        spelling = fitted(*ITEMS, log=log, min_users=min_users)
        assert corrected(spelling, "karaoki") == expected


def test_a_word_that_the_catalog_has_too_seldom_may_be_wrong() -> None:
    titles = [*3000 * ["festival"], "festval"]
    assert corrected(fitted(*titles), "festval") == "festval"
    assert corrected(fitted(*titles, min_in_catalog=2), "festval") == "festival"


def test_short_words_get_one_edit_and_very_short_ones_none() -> None:
    spelling = fitted(*ITEMS, min_letters=3)
    assert corrected(spelling, "rokc") == "rock"
    assert corrected(spelling, "jas") == "jas"
    assert corrected(fitted(*ITEMS), "jzaz") == "jazz"


def test_one_edit_only() -> None:
    assert corrected(fitted(*ITEMS, max_edits=1), "festvall") == "festvall"
    assert corrected(fitted(*ITEMS, max_edits=2), "festvall") == "festival"


def test_a_vocabulary_of_one_word() -> None:
    spelling = fitted("festival")
    assert corrected(spelling, "festval") == "festival"
    assert corrected(spelling, "opera") == "opera"


def test_texts_without_end_are_left_as_they_are(spelling: Spelling) -> None:
    for text in ("festval " * 33, "festval" * 2000):
        rewritten = spelling.rewrite([text])
        assert rewritten.texts[0] == text
        assert rewritten.confidence[0] == 1.0
    assert corrected(spelling, "festval " * 32) == "festival " * 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_edits": 3}, "max_edits == 3, must be one of 1, 2"),
        ({"min_confidence": 0.0}, "min_confidence == 0.0, must be a probability"),
        ({"min_in_catalog": 0}, "min_in_catalog == 0, must be at least 1"),
        ({"min_letters": 1}, "min_letters == 1, must be at least 2"),
        ({"min_users": 0}, "min_users == 0, must be at least 1"),
        ({"n_candidates": 0}, "n_candidates == 0, must be at least 1"),
        ({"pair_prior": 0.0}, "pair_prior == 0.0, must be above 0"),
    ],
)
def test_options_keep_their_ranges(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Spelling(**options)  # type: ignore[arg-type]


def test_better_than_norvigs_program_on_his_second_set(public_data: Path) -> None:
    """68 % of its 400 words is his; the costs of errors were tuned on the first set alone."""
    folder = public_data / "spelling"
    counts = read_counts(folder, "frequency_dictionary_en_82_765.txt")
    spelling = Spelling()
    spelling.load_state(Language.of_counts(counts.words, counts.counts, spelling.pair_prior).state())
    pairs = read_test_set(folder, "spell-testset2.txt")
    typed, meant = (np.char.lower(column).tolist() for column in pairs)
    best = [spelling.suggest(text, 1)[0][0] for text in typed]
    assert np.mean([one == right for one, right in zip(best, meant, strict=True)]) > 0.75
