"""The error model: costs by hand, and the cheapest alignment against a search over all of them."""

from __future__ import annotations

from functools import cache
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.rewriters.spelling import channel
from mlsd.rewriters.spelling.channel import (
    ALIKE,
    CHEAPEST,
    DOUBLED,
    EXCHANGED,
    FIRST,
    NEAR_KEY,
    OMITTED,
    REPLACED,
    SOUND,
    TOO_MANY,
    log_prob,
    sound,
)

TEXTS = st.text("abcs", max_size=6)


@pytest.mark.parametrize(
    ("typed", "meant", "cost"),
    [
        ("jazz", "jazz", 0.0),
        ("cncert", "concert", OMITTED),
        ("acommodate", "accommodate", DOUBLED),
        ("conncert", "concert", DOUBLED),
        ("conlcert", "concert", TOO_MANY),
        ("conlert", "concert", REPLACED),
        ("convert", "concert", NEAR_KEY),
        ("consert", "concert", ALIKE),
        ("cancert", "concert", ALIKE),
        ("cocnert", "concert", EXCHANGED),
        ("oncert", "concert", OMITTED + FIRST),
        ("lconcert", "concert", TOO_MANY + FIRST),
        ("loncert", "concert", REPLACED + FIRST),
        ("ocncert", "concert", EXCHANGED + FIRST),
        ("fonetic", "phonetic", SOUND),
        ("", "", 0.0),
    ],
)
def test_costs_by_hand(typed: str, meant: str, cost: float) -> None:
    assert log_prob(typed, meant) == -cost


@given(typed=TEXTS, meant=TEXTS)
def test_no_dearer_than_the_best_of_all_alignments(typed: str, meant: str) -> None:
    """What both begin and end with is taken as right, which no other alignment can beat by much."""
    expected = cheapest(typed, meant)
    if sound(typed) == sound(meant):
        expected = min(expected, SOUND)
    found = -log_prob(typed, meant)
    assert expected - 1e-9 <= found <= expected + TOO_MANY


def cheapest(typed: str, meant: str) -> float:
    """The cheapest alignment by recursion over the whole of both words."""

    @cache
    def cost(i: int, j: int) -> float:
        if i == j == 0:
            return 0.0
        best = inf
        if i and j:
            right = typed[i - 1] == meant[j - 1]
            replaced = 0.0 if right else channel._replaced(typed[i - 1], meant[j - 1], j - 1)
            best = cost(i - 1, j - 1) + replaced
        if i:
            best = min(best, cost(i - 1, j) + channel._too_many(typed, i - 1))
        if j:
            best = min(best, cost(i, j - 1) + channel._omitted(meant, j - 1))
        if min(i, j) > 1 and typed[i - 2 : i] == meant[j - 1] + meant[j - 2]:
            best = min(best, cost(i - 2, j - 2) + EXCHANGED + (FIRST if j == 2 else 0.0))
        return best

    return cost(len(typed), len(meant))


@given(typed=TEXTS, meant=TEXTS)
def test_nothing_but_what_is_right_is_certain(typed: str, meant: str) -> None:
    assert (log_prob(typed, meant) == 0) == (typed == meant)
    assert typed == meant or log_prob(typed, meant) <= -CHEAPEST


@pytest.mark.parametrize(
    ("one", "other"),
    [("knight", "nite"), ("phone", "fone"), ("rackette", "racket"), ("nation", "nashion"), ("wreck", "rek")],
)
def test_words_that_sound_alike(one: str, other: str) -> None:
    assert sound(one) == sound(other)


def test_words_that_do_not_sound_alike() -> None:
    assert len({sound(word) for word in ("rock", "jazz", "opera", "piano", "drum")}) == 5


@given(word=st.text("abcghkmnoprstwx", max_size=8))
def test_letters_that_are_always_heard(word: str) -> None:
    assert set(sound(word)) & channel._ALWAYS_HEARD == set(word) & channel._ALWAYS_HEARD
