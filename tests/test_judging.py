"""Figures by ratings by hand, and facts about ratings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlsd.aggregations.base import Consensus
from mlsd.aggregations.majority import Majority
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.estimators.ratings import Ratings
from mlsd.judging import is_rated, rated_figures, rating_facts
from mlsd.metrics.ndcg import NDCG
from mlsd.ratings.panel import Panel
from mlsd.ratings.programme import Rated, RatingProgramme
from mlsd.types import Candidates, Judgements, RankingBatch, Requests

REQUESTS = Requests(np.array([4, 9]), np.array([0, 1]), np.zeros(2, np.int64), np.zeros(2))
SAID = Judgements(np.array([0, 3, 5]), np.array([1, 2, 5, 0, 7]), np.array([0.0, 2, 1, 0, 0]))
TRUTH = Judgements(np.array([0, 2, 3]), np.array([2, 8, 3]), np.array([1.0, 1, 1]))
BATCH = RankingBatch(REQUESTS, Candidates(np.array([0, 4, 6]), np.array([8, 2, 1, 5, 7, 3])))


def test_what_was_rated_is_known_also_where_it_was_found_useless() -> None:
    assert is_rated(BATCH.candidates, SAID).tolist() == [False, True, True, True, True, False]


def test_figures_by_hand() -> None:
    """First request: 8 was not rated, then grades 2, 0, 1; the second has nothing rated relevant."""
    found = rated_figures({"funnel": BATCH}, NDCG(3), 3, SAID, TRUTH, Bootstrap(n_replicates=100))["funnel"]
    values = {name: figure["all"]["value"] for name, figure in found.items()}
    second = 1 / math.log2(3)
    assert list(values) == [
        "judged@3",
        "nDCG@3 by ratings",
        "nDCG@3 by ratings, condensed",
        "nDCG@3 by truth",
    ]
    assert values["judged@3"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert values["nDCG@3 by ratings"] == pytest.approx(2 * second / (2 + second))
    assert values["nDCG@3 by ratings, condensed"] == pytest.approx((2 + 1 / 2) / (2 + second))
    assert values["nDCG@3 by truth"] == pytest.approx((1 + second) / 2)


def test_who_shows_nothing_has_no_share_that_was_judged() -> None:
    empty = RankingBatch.of(REQUESTS)
    found = rated_figures({"funnel": empty}, NDCG(3), 3, SAID, TRUTH, Bootstrap(n_replicates=100))["funnel"]
    assert math.isnan(found["judged@3"]["all"]["value"])
    assert found["nDCG@3 by ratings"]["all"]["value"] == 0


MATRIX = np.array([[0.0, 2, 2, 1], [0.0, 2, 1, 1], [1.0, np.nan, 2, np.nan]])


def facts(matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> dict[str, object]:
    programme = RatingProgramme(
        budget=12,
        overlap=3,
        depth=2,
        random_share=0.0,
        cost_per_rating=0.5,
        guidelines=("no", "partly", "yes"),
        raters=Panel(n_raters=3, accuracy=0.8),
        aggregation=Majority(),
    )
    ratings = Ratings.of_matrix(matrix, 3)
    rated = Rated(
        np.array([4, 4, 9, 9]), np.array([1, 2, 0, 7]), np.array([False, True, False, True]), ratings
    )
    consensus: Consensus = programme.aggregate(rated)
    truth, user = np.array([0, 2, 2, 0]), np.array([0, 0, 1, 1])
    return rating_facts(programme, rated, consensus, truth, user, Bootstrap(n_replicates=100))


def test_facts_by_hand() -> None:
    found = facts(MATRIX)
    assert (found["n_ratings"], found["cost"], found["n_pairs"], found["n_requests"]) == (10, 5.0, 4, 2)
    assert found["n_random_pairs"] == 2
    accuracy = found["accuracy"]
    assert isinstance(accuracy, dict)
    assert list(accuracy) == ["Majority", "DawidSkene"]
    assert accuracy["Majority"]["value"] == pytest.approx(3 / 4)
    assert found["by_grade"] == {
        "0": {"ratings": 0.2, "aggregated": 0.25, "truth": 0.5},
        "1": {"ratings": 0.4, "aggregated": 0.25, "truth": 0.0},
        "2": {"ratings": 0.4, "aggregated": 0.5, "truth": 0.5},
    }
    assert found["raters"] == [
        {"n_ratings": 4, "estimated": 1.0, "true": 0.75},
        {"n_ratings": 4, "estimated": 0.75, "true": 0.5},
        {"n_ratings": 2, "estimated": 0.5, "true": 0.5},
    ]
    assert found["alpha_undefined"] == ""


def test_raters_who_all_agree_have_no_alpha_and_a_reason() -> None:
    found = facts(np.full((3, 4), 1.0))
    assert found["alpha_undefined"] == "all ratings are the same, so nothing varies"
    alpha = found["alpha"]
    assert isinstance(alpha, dict)
    assert all(math.isnan(figure["value"]) for figure in alpha.values())
