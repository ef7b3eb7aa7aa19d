"""What text classifiers learn from: votes of clicks and of annotators, gathered by text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd.errors import InputError
from mlsd.labels.base import Labels
from mlsd.logs import Log, impressions_of
from mlsd.models.text_examples import (
    Votes,
    annotated,
    annotated_values,
    clicked_categories,
    examples_of,
)
from mlsd.types import Requests, Served, Slates

CATEGORY = np.array([0, 2, 2])
LABELS = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0), np.array([1.0, 0.25]), max_weight=3.0)


def log() -> Log:
    requests = Requests(np.array([3, 5]), np.array([1, 0]), np.zeros(2, np.int64), np.array([0.5, 1.5]))
    served = Served(
        requests, Slates(np.array([[0, 1], [2, 0]])), {"click": np.array([[True, True], [True, False]])}
    )
    said = {"request_id": [3, 5, 5], "name": ["intent", "intent", "topic"], "value": ["look", "buy", "2"]}
    split = np.array(["retrieval", "validation"])
    return Log(requests, impressions_of(served), split, annotations=pd.DataFrame(said))


def test_a_click_votes_for_its_category_over_its_examination() -> None:
    votes = clicked_categories(log(), LABELS, CATEGORY)
    assert votes.request_id.tolist() == [3, 3, 5]
    assert votes.label.tolist() == [0, 2, 2]
    assert votes.weight.tolist() == [1.0, 3.0, 1.0]  # 1 / 0.25 is cut to 3


def test_annotators_vote_once_each() -> None:
    assert annotated_values(log(), "intent") == ["buy", "look"]
    votes = annotated(log(), "intent", ["buy", "look"])
    assert votes.request_id.tolist() == [3, 5]
    assert votes.label.tolist() == [1, 0]
    assert annotated(log(), "topic", ["0", "1", "2"]).label.tolist() == [2]


def test_votes_about_other_requests_are_left_out() -> None:
    votes = Votes(np.array([1, 4, 9]), np.array([0, 1, 0]), np.ones(3))
    examples = examples_of(np.array([4, 5]), np.array(["jazz", "rock"], object), votes, 2)
    assert examples.texts == ["jazz"]
    assert examples.target.tolist() == [[0, 1]]


def test_no_votes_are_no_examples() -> None:
    nothing = Votes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert len(examples_of(np.array([4]), np.array(["jazz"], object), nothing, 3)) == 0
    assert len(examples_of(np.zeros(0, np.int64), np.zeros(0, object), nothing, 3)) == 0


def test_what_cannot_be_learnt_from_is_named() -> None:
    with pytest.raises(InputError, match="nobody annotated the mood of requests"):
        annotated(log(), "mood", [])
    with pytest.raises(InputError, match="nobody annotated the intent of requests"):
        annotated_values(replace(log(), annotations=None), "intent")
    with pytest.raises(InputError, match="an annotation of topic is '2', must be one of 2 known ones"):
        annotated(log(), "topic", ["0", "1"])
    without = replace(log(), impressions=log().impressions.drop(columns="click"))
    with pytest.raises(InputError, match="no action click to learn from"):
        clicked_categories(without, LABELS, CATEGORY)
