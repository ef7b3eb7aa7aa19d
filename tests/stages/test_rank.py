from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlsd import ragged, rng
from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.features.base import Feature
from mlsd.features.columns import Column, RankDiscount, ShareOfBest
from mlsd.features.item import ItemCategory
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.click_through import ItemClickThrough
from mlsd.features.text.overlap import TermCoverage
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels, Negatives
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.base import LabelledFeatures, Ranker
from mlsd.stages.rank import Rank
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import CandidateStageKit, same_batch
from mlsd.types import FeatureBatch, FeatureSpec, RankingBatch, State

SMALL = SmallLog()


class LeastSquares(Ranker):
    """Ridge regression in closed form; one dense column after the other, so that rows do not touch."""

    def __init__(self, spec: FeatureSpec, loss: Loss) -> None:
        self.spec, self.loss = spec, loss
        self.weights = np.zeros(spec.n_dense + 1)
        self.seen: dict[str, LabelledFeatures] = {}

    def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
        self.seen = {"train": train, "validation": validation}
        design = np.column_stack([train.features.dense, np.ones(len(train.features))])
        ridge = design.T @ design + 1e-6 * np.eye(design.shape[1])
        self.weights = np.linalg.solve(ridge, design.T @ train.labels)
        return Curves((0.0,), (0.0,))

    def score(self, features: FeatureBatch) -> NDArray[np.float32]:
        total = np.full(len(features), self.weights[-1])
        for column, weight in zip(features.dense.T, self.weights, strict=False):
            total += weight * column
        return total.astype(np.float32)

    def state(self) -> State:
        return {"weights": self.weights}

    def load_state(self, state: State) -> None:
        self.weights = state["weights"]


class Random(LeastSquares):
    """Whatever it learnt, it answers with one value."""

    answer = np.nan

    def score(self, features: FeatureBatch) -> NDArray[np.float32]:
        return np.full(len(features), self.answer, np.float32)


class Drawn(LeastSquares):
    """What it learns depends on its seed, as a network's weights do."""

    def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
        curves = super().fit(train, validation, fitting)
        self.weights += rng.normal(fitting.seed, "weights", np.arange(len(self.weights)))
        for epoch in range(2):
            fitting.watch(epoch, 0.5)
        return replace(curves, quality=(0.5, 0.5))


def features() -> dict[str, Feature | None]:
    return {
        "bm25": Column("candidate.bm25_score"),
        "share": ShareOfBest("candidate.bm25_score"),
        "rank": RankDiscount("candidate.score"),
        "coverage": TermCoverage("title"),
        "clicks": ItemClickThrough(),
        "category": ItemCategory(),
        "off": None,
    }


def make(
    n_out: int = 4,
    ranker: Callable[..., Ranker] = LeastSquares,
    loss: Loss | None = None,
    negatives: Negatives = Negatives(n_unshown=2),  # noqa: B008  (frozen)
    *,
    calibrate: bool = True,
    n_members: int = 1,
    worth: str | None = None,
) -> Rank:
    options = {"calibrate": calibrate, "n_members": n_members, "worth": worth}
    return Rank(n_out, ranker, loss or BCE(), features(), negatives, **options)  # type: ignore[arg-type]


class TestRankKit(CandidateStageKit):
    def make(self) -> Rank:
        return make(self.n_out)


class TestRankOfAComparingLossKit(CandidateStageKit):
    def make(self) -> Rank:
        return make(self.n_out, loss=Softmax(), calibrate=False)


class TestRankOfSeveralMembersKit(CandidateStageKit):
    def make(self) -> Rank:
        return make(self.n_out, Drawn, n_members=3)


class TestRankByWorthKit(CandidateStageKit):
    def make(self) -> Rank:
        return make(self.n_out, worth="candidate.two_tower_score")


def test_the_best_are_those_that_bring_in_most() -> None:
    stage, plain = fitted(make(worth="candidate.two_tower_score")), fitted(make())
    batch = SMALL.candidates(SMALL.log.window("test").requests)
    prob = plain.scored(batch).candidates["click_prob"]
    worth = batch.candidates["two_tower_score"]
    expected = batch.top(prob * worth, 4)
    found = stage(batch)
    np.testing.assert_array_equal(found.candidates.items, expected.candidates.items)
    best = found.candidates["click_prob"] * found.candidates["two_tower_score"]
    np.testing.assert_array_equal(found.candidates["score"], best)
    assert not np.array_equal(found.candidates.items, plain(batch).candidates.items)


def test_worth_needs_click_probabilities() -> None:
    with pytest.raises(InvalidValueError, match=r"worth == 'candidate.x', must be null where calib"):
        make(calibrate=False, worth="candidate.x")


