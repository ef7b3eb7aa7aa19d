from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd.ad_server import Market
from mlsd.online.books import OF_CAMPAIGNS, Books
from mlsd.pacing.none import NoPacing
from mlsd.runs.market import N_LARGEST, N_PACED, market_of

MARKET = Market(pacer=NoPacing(60), frequency_cap=6, traffic=[1.0] * 24)


def books(*n_short: int) -> Books:
    """Campaign k is the k-th by what it paid; it spends what it has at hour k."""
    n = len(n_short)
    known = {"campaign": np.arange(n), "per_action": np.arange(n) % 2 == 0, "start_day": np.arange(n)}
    sums = {name: np.arange(n, 0.0, -1) for name in (*OF_CAMPAIGNS, "budget")}
    days = {"n_running": np.full(n, 9), "n_short": np.array(n_short)}
    positions = pd.DataFrame(
        {"position": [0], "pages": [9.0], "shown": [8.0], "clicks": [3.0], "paid": [2.0]}
    )
    curves = np.where(np.arange(25) >= np.arange(n)[:, None], 1.0, 0.0)
    curves[np.array(n_short) == 0] = np.nan
    table = pd.DataFrame({**known, **sums, **days})
    return Books(table, positions, np.zeros(25), curves, sum(n_short), 9 * n, 1.0, 1.0, 0, 1)


def test_campaigns_that_paid_most_of_those_that_ran_short_are_told_one_by_one() -> None:
    before, after = books(3, 0, 0, 1), books(0, 2, 5, 1)
    found = market_of({"control": before, "treatment": after}, MARKET, 2, 14)
    assert [(one.name, one.n_days, one.n_before, one.n_after) for one in found.paced] == [
        ("1", 9, 0, 2),
        ("2", 9, 0, 5),
        ("3", 9, 1, 1),
    ]
    assert [len(one.before) for one in found.paced] == [0, 0, 25]
    assert [one.after.index(1.0) for one in found.paced] == [1, 2, 3]
    assert found.plan == pytest.approx([hour / 24 for hour in range(25)])


def test_there_are_no_more_than_a_few() -> None:
    many = books(*[1] * 30)
    found = market_of({"control": many, "treatment": many}, MARKET, 2, 14)
    assert [one.name for one in found.paced] == [str(place) for place in range(N_PACED)]
    assert len(found.arms[1].largest) == N_LARGEST


def test_who_was_not_shown_before_has_no_curve_before() -> None:
    after = books(1, 1)
    before = replace(
        after, campaigns=after.campaigns.iloc[1:].reset_index(drop=True), curves=after.curves[1:]
    )
    first, second = market_of({"control": before, "treatment": after}, MARKET, 2, 14).paced
    assert (first.n_before, first.before) == (0, ())
    assert (second.n_before, second.before) == (1, second.after)


def test_the_largest_under_the_funnel_are_told_of_before_too() -> None:
    """Campaign 11 paid least before and most afterwards."""
    before = books(*[1] * 12)
    turned = before.campaigns.assign(campaign=before.campaigns["campaign"].to_numpy()[::-1])
    arms = market_of({"control": before, "treatment": replace(before, campaigns=turned)}, MARKET, 2, 14).arms
    assert [one.name for one in arms[1].largest] == [str(campaign) for campaign in range(11, 1, -1)]
    found = {one.name: one.paid for one in arms[0].largest}
    assert found == {str(campaign): 12.0 - campaign for campaign in range(2, 12)}
