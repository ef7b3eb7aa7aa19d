from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import DiversityMetric
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.metrics.subtopic_recall import SubtopicRecall
from mlsd.testing.metric_kit import DiversityMetricKit
from mlsd.types import Candidates, Subtopics


class TestSubtopicRecall(DiversityMetricKit):
    def make(self) -> DiversityMetric:
        return SubtopicRecall(cutoff=10)


class TestSubtopicRecallOfFewPlaces(DiversityMetricKit):
    def make(self) -> DiversityMetric:
        return SubtopicRecall(cutoff=2)


def test_by_hand() -> None:
    """Of subtopics 0 to 3 the first two items serve 1 and 0, the third 1 and 3; nobody shows 2."""
    listed = Subtopics(
        np.array([0, 5]), np.array([4, 5, 6, 6, 7]), np.array([1, 0, 1, 3, 2]), np.full(5, 0.25)
    )
    ranked = RankedSubtopics.of(Candidates(np.array([0, 3]), np.array([4, 5, 6])), listed)
    found = [float(SubtopicRecall(cutoff)(ranked)[0]) for cutoff in (1, 2, 3, 4)]
    assert found == [0.25, 0.5, 0.75, 0.75]


def test_one_subtopic_is_found_or_not() -> None:
    listed = Subtopics(np.array([0, 1, 2]), np.array([4, 4]), np.zeros(2, np.int64), np.ones(2))
    ranked = RankedSubtopics.of(Candidates(np.array([0, 2, 4]), np.array([1, 4, 1, 2])), listed)
    assert SubtopicRecall(2)(ranked).tolist() == [1, 0]
    assert SubtopicRecall(1)(ranked).tolist() == [0, 0]


def test_its_name_is_that_of_ir_measures() -> None:
    assert SubtopicRecall(10).name == "StRecall@10"


def test_a_cutoff_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        SubtopicRecall(0)
