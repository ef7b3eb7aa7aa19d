from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mlsd import checks
from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.labels.actions import Action, ActionLabels
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()
CLICK = Action(column="click", at_least=1, label=0.5)
LONG = Action(column="dwell_s", at_least=30, label=1.0)


def test_the_best_action_done_is_the_label() -> None:
    labels = ActionLabels({"click": CLICK, "long_click": LONG}, propensity="none").make(SMALL.log)
    seen = SMALL.log.impressions.sort_values(["request_id", "item"])
    expected = np.where(seen["dwell_s"] >= 30, 1.0, np.where(seen["click"], 0.5, 0.0))
    assert {0.0, 0.5, 1.0} == set(expected)
    assert np.array_equal(labels.label, expected)
    assert np.array_equal(labels.request_id, seen["request_id"])
    assert np.array_equal(labels.item, seen["item"])
    assert labels.examination.tolist() == [1.0] * 5


def test_labels_are_divided_by_examination_and_clipped() -> None:
    log, relative = SMALL.log, shuffled_clicks(SMALL.log).relative
    labels = ActionLabels({"click": CLICK}, max_weight=2.0).make(log)
    seen = log.impressions.sort_values(["request_id", "item"])
    weight = 1 / relative[seen["position"]]
    assert labels.label == pytest.approx(0.5 * seen["click"].to_numpy() * np.minimum(weight, 2.0))
    assert np.array_equal(labels.examination, relative)
    clicked = seen["click"].to_numpy()
    assert np.any(weight[clicked] > 2.0)
    assert labels.diagnostics["clipped_share"] == np.mean(weight[clicked] > 2.0)
    assert labels.diagnostics["n_done"] == {"click": int(clicked.sum())}
    json.dumps(labels.diagnostics)


def test_unbiased_labels_do_not_favour_the_first_positions() -> None:
    """Mean labels by position of shuffled slates are equal when weighted, and fall when not.

    The shuffled slates of the training windows are those that the weights come from, so their weighted mean
    labels are equal up to monotone smoothing and Jeffreys' half click: 10%.
    """
    shuffled = SMALL.log.until("ranking")
    explored = shuffled.impressions[shuffled.impressions["explored"]]
    means = {}
    for propensity in ("position", "none"):
        labels = ActionLabels({"click": CLICK}, propensity=propensity).make(SMALL.log)
        table = dict(zip(zip(labels.request_id, labels.item, strict=True), labels.label, strict=True))
        label = [table[pair] for pair in zip(explored["request_id"], explored["item"], strict=True)]
        means[propensity] = np.bincount(explored["position"], label) / np.bincount(explored["position"])
    assert means["position"] == pytest.approx(np.full(5, means["position"][0]), rel=0.1)
    assert means["none"][4] < 0.5 * means["none"][0]


def test_an_item_shown_twice_keeps_its_highest_label() -> None:
    impressions = SMALL.log.impressions.copy()
    impressions.loc[:1, "item"] = 7
    impressions.loc[:1, "click"] = [True, False]
    labels = ActionLabels({"click": CLICK}, propensity="none").make(
        replace(SMALL.log, impressions=impressions)
    )
    first = labels.request_id == labels.request_id[0]
    assert labels.label[first & (labels.item == 7)].tolist() == [0.5]
    assert first.sum() == 4


def test_windows_after_training_change_no_weight() -> None:
    log = SMALL.log
    later = np.isin(log.split[log.request_rows], ["validation", "test"])
    changed = replace(log, impressions=log.impressions.assign(click=log.impressions["click"] | later))
    source = ActionLabels({"click": CLICK})
    assert np.array_equal(source.make(log).examination, source.make(changed).examination)


def test_bad_input_is_named() -> None:
    empty = replace(SMALL.log, impressions=SMALL.log.impressions.iloc[:0])
    with pytest.raises(InputError, match="labels from actions need impressions, and the log has none"):
        ActionLabels({"click": CLICK}).make(empty)
    with pytest.raises(InputError, match="no column 'dwel_s'; nearest is 'dwell_s'"):
        ActionLabels({"long": Action("dwel_s", 30, 1.0)}).make(SMALL.log)
    with checks.collecting() as faults:
        ActionLabels({"click": None}, propensity="positions", max_weight=0.5)
        Action("click", at_least=0, label=-1)
    assert [str(fault) for fault in faults] == [
        "actions == {}, must not be empty",
        "propensity == 'positions', must be one of position, none; nearest is 'position'",
        "max_weight == 0.5, must be at least 1",
        "at_least == 0, must be above 0",
        "label == -1, must be above 0",
    ]
    with pytest.raises(InvalidValueError):
        ActionLabels({})
