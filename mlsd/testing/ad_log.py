"""What a small ads world logged, where clicks and conversions are more frequent than usual."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from mlsd.features.base import Feature
from mlsd.features.context import UserCategory
from mlsd.features.item import ItemCategory
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.serving import Explore, collect_log
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.testing.stage_kit import FITTING
from mlsd.types import Floats, RankingBatch
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.ads.responses import ResponseOptions
from mlsd.worlds.click_models.pbm import PositionBased

KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
SPLIT_DAYS = {"retrieval": 1, "ranking": 4, "validation": 2, "test": 1}
OFTEN = ResponseOptions(click_logit=-2.0, conversion_logit=-1.5)
"""More clicks and conversions than usual, so that small worlds have enough of them."""

_NOTHING = np.zeros(0, np.int64)


class AdLog(NamedTuple):
    """A world, its targeting, and what it logged."""

    world: AdsWorld
    target: Target
    log: Log

    def candidates(self, split: str, every: int = 1) -> RankingBatch:
        """What is targeted at every so many requests of a window."""
        requests = self.log.window(split).requests
        return self.target(RankingBatch.of(requests.take(np.arange(0, len(requests), every))))

    def training(self, labels: Labels | None = None) -> TrainingData:
        """What a stage behind the targeting is fitted on."""
        batches = {split: self.candidates(split) for split in ("ranking", "validation")}
        none = Labels.of_pairs(_NOTHING, _NOTHING, _NOTHING)
        return TrainingData(self.world.catalog, self.log, labels or none, batches)

    def probs(self, batch: RankingBatch) -> tuple[Floats, Floats]:
        """The true P(click) of every candidate at the first position and P(conversion | click).

        Both to somebody who has seen nothing yet.
        """
        items = batch.candidates.items
        nothing_seen = np.zeros(len(items))
        probs = self.world.probs(batch.requests, batch.candidates.request_rows, items, nothing_seen)
        return probs.click, probs.conversion


@cache
def ad_log(seed: int, n_users: int, responses: ResponseOptions = OFTEN) -> AdLog:
    """Eight days, half of whose slates are shuffled."""
    world = AdsWorld(
        seed=seed, n_users=n_users, n_campaigns=80, responses=responses, click_model=PositionBased()
    )
    target = Target(20, KEYS, 0.1)
    target.fit(TrainingData(world.catalog), FITTING)
    policy = Explore(lambda requests: target(RankingBatch.of(requests)), 4, 0.5, 20, seed)
    log, _ = collect_log(world, policy, sum(SPLIT_DAYS.values()), SPLIT_DAYS, 100.0)
    return AdLog(world, target, log)


def ad_features() -> dict[str, Feature | None]:
    """Of the person and of the ad."""
    return {"audience": UserCategory("audience"), "category": ItemCategory("category")}