def fitted(stage: Rank | None = None) -> Rank:
    stage = stage or make()
    curves = stage.fit(TestRankKit().training(), Fitting())
    assert curves == {"ranker": Curves((0.0,), (0.0,))}
    return stage


def lessons(stage: Rank) -> dict[str, LabelledFeatures]:
    (ranker,) = stage.fitted_rankers
    assert isinstance(ranker, LeastSquares)
    return ranker.seen


def test_it_learns_what_users_click() -> None:
    """Clicked candidates of the test window rank higher than others shown: AUC within requests above .7.

    Chance is .5 with a standard error of about .04 for the 50 requests of that window.
    """
    stage = fitted(make(n_out=12))
    batch = SMALL.candidates(SMALL.log.window("test").requests)
    label = SMALL.labels.of(stage(batch))
    places = ragged.positions(stage(batch).candidates.offsets)
    request = stage(batch).candidates.request_rows
    clicked, shown = np.flatnonzero(label > 0), np.flatnonzero(label == 0)
    same = request[clicked][:, None] == request[shown]
    assert np.mean((places[clicked][:, None] < places[shown])[same]) > 0.7


def test_training_rows_are_those_of_the_windows_and_have_serving_values() -> None:
    stage = fitted(make(negatives=Negatives(shown_keep_rate=0.5, n_unshown=2)))
    batch = TestRankKit().training().batches["ranking"]
    label = SMALL.labels.of(batch)
    kept = Negatives(shown_keep_rate=0.5, n_unshown=2).kept(batch, label, seed=0)
    train = lessons(stage)["train"]
    assert np.array_equal(train.labels, np.nan_to_num(label)[kept])
    assert train.features.dense.tobytes() == stage.features.transform(batch).dense[kept].tobytes()
    assert len(lessons(stage)["validation"].features.offsets) == 51


def test_a_comparing_loss_gets_only_requests_with_a_difference() -> None:
    train = lessons(fitted(make(loss=Softmax(), negatives=Negatives())))["train"]
    assert np.all(ragged.sums(train.labels > 0, train.features.offsets) > 0)
    assert np.all(ragged.sums(train.labels == 0, train.features.offsets) > 0)
    pointwise = lessons(fitted(make(negatives=Negatives())))["train"]
    assert len(pointwise.features.offsets) > len(train.features.offsets)


def test_a_request_that_nobody_labelled_teaches_nothing() -> None:
    """Raters see a few requests only: of the others no candidate is a negative."""
    data = TestRankKit().training()
    rated = np.unique(SMALL.labels.request_id)[::3]
    few = np.isin(SMALL.labels.request_id, rated)
    labels = Labels(SMALL.labels.request_id[few], SMALL.labels.item[few], SMALL.labels.label[few])
    stage = make(calibrate=False)
    stage.fit(replace(data, labels=labels), Fitting())
    for split, window in (("train", "ranking"), ("validation", "validation")):
        n = np.count_nonzero(np.isin(data.batches[window].requests.request_id, rated))
        assert 0 < n < len(data.batches[window])
        assert len(lessons(stage)[split].features.offsets) == n + 1


def test_blocks_of_requests_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fitted()
    monkeypatch.setattr("mlsd.stages.rank.scoring.BLOCK", 7)
    blocks = fitted()
    assert {k: v.tobytes() for k, v in whole.state().items()} == {
        k: v.tobytes() for k, v in blocks.state().items()
    }


def test_click_prob_is_calibrated_at_the_first_position() -> None:
    """The mean click_prob of shown validation candidates is their mean weighted click."""
    stage = fitted(make(n_out=12))
    batch = SMALL.candidates(SMALL.log.window("validation").requests)
    out = stage(batch)
    weighted = SMALL.labels.of(out)
    shown = ~np.isnan(weighted)
    n = np.count_nonzero(shown)
    target = weighted[shown].mean() * (1 - 2 / (n + 2)) + 1 / (n + 2)
    assert out.candidates["click_prob"][shown].mean() == pytest.approx(target, rel=1e-3)
    assert np.all(np.diff(out.candidates["click_prob"][np.argsort(out.candidates["score"])]) >= 0)


def test_without_calibration_there_is_no_click_prob() -> None:
    stage = fitted(make(calibrate=False))
    assert stage.produces == {"candidate.score"}
    assert "candidate.click_prob" not in stage(TestRankKit().batch()).column_names


def test_declares_what_its_features_need() -> None:
    stage = make()
    assert stage.needs == FeatureSet(features()).needs
    assert stage.catalog_needs == {"title", "text", "category"}


def nothing_at_all() -> Labels:
    return Labels.of_pairs(*np.zeros((3, 0), np.int64))


