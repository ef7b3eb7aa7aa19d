"""A market that knows every probability: rules of selling are tried on it without the errors of models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd.ad_server import AdServer, Market
from mlsd.auctions.base import Auction
from mlsd.fitting import Curves, Fitting
from mlsd.funnel import Funnel
from mlsd.pacing.base import Pacer
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import Stage, TrainingData
from mlsd.stages.target import Target
from mlsd.types import RankingBatch, State
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.visits.base import HOURS

N_POSITIONS = 4
FREQUENCY_CAP = 6


class Known(Stage):
    """Adds the true `click_prob` and `click_value` of every candidate, to somebody who has seen nothing yet.

    Args:
        world: whose truth it is.
    """

    def __init__(self, world: AdsWorld) -> None:
        self.world = world

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.page_category"})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.click_prob", "candidate.click_value"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        rows, items = batch.candidates.request_rows, batch.candidates.items
        probs = self.world.probs(batch.requests, rows, items, np.zeros(len(items)))
        value = self.world.worth(items, probs)
        columns = {"click_prob": probs.click, "click_value": value}
        return RankingBatch(batch.requests, batch.candidates.with_columns(**columns))

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """There is nothing to take over."""


def known_funnel(world: AdsWorld, auction: Auction) -> Funnel:
    """Targeting, the truth, and an auction that knows how positions are looked at."""
    keys = {
        "region": len(world.audience.region_shares),
        "age_band": len(world.audience.age_shares),
        "audience": world.n_categories,
        "hour": HOURS,
    }
    target = Target(len(world.catalog), keys, action_prob=1.0)
    target.fit(TrainingData(world.catalog), Fitting())
    looked = world.examination_prob(N_POSITIONS)
    sell = AuctionStage(N_POSITIONS, auction, (looked / looked[0]).tolist())
    return Funnel({"target": target, "known": Known(world), "auction": sell})


def known_server(world: AdsWorld, auction: Auction, pacer: Pacer) -> AdServer:
    """An ad server of one world that knows it."""
    market = Market(pacer=pacer, frequency_cap=FREQUENCY_CAP, traffic=world.audience.hour_shares)
    return AdServer(known_funnel(world, auction), world.catalog, market)
