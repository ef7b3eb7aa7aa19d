"""Relaxation: what an over-long query keeps, by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.fitting import Fitting
from mlsd.rewriters.relaxation import Relaxation
from mlsd.testing.rewriter_kit import RewriterKit
from mlsd.types import Catalog


class TestRelaxation(RewriterKit):
    def make(self) -> Relaxation:
        return Relaxation(max_words=3)


def fitted(*texts: str, max_words: int) -> Relaxation:
    columns = {"title": np.full(len(texts), "", object), "text": np.array([*texts, None], object)[:-1]}
    relaxation = Relaxation(max_words)
    relaxation.fit(Catalog(np.arange(len(texts)).astype(str), columns), None, Fitting())
    return relaxation


def relaxed(relaxation: Relaxation, text: str) -> tuple[str, float]:
    (out,), (confidence,), _ = relaxation.rewrite([text])
    return out, confidence


MUSIC = ("jazz rock opera", "jazz rock", "jazz")


def test_the_most_common_word_goes_first_and_the_order_stays() -> None:
    idf = {df: log(1 + (3 - df + 0.5) / (df + 0.5)) for df in (1, 2, 3)}
    out, confidence = relaxed(fitted(*MUSIC, max_words=2), "rock jazz opera")
    assert out == "rock opera"
    assert confidence == pytest.approx((idf[1] + idf[2]) / sum(idf.values()))


def test_unknown_words_go_before_known_ones_and_cost_nothing() -> None:
    assert relaxed(fitted(*MUSIC, max_words=2), "jazz zither rock") == ("jazz rock", 1.0)


def test_only_unknown_words_keep_the_first_of_them() -> None:
    assert relaxed(fitted(*MUSIC, max_words=2), "zither lute viol") == ("zither lute", 1.0)


@pytest.mark.parametrize("text", ["Rock, and the jazz!", "rock rocks rocking ROCK", "the of", "", "x"])
def test_what_is_short_enough_stays_to_the_letter(text: str) -> None:
    assert relaxed(fitted(*MUSIC, max_words=2), text) == (text, 1.0)


def test_of_a_relaxed_text_words_are_left_once_and_nothing_else() -> None:
    out, _ = relaxed(fitted(*MUSIC, max_words=2), "The jazz, rock & rock: some <b>operas</b>")
    assert out == "rock operas"


def test_the_number_of_words_keeps_its_range() -> None:
    with pytest.raises(InvalidValueError, match="max_words == 0, must be at least 1"):
        Relaxation(0)
