"""The stage that predicts every action at its declared value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.features.columns import Column
from mlsd.features.item import ItemCategory
from mlsd.features.text.overlap import TermCoverage
from mlsd.labels.base import Negatives
from mlsd.logs import Log
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.mmoe import MMoE
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import ActionRank, Task
from mlsd.stages.rank.base import Prediction
from mlsd.testing.small_log import EXAMINATION, SmallLog
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import RankingBatch

SMALL = SmallLog()
TASKS: Mapping[str, Task | None] = {
    "click": Task(0.5),
    "read": Task(1.25, "dwell_s", 20.0),
    "follow": None,
    "hide": Task(-3.0),
}


@cache
def log() -> Log:
    """A tenth of what is shown is hidden, more of it where it is not clicked."""
    shown = SMALL.log.impressions
    luck = rng.uniform(0, "hide", shown["request_id"].to_numpy(), shown["item"].to_numpy())
    return replace(SMALL.log, impressions=shown.assign(hide=luck < np.where(shown["click"], 0.02, 0.12)))


def training(**changed: object) -> TrainingData:
    batches = {split: SMALL.candidates(log().window(split).requests) for split in ("ranking", "validation")}
    known = replace(log(), impressions=log().impressions.assign(**changed))  # type: ignore[arg-type]
    return TrainingData(SMALL.catalog, known, SMALL.labels, batches)


def make(
    n_out: int = 4,
    tasks: Mapping[str, Task | None] = TASKS,
    n_members: int = 1,
    loss: BCE | Softmax | None = None,
) -> ActionRank:
    features = {
        "bm25": Column("candidate.bm25_score"),
        "coverage": TermCoverage("title"),
        "category": ItemCategory(),
    }
    ranker = partial(MMoE, n_experts=2, expert_hidden=[8], tower_hidden=[])
    return ActionRank(n_out, ranker, loss or BCE(), features, tasks, Negatives(1.0, 0), n_members)


@cache
def fitted(n_members: int = 1) -> ActionRank:
    stage = make(12, n_members=n_members)
    stage.fit(training(), FITTING)
    return stage


def shown() -> RankingBatch:
    return SMALL.candidates(log().window("validation").requests)


class TestActionRank(CandidateStageKit):
    def make(self) -> ActionRank:
        return make(self.n_out)

    def training(self) -> TrainingData:
        return training()


class TestActionRankOfSeveralMembers(TestActionRank):
    def make(self) -> ActionRank:
        return make(self.n_out, n_members=2)


@pytest.mark.parametrize("n_members", [1, 2])
def test_the_score_is_what_is_likely_to_be_done_at_its_value_to_the_letter(n_members: int) -> None:
    found = fitted(n_members).scored(SMALL.candidates(SMALL.requests)).candidates
    score = found["score"].tolist()
    for row in range(0, len(found), 17):
        expected = 0.0
        for value, name in ((0.5, "click"), (1.25, "read"), (-3.0, "hide")):
            prob = float(found[f"{name}_prob"][row])
            assert 0 < prob < 1
            expected += value * prob
        assert score[row] == expected
    assert len(set(score)) > 100


def test_the_best_are_passed_on() -> None:
    batch = SMALL.candidates(SMALL.requests.take(np.arange(20)))
    scored, out = fitted().scored(batch), fitted()(batch)
    np.testing.assert_array_equal(
        out.candidates.items, scored.top(scored.candidates["score"], 12).candidates.items
    )
    names = {f"candidate.{name}_prob" for name in ("click", "read", "hide")}
    assert fitted().produces == {"candidate.score", *names}
    assert out.column_names - batch.column_names == names


def test_values_alone_change_the_order_and_nothing_that_is_learnt() -> None:
    other = make(12, {**TASKS, "hide": Task(0.0), "click": Task(1.0), "read": Task(0.0)})
    other.load_state(fitted().state())
    batch = SMALL.candidates(SMALL.requests)
    one, two = (stage.scored(batch).candidates for stage in (fitted(), other))
    for name in ("click_prob", "read_prob", "hide_prob"):
        np.testing.assert_array_equal(one[name], two[name])
    np.testing.assert_array_equal(two["score"], two["click_prob"])


def test_labels_are_what_was_done_over_the_examination_of_its_position() -> None:
    """Row by row; a threshold counts what reaches it."""
    labels = make().task_labels(log(), SMALL.labels)
    assert list(labels.tasks) == ["click", "read", "hide"]
    learnt_from = log().until("validation").impressions
    for name, column, at_least in (("click", "click", 1), ("read", "dwell_s", 20), ("hide", "hide", 1)):
        expected = {
            (row["request_id"], row["item"]): (row[column] >= at_least) / EXAMINATION[row["position"]]
            for row in learnt_from.to_dict("records")
        }
        found = labels.tasks[name]
        pairs = zip(found.request_id.tolist(), found.item.tolist(), strict=True)
        mine = dict(zip(pairs, found.label.tolist(), strict=True))
        assert mine == pytest.approx(expected)
        assert 0 < np.count_nonzero(found.label) < len(found.label)
    test = log().window("test").requests.request_id
    assert not labels.knows(test).any()


@pytest.mark.parametrize("n_members", [1, 2])
def test_probabilities_of_each_task_are_calibrated_on_the_validation_window(n_members: int) -> None:
    """The mean probability of what was shown is the mean label, drawn a little towards a half."""
    stage = fitted(n_members)
    found, label = stage.scored(shown()).candidates, stage.task_labels(log(), SMALL.labels).of(shown())
    for column, name in enumerate(stage.tasks):
        known = ~np.isnan(label[:, column])
        n = np.count_nonzero(known)
        target = label[known, column].mean() * (1 - 2 / (n + 2)) + 1 / (n + 2)
        assert found[f"{name}_prob"][known].mean() == pytest.approx(target, rel=1e-3)


def test_what_is_predicted_is_named_with_its_column_and_threshold() -> None:
    assert make().predictions == {
        "click": Prediction("click_prob", "click", 1.0),
        "read": Prediction("read_prob", "dwell_s", 20.0),
        "hide": Prediction("hide_prob", "hide", 1.0),
    }


def test_an_action_that_the_log_lacks_is_refused_with_the_nearest() -> None:
    for tasks, message in (
        (
            {"clik": Task(1.0)},
            r"^tasks\.clik: the log's impressions have no column 'clik'; nearest is 'click'$",
        ),
        ({"read": Task(1.0, "dwell")}, r"^tasks\.read: .* no column 'dwell'; nearest is 'dwell_s'$"),
        ({"repost": Task(1.0)}, r"^tasks\.repost: .* no column 'repost'$"),
    ):
        with pytest.raises(InputError, match=message):
            make(tasks=tasks).fit(training(), FITTING)


def without_hides(window: str) -> TrainingData:
    shown_in = log().split[log().request_rows]
    return training(hide=log().impressions["hide"] & (shown_in != window))


def test_an_action_that_nobody_did_while_rankers_learn_is_refused() -> None:
    with pytest.raises(InputError, match=r"ranking window, hide: all \d+ labels of candidates are 0; BCE"):
        make().fit(without_hides("ranking"), FITTING)


def test_an_action_that_nobody_did_while_they_are_validated_is_learnt_and_taken_as_it_is() -> None:
    """Of a line for each task, click, read and hide: slope and intercept."""
    stage = make(12)
    stage.fit(without_hides("validation"), FITTING)
    calibration = stage.state()["calibration"].tolist()
    assert calibration[2] == [1.0, 0.0]
    assert [1.0, 0.0] not in calibration[:2]
    assert np.ptp(stage.scored(shown()).candidates["hide_prob"]) > 0


def test_a_value_that_is_unknown_is_refused() -> None:
    dwell = log().impressions["dwell_s"].where(log().impressions.index != 5, np.nan)
    with pytest.raises(InputError, match=r"tasks.read: impressions.dwell_s\[5\] == nan, must be known; 1"):
        make().fit(training(dwell_s=dwell), FITTING)


def test_nothing_to_learn_from_is_refused() -> None:
    for less in (replace(training(), log=None), replace(training(), labels=None)):
        with pytest.raises(InputError, match="nothing has been logged yet"):
            make().fit(less, FITTING)
    often = replace(SMALL.labels, examination=np.full(5, 0.05), max_weight=20.0)
    with pytest.raises(InputError, match=r"tasks.click: labels average .*, must average less than 1"):
        make().fit(replace(training(), labels=often), FITTING)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_are_finite(value: float) -> None:
    with pytest.raises(InvalidValueError, match=f"value == {value}, must be finite"):
        Task(value)


def test_bad_options_are_named() -> None:
    for threshold in (0.0, -1.0, np.nan):
        with pytest.raises(InvalidValueError, match=rf"at_least == {threshold}, must be above 0"):
            Task(1.0, at_least=threshold)
    with pytest.raises(InvalidValueError, match=r"tasks == \{\}, must not be empty"):
        make(tasks={"click": None})
    with pytest.raises(InvalidValueError, match=r"loss == Softmax\(\), must make scores log-odds, as"):
        make(loss=Softmax())
