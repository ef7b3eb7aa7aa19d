"""GSP or VCG? What they earn once advertisers have answered each other's bids.

    python experiments/gsp_or_vcg.py

At the same bids GSP never earns less than VCG, so what matters is how bidders answer. Under VCG bidding
one's value is best whatever others do. Under GSP it is not: two answers are tried on the auctions of a day.

- one bid an auction: best responses until nobody wants to move, to the lowest envy-free equilibrium;
- one factor a campaign: each campaign bids the same share of its value everywhere, and moves to the share
  that gains it most until nobody wants to move. That is what advertisers can really do.

Ten worlds whose seeds were fixed before the first run; expected then: one bid an auction earns what VCG does,
as the theory has it, and one factor a campaign no less. All probabilities are known; budgets are left out.
Differences are from VCG, paired by world, with Student's t intervals. Results are written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlsd import ragged
from mlsd.auctions.base import Auction, Bids
from mlsd.auctions.equilibrium import balanced_bids
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.estimators.worlds import OverWorlds, over_worlds
from mlsd.store import write_json, write_text
from mlsd.testing.known_market import N_POSITIONS, known_funnel
from mlsd.types import Array, Floats, Ints, RankingBatch
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

SEEDS = tuple(range(421, 431))
FACTORS = np.round(np.arange(0.1, 1.01, 0.1), 1)
MAX_ROUNDS = 20

VCG_TRUTHFUL, GSP_TRUTHFUL = "VCG, all bid their value", "GSP, all bid their value"
GSP_AUCTION, GSP_CAMPAIGN = "GSP, one bid an auction", "GSP, one factor a campaign"
ARMS = (VCG_TRUTHFUL, GSP_TRUTHFUL, GSP_AUCTION, GSP_CAMPAIGN)
SHOWN = ("revenue", "gain")


@dataclass(frozen=True)
class Settings:
    """How large the worlds are."""

    n_users: int = 1000
    n_campaigns: int = 200


class Market(NamedTuple):
    """The auctions of a day."""

    values: Bids
    """Bids of those who bid what a click is worth to them."""
    campaign: Ints
    """(n_candidates,) whose ad it is."""
    multipliers: Floats


def market_of(world: AdsWorld) -> Market:
    """Every page of day 0, at the truth."""
    stages = list(known_funnel(world, GSP()).stages.values())[:-1]
    batch = RankingBatch.of(world.arrivals(np.arange(world.n_users), 0, world.first_state()))
    for stage in stages:
        batch = stage(batch)
    found = batch.candidates
    looked = world.examination_prob(N_POSITIONS)
    values = Bids(found.offsets, found["click_value"], found["click_prob"])
    return Market(values, world.all_ads.campaign[found.items], looked / looked[0])


def one_world(settings: Settings, seed: int) -> dict[str, dict[str, float]]:
    """Arm -> what a thousand pages bring in, and what advertisers gain by them."""
    world = AdsWorld(
        seed=seed, n_users=settings.n_users, n_campaigns=settings.n_campaigns, click_model=PositionBased()
    )
    market = market_of(world)
    answered = balanced_bids(GSP(), market.values, market.multipliers).bid
    factors = shared_factors(market)
    return {
        VCG_TRUTHFUL: outcome(VCG(), market, market.values.bid),
        GSP_TRUTHFUL: outcome(GSP(), market, market.values.bid),
        GSP_AUCTION: outcome(GSP(), market, answered),
        GSP_CAMPAIGN: {
            **outcome(GSP(), market, factors[market.campaign] * market.values.bid),
            "factor": float(factors[np.unique(market.campaign)].mean()),
            "regret": regret(market, factors),
        },
    }


def outcome(auction: Auction, market: Market, bid: Floats) -> dict[str, float]:
    """What comes of these bids, for a thousand pages."""
    sold = auction(replace(market.values, bid=bid), market.multipliers)
    clicks = _clicks(market, sold.winners)
    worth = np.where(sold.filled, market.values.bid[sold.winners], 0.0)
    n_pages = market.values.n_requests
    revenue = float(sold.expected_payment.sum())
    return {
        "revenue": 1000 * revenue / n_pages,
        "gain": 1000 * (float((clicks * worth).sum()) - revenue) / n_pages,
    }


def _clicks(market: Market, winners: Ints) -> Floats:
    """(n_requests, n_positions) P(click) of what stands there."""
    return np.where(winners >= 0, market.values.quality[winners], 0.0) * market.multipliers


def shared_factors(market: Market) -> Floats:
    """(n_campaigns,) what share of its value each bids, after best responses in turn.

    Where nobody wants another one of `FACTORS` it ends; else after `MAX_ROUNDS`. See `regret`.
    """
    factor, pages = np.ones(1 + int(market.campaign.max())), _pages(market)
    for _ in range(MAX_ROUNDS):
        before = factor.copy()
        for campaign, there in pages.items():
            factor[campaign] = FACTORS[int(np.argmax(gains(market, factor, campaign, there)))]
        if np.array_equal(before, factor):
            break
    return factor


def regret(market: Market, factor: Floats) -> float:
    """What campaigns could still gain by moving, each by itself, as a share of what they gain."""
    best, now = 0.0, 0.0
    for campaign, there in _pages(market).items():
        gained = gains(market, factor, campaign, there)
        best += float(gained.max())
        now += float(gained[factor[campaign] == FACTORS][0])
    return (best - now) / now


def _pages(market: Market) -> dict[int, Array]:
    """Campaign -> the pages that its ads may be shown on."""
    request = ragged.segment_ids(market.values.offsets)
    return {
        campaign: np.unique(request[market.campaign == campaign])
        for campaign in np.unique(market.campaign).tolist()
    }


def gains(market: Market, factor: Floats, campaign: int, there: Array) -> Floats:
    """(n_factors,) what a campaign gains on these pages by each factor, others as they are."""
    taken, offsets = ragged.take_segments(market.values.offsets, there)
    own = market.campaign[taken] == campaign
    value, quality = market.values.bid[taken], market.values.quality[taken]
    others = value * factor[market.campaign[taken]]
    bid = np.where(own, FACTORS[:, None] * value, others).ravel()
    n = len(FACTORS)
    counts = np.tile(np.diff(offsets), n)
    sold = GSP()(Bids(ragged.offsets_of_counts(counts), bid, np.tile(quality, n)), market.multipliers)
    mine = sold.filled & np.tile(own, n)[sold.winners]
    clicks = np.tile(quality, n)[sold.winners] * market.multipliers
    gain = np.where(mine, clicks * (np.tile(value, n)[sold.winners] - sold.price_per_click), 0.0)
    return np.asarray(gain.sum(axis=1).reshape(n, -1).sum(axis=1))


def figures(worlds: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, OverWorlds]]:
    """Arm -> metric -> its figure."""
    values = {arm: {name: np.array([world[arm][name] for world in worlds]) for name in SHOWN} for arm in ARMS}
    base = values[VCG_TRUTHFUL]
    return {arm: {name: over_worlds(of[name], base[name]) for name in SHOWN} for arm, of in values.items()}


HEAD = """# GSP or VCG?

