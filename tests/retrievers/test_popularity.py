"""Popularity: counted by hand, and only in its own window."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.retrievers.popularity import Popularity
from mlsd.testing.retriever_kit import RetrieverKit, every_pair, music, requests_for
from mlsd.types import Candidates

FITTING = Fitting(name="retrieve.popularity")


class TestPopularity(RetrieverKit):
    def make(self) -> Popularity:
        return Popularity()


def log_of(items: list[int], clicked: list[bool], split: str = "retrieval") -> Log:
    requests = requests_for(["jazz"])
    rows = np.arange(len(items))
    impressions = pd.DataFrame(
        {
            "request_id": np.zeros(len(items), np.int64),
            "user": 0,
            "time_days": 0.0,
            "item": np.array(items, np.int64),
            "position": rows,
            "propensity": 1.0,
            "explored": False,
            "click": np.array(clicked, bool),
            "dwell_s": np.array(clicked) * 40.0,
        }
    )
    return Log(requests, impressions, np.array([split]))


def found(retriever: Popularity, n: int) -> Candidates:
    return retriever.retrieve(requests_for(["jazz", "anything"]), n)


def test_counts_clicks_and_not_impressions() -> None:
    retriever = Popularity()
    retriever.fit(
        music(6), log_of([4, 4, 4, 2, 2, 5, 1], [True, False, False, True, True, True, False]), FITTING
    )
    candidates = found(retriever, 10)
    assert candidates.items.tolist() == [2, 4, 5, 2, 4, 5]
    np.testing.assert_allclose(candidates["score"][:3], np.log([3, 2, 2]), rtol=1e-6)
    assert found(retriever, 2).items.tolist() == [2, 4, 2, 4]
    scores = retriever.score(requests_for(["jazz"]), every_pair(1, 6))
    np.testing.assert_allclose(np.exp(scores) - 1, [0, 0, 2, 0, 1, 1], atol=1e-6)


def test_counts_another_action() -> None:
    retriever = Popularity(action="dwell_s")
    retriever.fit(music(3), log_of([1, 2], [False, True]), FITTING)
    assert found(retriever, 3).items.tolist() == [2, 2]


def test_nothing_clicked_is_nothing_found() -> None:
    for log in (log_of([1, 2], [False, False]), log_of([], []), log_of([1], [True], split="ranking")):
        retriever = Popularity()
        retriever.fit(music(3), log, FITTING)
        assert found(retriever, 3).offsets.tolist() == [0, 0, 0]


def test_says_what_it_cannot_learn_from() -> None:
    with pytest.raises(
        InputError, match=r"^retrieve\.popularity counts the clicks of a log, and nothing is logged"
    ):
        Popularity().fit(music(3), None, FITTING)
    with pytest.raises(InputError, match="'clik'; actions of the log: click, dwell_s; nearest is 'click'"):
        Popularity("clik").fit(music(3), log_of([1], [True]), FITTING)
    silent = log_of([1], [True])
    silent = Log(silent.requests, silent.impressions.drop(columns=["click", "dwell_s"]), silent.split)
    with pytest.raises(InputError, match=r"the action 'click'; actions of the log: none$"):
        Popularity().fit(music(3), silent, FITTING)
    with pytest.raises(InvalidValueError, match="action == '', must not be empty"):
        Popularity(action="")
