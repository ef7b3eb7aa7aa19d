"""Offline evaluation: figures by stage and segment, against hand-worked cases and plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InputError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.evaluation import (
    ActionPredictions,
    Evaluated,
    action_predictions,
    component_figures,
    difference_figures,
    item_calibration,
    per_request,
    prediction_figures,
    ranking_figures,
    ranking_values,
    reliability,
)
from mlsd.labels.base import Labels
from mlsd.logs import Log, impressions_of
from mlsd.metrics.base import Judged, Predictions, RowFigure
from mlsd.metrics.calibration_error import CalibrationError
from mlsd.metrics.calibration_ratio import CalibrationRatio
from mlsd.metrics.log_loss import LogLoss
from mlsd.metrics.ndcg import NDCG
from mlsd.metrics.reciprocal_rank import ReciprocalRank
from mlsd.metrics.subtopic_recall import SubtopicRecall
from mlsd.stages.rank.base import Prediction
from mlsd.types import Candidates, Judgements, RankingBatch, Requests, Served, Slates, Subtopics

METRICS = [NDCG(cutoff=2), ReciprocalRank()]
BOOTSTRAP = Bootstrap(n_replicates=200)


def requests(n: int = 4) -> Requests:
    ids = np.arange(n)
    return Requests(10 + ids, ids // 2, ids, np.zeros(n))


def evaluated() -> Evaluated:
    """Four requests of two users; items 0 and 1 are relevant to each, item 0 more so."""
    judged = Judgements(np.arange(5) * 2, np.tile([0, 1], 4), np.tile([2.0, 1.0], 4))
    return Evaluated.of(requests(), judged, {"intent": np.array(["a", "a", "b", "b"])})


def ranked(*lists: list[int]) -> RankingBatch:
    offsets = np.cumsum([0, *map(len, lists)])
    return RankingBatch(requests(len(lists)), Candidates(offsets, np.array(sum(lists, []))))  # noqa: RUF017


def test_segments_are_every_value_and_all() -> None:
    assert list(evaluated().segments) == ["all", "intent=a", "intent=b"]
    assert evaluated().segments["intent=b"].tolist() == [False, False, True, True]


def test_figures_are_means_of_their_segment() -> None:
    values = ranking_values(ranked([0, 1], [5, 0], [1], []), METRICS, evaluated())
    figures = ranking_figures(values, evaluated(), BOOTSTRAP)
    discount = 1 / np.log2(3)
    ideal = 2 + discount
    by_hand = [1, 2 * discount / ideal, 1 / ideal, 0]
    assert values.values[:, 0] == pytest.approx(by_hand)
    assert figures["nDCG@2"]["all"]["value"] == pytest.approx(np.mean(by_hand))
    assert figures["nDCG@2"]["intent=a"]["value"] == pytest.approx(np.mean(by_hand[:2]))
    assert figures["RR"]["intent=b"]["value"] == pytest.approx(0.5)
    assert figures["nDCG@2"]["all"]["n"] == 2


def test_the_ceiling_is_what_the_best_order_would_reach() -> None:
    values = ranking_values(ranked([1, 0], [5, 0], [1], []), METRICS, evaluated())
    ceiling = values.values[:, values.names.index("oracle nDCG@2")]
    assert ceiling == pytest.approx([1, 2 / (2 + 1 / np.log2(3)), 1 / (2 + 1 / np.log2(3)), 0])
    assert np.all(ceiling >= values.values[:, 0])


def test_differences_are_paired_by_request() -> None:
    better = ranking_values(ranked([0], [0], [0], [0]), METRICS, evaluated())
    worse = ranking_values(ranked([1], [1], [1], [1]), METRICS, evaluated())
    figure = difference_figures(better, worse, evaluated(), BOOTSTRAP)["nDCG@2"]["all"]
    assert figure["value"] == pytest.approx(1 / (2 + 1 / np.log2(3)))
    assert figure["low"] == pytest.approx(figure["high"])


def with_subtopics() -> Evaluated:
    """Item 0 serves both meanings of the first request, item 1 the second; others mean one thing."""
    listed = Subtopics(
        np.array([0, 3, 4, 4, 4]),
        np.array([0, 0, 1, 1]),
        np.array([0, 1, 1, 0]),
        np.array([0.5, 0.5, 0.5, 1]),
    )
    known = evaluated()
    return Evaluated(known.requests, known.judgements, known.segments, listed)


def test_metrics_of_diversity_stand_beside_the_others() -> None:
    values = ranking_values(ranked([1, 0], [5, 0], [1], []), [*METRICS, SubtopicRecall(1)], with_subtopics())
    assert values.names == ("nDCG@2", "RR", "StRecall@1", "oracle nDCG@2")
    np.testing.assert_array_equal(values.values[:, 2], [0.5, 0, np.nan, np.nan])
    figure = ranking_figures(values, with_subtopics(), BOOTSTRAP)["StRecall@1"]["all"]
    assert (figure["value"], figure["n"]) == (0.25, 1)


@pytest.mark.parametrize("listed", [None, Subtopics(np.zeros(5, np.int64), *np.zeros((3, 0), np.int64))])
def test_metrics_of_diversity_are_left_out_where_nobody_tells_subtopics(listed: Subtopics | None) -> None:
    known = evaluated()
    judged = Evaluated.of(known.requests, known.judgements, {}, listed)
    values = ranking_values(ranked([0], [0], [0], [0]), [SubtopicRecall(1), *METRICS], judged)
    assert values.names == ("nDCG@2", "RR", "oracle nDCG@2")


def test_the_table_has_a_row_for_each_request() -> None:
    values = ranking_values(ranked([0, 1], [5, 0], [1], []), METRICS, evaluated())
    table = per_request({"funnel": values}, evaluated())
    assert table["request_id"].tolist() == [10, 11, 12, 13]
    assert table["intent=a"].tolist() == [True, True, False, False]
    assert table["funnel.RR"].tolist() == [1, 0.5, 1, 0]


def scored() -> RankingBatch:
    """Candidates 0, 1 and 2 of each request, with probabilities of a click at the first position."""
    columns = {"click_prob": np.tile([0.8, 0.4, 0.2], 4)}
    return RankingBatch(requests(), Candidates(np.arange(5) * 3, np.tile([0, 1, 2], 4), columns))


def log() -> Log:
    """Items 1 and 9 are shown in this order; whoever sees item 1 clicks it."""
    slates = Slates(np.tile([1, 9], (4, 1)))
    served = Served(requests(), slates, {"click": np.tile([True, False], (4, 1))})
    return Log(requests(), impressions_of(served), np.full(4, "test"))


CLICK = Prediction("click_prob", "click", 1.0)


def test_predictions_are_of_what_was_shown_at_its_position() -> None:
    labels = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0), examination=np.array([1.0, 0.5]))
    clicks = action_predictions(scored(), CLICK, log(), labels, evaluated())
    assert clicks.predictions.prob.tolist() == [0.4] * 4
    assert clicks.predictions.outcome.tolist() == [1.0] * 4
    assert clicks.predictions.unit.tolist() == [0, 0, 1, 1]
    assert clicks.coverage == 0.5
    figure = prediction_figures(clicks, [LogLoss()], BOOTSTRAP)["LogLoss"]["intent=a"]
    assert figure["value"] == pytest.approx(-np.log(0.4))
    told_apart = prediction_figures(clicks, [LogLoss()], BOOTSTRAP, "like")
    assert told_apart["LogLoss(like)"]["intent=a"] == figure


def test_an_action_counts_from_its_threshold_on() -> None:
    """Item 1 was read for 20, 5, 20 and 5 seconds."""
    served = Served(
        requests(), Slates(np.full((4, 1), 1)), {"dwell_s": np.array([[20.0], [5.0], [20.0], [5.0]])}
    )
    read = Log(requests(), impressions_of(served), np.full(4, "test"))
    labels = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0), examination=np.ones(1))
    long = Prediction("click_prob", "dwell_s", 20.0)
    predictions = action_predictions(scored(), long, read, labels, evaluated()).predictions
    assert predictions.outcome.tolist() == [1.0, 0.0, 1.0, 0.0]


def test_where_positions_are_unknown_predictions_are_taken_as_they_are() -> None:
    labels = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0))
    clicks = action_predictions(scored(), CLICK, log(), labels, evaluated())
    assert clicks.predictions.prob.tolist() == [0.4] * 4


def test_what_was_not_shown_counts_as_not_done_where_a_prediction_is_of_it_too() -> None:
    """Items 0 and 2 were not shown; nothing is known of positions at which they might have stood."""
    labels = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0), examination=np.array([0.5, 0.25]))
    every = CLICK._replace(unshown=True)
    clicks = action_predictions(scored(), every, log(), labels, evaluated())
    assert clicks.predictions.prob.tolist() == [0.4, 0.2, 0.1] * 4
    assert clicks.predictions.outcome.tolist() == [0.0, 1.0, 0.0] * 4
    assert clicks.predictions.unit.tolist() == [0] * 6 + [1] * 6
    assert clicks.items.tolist() == [0, 1, 2] * 4
    assert clicks.coverage == 0.5
    assert clicks.segments["intent=a"].sum() == 3 * evaluated().segments["intent=a"].sum()


def test_an_action_that_the_log_lacks_is_refused_with_the_nearest() -> None:
    labels = Labels.of_pairs(np.zeros(0), np.zeros(0), np.zeros(0), examination=np.ones(2))
    wrong = Prediction("click_prob", "clik", 1.0)
    with pytest.raises(InputError, match=r"impressions have no column 'clik'; nearest is 'click'$"):
        action_predictions(scored(), wrong, log(), labels, evaluated())


def test_bins_hold_equally_many_rows_by_rising_prediction() -> None:
    prob = np.array([0.9, 0.1, 0.5, 0.3])
    predictions = Predictions(prob, np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4))
    first, second = reliability(predictions, n_bins=2)
    assert tuple(first) == pytest.approx((0.2, 0.0, 2))
    assert tuple(second) == pytest.approx((0.7, 1.0, 2))
    assert len(reliability(predictions.take(np.array([0])), n_bins=10)) == 1


def test_a_stage_is_judged_by_its_own_figures_and_by_how_sure_it_was() -> None:
    """Right about the first three of four requests, always with 75%: in segment b once in two."""
    right = np.array([True, True, True, False])
    predictions = Predictions(np.full(4, 0.75), right.astype(float), requests().user)
    judged = Judged({"Accuracy(intent)": RowFigure.share(right, np.ones(4, bool))}, {"intent": predictions})
    figures = component_figures(judged, [CalibrationError(), LogLoss()], evaluated(), BOOTSTRAP)
    assert list(figures) == ["Accuracy(intent)", "ECE(intent)", "LogLoss(intent)"]
    accuracy = figures["Accuracy(intent)"]
    assert [accuracy[name]["value"] for name in ("all", "intent=a", "intent=b")] == [0.75, 1.0, 0.5]
    assert figures["ECE(intent)"]["all"]["value"] == pytest.approx(0.0)
    assert figures["ECE(intent)"]["intent=b"]["value"] == pytest.approx(0.25)
    assert accuracy["all"]["n"] == 2


def predicted(n: int = 400, n_items: int = 7) -> ActionPredictions:
    """Impressions of 30 users, some items shown far more often than others."""
    rows = np.arange(n)
    items = np.floor(n_items * rng.uniform(5, "items", rows) ** 2).astype(np.int64)
    prob = rng.uniform(5, "prob", rows)
    clicked = (rng.uniform(5, "clicked", rows) < prob).astype(np.float64)
    user = rng.integers(5, "user", 30, rows)
    return ActionPredictions(Predictions(prob, clicked, user), {}, 1.0, items)


CAMPAIGN = np.array([4, 9, 9, 2, 7, 7, 1])
"""Of each item."""


def test_calibration_by_item_is_that_of_plain_loops() -> None:
    clicks = predicted()
    found = item_calibration(clicks, CAMPAIGN, BOOTSTRAP, n_largest=3)
    of_campaign: dict[int, list[int]] = {}
    for row, item in enumerate(clicks.items.tolist()):
        of_campaign.setdefault(int(CAMPAIGN[item]), []).append(row)
    by_size = sorted(of_campaign, key=lambda campaign: (-len(of_campaign[campaign]), campaign))
    assert list(found.largest) == [str(campaign) for campaign in by_size[:3]]
    assert found.n_values == len(by_size) == 5
    rest = [row for campaign in by_size[3:] for row in of_campaign[campaign]]
    assert found.others is not None
    parts = [(found.largest[str(campaign)], of_campaign[campaign]) for campaign in by_size[:3]]
    for one, rows in [*parts, (found.others, rest), (found.every, list(range(400)))]:
        part = clicks.predictions.take(np.array(rows))
        assert one.n_impressions == len(rows)
        assert one.predicted.value == pytest.approx(part.prob.mean())
        assert one.observed.value == pytest.approx(part.outcome.mean())
        assert one.ratio.value == pytest.approx(part.prob.sum() / part.outcome.sum())
        assert {one.predicted.n, one.observed.n, one.ratio.n} == {len(np.unique(part.unit))}


def test_the_ratio_of_all_is_that_of_the_metric_with_its_interval() -> None:
    clicks = predicted()
    (metric,) = BOOTSTRAP.of_predictions([CalibrationRatio()], clicks.predictions)
    np.testing.assert_allclose(item_calibration(clicks, CAMPAIGN, BOOTSTRAP).every.ratio, metric, rtol=1e-9)


def test_the_interval_of_a_value_is_by_the_users_who_saw_it() -> None:
    """The same as of its impressions alone, since draws are keyed by user."""
    clicks = predicted()
    found = item_calibration(clicks, CAMPAIGN, BOOTSTRAP, n_largest=2)
    for name, one in found.largest.items():
        part = clicks.predictions.take(CAMPAIGN[clicks.items] == int(name))
        (alone,) = BOOTSTRAP.of_predictions([CalibrationRatio()], part)
        np.testing.assert_allclose(one.ratio, alone, rtol=1e-9)


def test_values_that_are_few_leave_no_others_and_no_click_no_ratio() -> None:
    none = Predictions(np.full(4, 0.5), np.zeros(4), np.arange(4))
    clicks = ActionPredictions(none, {}, 1.0, np.array([0, 1, 2, 2]))
    found = item_calibration(clicks, CAMPAIGN, BOOTSTRAP)
    assert found.others is None
    assert list(found.largest) == ["9", "4"]
    assert np.isnan(found.every.ratio.value)
    assert "others" not in found.to_metrics()
    assert found.to_metrics()["largest"]["9"]["n_impressions"] == 3
