"""Bids under GSP against what theory says of their equilibrium, and against every other slot tried out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.auctions.base import Bids, ReserveOn
from mlsd.auctions.equilibrium import Equilibrium, balanced_bids
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.errors import InvalidValueError
from mlsd.types import Floats

ALPHA = np.array([1.0, 0.7, 0.4, 0.1])


def values_of(n_requests: int, seed: int, n_most: int = 12) -> Bids:
    draws = np.random.default_rng(seed)
    offsets = ragged.offsets_of_counts(draws.integers(0, n_most + 1, n_requests))
    n = int(offsets[-1])
    return Bids(offsets, draws.lognormal(0, 1, n), draws.beta(2, 10, n))


def at(found: Equilibrium, values: Bids) -> Bids:
    return Bids(values.offsets, found.bid, values.quality, values.reserve, values.eligible)


@pytest.mark.parametrize(("reserve", "reserve_on"), [(0.0, "bid"), (0.2, "score")])
@pytest.mark.parametrize("alpha", [ALPHA, np.array([1.0]), np.geomspace(1, 0.99, 5), 0.5 ** np.arange(10)])
def test_gsp_earns_what_vcg_earns_of_true_values(
    reserve: float, reserve_on: ReserveOn, alpha: Floats
) -> None:
    """At the lowest envy-free equilibrium, slot by slot (Edelman, Ostrovsky and Schwarz 2007, theorem 1)."""
    values = values_of(1000, seed=1)
    gsp, vcg = GSP(reserve, reserve_on), VCG(reserve, reserve_on)
    found = balanced_bids(gsp, values, alpha)
    assert found.converged.all()
    answered, truthful = gsp(at(found, values), alpha), vcg(values, alpha)
    np.testing.assert_array_equal(answered.winners, truthful.winners)
    np.testing.assert_allclose(answered.expected_payment, truthful.expected_payment, rtol=1e-9)
    if len(alpha) > 1:
        assert gsp(values, alpha).revenue.sum() > 1.05 * answered.revenue.sum()


@pytest.mark.parametrize(("reserve", "reserve_on"), [(0.0, "bid"), (0.5, "bid"), (0.2, "score")])
def test_no_ad_gains_by_another_bid(reserve: float, reserve_on: ReserveOn) -> None:
    """One ad of each request tries forty bids from nothing to one and a half times its value."""
    values, gsp = values_of(2000, seed=2), GSP(reserve, reserve_on)
    values = values.take(np.flatnonzero(np.diff(values.offsets)))
    found = balanced_bids(gsp, values, ALPHA)
    assert found.converged.all()
    draws = np.random.default_rng(3)
    ads = values.offsets[:-1] + np.floor(draws.random(values.n_requests) * np.diff(values.offsets)).astype(
        int
    )
    settled = _gain(gsp, at(found, values), values, ads)
    for share in np.linspace(0, 1.5, 40):
        bid = found.bid.copy()
        bid[ads] = share * values.bid[ads]
        other = _gain(gsp, Bids(values.offsets, bid, values.quality), values, ads)
        assert (other <= settled + 1e-9).all()


def _gain(gsp: GSP, bids: Bids, values: Bids, ads: np.ndarray) -> Floats:
    outcome = gsp(bids, ALPHA)
    margin = values.bid[ads][:, None] - outcome.price_per_click
    clicks = ALPHA * values.quality[ads][:, None] * (outcome.winners == ads[:, None])
    return np.asarray((clicks * margin).sum(axis=1))


def test_no_ad_would_rather_have_anothers_slot_at_its_price() -> None:
    """Envy-free: alpha_i (value_i - price_i) >= alpha_j (value_i - payment_j per click of i), all slots."""
    values = values_of(1000, seed=4)
    outcome = GSP()(at(balanced_bids(GSP(), values, ALPHA), values), ALPHA)
    filled = outcome.filled
    value = np.where(filled, values.bid[outcome.winners], 0)
    quality = np.where(filled, values.quality[outcome.winners], 1)
    cost = outcome.price_per_click * quality
    for slot in range(len(ALPHA)):
        own = ALPHA[slot] * (value - outcome.price_per_click)[:, slot]
        for other in range(len(ALPHA)):
            envied = ALPHA[other] * (value[:, slot] - cost[:, other] / quality[:, slot])
            both = filled[:, slot] & filled[:, other]
            assert (own[both] >= envied[both] - 1e-9).all()


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), max_size=6), st.sampled_from([0.0, 1.0]))
def test_equal_values_settle_and_no_bid_exceeds_its_value(values: list[float], reserve: float) -> None:
    n = len(values)
    found = balanced_bids(GSP(reserve), Bids(np.array([0, n]), np.array(values), np.ones(n)), ALPHA)
    assert found.converged.all()
    assert (found.bid <= values).all()
    assert (found.bid >= 0).all()


def test_who_wins_nothing_bids_its_value() -> None:
    values = values_of(200, seed=5)
    found = balanced_bids(GSP(0.5), values, ALPHA)
    loses = np.ones(len(values), bool)
    winners = GSP(0.5)(at(found, values), ALPHA).winners
    loses[winners[winners >= 0]] = False
    assert loses.sum() > 100
    assert (found.bid == values.bid)[loses].all()
    assert (found.bid < values.bid)[~loses].all()


def test_requests_settle_each_on_its_own() -> None:
    values = values_of(60, seed=6)
    together = balanced_bids(GSP(), values, ALPHA)
    alone = [balanced_bids(GSP(), values.take(np.array([row])), ALPHA) for row in range(60)]
    assert np.concatenate([one.bid for one in alone]).tobytes() == together.bid.tobytes()
    assert max(one.n_rounds for one in alone) == together.n_rounds


def test_too_few_rounds_are_said_to_be_too_few() -> None:
    values = values_of(200, seed=7)
    found = balanced_bids(GSP(), values, ALPHA, max_rounds=2)
    assert found.n_rounds == 2
    assert 0 < found.converged.mean() < 1
    settled = balanced_bids(GSP(), values, ALPHA)
    done = np.repeat(found.converged, np.diff(values.offsets))
    np.testing.assert_allclose(found.bid[done], settled.bid[done], rtol=1e-12)


def test_without_requests_there_is_nothing_to_settle() -> None:
    found = balanced_bids(GSP(), values_of(0, seed=8), ALPHA)
    assert (found.bid.shape, found.converged.shape, found.n_rounds) == ((0,), (0,), 0)


def test_arguments_that_are_none_are_refused() -> None:
    values = values_of(3, seed=9)
    message = r"multipliers\[2\] == 0\.5, must be below the one before, 0\.5: between equal slots"
    with pytest.raises(InvalidValueError, match=message):
        balanced_bids(GSP(), values, np.array([1.0, 0.5, 0.5]))
    with pytest.raises(InvalidValueError, match="max_rounds == 0, must be at least 1"):
        balanced_bids(GSP(), values, ALPHA, max_rounds=0)
    with pytest.raises(InvalidValueError, match="tolerance == -1, must be at least 0"):
        balanced_bids(GSP(), values, ALPHA, tolerance=-1)
