"""The ad server: a policy that sells pages by auction, paces budgets, caps frequencies and charges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.funnel import Funnel
from mlsd.pacing.base import Pacer, PacingState
from mlsd.pacing.budgets import Budgets
from mlsd.pacing.frequency import Exposures, places
from mlsd.pacing.plan import SpendPlan
from mlsd.serving import explored_slates, in_blocks
from mlsd.stages.auction import AuctionStage
from mlsd.types import (
    NO_ITEM,
    Array,
    Catalog,
    Floats,
    Ints,
    RankingBatch,
    Requests,
    Served,
    Slates,
    concat_batches,
    concat_slates,
)

HOURS = 24

PAID = "paid"
"""Feedback: what a campaign paid for an impression, in money."""


@dataclass(frozen=True, kw_only=True)
class Market:
    """The rules by which pages are sold.

    Args:
        pacer: spreads what campaigns spend over the day.
        frequency_cap: impressions of a campaign that a user may see in a day, at least 1.
        traffic: requests that are forecast for each hour of the day, in any unit; budgets are planned by it.
    """

    pacer: Pacer
    frequency_cap: int
    traffic: Sequence[float]

    def __post_init__(self) -> None:
        checks.at_least("frequency_cap", self.frequency_cap, 1)
        n = len(self.traffic)
        checks.require(n == HOURS, "traffic", n, f"must have {HOURS} numbers, one for each hour")
        for hour, requests in enumerate(self.traffic):
            checks.at_least(f"traffic[{hour}]", requests, 0)
        checks.above("sum of traffic", float(sum(self.traffic)), 0)


@dataclass(frozen=True, kw_only=True)
class Giveaway:
    """Pages that explore: they show a uniform shuffle of who takes part, and cost nobody anything.

    Args:
        share: of pages, in [0, 1].
        depth: how many of the best are shuffled.
    """

    share: float
    depth: int


class AdServer:
    """Sells pages by a funnel that ends in an auction, and remembers what campaigns have spent.

    A day is served in intervals of the pacer, in order, and begins with new budgets and nothing seen. Who
    takes part and with which bid is decided by what was known when the interval began:

        takes part    has money left, is let in by the pacer, and was seen less often than the cap allows
        bid           the pacer's, for what a click is worth
        price         of a click by the auction; of a conversion, that over P(conversion | click)

    Clicks and conversions are charged in the order in which pages were viewed, so that a budget is never
    exceeded: the last one costs what is left, and those after it nothing. What a user has been shown counts
    from the next page on, within an interval, too; a second ad of a campaign on a page that would break a
    frequency cap leaves its position empty.

    Args:
        funnel: its last stage is an auction.
        catalog: with `campaign` and `daily_budget`.
        market: the rules.
        budget_share: of every budget that may be spent, in (0, 1]: arms of an experiment split budgets.
        giveaway: pages that explore; None for none.
        seed: of what explores.
        n_workers: threads that rank; any number gives the same pages.

    Raises:
        InvalidValueError: the funnel does not end in an auction, or fewer ads are shuffled than are shown.
    """

    def __init__(
        self,
        funnel: Funnel,
        catalog: Catalog,
        market: Market,
        *,
        budget_share: float = 1.0,
        giveaway: Giveaway | None = None,
        seed: int = 0,
        n_workers: int = 1,
    ) -> None:
        self.auction = _auction_of(funnel)
        self.market, self.seed, self.n_workers = market, seed, n_workers
        self.giveaway = giveaway or Giveaway(share=0.0, depth=self.auction.n_out)
        checks.share("giveaway.share", self.giveaway.share)
        checks.at_least("giveaway.depth", self.giveaway.depth, self.auction.n_out)
        self.campaign = catalog["campaign"].astype(np.int64)
        self.per_action = catalog["per_action"].astype(np.bool_)
        share = checks.probability("budget_share", budget_share)
        ad, has_ads = first_ads(self.campaign)
        self.budget = share * np.where(has_ads, catalog["daily_budget"][ad], 0.0)
        self.plan = SpendPlan.of_traffic(list(market.traffic))
        self._before_auction = list(funnel.stages.values())[:-1]
        self._day = -1
        self._pacing: PacingState | None = None
        self._seen = self._nothing_seen

    @property
    def pacing(self) -> PacingState:
        """Campaigns as they stand now.

        Raises:
            InputError: no page was served yet.
        """
        if self._pacing is None:
            raise InputError("an ad server has no budgets before its first page")
        return self._pacing

    def rank(self, requests: Requests) -> Slates:
        """What each page shows, with `price`: of what a campaign pays for, a click or a conversion.

        Raises:
            InputError: the requests are not of one interval of one day, or that interval is over.
        """
        if not len(requests):
            return _empty_slates(self.auction.n_out)
        self._go_to(requests)
        batch = concat_batches(list(in_blocks(self._candidates, requests, self.n_workers)))
        seen, pages, rows = self._seen, [], []
        for of_users in _pages_in_turn(requests):
            page = self._page(batch.take(of_users), seen)
            seen = self._with_shown(seen, requests.take(of_users), page.items)
            pages.append(page)
            rows.append(of_users)
        return concat_slates(pages).take(np.argsort(np.concatenate(rows), kind="stable"))

    def settle(self, served: Served) -> Served:
        """Charge for clicks and conversions; adds the feedback `paid`, in money."""
        requests, slates, feedback = served.requests, served.slates, served.feedback
        if not len(requests):
            return replace(served, feedback={**feedback, PAID: np.zeros(slates.items.shape)})
        rows, positions = _in_viewing_order(requests, slates.items)
        campaign = self.campaign[slates.items[rows, positions]]
        price = np.where(wanted(self.per_action, served), slates.columns["price"], 0.0)[rows, positions]
        self._pacing, charges = self.pacing.charge(campaign, price)
        self._seen = self._with_shown(self._seen, requests, slates.items)
        paid = np.zeros(slates.items.shape)
        paid[rows, positions] = charges.paid
        return replace(served, feedback={**feedback, PAID: paid})

    def _go_to(self, requests: Requests) -> None:
        """Begin the day, or the interval of it, that the requests belong to."""
        pacer = self.market.pacer
        days, intervals = np.unique(requests.day), np.unique(pacer.interval_of(requests.time_days))
        if len(days) > 1 or len(intervals) > 1:
            raise InputError(
                f"requests of {len(days)} days and {len(intervals)} intervals came together, must be of one"
            )
        day, interval = int(days[0]), int(intervals[0])
        if day > self._day:
            control = self._pacing.control if self._pacing else None
            self._day, self._seen = day, self._nothing_seen
            self._pacing = pacer.begin(Budgets.of(self.budget), self.plan, control)
        if day < self._day or interval < self.pacing.interval:
            raise InputError(f"requests came for interval {interval} of day {day}, which is over")
        while self.pacing.interval < interval:
            self._pacing = pacer.update(self.pacing)

    def _candidates(self, requests: Requests) -> RankingBatch:
        """What is left before the auction."""
        batch = RankingBatch.of(requests)
        for stage in self._before_auction:
            batch = stage(batch)
        return batch

    def _page(self, batch: RankingBatch, seen: Exposures) -> Slates:
        """What pages show to people who have seen so much today, one page each."""
        takes_part = self._takes_part(batch, seen)
        value = batch.per_candidate(self.auction.value).astype(np.float64)
        bid = self.market.pacer.bids(self.pacing, self.campaign[batch.candidates.items], value)
        sold = sold_at(self.auction, batch, bid, takes_part)
        given_away = self._given_away(batch, bid, takes_part)
        explored = given_away.columns["explored"]
        chosen = np.where(explored, given_away.items, sold.items)
        items = self._admitted(batch.requests, chosen, seen)
        price = np.where(explored | (items == NO_ITEM), 0.0, sold.columns["price"])
        return Slates(items, {**given_away.columns, "price": price})

    def _takes_part(self, batch: RankingBatch, seen: Exposures) -> Array:
        campaign = self.campaign[batch.candidates.items]
        request_id, user = (batch.per_candidate(f"request.{name}") for name in ("request_id", "user"))
        let_in = self.market.pacer.takes_part(self.pacing, campaign, request_id)
        return np.asarray(let_in & seen.below_cap(user, campaign))

    def _given_away(self, batch: RankingBatch, bid: Floats, takes_part: Array) -> Slates:
        """What pages would show if they explored, and which do.

        The best come in the order of the auction, so that the propensity of what it sells is known, too.
        """
        taking, score = batch.keep(takes_part), bid[takes_part]
        if self.auction.quality is not None:
            score = score * taking.per_candidate(self.auction.quality)
        ordered = taking.top(score, self.giveaway.depth).slates(self.giveaway.depth).items
        request_id = batch.requests.request_id
        return explored_slates(request_id, ordered, self.auction.n_out, self.giveaway.share, self.seed)

    def _admitted(self, requests: Requests, items: Ints, seen: Exposures) -> Ints:
        """The same pages without what would break a frequency cap."""
        rows, positions = _in_viewing_order(requests, items)
        campaign = self.campaign[items[rows, positions]]
        refused = ~seen.admit(requests.user[rows], campaign)
        kept = items.copy()
        kept[rows[refused], positions[refused]] = NO_ITEM
        return kept

    def _with_shown(self, seen: Exposures, requests: Requests, items: Ints) -> Exposures:
        rows, positions = np.nonzero(items != NO_ITEM)
        return seen.add(requests.user[rows], self.campaign[items[rows, positions]])

    @property
    def _nothing_seen(self) -> Exposures:
        return Exposures.none(np.full(len(self.budget), self.market.frequency_cap, np.int64))


def sold_at(
    auction: AuctionStage, batch: RankingBatch, bid: Floats, takes_part: NDArray[np.bool_] | None = None
) -> Slates:
    """The winners of each page, with `price`: of what a campaign pays for, a click or a conversion.

    Args:
        auction: that sells.
        batch: what is left before it, with `candidate.bid`.
        bid: (n_candidates,) for a click.
        takes_part: (n_candidates,) who does; None means all.
    """
    won = auction.sold(batch, bid, takes_part)
    value, offer = won.per_candidate(auction.value), won.candidates["bid"]
    per_click = np.divide(offer, value, out=np.zeros(len(offer)), where=value > 0)
    price = np.minimum(won.candidates["price_per_click"] * per_click, offer)
    dense = ragged.to_dense(price, won.candidates.offsets, auction.n_out, 0.0)
    return Slates(won.slates(auction.n_out).items, {"price": dense})


def _auction_of(funnel: Funnel) -> AuctionStage:
    last = funnel.last
    if not isinstance(last, AuctionStage):
        raise InvalidValueError("funnel", type(last).__name__, "must end in an auction")
    return last


def first_ads(campaign: Ints) -> tuple[Ints, Array]:
    """(n_campaigns,) an ad of each campaign, and whether it has any.

    Args:
        campaign: (n_ads,) the campaign of each ad.
    """
    found, first = np.unique(campaign, return_index=True)
    n_campaigns = 1 + int(campaign.max(initial=-1))
    ad, has_ads = np.zeros(n_campaigns, np.int64), np.zeros(n_campaigns, bool)
    ad[found], has_ads[found] = first, True
    return ad, has_ads


def wanted(per_action: Array, served: Served) -> Array:
    """(n_requests, n_positions) whether what a campaign pays for was done: a click, or a conversion after it.

    Args:
        per_action: (n_ads,) whether a conversion is paid for, and not a click.
        served: what was shown, and what users did.
    """
    converted = served.feedback["conversion_days"] > 0
    done = np.where(per_action[served.slates.items], converted, served.feedback["click"])
    return np.asarray(done & served.slates.shown)


def _pages_in_turn(requests: Requests) -> Iterator[Ints]:
    """Rows of everybody's first page, then of everybody's second, and so on."""
    order = np.argsort(requests.time_days, kind="stable")
    turn = np.empty(len(order), np.int64)
    turn[order] = places(requests.user[order])
    for number in range(int(turn.max(initial=-1)) + 1):
        yield np.flatnonzero(turn == number)


def _in_viewing_order(requests: Requests, items: Ints) -> tuple[Ints, Ints]:
    """Rows and positions of all that is shown: by the time of the page, then from the top."""
    rows, positions = np.nonzero(items != NO_ITEM)
    order = np.lexsort((positions, rows, requests.time_days[rows]))
    return rows[order], positions[order]


def _empty_slates(n_positions: int) -> Slates:
    items = np.zeros((0, n_positions), np.int64)
    numbers, flags = items.astype(np.float64), items.astype(np.bool_)
    return Slates(items, {"propensity": numbers, "explored": flags, "price": numbers})
