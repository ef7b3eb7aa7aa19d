"""Labels from raters where there are ratings, from actions elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd.aggregations.majority import Majority
from mlsd.errors import InputError, InvalidValueError
from mlsd.labels.actions import Action, ActionLabels
from mlsd.labels.base import Labels
from mlsd.labels.both import BothLabels
from mlsd.logs import Log
from mlsd.ratings.panel import Panel
from mlsd.ratings.programme import RatingProgramme
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()
ACTIONS = ActionLabels({"click": Action(column="click", at_least=1, label=1.0)})
PROGRAMME = RatingProgramme(
    budget=100,
    overlap=1,
    depth=5,
    random_share=0.0,
    cost_per_rating=0.05,
    guidelines=("no", "hardly", "partly", "mostly", "yes"),
    raters=Panel(n_raters=2, accuracy=0.9),
    aggregation=Majority(),
)


def rated() -> Log:
    """Of the first request of the ranking window: what stood first has grade 3, an item not shown grade 1."""
    request_id = SMALL.log.window("ranking").requests.request_id[0]
    shown = SMALL.log.impressions
    items = shown["item"][shown["request_id"] == request_id].to_numpy()
    other = int(np.setdiff1d(np.arange(40), items)[0])
    rows = sorted([(int(items[0]), 3), (other, 1)])
    judged = pd.DataFrame([(request_id, *row) for row in rows], columns=["request_id", "item", "grade"])
    return replace(SMALL.log, judged=judged)


def as_pairs(labels: Labels) -> dict[tuple[int, int], float]:
    keys = zip(labels.request_id.tolist(), labels.item.tolist(), strict=True)
    return dict(zip(keys, labels.label.tolist(), strict=True))


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_ratings_win_where_there_are_any(weight: float) -> None:
    log = rated()
    assert log.judged is not None
    both, acted = BothLabels(ACTIONS, PROGRAMME, weight).make(log), as_pairs(ACTIONS.make(log))
    grades = {
        (int(row.request_id), int(row.item)): weight * row.grade / 4  # type: ignore[operator, arg-type]
        for row in log.judged.itertuples()
    }
    assert as_pairs(both) == pytest.approx({**acted, **grades})
    assert len(both.label) == len(acted) + 1
    np.testing.assert_array_equal(both.examination, ACTIONS.make(log).examination)
    assert both.diagnostics["judged_pairs"] == 2
    assert both.diagnostics["n_done"] == ACTIONS.make(log).diagnostics["n_done"]


def test_without_a_budget_labels_are_those_of_actions_and_say_so() -> None:
    labels = BothLabels(ACTIONS, replace(PROGRAMME, budget=0)).make(SMALL.log)
    acted = ACTIONS.make(SMALL.log)
    assert as_pairs(labels) == as_pairs(acted)
    assert labels.diagnostics == {**acted.diagnostics, "note": "no budget for ratings"}


def test_before_anything_is_rated_labels_are_those_of_actions() -> None:
    before, acted = BothLabels(ACTIONS, PROGRAMME).before_rating(SMALL.log), ACTIONS.make(SMALL.log)
    assert as_pairs(before) == as_pairs(acted)
    np.testing.assert_array_equal(before.examination, acted.examination)


def test_a_budget_without_ratings_is_a_mistake() -> None:
    with pytest.raises(InputError, match="labels from raters need a world with judged requests"):
        BothLabels(ACTIONS, PROGRAMME).make(SMALL.log)


def test_bad_weight() -> None:
    with pytest.raises(InvalidValueError, match=r"rating_weight == 0, must be above 0"):
        BothLabels(ACTIONS, PROGRAMME, rating_weight=0)
