"""Logs that have nothing but what people acted on: what was not shown counts as not done, or is unknown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.labels.actions import Action, ActionLabels
from mlsd.labels.base import Labels, Negatives
from mlsd.logs import Log
from mlsd.losses.bce import BCE
from mlsd.rankers.logistic_regression import LogisticRegression
from mlsd.rankers.mmoe import MMoE
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import ActionRank, Rank, Task
from mlsd.stages.rank.action_rank import Unshown
from mlsd.testing.ad_log import ad_features, ad_log
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import RankingBatch


@cache
def clicked_only() -> Log:
    """A log of impressions of which only those that were clicked are known."""
    log = ad_log(0, 300).log
    clicked = log.impressions["click"].to_numpy() > 0
    return replace(log, impressions=log.impressions[clicked].reset_index(drop=True))


@cache
def labels() -> Labels:
    return ActionLabels({"click": Action("click", 1, 1.0)}, "none").make(clicked_only())


def training() -> TrainingData:
    return replace(ad_log(0, 300).training(labels()), log=clicked_only())


def make(n_out: int = 20, unshown: Unshown = "not_done") -> ActionRank:
    ranker = partial(MMoE, expert_hidden=[8], tower_hidden=[])
    negatives = Negatives(n_unshown=6)
    return ActionRank(n_out, ranker, BCE(), ad_features(), {"click": Task(0.5)}, negatives, unshown=unshown)


@cache
def fitted() -> ActionRank:
    stage = make()
    stage.fit(training(), FITTING)
    return stage


class TestActionRankOfAllCandidates(CandidateStageKit):
    def make(self) -> ActionRank:
        return make(self.n_out)

    def batch(self) -> RankingBatch:
        return ad_log(0, 300).candidates("test").take(np.arange(60))

    def training(self) -> TrainingData:
        return training()


def test_probabilities_are_those_of_all_candidates() -> None:
    """On the validation window, where they are calibrated, they add up to what was done."""
    batch = ad_log(0, 300).candidates("validation")
    prob = fitted().scored(batch).candidates["click_prob"]
    n_done = np.count_nonzero(labels().of(batch) > 0)
    assert 50 < n_done < len(prob) / 10
    # Platt scaling keeps the sum of its labels, up to its rounding of them.
    assert prob.sum() == pytest.approx(n_done, rel=0.02)


def test_they_say_that_they_are_of_what_was_not_shown_too() -> None:
    assert [one.unshown for one in fitted().predictions.values()] == [True]
    assert [one.unshown for one in make(unshown="unknown").predictions.values()] == [False]


def test_what_always_was_done_is_refused_where_the_rest_is_unknown() -> None:
    n = np.count_nonzero(~np.isnan(labels().of(ad_log(0, 300).candidates("validation"))))
    message = f"tasks.click: done with all {n} candidates of the validation window that were shown; say null"
    with pytest.raises(InputError, match=message):
        make(unshown="unknown").fit(training(), FITTING)


def test_a_ranker_of_clicks_alone_refuses_it_too() -> None:
    stage = Rank(20, LogisticRegression, BCE(), ad_features(), Negatives(n_unshown=6))
    with pytest.raises(InputError, match="everything that was shown in the validation window was clicked"):
        stage.fit(training(), FITTING)


def test_another_word_for_it_is_refused() -> None:
    with pytest.raises(
        InvalidValueError, match="unshown == 'undone', must be one of unknown, not_done; nearest"
    ):
        make(unshown="undone")  # type: ignore[arg-type]
