from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades
from mlsd.metrics.ndcg import NDCG
from mlsd.online.raters import Raters, shown_items
from mlsd.serving import serve
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import NO_ITEM, Candidates, Judgements, Requests, Served, Slates

WORLD = TinyWorld(n_users=800, seed=21)


class Turning:
    """Starts each request's slate at another item."""

    def rank(self, requests: Requests) -> Slates:
        start = requests.request_id[:, None] % WORLD.n_items
        return Slates((start + np.arange(5)) % WORLD.n_items)


def a_day() -> Served:
    return serve(WORLD, Turning(), np.arange(800), 0, WORLD.first_state(), 10)[0]


def raters(share: float = 1.0, higher_prob: float = 0.0, lower_prob: float = 0.0) -> Raters:
    return Raters(metric=NDCG(5), share=share, higher_prob=higher_prob, lower_prob=lower_prob)


def test_without_errors_what_is_rated_is_the_truth() -> None:
    rated, truth = raters().judge(WORLD, a_day(), seed=1)
    assert np.isfinite(truth).any()
    np.testing.assert_array_equal(rated, truth)


def test_the_truth_is_the_metric_of_the_slates() -> None:
    served = a_day()
    _, truth = raters(share=0.0).judge(WORLD, served, seed=1)
    ranked = RankedGrades.of(shown_items(served.slates), WORLD.judgements(served.requests))
    np.testing.assert_array_equal(truth, NDCG(5)(ranked))


def test_a_share_of_requests_is_judged_whoever_else_is_there() -> None:
    served = a_day()
    rated, truth = raters(share=0.3, higher_prob=0.2, lower_prob=0.1).judge(WORLD, served, seed=1)
    judged = np.isfinite(rated)
    assert judged.sum() == pytest.approx(0.3 * np.isfinite(truth).sum(), rel=0.25)
    few = np.arange(40, 70)
    part = Served(served.requests.take(few), Slates(served.slates.items[few]), {})
    alone, _ = raters(share=0.3, higher_prob=0.2, lower_prob=0.1).judge(WORLD, part, seed=1)
    np.testing.assert_array_equal(alone, rated[few])


def test_nobody_is_judged() -> None:
    rated, truth = raters(share=0.0).judge(WORLD, a_day(), seed=1)
    assert np.isnan(rated).all()
    assert np.isfinite(truth).any()


def test_no_requests() -> None:
    served = serve(WORLD, Turning(), np.zeros(0, np.int64), 0, WORLD.first_state(), 10)[0]
    rated, truth = raters().judge(WORLD, served, seed=1)
    assert rated.shape == truth.shape == (0,)


def test_errors_are_as_frequent_as_declared_and_stay_on_the_scale() -> None:
    """40,000 grades, each of 0 to 3: shares within 4.5 standard errors, .01 at most."""
    n = 10_000
    judgements = Judgements(np.arange(n + 1) * 3, np.tile([1, 2, 3], n), np.tile([1.0, 2.0, 3.0], n))
    shown = Candidates(np.arange(n + 1), np.zeros(n, np.int64))
    given = raters(higher_prob=0.2, lower_prob=0.1).rate(judgements, shown, np.arange(n), 3.0, seed=5)
    np.testing.assert_array_equal(given.items, np.tile([0, 1, 2, 3], n))
    errors = given.grades.reshape(n, 4) - [0, 1, 2, 3]
    np.testing.assert_allclose((errors == 1).mean(axis=0), [0.2, 0.2, 0.2, 0], atol=0.018)
    np.testing.assert_allclose((errors == -1).mean(axis=0), [0, 0.1, 0.1, 0.1], atol=0.0135)
    assert set(np.unique(given.grades)) == {0, 1, 2, 3}


def test_errors_keep_the_metric_within_bounds_and_pull_slates_together() -> None:
    rated, truth = raters(higher_prob=0.3, lower_prob=0.3).judge(WORLD, a_day(), seed=1)
    both = np.isfinite(rated) & np.isfinite(truth)
    assert rated[both].min() >= 0
    assert rated[both].max() <= 1
    assert rated[both].std() < truth[both].std()


def test_empty_positions_are_nothing_shown() -> None:
    slates = Slates(np.array([[4, 2, NO_ITEM], [NO_ITEM, NO_ITEM, NO_ITEM], [1, NO_ITEM, NO_ITEM]]))
    shown = shown_items(slates)
    assert shown.offsets.tolist() == [0, 2, 2, 3]
    assert shown.items.tolist() == [4, 2, 1]


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((1.5, 0.1, 0.1), r"share == 1\.5, must be between 0 and 1"),
        ((0.5, 0.6, 0.6), r"higher_prob \+ lower_prob == 1\.2, must be at most 1"),
        ((0.5, -0.1, 0.1), r"higher_prob == -0\.1, must be between 0 and 1"),
    ],
)
def test_bad_values(shares: tuple[float, float, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        raters(*shares)
