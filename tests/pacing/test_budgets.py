"""Charging against a plain loop over impressions in exact integers, whatever the order and the batches."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.pacing.budgets import MICROS, Budgets, Charges, to_micros
from mlsd.types import Floats, Ints

N_CAMPAIGNS = 4

amounts = st.one_of(st.sampled_from([0.0, 0.1, 1.0, 2.5, 1e9]), st.floats(0, 10), st.floats(0, 1e9))
prices = st.one_of(st.sampled_from([0.0, 0.1, 0.7, 1e9, 1e300]), st.floats(0, 3), st.floats(0, 1e12))
impressions = st.lists(st.tuples(st.integers(0, N_CAMPAIGNS - 1), prices), max_size=40)
budgets = st.lists(amounts, min_size=N_CAMPAIGNS, max_size=N_CAMPAIGNS)


def columns(rows: Iterable[tuple[int, float]]) -> tuple[Ints, Floats]:
    listed = list(rows)
    return np.array([row[0] for row in listed], np.int64), np.array([row[1] for row in listed], np.float64)


def looped(limit: list[int], campaign: Ints, price: Floats) -> tuple[list[int], list[float], list[bool]]:
    """Spend by campaign, paid and shown by impression, one impression after the other."""
    spend, paid, shown = [0] * len(limit), [], []
    for one, amount in zip(campaign.tolist(), price.tolist(), strict=True):
        left = limit[one] - spend[one]
        micros = min(int(to_micros(np.array([min(amount, 1e9)]))[0]), left)
        spend[one] += micros
        paid.append(micros / MICROS)
        shown.append(left > 0)
    return spend, paid, shown


def in_batches(amount: list[float], campaign: Ints, price: Floats, cuts: list[int]) -> Charges:
    """All batches one after the other."""
    state, paid, shown = Budgets.of(np.array(amount)), [], []
    bounds = sorted({0, len(campaign), *(cut for cut in cuts if cut < len(campaign))})
    for start, end in pairwise(bounds):
        state, of_batch, paid_in_batch = state.charge(campaign[start:end], price[start:end])
        paid.append(paid_in_batch)
        shown.append(of_batch)
    return Charges(state, np.concatenate([np.zeros(0, bool), *shown]), np.concatenate([np.zeros(0), *paid]))


@given(budgets, impressions)
def test_as_a_loop_would(amount: list[float], rows: list[tuple[int, float]]) -> None:
    campaign, price = columns(rows)
    before = Budgets.of(np.array(amount))
    charges = before.charge(campaign, price)
    spend, paid, shown = looped(before.limit.tolist(), campaign, price)
    assert charges.budgets.spend.tolist() == spend
    assert charges.paid.tolist() == paid
    assert charges.shown.tolist() == shown


@given(budgets, impressions, st.lists(st.integers(1, 39), max_size=6), st.randoms(use_true_random=False))
def test_no_budget_is_exceeded_whatever_the_order_and_the_batches(
    amount: list[float], rows: list[tuple[int, float]], cuts: list[int], shuffler: object
) -> None:
    shuffler.shuffle(rows)  # type: ignore[attr-defined]
    campaign, price = columns(rows)
    charges = in_batches(amount, campaign, price, cuts)
    assert (charges.budgets.spend <= charges.budgets.limit).all()
    assert (charges.budgets.limit / MICROS <= np.array(amount)).all()
    assert (charges.paid <= price).all()
    assert not charges.paid[~charges.shown].any()


@given(budgets, impressions, st.lists(st.integers(1, 39), max_size=6))
def test_batches_change_nothing(amount: list[float], rows: list[tuple[int, float]], cuts: list[int]) -> None:
    campaign, price = columns(rows)
    whole, parts = in_batches(amount, campaign, price, []), in_batches(amount, campaign, price, cuts)
    for mine, theirs in ((whole.paid, parts.paid), (whole.shown, parts.shown)):
        assert mine.tobytes() == theirs.tobytes()
    assert whole.budgets.spend.tobytes() == parts.budgets.spend.tobytes()


def test_sums_beyond_64_bits() -> None:
    """20,000 impressions each dearer than a whole budget of 1e15 micros."""
    campaign = np.arange(20_000) % 2
    charges = Budgets.of(np.array([1e9, 7e8])).charge(campaign, np.full(20_000, 1e9))
    assert charges.budgets.spend.tolist() == [10**15, 7 * 10**14]
    assert np.flatnonzero(charges.shown).tolist() == [0, 1]


def test_more_campaigns_than_16_bits_can_number() -> None:
    """All of 70,000 run out at their second impression, in which each pays half."""
    n = 70_000
    charges = Budgets.of(np.full(n, 1.5)).charge(np.tile(np.arange(n), 3), np.ones(3 * n))
    assert charges.paid.tolist() == [1.0] * n + [0.5] * n + [0.0] * n
    assert charges.shown.tolist() == [True] * 2 * n + [False] * n


def test_a_million_small_charges_add_up_exactly() -> None:
    charges = Budgets.of(np.array([1e5])).charge(np.zeros(1_000_000, np.int64), np.full(1_000_000, 0.1))
    assert charges.budgets.left.tolist() == [0]
    assert charges.shown.all()


def test_without_a_budget_nothing_is_shown() -> None:
    charges = Budgets.of(np.zeros(1)).charge(np.zeros(2, np.int64), np.array([0.0, 1.0]))
    assert charges.shown.tolist() == [False, False]
    assert charges.paid.tolist() == [0.0, 0.0]


@given(st.floats(0, 1e9))
def test_micros_are_the_amount_rounded_and_never_above_it(amount: float) -> None:
    (micros,) = to_micros(np.array([amount])).tolist()
    assert micros / MICROS <= amount
    assert micros == pytest.approx(amount * MICROS, abs=1.2)


@given(st.integers(0, 10**15))
def test_amounts_with_six_decimals_are_kept(micros: int) -> None:
    assert to_micros(np.array([micros / MICROS])).tolist() == [micros]


@pytest.mark.parametrize("amount", [-1.0, np.nan, np.inf, 2e9])
def test_what_is_no_budget_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match=r"budget\[1\] == .*, must be from 0 to 1e\+09; 1 rows break this"):
        Budgets.of(np.array([1.0, amount, 3.0]))


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(InputError, match=r"limit\[0\] == -5, must be at least 0 micros"):
        Budgets(np.array([-5]), np.array([0]))
    with pytest.raises(InputError, match=r"spend\[1\] == 7, must be from 0 to the campaign's limit"):
        Budgets(np.array([9, 6]), np.array([9, 7]))
    with pytest.raises(InputError, match="spend has 1 campaigns, must have 2"):
        Budgets(np.array([9, 6]), np.array([9]))


@pytest.mark.parametrize("price", [-0.1, np.nan, np.inf])
def test_what_is_no_price_is_refused(price: float) -> None:
    with pytest.raises(InputError, match=rf"price\[2\] == {price}, must be finite and at least 0; 1 rows"):
        Budgets.of(np.ones(1)).charge(np.zeros(3, np.int64), np.array([1.0, 0.0, price]))


@pytest.mark.parametrize("campaign", [2, -1])
def test_an_unknown_campaign_is_refused(campaign: int) -> None:
    with pytest.raises(
        InputError, match=rf"campaign\[1\] == {campaign}, must be the row of one of 2 campaigns"
    ):
        Budgets.of(np.ones(2)).charge(np.array([1, campaign]), np.ones(2))


def test_a_price_for_each_impression() -> None:
    with pytest.raises(InputError, match="price has 1 rows, must have one for each of 2"):
        Budgets.of(np.ones(2)).charge(np.array([1, 0]), np.ones(1))