def test_nothing_to_learn_is_refused() -> None:
    training = TestRankKit().training()
    nothing = Labels.of_pairs(SMALL.labels.request_id, SMALL.labels.item, 0 * SMALL.labels.label)
    with pytest.raises(InputError, match="nothing has been logged yet"):
        make().fit(replace(training, labels=None), Fitting())
    with pytest.raises(
        InputError, match=r"model, ranking window: all \d+ labels of candidates are 0; BCE learns"
    ):
        make().fit(replace(training, labels=nothing), Fitting())
    with pytest.raises(InputError, match="model, ranking window: no candidate has a label"):
        make(negatives=Negatives()).fit(replace(training, labels=nothing_at_all()), Fitting())
    equal = replace(SMALL.labels, label=np.ones_like(SMALL.labels.label))
    with pytest.raises(InputError, match=r"candidates are above 0; BCE learns from the difference"):
        make(negatives=Negatives()).fit(replace(training, labels=equal), Fitting())
    with pytest.raises(InputError, match="ranking window: no request has candidates of different labels"):
        make(loss=Softmax(), negatives=Negatives()).fit(replace(training, labels=equal), Fitting())


def test_calibration_needs_clicks() -> None:
    training = TestRankKit().training()
    silent = replace(SMALL.log, impressions=SMALL.log.impressions.drop(columns="click"))
    stage = Rank(4, LeastSquares, BCE(), {"bm25": Column("candidate.bm25_score")}, Negatives())
    with pytest.raises(InputError, match="click probabilities need the action 'click'"):
        stage.fit(replace(training, log=silent), Fitting())
    unseen = replace(SMALL.log, impressions=SMALL.log.impressions.iloc[:0])
    with pytest.raises(InputError, match="no candidate of the validation window was ever shown"):
        stage.fit(replace(training, log=unseen), Fitting())


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(answer: float) -> None:
    class Broken(Random):
        pass

    Broken.answer = answer
    with pytest.raises(InputError, match=r"the ranker gave .* (infinity or NaN|not finite)"):
        make(ranker=Broken).fit(TestRankKit().training(), Fitting())


def test_one_score_for_all_keeps_the_order_and_is_calibrated() -> None:
    class Constant(Random):
        answer = 3.0

    stage = fitted(make(ranker=Constant))
    batch = TestRankKit().batch()
    out = stage(batch)
    first, _ = ragged.first(batch.candidates.offsets, 4)
    assert np.array_equal(out.candidates.items, batch.candidates.items[first])
    assert len(set(out.candidates["click_prob"].tolist())) == 1


def test_a_score_is_the_mean_of_the_members_and_the_first_is_the_ranker_on_its_own() -> None:
    alone, three = make(ranker=Drawn), make(ranker=Drawn, n_members=3)
    for stage in (alone, three):
        stage.fit(TestRankKit().training(), Fitting(seed=5))
    features = three.features.transform(TestRankKit().batch())
    scores = [ranker.score(features) for ranker in three.fitted_rankers]
    assert np.array_equal(scores[0], alone.fitted_rankers[0].score(features))
    assert len({tuple(each) for each in scores}) == 3
    together = three.scored(TestRankKit().batch()).candidates["score"]
    assert together == pytest.approx(np.mean(scores, axis=0), abs=1e-6)


def test_members_have_curves_folders_and_names_of_their_own_and_the_first_alone_is_watched(
    tmp_path: Path,
) -> None:
    told: list[int] = []
    seen: list[Fitting] = []

    class Telling(Drawn):
        def fit(self, train: LabelledFeatures, validation: LabelledFeatures, fitting: Fitting) -> Curves:
            seen.append(fitting)
            return super().fit(train, validation, fitting)

    fitting = Fitting(folder=tmp_path, name="full_rank", watch=lambda epoch, _: told.append(epoch))
    curves = make(ranker=Telling, n_members=2).fit(TestRankKit().training(), fitting)
    assert list(curves) == ["ranker_1", "ranker_2"]
    assert [each.name for each in seen] == ["full_rank", "full_rank ranker_2"]
    assert [each.folder for each in seen] == [tmp_path, tmp_path / "ranker_2"]
    assert told == [0, 1]


def test_a_bad_n_out_is_named_and_an_unfitted_stage_refuses() -> None:
    with pytest.raises(InvalidValueError, match="n_out == 0, must be at least 1"):
        make(n_out=0)
    with pytest.raises(InvalidValueError, match="n_members == 0, must be at least 1"):
        make(n_members=0)
    with pytest.raises(NotFittedError, match="a rank stage was used before fit"):
        _ = make().fitted_rankers


def test_a_column_of_an_earlier_stage_is_replaced() -> None:
    stage = fitted()
    batch = TestRankKit().batch()
    out = stage(batch)
    assert out.candidates["score"].dtype == np.float32
    assert np.array_equal(out.candidates["bm25_score"].shape, out.candidates["score"].shape)
    assert same_batch(stage(RankingBatch(batch.requests, batch.candidates)), out)
