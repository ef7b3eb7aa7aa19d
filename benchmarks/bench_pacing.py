"""Pacing: python benchmarks/bench_pacing.py.

A million impressions of 10,000 campaigns are charged to their budgets beside a plain loop over them, at once
and in batches; a tenth of the campaigns run out of money, or all of them. Then what pacers make of simulated
days of ten campaigns and 100,000 requests each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from timing import paired

from mlsd.pacing.base import Pacer
from mlsd.pacing.budgets import MICROS, Budgets, to_micros
from mlsd.pacing.dual import Dual
from mlsd.pacing.none import NoPacing
from mlsd.pacing.throttling import Throttling
from mlsd.testing.ad_day import AdDay
from mlsd.types import Floats, Ints

N_IMPRESSIONS, N_CAMPAIGNS, N_BATCH = 1_000_000, 10_000, 10_000
DAYS = tuple(AdDay(seed) for seed in range(1, 7))
PACERS: tuple[Pacer, ...] = (Dual(), Dual(mirror="euclidean"), Throttling(), NoPacing())


class Charging(NamedTuple):
    """Budgets, and impressions in order."""

    budgets: Budgets
    campaign: Ints
    price: Floats


def charging(share_ending: float) -> Charging:
    """Impressions of which some campaigns have more than they can pay for."""
    draws = np.random.default_rng(0)
    campaign = draws.integers(0, N_CAMPAIGNS, N_IMPRESSIONS)
    price = draws.exponential(1.0, N_IMPRESSIONS)
    total = np.bincount(campaign, price, N_CAMPAIGNS)
    ends = np.arange(N_CAMPAIGNS) < share_ending * N_CAMPAIGNS
    budgets = Budgets.of(np.where(ends, 0.5, 1.5) * total.astype(np.float64))
    return Charging(budgets, campaign, price)


def ours(work: Charging, n_batch: int) -> Ints:
    budgets = work.budgets
    for rows in _batches(n_batch):
        budgets = budgets.charge(work.campaign[rows], work.price[rows]).budgets
    return budgets.spend


def looped(work: Charging) -> tuple[list[int], list[float], list[bool]]:
    """One impression after the other, in Python's own numbers."""
    left, paid, shown = work.budgets.left.tolist(), [], []
    for campaign, price in zip(work.campaign.tolist(), to_micros(work.price).tolist(), strict=True):
        room = left[campaign]
        charged = min(price, room)
        left[campaign] = room - charged
        paid.append(charged / MICROS)
        shown.append(room > 0)
    return left, paid, shown


def _batches(n_batch: int) -> Iterator[slice]:
    for start in range(0, N_IMPRESSIONS, n_batch):
        yield slice(start, start + n_batch)


def bench_charging() -> None:
    for share_ending in (0.1, 1.0):
        work = charging(share_ending)
        expected, paid, shown = looped(work)
        charges = work.budgets.charge(work.campaign, work.price)
        assert (charges.paid.tolist(), charges.shown.tolist()) == (paid, shown)
        for n_batch in (N_IMPRESSIONS, N_BATCH):
            assert (work.budgets.limit - ours(work, n_batch)).tolist() == expected
            timing = paired(lambda: ours(work, n_batch), lambda: looped(work), n_repeats=7)  # noqa: B023
            print(f"{N_IMPRESSIONS:,} in batches of {n_batch:,}, {share_ending:.0%} run out: {timing}")


def bench_days() -> None:
    """Largest gap between spend and plan of campaigns whose demand allows it, value of clicks, and spend."""
    for pacer in PACERS:
        outcomes = [day.served(pacer) for day in DAYS]
        gap = max(outcome.largest_gap()[outcome.demand_allows()].max() for outcome in outcomes)
        middle = np.median([outcome.largest_gap() for outcome in outcomes])
        n_allowed = sum(int(outcome.demand_allows().sum()) for outcome in outcomes)
        value = sum(outcome.value.sum() for outcome in outcomes)
        paid = sum(outcome.paid.sum() for outcome in outcomes)
        name = " ".join([type(pacer).__name__, getattr(pacer, "mirror", "")]).strip()
        print(
            f"{name}: largest gap {gap:.3f} of the budget where demand allows ({n_allowed} of 60 campaigns), "
            f"median over all {middle:.3f}; value {value:,.0f} for {paid:,.0f}"
        )


def main() -> None:
    bench_charging()
    bench_days()


if __name__ == "__main__":
    main()
