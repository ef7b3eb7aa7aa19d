"""What the ads world is like: ads at random, and the best ads for everybody.

    python experiments/ads_world.py

Both are shown without any budget, and each campaign pays its bid. What comes out is written to
`experiments/results/`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.ad_server import wanted
from mlsd.serving import serve
from mlsd.store import write_text
from mlsd.types import NO_ITEM, Floats, Requests, Served, Slates
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

SEED, N_DAYS, N_POSITIONS = 0, 4, 4
LATENCY_MS = 100.0


@dataclass(frozen=True)
class Knowing:
    """Shows the ads of highest grade, or any that are eligible.

    Args:
        world: whose truth it is.
        at_random: whether to show any.
    """

    world: AdsWorld
    at_random: bool

    def rank(self, requests: Requests) -> Slates:
        order = self._order(requests)
        items = np.argsort(-order, axis=1, kind="stable")[:, :N_POSITIONS]
        empty = np.take_along_axis(order, items, axis=1) == -np.inf
        return Slates(np.where(empty, NO_ITEM, items))

    def _order(self, requests: Requests) -> Floats:
        """(n_requests, n_ads) what goes first; -inf of what may not be shown."""
        judged = self.world.judgements(requests)
        rows = np.repeat(np.arange(len(requests)), np.diff(judged.offsets))
        order = np.full((len(requests), len(self.world.catalog)), -np.inf)
        luck = rng.uniform(SEED, "any ad", requests.request_id[rows], judged.items)
        order[rows, judged.items] = luck if self.at_random else judged.grades
        return order


def figures(world: AdsWorld, days: Sequence[Served]) -> dict[str, float]:
    """Rates over all days."""
    campaigns, of_ad = world.all_campaigns, world.all_ads.campaign
    n_pages = sum(len(served.requests) for served in days)
    shown = sum(served.slates.shown.sum() for served in days)
    clicks = sum(served.feedback["click"].sum() for served in days)
    converted = sum((served.feedback["conversion_days"] > 0).sum() for served in days)
    hidden = sum(served.feedback["hide"].sum() for served in days)
    revenue, beyond, spending = 0.0, 0, 0
    for served in days:
        campaign = of_ad[served.slates.items]
        done = wanted(world.catalog["per_action"], served)
        paid = np.where(done, campaigns.bid[campaign], 0.0)
        spend = np.bincount(campaign.ravel(), paid.ravel(), world.n_campaigns)
        revenue += paid.sum()
        spending += int(np.count_nonzero(spend))
        beyond += int(np.count_nonzero(spend > campaigns.daily_budget))
    return {
        "clicks per ad shown": clicks / shown,
        "conversions per click": converted / clicks,
        "ads hidden per ad shown": hidden / shown,
        "revenue per 1,000 pages": 1000 * revenue / n_pages,
        "campaigns that spend more than they have, of those that spend": beyond / spending,
    }


def look(world: AdsWorld, at_random: bool) -> dict[str, float]:
    """Some days under one of the two."""
    state, days = world.first_state(), []
    for day in range(N_DAYS):
        served, state = serve(
            world, Knowing(world, at_random), np.arange(world.n_users), day, state, LATENCY_MS
        )
        days.append(served)
    return figures(world, days)


def sizes(world: AdsWorld) -> str:
    """How many campaigns run, and for how many a page is."""
    campaigns, requests = (
        world.all_campaigns,
        world.arrivals(np.arange(world.n_users), 0, world.first_state()),
    )
    running = (campaigns.start_day <= 0) & (campaigns.end_day > 0)
    n_ads = np.count_nonzero(running[world.all_ads.campaign])
    eligible = world.eligible(requests).sum(axis=1).mean()
    run = f"On day 0 {running.sum()} campaigns run, with {n_ads} ads"
    return f"{run}; {eligible:.0f} of these are targeted at a page."


def main(arguments: Sequence[str] | None = None) -> None:
    """Look and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-users", type=int, default=2500)
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    world = AdsWorld(seed=SEED, n_users=options.n_users, click_model=PositionBased())
    any_ads, best = look(world, at_random=True), look(world, at_random=False)
    rows = "".join(f"| {name} | {any_ads[name]:.3g} | {best[name]:.3g} |\n" for name in any_ads)
    made = f"Made by `experiments/ads_world.py`: {world.n_users:,} people, {N_DAYS} days, seed {SEED}."
    head = f"# What the ads world is like\n\n{made}\n"
    table = f"\n| | ads at random | the best for everybody |\n|---|---|---|\n{rows}\n{sizes(world)}\n"
    write_text(options.out / "ads_world.md", head + table)


if __name__ == "__main__":
    main()