Made by `experiments/gsp_or_vcg.py`. Worlds of seeds {seeds}, fixed before the first run: {n_users:,}
people, {n_campaigns} campaigns, every page of a day, {n_positions} positions. All probabilities are known;
budgets are left out. Means over the worlds for a thousand pages; differences are from VCG, paired by world,
with 95% intervals.

| | revenue | difference | gain of advertisers | difference |
|---|---|---|---|---|
"""


def as_markdown(
    found: Mapping[str, Mapping[str, OverWorlds]], factor: float, left: float, settings: Settings
) -> str:
    """The figures as a table."""
    seeds = f"{SEEDS[0]} to {SEEDS[-1]}"
    head = HEAD.format(seeds=seeds, n_positions=N_POSITIONS, **asdict(settings))
    rows = [f"| {arm} | " + " | ".join(_cells(arm, found[arm])) + " |\n" for arm in ARMS]
    still = f"moving on, each by itself, they could gain {left:.2%} more"
    note = f"With one factor, campaigns bid {factor:.2f} of their value on average; {still}."
    return f"{head}{''.join(rows)}\n{note}\n"


def _cells(arm: str, of_arm: Mapping[str, OverWorlds]) -> list[str]:
    cells = []
    for name in SHOWN:
        value, difference, low, high = of_arm[name]
        moved = "" if arm == VCG_TRUTHFUL else f"{difference:+.2f} [{low:+.2f}, {high:+.2f}]"
        cells += [f"{value:.2f}", moved]
    return cells


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-users", type=int, default=Settings().n_users)
    parser.add_argument("--n-campaigns", type=int, default=Settings().n_campaigns)
    parser.add_argument("--n-processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    settings = Settings(options.n_users, options.n_campaigns)
    with ProcessPoolExecutor(options.n_processes, get_context("spawn")) as pool:
        worlds = list(pool.map(partial(one_world, settings), SEEDS))
    found = figures(worlds)
    factor = float(np.mean([world[GSP_CAMPAIGN]["factor"] for world in worlds]))
    left = float(np.mean([world[GSP_CAMPAIGN]["regret"] for world in worlds]))
    plain = {arm: {name: of[name]._asdict() for name in SHOWN} for arm, of in found.items()}
    facts = {"factor": factor, "regret": left, "figures": plain}
    write_json(options.out / "gsp_or_vcg.json", {"seeds": SEEDS, **asdict(settings), **facts})
    write_text(options.out / "gsp_or_vcg.md", as_markdown(found, factor, left, settings))


if __name__ == "__main__":
    main()
