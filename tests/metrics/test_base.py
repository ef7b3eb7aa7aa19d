"""Rankings judged, their oracle, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.metrics.base import Predictions, RankedGrades, ratio
from mlsd.metrics.ndcg import NDCG
from mlsd.metrics.recall_at import RecallAt
from mlsd.testing.metric_kit import random_grades
from mlsd.types import Candidates, Judgements

CANDIDATES = Candidates(np.array([0, 3, 3, 4]), np.array([7, 2, 5, 9]))
JUDGEMENTS = Judgements(np.array([0, 3, 4, 4]), np.array([2, 5, 8, 1]), np.array([1.0, 3.0, 2.0, 4.0]))


def test_candidates_are_judged_and_the_ideal_is_over_the_catalog() -> None:
    ranked = RankedGrades.of(CANDIDATES, JUDGEMENTS)
    assert ranked.grades.tolist() == [0, 1, 3, 0]
    assert ranked.ideal.tolist() == [3, 2, 1, 4]
    assert ranked.ideal_offsets.tolist() == [0, 3, 4, 4]


def test_items_judged_irrelevant_are_not_part_of_the_ideal() -> None:
    judgements = Judgements(np.array([0, 2]), np.array([0, 1]), np.array([0.0, 0.0]))
    ranked = RankedGrades.of(Candidates(np.array([0, 1]), np.array([0])), judgements)
    assert ranked.ideal.tolist() == []
    assert np.isnan(NDCG()(ranked)).tolist() == [True]


def test_oracle_ndcg_is_the_best_over_all_orders_of_what_is_passed_on() -> None:
    judged = random_grades(60)
    shuffled = [judged.sorted_by(np.random.default_rng(i).random(len(judged.grades))) for i in range(200)]
    best_seen = np.max([NDCG(cutoff=10)(ranked) for ranked in shuffled], axis=0)
    oracle = NDCG(cutoff=10)(judged.oracle())
    assert np.all((oracle >= best_seen - 1e-12) | np.isnan(oracle))


def test_oracle_ndcg_of_everything_relevant_is_one() -> None:
    complete = RankedGrades(
        np.array([0.0, 1.0, 4.0]), np.array([0, 3]), np.array([4.0, 1.0]), np.array([0, 2])
    )
    assert NDCG(cutoff=10)(complete.oracle()).tolist() == [1.0]


def test_sorting_by_scores_keeps_ties_and_puts_nan_last() -> None:
    ranked = RankedGrades(np.array([1.0, 2, 3, 4]), np.array([0, 4]), np.zeros(0), np.array([0, 0]))
    scores = np.array([np.nan, 0.5, 0.9, 0.5])
    assert ranked.sorted_by(scores).grades.tolist() == [3, 2, 4, 1]


def test_hits_at_two_grades_do_not_mix() -> None:
    ranked = RankedGrades.of(CANDIDATES, JUDGEMENTS)
    assert ranked.hits(2).positions.tolist() == [2]
    assert ranked.hits(1).positions.tolist() == [1, 2]
    assert ranked.hits(2).n_relevant.tolist() == [2, 1, 0]


def test_values_do_not_depend_on_which_metric_came_first() -> None:
    ranked = RankedGrades.of(CANDIDATES, JUDGEMENTS)
    first = RecallAt(cutoff=2)(ranked)
    RecallAt()(ranked)
    np.testing.assert_array_equal(RecallAt(cutoff=2)(ranked), first)


def test_rankings_and_judgements_must_be_of_the_same_requests() -> None:
    with pytest.raises(InputError, match="candidates of 2 requests but judgements of 1"):
        RankedGrades(np.zeros(0), np.zeros(3, np.int64), np.zeros(0), np.zeros(2, np.int64))


def test_ratio_broadcasts() -> None:
    np.testing.assert_array_equal(
        ratio(np.array([[1.0], [2.0]]), np.array([2, 0])), [[0.5, np.nan], [1, np.nan]]
    )


@pytest.mark.parametrize(
    ("prob", "outcome", "message"),
    [
        ([0.5, np.nan], [0.0, 1.0], r"prob\[1\] == nan, must be in \[0, 1\]; 1 rows break this"),
        ([1.5, -0.1], [0.0, 1.0], r"prob\[0\] == 1.5, must be in \[0, 1\]; 2 rows break this"),
        ([0.5, 0.5], [0.0, 2.0], r"outcome\[1\] == 2.0, must be 0 or 1; 1 rows break this"),
        ([0.5], [0.0, 1.0], "have 1, 2 and 2 rows, must have the same number"),
    ],
)
def test_bad_predictions_are_refused(prob: list[float], outcome: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Predictions(np.array(prob), np.array(outcome), unit=np.array([1, 2]))
