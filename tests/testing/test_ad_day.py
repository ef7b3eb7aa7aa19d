from __future__ import annotations

import numpy as np

from mlsd.pacing.base import PacingState
from mlsd.pacing.dual import Dual
from mlsd.testing.ad_day import RESERVE, AdDay

DAY = AdDay(seed=3, n_requests=400, n_campaigns=4)


def begun() -> PacingState:
    """The third campaign has no money."""
    budgets = DAY.budgets
    return Dual().begin(type(budgets).of(np.array([9.0, 9, 0, 9])), DAY.plan, np.array([0.5, 0, 0, 1]))


def test_a_slot_goes_as_a_loop_over_requests_and_campaigns_says() -> None:
    state, rows = begun(), np.arange(50, 350)
    auctioned = DAY.auction(Dual(), state, rows)
    expected, demand = [], np.zeros(4)
    for row in rows:
        value, prob = DAY.value[row], DAY.click_prob[row]
        bids = [value[one] * np.exp(-state.control[one]) if one != 2 else 0.0 for one in range(4)]
        scores = [bids[one] * prob[one] if bids[one] >= RESERVE else 0.0 for one in range(4)]
        least = [max(max(scores[:one] + scores[one + 1 :]) / prob[one], RESERVE) for one in range(4)]
        demand += [least[one] if DAY.clicked[row, one] and value[one] > least[one] else 0 for one in range(4)]
        winner = int(np.argmax(scores))
        if scores[winner] > 0:
            expected.append((row, winner, least[winner]))
    assert list(zip(auctioned.request, auctioned.winner, strict=True)) == [one[:2] for one in expected]
    np.testing.assert_allclose(auctioned.price, [one[2] for one in expected], rtol=1e-12)
    np.testing.assert_allclose(auctioned.demand, demand, rtol=1e-12)
    assert len(set(auctioned.winner.tolist())) == 3


def test_traffic_follows_the_hours_of_the_forecast() -> None:
    """Seed 4, 100,000 requests, no surprise: an hour's share is within 4 standard errors of at most .0009."""
    day = AdDay(seed=4, surprise=0.0)
    share = np.histogram(day.time_days, np.linspace(0, 1, 25))[0] / day.n_requests
    np.testing.assert_allclose(share, day.plan.share[0], atol=0.0036)
