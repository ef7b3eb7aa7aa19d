"""A rank stage whose ranker reads what its users did last."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from mlsd.features.columns import Column
from mlsd.features.item import ItemCategory
from mlsd.features.statistics.recent import RecentItems
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.logs import served_of
from mlsd.losses.bce import BCE
from mlsd.rankers.mlp import MLP
from mlsd.stages.base import TrainingData
from mlsd.stages.rank import Rank
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import CandidateStageKit
from mlsd.types import FeatureSpec, History

SMALL = SmallLog()


def make(n_out: int = 4) -> Rank:
    features = {
        "bm25": Column("candidate.bm25_score"),
        "clicked": RecentItems("click", "category", length=3, like="category"),
        "category": ItemCategory(),
        "sources": RecentItems("click", "source", length=2),
    }
    return Rank(n_out, partial(MLP, hidden=[8], embedding_dim=4, attention=[4]), BCE(), features)


class TestRankWithHistoriesKit(CandidateStageKit):
    def make(self) -> Rank:
        return make(self.n_out)


def fitted(stage: Rank) -> Rank:
    batches = {
        split: SMALL.candidates(SMALL.log.window(split).requests) for split in ("ranking", "validation")
    }
    data = TrainingData(SMALL.catalog, SMALL.log, SMALL.labels, batches)
    stage.fit(data, Fitting(TrainerOptions(max_epochs=2, batch_rows=200, n_threads=1)))
    return stage


def test_a_redesign_without_the_category_gives_the_history_its_own_embeddings() -> None:
    whole, less = make(), make().without({"category"})
    assert set(whole.pieces) == {"bm25", "clicked", "category", "sources"}
    assert whole.pieces["clicked"].group == "features/user_item"
    spec = fitted(less).features.spec
    assert spec == FeatureSpec(("bm25",), {}, {"clicked": History(3, 4), "sources": History(2, 5)})


def test_muted_histories_change_scores_and_nothing_that_was_learnt() -> None:
    stage = fitted(make())
    batch = SMALL.candidates(SMALL.log.window("test").requests)
    scores = stage.scored(batch).candidates["score"]
    silent = stage.muted({"clicked", "sources"}).scored(batch).candidates["score"]
    assert not np.array_equal(silent, scores)
    assert np.array_equal(stage.scored(batch).candidates["score"], scores)
    strangers = replace(batch.requests, user=np.full(len(batch), 10_000))
    unknown = stage.scored(replace(batch, requests=strangers)).candidates["score"]
    assert np.array_equal(unknown, silent), "who is unknown has no history"


def test_what_was_observed_changes_later_scores_alone() -> None:
    """The last day of the log again, two days later."""
    stage, last = fitted(make()), SMALL.requests.day == 15
    served = served_of(SMALL.log).take(last)
    asked, n = served.requests, len(SMALL.requests)
    later = replace(asked, request_id=asked.request_id + 7 * n, time_days=asked.time_days + 2)
    newer = stage.observed(replace(served, requests=later))
    before, after = SMALL.candidates(SMALL.log.window("test").requests), SMALL.candidates(later)
    scores = [one.scored(batch).candidates["score"] for one in (stage, newer) for batch in (before, after)]
    assert np.array_equal(scores[0], scores[2])
    assert not np.array_equal(scores[1], scores[3])
