"""The ranker of two tasks, the second of which can only follow the first."""

from __future__ import annotations

import numpy as np

from mlsd import checks, rng
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import LabelledFeatures
from mlsd.rankers.esmm import ESMM
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, TASKS, MultiTaskRankerKit
from mlsd.types import FeatureBatch, FeatureSpec, Floats


class TestESMM(MultiTaskRankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> ESMM:
        return ESMM(spec, loss, TASKS, hidden=[16, 8], learning_rate=0.02)


class TestESMMWithDropout(MultiTaskRankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> ESMM:
        return ESMM(spec, loss, TASKS, hidden=[32], dropout=0.1, learning_rate=0.02)


class TestESMMOfHistories(HistoryKit):
    n_tasks = len(TASKS)

    def make(self, spec: FeatureSpec, loss: Loss) -> ESMM:
        return ESMM(spec, loss, TASKS, hidden=[16, 8], learning_rate=0.02)


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        ESMM(SPEC, BCE(), ["click"], hidden=[0], dropout=1.0, embedding_dim=0)
    assert [str(fault) for fault in faults] == [
        "tasks == ['click'], must be an action and what may follow it",
        "hidden == [0], must be at least 1 each",
        "dropout == 1.0, must be in [0, 1)",
        "embedding_dim == 0, must be at least 1",
    ]


def test_what_follows_a_click_is_learnt_for_what_is_never_clicked() -> None:
    """P(click) and P(conversion | click) from 40,000 candidates of two topics, against the truth.

    The scarcest log-odds, those of conversions in topic 1, rest on 400 clicks, half of them converted: their
    standard error is 2 / sqrt(400) = .1. All are held to three of these. The seed was fixed before the first
    run.
    """
    n = 40_000
    topic = np.arange(n) % 2
    click_prob, conversion_prob = np.array([0.3, 0.02])[topic], np.array([0.1, 0.5])[topic]
    click = rng.uniform(61, "click", np.arange(n)) < click_prob
    both = click & (rng.uniform(61, "conversion", np.arange(n)) < conversion_prob)
    spec = FeatureSpec((), {"topic": 2})
    offsets = np.arange(0, n + 1, 10)
    features = FeatureBatch(np.zeros((n, 0), np.float32), topic[:, None].astype(np.int64), offsets)
    rows = LabelledFeatures(features, np.stack([click, both], axis=1).astype(np.float32))
    ranker = ESMM(spec, BCE(), TASKS, hidden=[8], learning_rate=0.01, weight_decay=0.0)
    ranker.fit(rows, rows, Fitting(TrainerOptions(max_epochs=8, patience=8, batch_rows=1000, n_threads=1)))
    one_of_each = FeatureBatch(np.zeros((2, 0), np.float32), np.array([[0], [1]]), np.array([0, 2]))
    expected = np.stack([logit(click_prob[:2]), logit(conversion_prob[:2])], axis=1)
    np.testing.assert_allclose(ranker.score(one_of_each), expected, atol=0.3)


def logit(prob: Floats) -> Floats:
    return np.log(prob) - np.log1p(-prob)
