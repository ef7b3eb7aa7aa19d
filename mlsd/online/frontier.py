"""Revenue against experience: the same pages sold again at fixed bids, under other terms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mlsd import checks
from mlsd.ad_server import sold_at
from mlsd.auctions.base import ReserveOn
from mlsd.estimators.base import Interval
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.stages.auction import AuctionStage
from mlsd.types import Array, Catalog, Columns, RankingBatch, Slates, State
from mlsd.worlds.base import KnownProbs

REVENUE, HIDES, ADS, GAIN = FIGURES = (
    "revenue_per_1000", "hides_per_1000", "ads_per_page", "advertiser_gain_per_1000",
)  # fmt: skip
"""Of a point, as in `metrics.json`; hides where the world knows of any."""

CONVERSION = "conversion_days"
"""The action that some campaigns pay for, where there is one."""

_A_THOUSAND = 1000.0


class Terms(NamedTuple):
    """On which terms pages are sold."""

    reserve: float
    """Of the auction: the least that is paid for a click, or the least score."""
    n_positions: int
    """That are sold, from the top."""
    reserve_on: ReserveOn = "bid"
    """Which of the two."""


@dataclass(frozen=True)
class FrontierPoint:
    """What pages sold on some terms are worth, and what they cost people.

    Args:
        terms: on which they were sold.
        figures: `revenue_per_1000`, `hides_per_1000` where there are any, `ads_per_page` and
            `advertiser_gain_per_1000` -> mean over the pages, with its interval over users.
        differences: the same, less what the run's own terms give, paired by page.
        is_own: whether these are the run's own terms.
        is_unbeaten: whether no other terms bring in as much for as few hides, and more or fewer; for as few
            ads, where the world knows of no hides.
    """

    terms: Terms
    figures: dict[str, Interval]
    differences: dict[str, Interval]
    is_own: bool
    is_unbeaten: bool

    @property
    def name(self) -> str:
        """As in `metrics.json`.

        Example:
            >>> FrontierPoint(Terms(0.25, 4), {}, {}, False, True).name
            'reserve=0.25,n_positions=4'
        """
        return f"reserve={self.terms.reserve:g},n_positions={self.terms.n_positions}"

    def to_metrics(self) -> dict[str, object]:
        """As in `metrics.json`."""
        flags = {"is_own": self.is_own, "is_unbeaten": self.is_unbeaten}
        figures = {name: interval._asdict() for name, interval in self.figures.items()}
        moved = {name: interval._asdict() for name, interval in self.differences.items()}
        return {**self.terms._asdict(), **flags, **figures, "difference": moved}


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """Sells pages again, once for each reserve and each number of positions, at the same bids.

    A page is sold by the run's own auction among the ads that reached it. What follows is what the world
    knows is to be expected, of people who have seen none of the campaigns before. A page's sums over its ads:

        revenue = sum of P(what is paid for is done) price       a click, or a conversion that follows it
        worth   = sum of P(what is paid for is done) bid
        gain    = worth - revenue
        hides   = sum of P(hidden), where the world knows of any

    Bids are what a click is worth, on any terms; budgets, pacing and frequency caps are left out. So a point
    says what pages are worth today, not what advertisers would answer to it.

    Args:
        reserves: that are tried, rising, 0 or more; that of the run's own auction is tried in any case.

    Raises:
        InvalidValueError: there is no reserve, one is below 0, or they do not rise.
    """

    reserves: Sequence[float]

    def __post_init__(self) -> None:
        checks.not_empty("reserves", self.reserves)
        for place, reserve in enumerate(self.reserves):
            checks.at_least(f"reserves[{place}]", reserve, 0)
        for place, (before, reserve) in enumerate(pairwise(self.reserves), start=1):
            checks.above(f"reserves[{place}]", reserve, before)

    def terms(self, auction: AuctionStage) -> Iterator[Terms]:
        """All that are tried, by rising reserve, then by rising number of positions."""
        own = own_terms(auction)
        for reserve in sorted({*map(float, self.reserves), own.reserve}):
            for position in range(own.n_positions):
                yield own._replace(reserve=reserve, n_positions=1 + position)

    def points(
        self,
        auction: AuctionStage,
        batch: RankingBatch,
        catalog: Catalog,
        world: KnownProbs,
        bootstrap: Bootstrap,
    ) -> tuple[FrontierPoint, ...]:
        """The pages on all terms.

        Args:
            auction: the run's own.
            batch: the pages, with the ads that reach it.
            catalog: of ads, with `bid` and `per_action`.
            world: for judging what is shown.
            bootstrap: of the intervals, over users.
        """
        tried, own = list(self.terms(auction)), own_terms(auction)
        bid = batch.per_candidate(auction.value).astype(np.float64)
        state = world.first_state()
        pages = [
            per_page(sold_at(auction.on_terms(*terms[:2]), batch, bid), batch, catalog, world, state)
            for terms in tried
        ]
        as_run = pages[tried.index(own)]
        changes = [{name: values - as_run[name] for name, values in page.items()} for page in pages]
        figures, moved = (_intervals(each, batch, bootstrap) for each in (pages, changes))
        revenue, cost = (
            np.array([one[name].value for one in figures]) for name in (REVENUE, cost_of(as_run))
        )
        unbeaten = is_unbeaten(revenue, cost).tolist()
        return tuple(
            FrontierPoint(terms, of_terms, difference, terms == own, best)
            for terms, of_terms, difference, best in zip(tried, figures, moved, unbeaten, strict=True)
        )


def own_terms(auction: AuctionStage) -> Terms:
    """On which terms an auction sells by itself."""
    return Terms(float(auction.auction.reserve), auction.n_out, auction.auction.reserve_on)


def per_page(sold: Slates, batch: RankingBatch, catalog: Catalog, world: KnownProbs, state: State) -> Columns:
    """Figure -> (n_pages,) what is to be expected of each page; see `Frontier`.

    Args:
        sold: (n_pages, n_positions), with `price`: of what a campaign pays for.
        batch: the pages.
        catalog: of ads, with `bid` and `per_action`.
        world: that knows what people are likely to do.
        state: of all people.
    """
    probs, per_action = world.action_probs(batch.requests, sold, state), catalog["per_action"][sold.items]
    paid_prob = np.where(per_action, probs.get(CONVERSION, 0.0), probs["click"])
    revenue = paid_prob * sold.columns["price"]
    gain = paid_prob * catalog["bid"][sold.items] - revenue
    known = {REVENUE: _A_THOUSAND * revenue, ADS: sold.shown, GAIN: _A_THOUSAND * gain}
    if "hide" in probs:
        known[HIDES] = _A_THOUSAND * probs["hide"]
    return {name: known[name].sum(axis=1) for name in FIGURES if name in known}


def cost_of(figures: Collection[str]) -> str:
    """The figure that says what pages cost people: hides, or ads where nobody knows of hides."""
    return HIDES if HIDES in figures else ADS


def is_unbeaten(gained: Array, cost: Array) -> Array:
    """(n,) whether no other has as much for as little, and more of the one or less of the other.

    Args:
        gained: (n,) more is better.
        cost: (n,) less is better.

    Example:
        >>> is_unbeaten(np.array([3.0, 2.0, 2.0]), np.array([5.0, 1.0, 4.0])).tolist()
        [True, True, False]
    """
    as_good = (gained[:, None] >= gained) & (cost[:, None] <= cost)
    better = (gained[:, None] > gained) | (cost[:, None] < cost)
    return np.asarray(~(as_good & better).any(axis=0))


def _intervals(
    pages: Sequence[Columns], batch: RankingBatch, bootstrap: Bootstrap
) -> list[dict[str, Interval]]:
    """Of each terms, the mean of each figure of its pages."""
    columns = np.stack([values for page in pages for values in page.values()], axis=1)
    found = iter(bootstrap.means(columns.astype(np.float64), batch.requests.user))
    return [{name: next(found) for name in page} for page in pages]
