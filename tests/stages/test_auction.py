from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.auctions.base import Auction, Bids
from mlsd.auctions.first_price import FirstPrice
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.errors import InputError, InvalidValueError
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import Stage
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import RankingBatch

SMALL = SmallLog()
MULTIPLIERS = (1.0, 0.8, 0.6, 0.4)


def with_offers(batch: RankingBatch) -> RankingBatch:
    keys = np.repeat(batch.requests.request_id, batch.candidates.counts), batch.candidates.items
    value, prob = (rng.uniform(3, name, *keys) for name in ("value", "prob"))
    return RankingBatch(batch.requests, batch.candidates.with_columns(click_value=value, click_prob=prob))


def some(n: int = 40) -> RankingBatch:
    return with_offers(SMALL.candidates(SMALL.requests.take(np.arange(n))))


class TestAuctionStage(CandidateStageKit):
    learns = False

    def make(self) -> AuctionStage:
        return AuctionStage(self.n_out, GSP(), MULTIPLIERS)

    def batch(self) -> RankingBatch:
        return with_offers(super().batch())


@pytest.mark.parametrize("auction", [GSP(0.1), VCG(0.1), FirstPrice(0.1)])
def test_it_sells_as_the_auction_does(auction: Auction) -> None:
    batch = some()
    candidates = batch.candidates
    outcome = auction(
        Bids(candidates.offsets, candidates["click_value"], candidates["click_prob"]), np.array(MULTIPLIERS)
    )
    sold = AuctionStage(4, auction, MULTIPLIERS)(batch).candidates
    for row in range(len(batch)):
        winners = [winner for winner in outcome.winners[row].tolist() if winner >= 0]
        mine = slice(sold.offsets[row], sold.offsets[row + 1])
        assert sold.items[mine].tolist() == candidates.items[winners].tolist()
        assert sold["price_per_click"][mine].tolist() == outcome.price_per_click[row, : len(winners)].tolist()
    assert np.all(sold["price_per_click"] <= sold["click_value"])


def test_who_may_not_take_part_wins_nothing_and_sets_no_price() -> None:
    batch = some()
    best = AuctionStage(1, GSP(), (1.0,))(batch).candidates.items
    stage = AuctionStage(1, GSP(), (1.0,))
    others = batch.candidates.items != best[batch.candidates.request_rows]
    without = stage.sold(batch, batch.candidates["click_value"], others)
    alone = stage(batch.keep(others))
    assert without.candidates.items.tolist() == alone.candidates.items.tolist()
    assert without.candidates["price_per_click"].tolist() == alone.candidates["price_per_click"].tolist()


def test_bids_alone_decide_where_quality_is_unknown() -> None:
    batch = some()
    sold = AuctionStage(4, GSP(), MULTIPLIERS, quality=None)(batch)
    highest = batch.top(batch.candidates["click_value"], 4)
    assert sold.candidates.items.tolist() == highest.candidates.items.tolist()


def test_nobody_reaches_the_reserve() -> None:
    sold = AuctionStage(4, GSP(reserve=2.0), MULTIPLIERS)(some())
    assert sold.candidates.counts.tolist() == [0] * 40
    assert len(sold.slates(4).items) == 40


def test_a_bid_that_is_none_is_refused() -> None:
    batch = some(2)
    with pytest.raises(InputError, match=r"bid\[0\] == -1.0, must be finite and at least 0"):
        TestAuctionStage().make().sold(batch, np.full(len(batch.candidates), -1.0))


def test_every_position_has_a_multiplier() -> None:
    with pytest.raises(
        InvalidValueError, match=r"multipliers == \[1.0, 0.5\], must be one for each of n_out"
    ):
        AuctionStage(3, GSP(), (1.0, 0.5))
    stage: Stage = AuctionStage(2, GSP(), (1.0, 0.5))
    assert stage.fit(TestAuctionStage().training(), FITTING) == {}


def test_on_other_terms_it_is_as_if_made_for_them() -> None:
    stage = AuctionStage(4, VCG(0.1, "score"), MULTIPLIERS)
    expected = AuctionStage(2, VCG(0.2, "score"), MULTIPLIERS[:2])(some()).candidates
    found = stage.on_terms(0.2, 2)(some()).candidates
    for name, column in expected.named_columns().items():
        np.testing.assert_array_equal(found[name], column)
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    with pytest.raises(InvalidValueError, match=r"n_out == 5, must be between 1 and 4"):
        stage.on_terms(0.2, 5)
