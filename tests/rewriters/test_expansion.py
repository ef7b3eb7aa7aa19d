"""Expansion: on logs of sessions made for it, by hand and against a loop."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from mlsd.errors import InvalidValueError
from mlsd.fitting import Fitting
from mlsd.logs import IMPRESSION_COLUMNS, Log
from mlsd.rewriters.expansion import Expansion, log_likelihood_ratio
from mlsd.testing.retriever_kit import music
from mlsd.testing.rewriter_kit import RewriterKit
from mlsd.types import Requests

Sessions = list[list[str]]
"""One session for each user: what was asked in it, in order."""


class TestExpansion(RewriterKit):
    def make(self) -> Expansion:
        return Expansion(min_users=1, min_association=0.5)

    def make_log(self) -> Log:
        sessions = [
            ["jazz concert", "rock concert"],
            ["opera", "violin"],
            ["jazz", "piano"],
            ["ticket", "rock"],
        ]
        return log_of(8 * sessions, split="retrieval")


def log_of(sessions: Sessions, split: str = "ranking") -> Log:
    user = np.repeat(np.arange(len(sessions)), [len(session) for session in sessions])
    queries = [query for session in sessions for query in session]
    rows = np.arange(len(queries))
    requests = Requests(rows, user, np.zeros_like(rows), rows / 100, {"query": np.array(queries, object)})
    return Log(requests, pd.DataFrame(columns=IMPRESSION_COLUMNS), np.full(len(rows), split))


def fitted(sessions: Sessions, split: str = "ranking", **options: float) -> Expansion:
    expansion = Expansion(**{"min_users": 1, "min_association": 0.0, **options})  # type: ignore[arg-type]
    expansion.fit(music(1), log_of(sessions, split), Fitting())
    return expansion


def related(expansion: Expansion, text: str) -> str:
    rewritten = expansion.rewrite([text])
    assert rewritten.texts.tolist() == [text]
    assert rewritten.confidence.tolist() == [1.0]
    return str(rewritten.related[0])


def test_what_was_added_when_a_word_was_dropped() -> None:
    expansion = fitted(
        [["cheap flights", "budget flights"], ["cheap hotel", "budget hotel"], ["opera", "ballet"]]
    )
    assert related(expansion, "cheap trains") == "budget"
    assert related(expansion, "budget trains") == ""
    assert related(expansion, "flights") == ""
    assert related(expansion, "cheap budget") == ""


def test_strongest_first_and_no_more_than_asked_for() -> None:
    sessions = [
        *5 * [["auto", "car"]],
        *2 * [["auto", "vehicle"]],
        *3 * [["auto", "truck"]],
        *20 * [["opera", "aria"]],
    ]
    assert related(fitted(sessions), "auto") == "car truck vehicle"
    assert related(fitted(sessions, n_terms=2), "auto") == "car truck"


def test_too_few_users_or_too_weak_an_association() -> None:
    sessions = [*2 * [["auto", "car"]], *9 * [["opera", "aria"]]]
    assert related(fitted(sessions, min_users=3), "auto opera") == "aria"
    (g2,) = log_likelihood_ratio(np.array([2]), np.array([2]), np.array([2]), 11)
    assert related(fitted(sessions, min_association=g2 - 1e-9), "auto") == "car"
    assert related(fitted(sessions, min_association=g2 + 1e-9), "auto") == ""


def test_a_user_counts_once_however_often() -> None:
    once, often = [["auto", "car"]], [["auto", "car"] * 5]
    others = 9 * [["opera", "aria"]]
    assert related(fitted([*often, *others], min_users=2), "auto") == ""
    assert related(fitted([*once, *once, *others], min_users=2), "auto") == "car"


def test_only_of_one_session_and_different_queries() -> None:
    assert related(fitted([["auto"], ["car"], ["rock", "rock"]]), "auto rock") == ""


def test_stop_words_are_neither_dropped_nor_added() -> None:
    assert related(fitted([["the auto", "a car"], ["opera", "aria"]]), "the") == ""


def test_the_test_window_is_not_read() -> None:
    assert related(fitted([["auto", "car"], ["opera", "aria"]], split="test"), "auto") == ""


def test_endless_queries_teach_nothing() -> None:
    long = " ".join(f"w{number}" for number in range(33))
    assert related(fitted([["auto", long], ["opera", "aria"]]), "auto") == ""


@given(cells=st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_the_ratio_is_that_of_a_table(cells: list[int]) -> None:
    """scipy's G test of the same table, uncorrected."""
    table = np.array(cells).reshape(2, 2)
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    found = log_likelihood_ratio(
        table[:1, 0], table[0].sum(keepdims=True), table[:, 0].sum(keepdims=True), int(table.sum())
    )
    assert found[0] == pytest.approx(expected, rel=1e-6, abs=1e-6)


WORDS = st.sampled_from(["auto", "car", "van", "opera", "aria", "song"])
QUERIES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(sessions=st.lists(st.lists(QUERIES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_pairs_are_those_of_a_loop(sessions: Sessions) -> None:
    expansion = fitted(sessions)
    words, state = expansion.state()["words"], expansion.state()
    found = {
        (str(words[dropped]), str(words[added])): strength
        for (dropped, added), strength in zip(state["pairs"].tolist(), state["association"], strict=True)
    }
    assert found == pytest.approx(by_loops(sessions))


def by_loops(sessions: Sessions) -> dict[tuple[str, str], float]:
    """Dropped and added word -> G2, where they come together more often than by chance."""
    trials = {
        (user, *pair)
        for user, session in enumerate(sessions)
        for pair in pairwise(session)
        if len({*pair}) > 1
    }
    both, first, second = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for _, one, other in trials:
        dropped, added = {*one.split()} - {*other.split()}, {*other.split()} - {*one.split()}
        both.update((a, b) for a in dropped for b in added)
        first.update(dropped)
        second.update(added)
    n = len(trials)
    return {
        (a, b): g2(k, first[a], second[b], n) for (a, b), k in both.items() if k * n > first[a] * second[b]
    }


def g2(both: int, first: int, second: int, n: int) -> float:
    cells = [
        (first, second, both),
        (first, n - second, first - both),
        (n - first, second, second - both),
        (n - first, n - second, n - first - second + both),
    ]
    total = 0.0
    for row, column, k in cells:
        total += 2 * k * log(k * n / (row * column)) if k else 0.0
    return total


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_terms": 0}, "n_terms == 0, must be at least 1"),
        ({"min_users": 0}, "min_users == 0, must be at least 1"),
        ({"min_association": -1.0}, "min_association == -1.0, must be at least 0"),
    ],
)
def test_options_keep_their_ranges(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Expansion(**options)  # type: ignore[arg-type]
