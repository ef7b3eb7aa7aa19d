from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.features.base import Feature
from mlsd.features.context import UserCategory
from mlsd.features.item import ItemCategory
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.losses.bce import BCE
from mlsd.rankers.logistic_regression import LogisticRegression
from mlsd.serving import Explore, collect_log
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import Value
from mlsd.stages.rank.value import Correction
from mlsd.stages.target import Target
from mlsd.testing.stage_kit import FITTING, StageKit
from mlsd.types import RankingBatch
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.ads.responses import ResponseOptions
from mlsd.worlds.click_models.pbm import PositionBased

KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
SPLIT_DAYS = {"retrieval": 1, "ranking": 4, "validation": 2, "test": 1}
OFTEN = ResponseOptions(click_logit=-2.0, conversion_logit=-1.5)
"""More clicks and conversions than usual, so that small worlds have enough of them."""


@cache
def logged(seed: int, n_users: int) -> tuple[AdsWorld, Target, Log]:
    """A world, its targeting, and what it logged."""
    world = AdsWorld(seed=seed, n_users=n_users, n_campaigns=80, responses=OFTEN, click_model=PositionBased())
    target = Target(20, KEYS, 0.1)
    target.fit(TrainingData(world.catalog), FITTING)
    policy = Explore(lambda requests: target(RankingBatch.of(requests)), 4, 0.5, 20, seed)
    log, _ = collect_log(world, policy, sum(SPLIT_DAYS.values()), SPLIT_DAYS, 100.0)
    return world, target, log


def features() -> dict[str, Feature | None]:
    return {"audience": UserCategory("audience"), "category": ItemCategory("category")}


def make(correction: Correction = "importance") -> Value:
    return Value(LogisticRegression, BCE(), features(), correction)


def training(world: AdsWorld, target: Target, log: Log) -> TrainingData:
    batches = {
        split: target(RankingBatch.of(log.window(split).requests)) for split in ("ranking", "validation")
    }
    nothing = np.zeros(0, np.int64)
    return TrainingData(world.catalog, log, Labels.of_pairs(nothing, nothing, nothing), batches)


class TestValue(StageKit):
    def make(self) -> Value:
        return make()

    def batch(self) -> RankingBatch:
        _, target, log = logged(0, 300)
        return target(RankingBatch.of(log.window("test").requests.take(np.arange(60))))

    def training(self) -> TrainingData:
        return training(*logged(0, 300))


def test_a_click_is_worth_what_is_paid_for_it_or_for_what_follows() -> None:
    world, target, log = logged(0, 300)
    stage = make()
    stage.fit(training(world, target, log), FITTING)
    batch = target(RankingBatch.of(log.window("test").requests))
    found = stage(batch).candidates
    np.testing.assert_array_equal(found.items, batch.candidates.items)
    assert np.all((found["conversion_prob"] > 0) & (found["conversion_prob"] < 1))
    expected = np.where(found["per_action"], found["bid"] * found["conversion_prob"], found["bid"])
    np.testing.assert_array_equal(found["click_value"], expected)
    assert found["per_action"].any()


def test_what_arrives_after_the_validation_window_is_not_known() -> None:
    _, _, log = logged(0, 300)
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
def test_the_bias_of_conversions_is_cut_to_a_third_on_fresh_days(seed: int) -> None:
    """P(conversion | click) on the day after training, averaged over the clicks to be expected on it.

    It is held against the known truth. Seeds were chosen before the first run.
    """
    world, target, log = logged(seed, 5000)
    data = training(world, target, log)
    requests = log.window("test").requests
    batch = target(RankingBatch.of(requests.take(np.arange(0, len(requests), 5))))
    rows, items = batch.candidates.request_rows, batch.candidates.items
    probs = world.probs(batch.requests, rows, items, np.zeros(len(items)))
    truth = np.average(probs.conversion, weights=probs.click)
    bias = {}
    for correction in get_args(Correction):
        stage = make(correction)
        stage.fit(data, Fitting(TrainerOptions(max_epochs=5, n_threads=1), seed=seed))
        predicted = stage(batch).candidates["conversion_prob"]
        bias[correction] = float(np.average(predicted, weights=probs.click) - truth)
    assert bias["none"] < -0.2 * truth
    assert abs(bias["importance"]) <= abs(bias["none"]) / 3


def test_a_log_without_conversions_is_refused() -> None:
    world, target, log = logged(0, 300)
    less = replace(log, impressions=log.impressions.drop(columns="conversion_days"))
    with pytest.raises(InputError, match=r"click and conversion_days; the log lacks conversion_days"):
        make().fit(training(world, target, less), FITTING)
