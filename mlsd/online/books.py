"""What came of a market: who paid, who gained, how budgets lasted, and how positions were sold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlsd.ad_server import HOURS, PAID, first_ads, wanted
from mlsd.metrics.base import ratio
from mlsd.types import Array, Catalog, Floats, Ints, Served

SPENT = 0.95
"""Share of a day's budget from which on a campaign counts as short of money."""

KNOWN = ("advertiser", "category", "per_action", "start_day")
OF_CAMPAIGNS = ("impressions", "clicks", "conversions", "hides", "paid", "value")


@dataclass(frozen=True)
class Books:
    """A market over some days.

    Args:
        campaigns: a row for each campaign that was shown, by what it paid: `campaign`, `advertiser`,
            `category`, `per_action`, `start_day`, `budget` (of all its days together), and sums:
            `impressions`, `clicks`, `conversions`, `hides`, `paid`, and `value`, what clicks or conversions
            were worth by its bid; and days: `n_running` of them, and `n_short` on which it spent at least
            95% of its budget.
        positions: a row for each position: `position`, `pages`, `shown`, `clicks`, `paid`.
        curve: (25,) share of a day's spend that was spent by each hour, mean over the days of campaigns that
            spent at least 95% of their budget.
        curves: (n_campaigns, 25) the same of each campaign of the table by itself; NaN without such days.
        n_short: how many such days there were.
        n_running: days of all campaigns.
        budget: of all of them, in money.
        offered: what was bid for what was done and charged, in money.
        n_unpaid: clicks or conversions that were to be paid for, and came when no money was left.
        n_done: clicks or conversions that were to be paid for.
    """

    campaigns: pd.DataFrame
    positions: pd.DataFrame
    curve: Floats
    curves: Floats
    n_short: int
    n_running: int
    budget: float
    offered: float
    n_unpaid: int
    n_done: int

    def to_metrics(self) -> dict[str, float | None]:
        """Figures of the whole market, None where undefined."""
        paid, shown = float(self.campaigns["paid"].sum()), float(self.positions["shown"].sum())
        return {
            "budget_spent": _ratio(paid, self.budget),
            "short_of_money": _ratio(self.n_short, self.n_running),
            "filled": _ratio(shown, float(self.positions["pages"].sum())),
            "price_of_bid": _ratio(paid, self.offered),
            "unpaid": _ratio(self.n_unpaid, self.n_done),
        }


class Bookkeeper:
    """Adds up the days of one market.

    Args:
        catalog: of ads.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._campaign = catalog["campaign"].astype(np.int64)
        self._bid = catalog["bid"].astype(np.float64)
        self._per_action = catalog["per_action"].astype(np.bool_)
        self._first, self._of = first_ads(self._campaign)
        n_campaigns = len(self._of)
        self._sums = {name: np.zeros(n_campaigns) for name in OF_CAMPAIGNS}
        self._positions: dict[str, Floats] = {}
        self._curves, self._budgets = np.zeros((n_campaigns, HOURS + 1)), np.zeros(n_campaigns)
        self._n_short, self._n_running = np.zeros((2, n_campaigns), np.int64)
        self._n_unpaid = self._n_done = 0
        self._offered = 0.0

    def add(self, served: Served, day: int) -> None:
        """One whole day."""
        shown, feedback = served.slates.shown, served.feedback
        items, campaign = served.slates.items, self._campaign[served.slates.items]
        done = wanted(self._per_action, served)
        charged = done & (served.slates.columns["price"] > 0)
        paid = feedback[PAID]
        per_impression = {
            "impressions": shown,
            "clicks": feedback["click"],
            "conversions": feedback["conversion_days"] > 0,
            "hides": feedback["hide"],
            "paid": paid,
            "value": np.where(done, self._bid[items], 0.0),
        }
        for name, values in per_impression.items():
            self._sums[name] += np.bincount(campaign[shown], values[shown], len(self._of))
        self._add_positions(shown, feedback["click"], paid)
        self._n_done += int(np.count_nonzero(charged))
        self._n_unpaid += int(np.count_nonzero(charged & (paid == 0)))
        self._offered += float(self._bid[items][charged & (paid > 0)].sum())
        hour = np.floor(served.requests.time_days % 1.0 * HOURS).astype(np.int64)
        self._add_spend(hour, campaign, np.where(shown, paid, 0.0), day)

    def _add_positions(self, shown: Array, clicks: Array, paid: Floats) -> None:
        of_day = {"pages": np.full(shown.shape[1], len(shown)), "shown": shown.sum(axis=0)}
        of_day |= {"clicks": clicks.sum(axis=0), "paid": paid.sum(axis=0)}
        for name, values in of_day.items():
            self._positions[name] = self._positions.get(name, np.zeros(shown.shape[1])) + values

    def _add_spend(self, hour: Ints, campaign: Ints, paid: Floats, day: int) -> None:
        n_campaigns = len(self._of)
        cell = hour[:, None] * n_campaigns + campaign
        spend = np.bincount(cell.ravel(), paid.ravel(), HOURS * n_campaigns).reshape(HOURS, n_campaigns)
        starts, ends = (self.catalog[name][self._first] for name in ("start_day", "end_day"))
        runs = (starts <= day) & (day < ends) & self._of
        budget = np.where(runs, self.catalog["daily_budget"][self._first], 0.0)
        total = spend.sum(axis=0)
        short = runs & (total >= SPENT * budget) & (total > 0)
        self._curves[short, 1:] += (np.cumsum(spend[:, short], axis=0) / total[short]).T
        self._n_short += short
        self._n_running += runs
        self._budgets += budget

    def close(self) -> Books:
        """What came of all days so far."""
        known = {name: self.catalog[name][self._first] for name in KNOWN}
        campaigns = pd.DataFrame(
            {"campaign": np.arange(len(self._of)), **known, "budget": self._budgets, **self._sums}
        ).assign(n_running=self._n_running, n_short=self._n_short)
        shown = campaigns[campaigns["impressions"] > 0].sort_values("paid", ascending=False, kind="stable")
        positions = self._positions or {"pages": np.zeros(0), "shown": np.zeros(0)}
        places, n_short = np.arange(len(positions["pages"])), int(self._n_short.sum())
        return Books(
            shown.reset_index(drop=True),
            pd.DataFrame({"position": places, **positions}),
            self._curves.sum(axis=0) / max(n_short, 1),
            ratio(self._curves, self._n_short[:, None])[shown["campaign"]],
            n_short,
            int(self._n_running.sum()),
            float(self._budgets.sum()),
            self._offered,
            self._n_unpaid,
            self._n_done,
        )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
