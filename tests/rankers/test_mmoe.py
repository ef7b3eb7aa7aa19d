"""The ranker of several actions that mix shared experts."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from mlsd import checks, rng
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import LabelledFeatures
from mlsd.rankers.mmoe import MMoE
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, TASKS, MultiTaskRankerKit, rows, taken
from mlsd.types import FeatureBatch, FeatureSpec, Floats


class TestMMoE(MultiTaskRankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> MMoE:
        return MMoE(spec, loss, TASKS, expert_hidden=[16], tower_hidden=[8], learning_rate=0.02)


class TestMMoEOfDeepExpertsWithDropout(MultiTaskRankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> MMoE:
        return MMoE(
            spec,
            loss,
            TASKS,
            n_experts=3,
            expert_hidden=[32, 16],
            tower_hidden=[],
            dropout=0.1,
            learning_rate=0.02,
        )


class TestMMoEOfHistories(HistoryKit):
    n_tasks = len(TASKS)

    def make(self, spec: FeatureSpec, loss: Loss) -> MMoE:
        return MMoE(spec, loss, TASKS, expert_hidden=[16], tower_hidden=[8], learning_rate=0.02)


class TestMMoEWithAttention(HistoryKit):
    n_tasks = len(TASKS)

    def make(self, spec: FeatureSpec, loss: Loss) -> MMoE:
        return MMoE(
            spec, loss, TASKS, expert_hidden=[16], tower_hidden=[8], learning_rate=0.02, attention=[8]
        )


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        MMoE(
            SPEC,
            BCE(),
            [],
            n_experts=0,
            expert_hidden=[],
            tower_hidden=[0],
            dropout=1.0,
            embedding_dim=0,
            attention=[0],
        )
    assert [str(fault) for fault in faults] == [
        "tasks == [], must not be empty",
        "n_experts == 0, must be at least 1",
        "expert_hidden == [], must not be empty",
        "tower_hidden == [0], must be at least 1 each",
        "dropout == 1.0, must be in [0, 1)",
        "attention == [0], must be at least 1 each",
        "embedding_dim == 0, must be at least 1",
    ]


@pytest.mark.parametrize("n_tasks", [1, 5])
def test_any_number_of_tasks(n_tasks: int) -> None:
    """One of which is learnt as it would be among others: each has its own column of scores."""
    single = rows(0)
    shifts = [np.roll(single.labels, task) for task in range(n_tasks)]
    labelled = LabelledFeatures(single.features, np.stack(shifts, axis=1))
    ranker = MMoE(
        SPEC, BCE(), [f"task {task}" for task in range(n_tasks)], expert_hidden=[8], tower_hidden=[4]
    )
    ranker.fit(labelled, labelled, Fitting(TrainerOptions(max_epochs=2, batch_rows=32, n_threads=1)))
    scores = ranker.score(single.features)
    assert scores.shape == (len(single.labels), n_tasks)
    assert len({scores[:, task].tobytes() for task in range(n_tasks)}) == n_tasks
    assert np.array_equal(ranker.score(taken(single.features, np.arange(9))), scores[:9])


class Examples(NamedTuple):
    """Candidates, and the probability of either of two actions that have nothing to do with each other."""

    features: FeatureBatch
    probs: Floats
    """(n, 2)"""

    labels: Floats
    """(n, 2), drawn from `probs`"""

    def of_tasks(self, *tasks: int) -> LabelledFeatures:
        return LabelledFeatures(self.features, self.labels[:, list(tasks)].astype(np.float32))


def unrelated(part: str, n: int) -> Examples:
    """The log-odds of the first are 2 x0 x1 + x2, those of the second 2 x3 x4 - x5."""
    row = np.arange(n)
    x = rng.normal(71, f"{part}, values", row[:, None], np.arange(6))
    log_odds = np.stack([2 * x[:, 0] * x[:, 1] + x[:, 2], 2 * x[:, 3] * x[:, 4] - x[:, 5]], axis=1)
    probs = 1 / (1 + np.exp(-log_odds))
    labels = rng.uniform(71, f"{part}, actions", row[:, None], np.arange(2)) < probs
    features = FeatureBatch(x.astype(np.float32), np.zeros((n, 0), np.int64), np.arange(0, n + 1, 10))
    return Examples(features, probs, labels.astype(np.float64))


def excess(ranker: MMoE, task: int, among: int, test: Examples) -> Floats:
    """(n,) how much longer than with the true probability each outcome is to describe, in expectation.

    -p log q - (1 - p) log(1 - q)  less that of q = p, which is the Kullback-Leibler divergence.
    """
    scores = ranker.score(test.features).astype(np.float64)[:, among]
    p, q = test.probs[:, task], 1 / (1 + np.exp(-scores))
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))


@pytest.mark.slow
def test_tasks_that_have_nothing_in_common_do_not_pull_each_other_down(
    record_property: Callable[[str, object], None],
) -> None:
    """What two tasks lose together, beside a network of the same size for each, on 20,000 new candidates.

    A constant prediction loses .212 nats a candidate here, and a weighted sum of the features .158. Together
    may lose .005 more than alone for either task, a fortieth of what there is to learn. Seed, sizes and
    tolerance were fixed before the first run.
    """
    sizes = {"train": 20_000, "validation": 5_000, "test": 20_000}
    train, validation, test = (unrelated(part, n) for part, n in sizes.items())
    options = TrainerOptions(max_epochs=15, patience=3, batch_rows=500, n_threads=1)

    def fitted(*tasks: int) -> MMoE:
        ranker = MMoE(SPEC_OF_SIX, BCE(), [f"task {task}" for task in tasks], learning_rate=0.005)
        ranker.fit(train.of_tasks(*tasks), validation.of_tasks(*tasks), Fitting(options, seed=71))
        return ranker

    together = fitted(0, 1)
    for task in (0, 1):
        joint = float(excess(together, task, task, test).mean())
        alone = float(excess(fitted(task), task, 0, test).mean())
        record_property(f"task {task}, together", joint)
        record_property(f"task {task}, alone", alone)
        assert joint < 0.05, "what there is to learn is learnt"
        assert joint <= alone + 0.005


SPEC_OF_SIX = FeatureSpec(tuple(f"x{place}" for place in range(6)))
