"""Labels from raters alone: grades on one scale, clicks for click probabilities only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd.aggregations.majority import Majority
from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.labels.human import HumanLabels
from mlsd.logs import Log
from mlsd.ratings.panel import Panel
from mlsd.ratings.programme import RatingProgramme
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()
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


def rated(*grades: int) -> Log:
    """Grades of items 3, 4, ... for the first request of the ranking window."""
    request_id = SMALL.log.window("ranking").requests.request_id[0]
    items = 3 + np.arange(len(grades))
    judged = pd.DataFrame({"request_id": request_id, "item": items, "grade": grades})
    return replace(SMALL.log, judged=judged)


def test_a_label_is_the_grade_over_the_highest_of_the_guidelines() -> None:
    """Also where the highest grade was never given."""
    labels = HumanLabels(PROGRAMME).make(rated(0, 3, 1))
    assert labels.label.tolist() == [0.0, 0.75, 0.25]
    assert labels.item.tolist() == [3, 4, 5]
    assert labels.diagnostics["pairs_by_grade"] == {"0": 1, "1": 1, "3": 1}


def test_clicks_are_weighed_for_click_probabilities_and_change_no_label() -> None:
    log = rated(0, 3)
    weighed, plain = HumanLabels(PROGRAMME), HumanLabels(PROGRAMME, propensity="none")
    np.testing.assert_array_equal(weighed.make(log).examination, shuffled_clicks(log).relative)
    assert len(plain.make(log).examination) == 0
    np.testing.assert_array_equal(weighed.make(log).label, plain.make(log).label)


def test_before_anything_is_rated_positions_are_examined_as_they_are_after() -> None:
    labels = HumanLabels(PROGRAMME)
    before, after = labels.before_rating(SMALL.log), labels.make(rated(0, 3))
    assert len(before.label) == 0
    np.testing.assert_array_equal(before.examination, after.examination)
    positions = np.arange(len(after.examination))
    np.testing.assert_array_equal(before.weights(positions), after.weights(positions))


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (SMALL.log, "labels from raters need a world with judged requests; this log has none"),
        (rated(0, 0), "none of the 2 judged pairs in the learning windows is relevant"),
    ],
)
def test_nothing_to_learn_from(log: Log, message: str) -> None:
    with pytest.raises(InputError, match=message):
        HumanLabels(PROGRAMME).make(log)


def test_bad_values() -> None:
    rule = (
        r"programme\.budget == 0, must be above 0: labels from raters alone have nothing else to learn from"
    )
    with pytest.raises(InvalidValueError, match=rule):
        HumanLabels(replace(PROGRAMME, budget=0))
    with pytest.raises(InvalidValueError, match=r"propensity == 'click', must be one of position, none"):
        HumanLabels(PROGRAMME, propensity="click")
    with pytest.raises(InvalidValueError, match=r"max_weight == 0\.5, must be at least 1"):
        HumanLabels(PROGRAMME, max_weight=0.5)
