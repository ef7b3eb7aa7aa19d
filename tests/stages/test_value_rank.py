"""The stage that learns clicks and conversions together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import get_args

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.labels.actions import Action, ActionLabels
from mlsd.labels.base import Labels
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.esmm import ESMM
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import Value, ValueRank
from mlsd.stages.rank.conversions import Correction
from mlsd.testing.ad_log import ad_features, ad_log
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import RankingBatch
from mlsd.worlds.ads.responses import ResponseOptions

VERY_OFTEN = ResponseOptions(click_logit=-0.5, conversion_logit=-1.5)


def make(n_out: int = 4, correction: Correction = "importance", n_members: int = 1) -> ValueRank:
    ranker = partial(ESMM, hidden=[16])
    return ValueRank(n_out, ranker, BCE(), ad_features(), correction=correction, n_members=n_members)


@cache
def labels(propensity: str = "position") -> Labels:
    return ActionLabels({"click": Action("click", 1, 1.0)}, propensity).make(ad_log(0, 300).log)


def training() -> TrainingData:
    return ad_log(0, 300).training(labels())


@cache
def fitted() -> ValueRank:
    stage = make(20)
    stage.fit(training(), FITTING)
    return stage


class TestValueRank(CandidateStageKit):
    def make(self) -> ValueRank:
        return make(self.n_out)

    def batch(self) -> RankingBatch:
        return ad_log(0, 300).candidates("test").take(np.arange(60))

    def training(self) -> TrainingData:
        return training()


class TestValueRankOfSeveralMembers(TestValueRank):
    def make(self) -> ValueRank:
        return make(self.n_out, n_members=2)


def test_the_best_are_those_worth_most() -> None:
    found = fitted().scored(ad_log(0, 300).candidates("test")).candidates
    for name in ("click_prob", "conversion_prob"):
        assert np.all((found[name] > 0) & (found[name] < 1))
    value = np.where(found["per_action"], found["bid"] * found["conversion_prob"], found["bid"])
    np.testing.assert_array_equal(found["click_value"], value)
    np.testing.assert_array_equal(found["score"], found["click_prob"] * value)
    assert found["per_action"].any()


@pytest.mark.parametrize("propensity", ["position", "none"])
@pytest.mark.parametrize("correction", get_args(Correction))
def test_labels_are_those_of_clicks_times_those_of_conversions(
    propensity: str, correction: Correction
) -> None:
    """Click and conversion is [click] / examination times the label that `Value` learns from."""
    log, clicks = ad_log(0, 300).log, labels(propensity)
    tasks = make(correction=correction).task_labels(log, clicks)
    known = ad_log(0, 300).candidates("validation")
    click, both = tasks.of(known).T
    np.testing.assert_array_equal(click, clicks.of(known))
    given = Value(ESMM, BCE(), ad_features(), correction).labels(log).of(known)  # type: ignore[arg-type]
    np.testing.assert_allclose(both, np.where(click > 0, click * given, click), rtol=1e-6)
    assert np.nansum(both > 0) > 0
    assert (np.nanmax(click) > 1) == (propensity == "position")


def test_what_arrives_after_the_validation_window_is_not_known() -> None:
    log = ad_log(0, 300).log
    both = make(correction="none").task_labels(log, labels("none")).tasks["conversion"]
    seen = log.until("validation").impressions
    known = (seen["conversion_days"] > 0) & (seen["time_days"] + seen["conversion_days"] <= 7)
    assert both.label.sum() == known.sum() > 0


def test_probabilities_are_calibrated_on_the_validation_window() -> None:
    """The mean click_prob of what was shown is its mean label; so with conversions of what was clicked."""
    batch = ad_log(0, 300).candidates("validation")
    found, tasks = fitted().scored(batch).candidates, make().task_labels(ad_log(0, 300).log, labels())
    given = Value(ESMM, BCE(), ad_features()).labels(ad_log(0, 300).log).of(batch)  # type: ignore[arg-type]
    for name, label in (("click_prob", tasks.of(batch)[:, 0]), ("conversion_prob", given)):
        known = ~np.isnan(label)
        n = np.count_nonzero(known)
        target = label[known].mean() * (1 - 2 / (n + 2)) + 1 / (n + 2)
        assert found[name][known].mean() == pytest.approx(target, rel=1e-3)


@pytest.mark.parametrize("seed", [41, 42, 43])
def test_the_bias_of_conversions_is_cut_to_a_third_on_fresh_days(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """P(conversion | click) on the day after training, averaged over the clicks to be expected on it.

    It is held against the known truth. Seeds and the third were fixed before the first run, which had as few
    clicks as the test of `Value`: about 3,000 to calibrate by leave a standard error of .010, half of a third
    of the bias without correction, and one seed in three missed (.0199 against .0196). Here people click so
    often that 11,000 leave .005.
    """
    logged = ad_log(seed, 5000, VERY_OFTEN)
    clicks = ActionLabels({"click": Action("click", 1, 1.0)}).make(logged.log)
    data, batch = logged.training(clicks), logged.candidates("test", every=5)
    click, conversion = logged.probs(batch)
    truth = np.average(conversion, weights=click)
    bias = {}
    for correction in get_args(Correction):
        stage = make(20, correction)
        stage.fit(data, Fitting(TrainerOptions(max_epochs=5, n_threads=1), seed=seed))
        predicted = stage.scored(batch).candidates["conversion_prob"]
        bias[correction] = float(np.average(predicted, weights=click) - truth)
    assert bias["none"] < -0.2 * truth
    record_property("bias over that without correction", abs(bias["importance"] / bias["none"]))
    assert abs(bias["importance"]) <= abs(bias["none"]) / 3


def test_what_cannot_be_learnt_from_is_refused() -> None:
    data, log = training(), ad_log(0, 300).log
    for column in ("click", "conversion_days"):
        less = replace(log, impressions=log.impressions.drop(columns=column))
        with pytest.raises(InputError, match=f"click and conversion_days; the log lacks {column}"):
            make().fit(replace(data, log=less), FITTING)
    with pytest.raises(InputError, match="nothing has been logged yet"):
        make().fit(replace(data, labels=None), FITTING)
    never = replace(log, impressions=log.impressions.assign(conversion_days=0.0))
    with pytest.raises(InputError, match=r"ranking window, conversion: all \d+ labels of candidates are 0"):
        make(correction="none").fit(replace(data, log=never), FITTING)


def test_bad_options_are_named() -> None:
    with pytest.raises(
        InvalidValueError, match=r"loss == Softmax\(\), must make scores log-odds, as BCE does"
    ):
        ValueRank(4, ESMM, Softmax(), ad_features())
    with pytest.raises(
        InvalidValueError, match=r"correction == 'importanc', must be one of importance, none"
    ):
        make(correction="importanc")  # type: ignore[arg-type]
