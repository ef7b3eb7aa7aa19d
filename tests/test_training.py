"""Stages are fitted in order, each on what those before it pass on, and never twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlsd.features.columns import Column
from mlsd.features.text.overlap import TermCoverage
from mlsd.fitting import Curves, Fitting, TrainerOptions
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.logistic_regression import LogisticRegression
from mlsd.rankers.mlp import MLP
from mlsd.retrievers.bm25 import BM25
from mlsd.retrievers.popularity import Popularity
from mlsd.serving import BLOCK
from mlsd.stages.base import CandidateStage, Stage, TrainingData
from mlsd.stages.rank import Rank
from mlsd.stages.retrieve import Retrieve
from mlsd.store import Store
from mlsd.testing.small_log import SmallLog
from mlsd.training import FittedFunnel, Lessons, fit_funnel, stage_in_blocks
from mlsd.types import RankingBatch, Requests, State, concat_requests

SMALL = SmallLog()
LESSONS = Lessons(SMALL.catalog, SMALL.log, SMALL.labels, "key of the log")


class Find(CandidateStage):
    """Finds the same candidates for everybody, and knows what it was fitted with."""

    needs = produces = frozenset()

    def __init__(self, n_out: int, broken: object = None) -> None:
        super().__init__(n_out)
        self.broken = broken
        self.fitted_with: list[tuple[TrainingData, Fitting]] = []
        self.seed = np.zeros(0, np.int64)

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        if isinstance(self.broken, Exception):
            raise self.broken
        self.fitted_with.append((data, fitting))
        self.seed = np.array([fitting.seed])
        return {"model": Curves((0.5,), (0.25,))}

    def process(self, batch: RankingBatch) -> RankingBatch:
        found = batch if len(batch.candidates) else SMALL.candidates(batch.requests)
        return found.first(self.n_out)

    def state(self) -> State:
        return {"seed": np.array([{}], dtype=object) if self.broken == "objects" else self.seed}

    def load_state(self, state: State) -> None:
        self.seed = state["seed"]


def fitted(
    stages: Mapping[str, Stage], store: Path, fitting: Fitting | None = None, **configs: int
) -> FittedFunnel:
    known = {name: configs.get(name, 0) for name in stages}
    return fit_funnel(stages, known, LESSONS, fitting or Fitting(), Store(store))


def finds(*n_out: int) -> dict[str, Stage]:
    return {f"stage{row}": Find(n) for row, n in enumerate(n_out)}


def n_fits(stages: Mapping[str, Stage]) -> list[int]:
    return [len(stage.fitted_with) for stage in stages.values() if isinstance(stage, Find)]


def learnt_from(stage: Stage) -> tuple[TrainingData, Fitting]:
    assert isinstance(stage, Find)
    (once,) = stage.fitted_with
    return once


def test_each_stage_learns_on_what_the_ones_before_pass_on(tmp_path: Path) -> None:
    stages = finds(8, 3, 2)
    fitted(stages, tmp_path)
    for stage, n_before in zip(stages.values(), (0, 8, 3), strict=True):
        data, _ = learnt_from(stage)
        assert set(data.batches) == {"ranking", "validation"}
        for split, batch in data.batches.items():
            assert batch.requests.request_id.tolist() == SMALL.log.window(split).requests.request_id.tolist()
            assert (batch.candidates.counts == n_before).all()


def test_a_stage_has_its_own_name_folder_and_seed(tmp_path: Path) -> None:
    stages = finds(8, 3)
    fitted(stages, tmp_path, Fitting(seed=5))
    own = [learnt_from(stage)[1] for stage in stages.values()]
    assert [fitting.name for fitting in own] == ["stage0", "stage1"]
    assert len({fitting.seed for fitting in own} | {5}) == 3
    assert len({fitting.folder for fitting in own}) == 2


def test_the_seed_is_that_of_the_name_and_not_of_the_place(tmp_path: Path) -> None:
    """A funnel that skips a stage fits the others from the same streams."""
    both, alone = finds(8, 3), finds(8, 3)
    del alone["stage0"]
    fitted(both, tmp_path)
    fitted(alone, tmp_path)
    assert learnt_from(both["stage1"])[1].seed == learnt_from(alone["stage1"])[1].seed


def test_what_was_fitted_is_taken_from_the_store(tmp_path: Path) -> None:
    first, second = finds(8, 3), finds(8, 3)
    one, other = fitted(first, tmp_path), fitted(second, tmp_path)
    assert (n_fits(first), n_fits(second)) == ([1, 1], [0, 0])
    assert one.fingerprint == other.fingerprint
    assert one.folders == other.folders
    assert one.curves == other.curves == {key: {"model": Curves((0.5,), (0.25,))} for key in first}
    for name in first:
        np.testing.assert_array_equal(first[name].state()["seed"], second[name].state()["seed"])


def test_a_change_refits_a_stage_and_those_after_it(tmp_path: Path) -> None:
    fitted(finds(8, 4, 3), tmp_path)
    changed = finds(8, 4, 3)
    fitted(changed, tmp_path, stage1=1)
    assert n_fits(changed) == [0, 1, 1]


@pytest.mark.parametrize(
    "fitting", [Fitting(seed=1), Fitting(TrainerOptions(max_epochs=3)), Fitting(TrainerOptions(n_threads=1))]
)
def test_how_it_is_fitted_is_part_of_the_key(tmp_path: Path, fitting: Fitting) -> None:
    fitted(finds(8, 3), tmp_path)
    changed = finds(8, 3)
    fitted(changed, tmp_path, fitting)
    assert n_fits(changed) == [1, 1]


def test_a_stage_that_fails_keeps_those_before_it(tmp_path: Path) -> None:
    broken = {**finds(8), "stage1": Find(3, ZeroDivisionError("half way"))}
    with pytest.raises(ZeroDivisionError, match="half way"):
        fitted(broken, tmp_path)
    mended = finds(8, 3)
    fitted(mended, tmp_path)
    assert n_fits(mended) == [0, 1]


def test_a_state_of_objects_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        fitted({"stage0": Find(3, "objects")}, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_a_log_there_is_nothing_to_pass_on(tmp_path: Path) -> None:
    stages = finds(3)
    fit_funnel(stages, {"stage0": 0}, Lessons(SMALL.catalog, None, None, "key"), Fitting(), Store(tmp_path))
    assert learnt_from(stages["stage0"])[0].batches == {}


@pytest.mark.parametrize("n_requests", [0, 1, BLOCK, BLOCK + 1])
def test_blocks_change_nothing(n_requests: int) -> None:
    requests = _repeated(n_requests)
    stage = Find(3)
    whole, blocks = (work(RankingBatch.of(requests)) for work in (stage, partial(stage_in_blocks, stage)))
    np.testing.assert_array_equal(blocks.candidates.items, whole.candidates.items)
    np.testing.assert_array_equal(blocks.candidates.offsets, whole.candidates.offsets)


def _repeated(n: int) -> Requests:
    twice = concat_requests([SMALL.requests, SMALL.requests])
    return twice.take(np.arange(n))


class PlugPulledError(Exception):
    """Somebody pulls the plug."""


class Plug:
    """Progress that stops a training after some epochs of one of its models."""

    def __init__(self, name: str, after: int) -> None:
        self.name, self.after = name, after
        self.told: list[tuple[str, int]] = []

    def __call__(self, done: int, total: int, what: str) -> None:
        self.told.append((what, done))
        if (what, done) == (self.name, self.after):
            raise PlugPulledError


def real_stages() -> dict[str, Stage]:
    """A small funnel whose rankers are trained by Lightning."""
    bm25, fused = Column("candidate.bm25_score"), Column("candidate.score")
    return {
        "retrieve": Retrieve(30, {"bm25": BM25(), "popularity": Popularity()}),
        "light_rank": Rank(20, LogisticRegression, BCE(), {"bm25": bm25, "fused": fused}),
        "full_rank": Rank(
            10, partial(MLP, hidden=(8,)), Softmax(), {"bm25": bm25, "coverage": TermCoverage("title")}
        ),
    }


def options(logger: str = "none") -> TrainerOptions:
    return TrainerOptions(max_epochs=4, patience=4, batch_rows=256, n_threads=1, logger=logger)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> FittedFunnel:
    return fitted(real_stages(), tmp_path_factory.mktemp("whole"), Fitting(options()))


def same(one: FittedFunnel, other: FittedFunnel) -> Iterator[bool]:
    yield one.curves == other.curves
    for mine, theirs in zip(one.funnel.stages.values(), other.funnel.stages.values(), strict=True):
        for name, array in mine.state().items():
            yield np.array_equal(array, theirs.state()[name])


@pytest.mark.parametrize(("model", "epochs"), [("light_rank", 2), ("full_rank", 1), ("full_rank", 4)])
def test_a_training_that_was_cut_off_goes_on_to_the_same_weights(
    tmp_path: Path, whole: FittedFunnel, model: str, epochs: int
) -> None:
    with pytest.raises(PlugPulledError):
        fitted(real_stages(), tmp_path, Fitting(options(), progress=Plug(model, epochs)))
    assert len(list((tmp_path / "unfinished").rglob("last.ckpt"))) == 1
    plug = Plug("nothing", 0)
    resumed = fitted(real_stages(), tmp_path, Fitting(options(), progress=plug))
    assert all(same(resumed, whole))
    done = [epoch for name, epoch in plug.told if name == model]
    assert done == list(range(epochs + 1, 5)), "epochs before the checkpoint are not run again"
    assert not list((tmp_path / "unfinished").rglob("*.ckpt"))


def test_logs_of_a_training_are_kept_with_its_stage(tmp_path: Path, whole: FittedFunnel) -> None:
    logged = fitted(real_stages(), tmp_path, Fitting(options("csv")))
    assert all(same(logged, whole)), "a logger changes nothing"
    for name in ("light_rank", "full_rank"):
        table = pd.read_csv(logged.folders[name] / "csv" / "metrics.csv")
        curve = logged.curves[name]["ranker"]
        np.testing.assert_allclose(table["train_loss"], curve.train, rtol=1e-6)
        np.testing.assert_allclose(table["validation_loss"], curve.validation, rtol=1e-6)
    assert sorted(path.name for path in logged.folders["retrieve"].iterdir()) == ["curves.json", "state.npz"]


def test_tensorboard_logs_are_kept_too(tmp_path: Path) -> None:
    logged = fitted(real_stages(), tmp_path, Fitting(options("tensorboard")))
    for name in ("light_rank", "full_rank"):
        (events,) = (logged.folders[name] / "tensorboard").glob("events.out.tfevents.*")
        assert b"validation_loss" in events.read_bytes()
