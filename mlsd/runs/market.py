"""What the books of both arms say, for a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from mlsd.ad_server import HOURS, Market
from mlsd.online.base import ARMS, TREATMENT
from mlsd.online.books import OF_CAMPAIGNS, Books
from mlsd.pacing.plan import SpendPlan
from mlsd.report import parts

N_LARGEST = 10
N_PACED = 6

NAMES = dict(zip(ARMS, ("pre-existing system", "funnel"), strict=True))


def market_of(books: Mapping[str, Books], market: Market, first_day: int, n_days: int) -> parts.MarketSummary:
    """Both arms, and the plan that budgets are paced by.

    Args:
        books: of both arms.
        market: the rules.
        first_day: of the test.
        n_days: of the test.
    """
    plan = SpendPlan.of_traffic(list(market.traffic))
    by_hour = tuple(float(plan.by(hour / HOURS)[0]) for hour in range(HOURS + 1))
    largest = books[TREATMENT].campaigns["campaign"].head(N_LARGEST)
    arms = tuple(_arm(NAMES[arm], books[arm], first_day, largest) for arm in ARMS)
    return parts.MarketSummary(arms, by_hour, n_days, tuple(_paced(*(books[arm] for arm in ARMS))))


def _paced(before: Books, after: Books) -> Iterator[parts.PacedCampaign]:
    """The campaigns that paid most under the funnel, of those that spent their budget on a day."""
    campaigns = after.campaigns
    for row in np.flatnonzero(campaigns["n_short"])[:N_PACED].tolist():
        campaign = int(campaigns["campaign"].iloc[row])
        n_after, curve = _days_short(after, campaign)
        n_before, curve_before = _days_short(before, campaign)
        n_days = int(campaigns["n_running"].iloc[row])
        yield parts.PacedCampaign(str(campaign), n_days, n_before, n_after, curve_before, curve)


def _days_short(books: Books, campaign: int) -> tuple[int, tuple[float, ...]]:
    """Days on which a campaign spent its budget, and how; none where it was never shown."""
    for row in np.flatnonzero(books.campaigns["campaign"] == campaign).tolist():
        if n_short := int(books.campaigns["n_short"].iloc[row]):
            return n_short, tuple(books.curves[row].tolist())
    return 0, ()


def _arm(name: str, books: Books, first_day: int, largest: pd.Series[int]) -> parts.MarketArm:
    campaigns = books.campaigns
    per_action, new = campaigns["per_action"].astype(bool), campaigns["start_day"] >= first_day
    groups = {
        "all": np.ones(len(campaigns), bool),
        "that pay for clicks": ~per_action,
        "that pay for conversions": per_action,
        "new": new,
        "not new": ~new,
    }
    return parts.MarketArm(
        name,
        books.to_metrics(),
        tuple(books.curve.tolist()) if books.n_short else (),
        books.n_short,
        tuple(_position(row) for row in _rows(books.positions)),
        tuple(_payers(group, campaigns[np.asarray(rows)]) for group, rows in groups.items()),
        tuple(
            _payers(str(row["campaign"].iloc[0]), row)
            for row in _rows(campaigns[campaigns["campaign"].isin(largest)])
        ),
    )


def _rows(table: pd.DataFrame) -> list[pd.DataFrame]:
    return [table.iloc[[row]] for row in range(len(table))]


def _position(row: pd.DataFrame) -> parts.Position:
    sums = (float(row[name].iloc[0]) for name in ("pages", "shown", "clicks", "paid"))
    return parts.Position(int(row["position"].iloc[0]), *sums)


def _payers(name: str, campaigns: pd.DataFrame) -> parts.Payers:
    sums = {column: float(campaigns[column].sum()) for column in (*OF_CAMPAIGNS, "budget")}
    return parts.Payers(name, len(campaigns), **sums)
