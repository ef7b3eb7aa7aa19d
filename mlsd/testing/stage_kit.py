"""What every stage must keep. Inherit `StageKit` and give it your stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from mlsd import ragged
from mlsd.errors import InputError, MlsdError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.funnel import missing_columns
from mlsd.stages.base import RequestStage, Stage, TrainingData
from mlsd.testing.small_log import SmallLog
from mlsd.types import Columns, RankingBatch

SMALL = SmallLog()
FITTING = Fitting(TrainerOptions(max_epochs=2, n_threads=1))


class StageKit(ABC):
    """Conformance tests of a stage that has a log to learn from."""

    learns: ClassVar[bool] = True
    """Whether it must be fitted before it works; False for one that goes by its options alone."""

    @abstractmethod
    def make(self) -> Stage:
        """The stage to test, not fitted."""

    def batch(self) -> RankingBatch:
        """What enters the stage at serving."""
        return SMALL.candidates(SMALL.requests.take(np.arange(0, len(SMALL.requests), 11)))

    def training(self) -> TrainingData:
        """What the stage is fitted on."""
        batches = {
            split: SMALL.candidates(SMALL.log.window(split).requests) for split in ("ranking", "validation")
        }
        return TrainingData(SMALL.catalog, SMALL.log, SMALL.labels, batches)

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Stage:
        """The stage, fitted once for all tests of the class."""
        kit = cls()
        stage = kit.make()
        stage.fit(kit.training(), FITTING)
        return stage

    def test_keeps_the_requests_and_produces_what_it_declares(self, stage: Stage) -> None:
        batch, out = self.batch(), stage(self.batch())
        assert np.array_equal(out.requests.request_id, batch.requests.request_id)
        assert stage.produces <= out.column_names

    def test_requests_without_candidates(self, stage: Stage) -> None:
        batch = self.batch()
        mask = batch.candidates.request_rows % 2 == 0
        some, whole = stage(batch.keep(mask)), stage(batch)
        if not stage.needs.isdisjoint({name for name in batch.column_names if name.startswith("candidate.")}):
            assert some.candidates.counts[1::2].sum() == 0
        assert same_batch(some.take(np.array([0])), whole.take(np.array([0])))

    def test_no_requests_at_all(self, stage: Stage) -> None:
        out = stage(self.batch().take(np.zeros(0, np.int64)))
        assert len(out) == 0
        assert stage.produces <= out.column_names

    def test_a_request_alone_is_ranked_the_same(self, stage: Stage) -> None:
        batch, together = self.batch(), stage(self.batch())
        for row in range(0, len(batch), 5):
            rows = np.array([row])
            assert same_batch(stage(batch.take(rows)), together.take(rows))

    def test_state_restores_every_bit(self, stage: Stage) -> None:
        state, restored = stage.state(), self.make()
        assert not [name for name, array in state.items() if array.dtype.hasobject]
        restored.load_state(state)
        assert same_batch(restored(self.batch()), stage(self.batch()))
        assert {name: array.tobytes() for name, array in restored.state().items()} == {
            name: array.tobytes() for name, array in state.items()
        }

    def test_the_same_seed_fits_the_same(self, stage: Stage) -> None:
        again = self.make()
        again.fit(self.training(), FITTING)
        assert same_batch(again(self.batch()), stage(self.batch()))

    def test_a_missing_column_is_named(self) -> None:
        stage = self.make()
        assert set(missing_columns({"stage": stage}, frozenset())) == ({"stage"} if stage.needs else set())
        for column in sorted(stage.needs - {f"request.{name}" for name in ("user", "session", "time_days")}):
            with pytest.raises(InputError, match=column):
                stage(_less(self.batch(), column))

    def test_each_piece_can_be_left_out(self, stage: Stage) -> None:
        assert all(all(piece.group.partition("/")) for piece in stage.pieces.values()), "<kind>/<name>"
        for name in stage.pieces if len(stage.pieces) > 1 else ():
            less = self.make().without({name})
            assert less.pieces.keys() == stage.pieces.keys() - {name}
            assert less.needs <= stage.needs
            assert less.produces <= stage.produces
        for wrong in ({"no such piece"}, set(stage.pieces)):
            if wrong:
                with pytest.raises(InputError, match=r"no piece|nothing left"):
                    stage.without(wrong)
                with pytest.raises(InputError, match=r"no piece|nothing left"):
                    stage.muted(wrong)

    def test_without_a_piece_it_is_fitted_and_makes_what_it_declares(self, stage: Stage) -> None:
        for name in list(stage.pieces)[:1] if len(stage.pieces) > 1 else ():
            less = self.make().without({name})
            less.fit(self.training(), FITTING)
            made = less(self.batch()).column_names
            assert less.produces <= made
            assert made - self.batch().column_names <= less.produces

    def test_a_piece_falls_silent_and_the_stage_stays_as_it_is(self, stage: Stage) -> None:
        batch, before = self.batch(), stage(self.batch())
        for name in stage.pieces if len(stage.pieces) > 1 else ():
            silent = stage.muted({name})
            assert silent.produces <= silent(batch).column_names
        assert same_batch(stage(batch), before)

    def test_what_learns_alone_learns_the_same_whatever_is_around_it(self, stage: Stage) -> None:
        if not stage.learns_alone:
            return
        first = set(list(stage.pieces)[:1]) if len(stage.pieces) > 1 else set()
        again = self.make().without(first)
        again.fit(replace(self.training(), batches={}), FITTING)
        assert same_batch(again(self.batch()), stage.muted(first)(self.batch()))

    def test_unfitted_it_refuses_or_has_nothing_to_learn(self, stage: Stage) -> None:
        if self.learns:
            with pytest.raises(MlsdError):
                self.make()(self.batch())
        else:
            assert same_batch(self.make()(self.batch()), stage(self.batch()))


class CandidateStageKit(StageKit):
    """Conformance tests of a stage that finds, narrows or orders candidates."""

    n_out: int = 4
    """What `make` is told to pass on."""

    def test_passes_on_n_out_at_most(self, stage: Stage) -> None:
        assert self.make().n_out == self.n_out
        assert stage(self.batch()).candidates.counts.max() <= self.n_out

    def test_best_come_first(self, stage: Stage) -> None:
        candidates = stage(self.batch()).candidates
        assert "candidate.score" in stage.produces
        assert np.array_equal(
            ragged.order(candidates["score"], candidates.offsets), np.arange(len(candidates))
        )

    def test_an_item_comes_once_for_a_request(self, stage: Stage) -> None:
        candidates = stage(self.batch()).candidates
        pairs = np.stack([candidates.request_rows, candidates.items], axis=1)
        assert len(np.unique(pairs, axis=0)) == len(pairs)


class RequestStageKit(StageKit):
    """Conformance tests of a stage that works on requests alone."""

    truth: ClassVar[Columns] = {}
    """What is true of the kit's requests, as `World.truth_of` would have it; see `SmallLog`."""

    def batch(self) -> RankingBatch:
        return RankingBatch.of(super().batch().requests)

    def training(self) -> TrainingData:
        whole = super().training()
        batches = {split: RankingBatch.of(batch.requests) for split, batch in whole.batches.items()}
        return replace(whole, batches=batches)

    def test_leaves_candidates_alone(self, stage: Stage) -> None:
        batch = StageKit.batch(self)
        assert stage.n_out is None
        out = stage(batch).candidates
        assert np.array_equal(out.items, batch.candidates.items)
        assert np.array_equal(out.offsets, batch.candidates.offsets)

    def test_nothing_is_judged_without_truth(self, stage: Stage) -> None:
        assert isinstance(stage, RequestStage)
        batch = self.batch()
        judged = stage.judge(batch.requests, stage(batch).requests, {})
        assert not judged.figures
        assert not judged.predictions

    def test_judges_every_request(self, stage: Stage) -> None:
        assert isinstance(stage, RequestStage)
        batch = self.batch()
        truth = {name: column[: len(batch)] for name, column in self.truth.items()}
        judged = stage.judge(batch.requests, stage(batch).requests, truth)
        assert {len(figure.terms) for figure in judged.figures.values()} <= {len(batch)}
        assert {len(predictions) for predictions in judged.predictions.values()} <= {len(batch)}


def same_batch(one: RankingBatch, other: RankingBatch) -> bool:
    """Whether two batches hold the same requests and candidates with the same columns, to the last bit."""
    of_candidates = one.candidates.named_columns(), other.candidates.named_columns()
    of_requests = one.requests.named_columns(), other.requests.named_columns()
    offsets = {"offsets": one.candidates.offsets}, {"offsets": other.candidates.offsets}
    return all(_same_columns(*both) for both in (of_candidates, of_requests, offsets))


def _same_columns(mine: Columns, yours: Columns) -> bool:
    return mine.keys() == yours.keys() and all(
        mine[name].tolist() == yours[name].tolist()
        if mine[name].dtype.hasobject
        else mine[name].tobytes() == yours[name].tobytes()
        for name in mine
    )


def _less(batch: RankingBatch, column: str) -> RankingBatch:
    owner, _, name = column.partition(".")
    requests, candidates = batch.requests, batch.candidates
    if owner == "request":
        kept = {key: values for key, values in requests.columns.items() if key != name}
        return RankingBatch(replace(requests, columns=kept), candidates)
    kept = {key: values for key, values in candidates.columns.items() if key != name}
    return RankingBatch(requests, replace(candidates, columns=kept))
