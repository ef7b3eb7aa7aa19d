from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.bce import BCE
from mlsd.rankers.logistic_regression import LogisticRegression
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import Value
from mlsd.stages.rank.conversions import Correction
from mlsd.testing.ad_log import ad_features, ad_log
from mlsd.testing.stage_kit import FITTING, StageKit
from mlsd.types import RankingBatch


def make(correction: Correction = "importance") -> Value:
    return Value(LogisticRegression, BCE(), ad_features(), correction)


class TestValue(StageKit):
    def make(self) -> Value:
        return make()

    def batch(self) -> RankingBatch:
        return ad_log(0, 300).candidates("test").take(np.arange(60))

    def training(self) -> TrainingData:
        return ad_log(0, 300).training()


def test_a_click_is_worth_what_is_paid_for_it_or_for_what_follows() -> None:
    stage, batch = make(), ad_log(0, 300).candidates("test")
    stage.fit(ad_log(0, 300).training(), FITTING)
    found = stage(batch).candidates
    np.testing.assert_array_equal(found.items, batch.candidates.items)
    assert np.all((found["conversion_prob"] > 0) & (found["conversion_prob"] < 1))
    expected = np.where(found["per_action"], found["bid"] * found["conversion_prob"], found["bid"])
    np.testing.assert_array_equal(found["click_value"], expected)
    assert found["per_action"].any()


def test_what_arrives_after_the_validation_window_is_not_known() -> None:
    log = ad_log(0, 300).log
    labels = make("none").labels(log)
    seen = log.until("validation").impressions
    clicked = seen[seen["click"]]
    known = (clicked["conversion_days"] > 0) & (clicked["time_days"] + clicked["conversion_days"] <= 7)
    assert len(labels.label) == len(clicked)
    assert labels.label.sum() == known.sum() > 0
    assert (clicked["conversion_days"] > 0).sum() > known.sum()
    weighted = make().labels(log)
    assert np.all(weighted.label[labels.label > 0] >= 1)
    assert np.all(weighted.label[labels.label == 0] == 0)


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_the_bias_of_conversions_is_cut_to_a_third_on_fresh_days(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """P(conversion | click) on the day after training, averaged over the clicks to be expected on it.

    It is held against the known truth. Seeds were chosen before the first run.
    """
    logged = ad_log(seed, 5000)
    data, batch = logged.training(), logged.candidates("test", every=5)
    click, conversion = logged.probs(batch)
    truth = np.average(conversion, weights=click)
    bias = {}
    for correction in get_args(Correction):
        stage = make(correction)
        stage.fit(data, Fitting(TrainerOptions(max_epochs=5, n_threads=1), seed=seed))
        predicted = stage(batch).candidates["conversion_prob"]
        bias[correction] = float(np.average(predicted, weights=click) - truth)
    assert bias["none"] < -0.2 * truth
    record_property("bias over that without correction", abs(bias["importance"] / bias["none"]))
    assert abs(bias["importance"]) <= abs(bias["none"]) / 3


def test_a_log_without_conversions_is_refused() -> None:
    logged = ad_log(0, 300)
    less = replace(logged.log, impressions=logged.log.impressions.drop(columns="conversion_days"))
    with pytest.raises(InputError, match=r"click and conversion_days; the log lacks conversion_days"):
        make().fit(replace(logged.training(), log=less), FITTING)
