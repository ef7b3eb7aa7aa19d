from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.ad_server import PAID
from mlsd.online.books import Bookkeeper, Books
from mlsd.types import Catalog, Requests, Served, Slates


def catalog() -> Catalog:
    """Three campaigns: two ads, one, one; the last does not run yet."""
    columns = {
        "campaign": np.array([0, 0, 1, 2]),
        "advertiser": np.array([0, 0, 1, 1]),
        "category": np.array([5, 5, 6, 6]),
        "bid": np.array([2.0, 2.0, 30.0, 1.0]),
        "per_action": np.array([False, False, True, False]),
        "daily_budget": np.array([4.0, 4.0, 50.0, 9.0]),
        "start_day": np.array([0, 0, 0, 5]),
        "end_day": np.array([9, 9, 9, 9]),
    }
    return Catalog(np.array(["a", "b", "c", "d"]), columns)


def day() -> Served:
    """Three pages of two positions, at 1, 13 and 14 o'clock."""
    ids = np.arange(3)
    requests = Requests(ids, ids, np.zeros(3, np.int64), 2 + np.array([1.5, 13.5, 14.5]) / 24)
    items = np.array([[0, 2], [1, -1], [0, 2]])
    price = np.array([[1.5, 20.0], [2.0, 0.0], [1.0, 0.0]])
    click = np.array([[True, True], [True, False], [True, True]])
    feedback = {
        "click": click,
        "hide": np.array([[False, True], [False, False], [False, False]]),
        "conversion_days": np.array([[0, 0.5], [0, 0], [0.1, 2.0]]),
        PAID: np.array([[1.5, 20.0], [2.0, 0.0], [0.5, 0.0]]),
    }
    return Served(requests, Slates(items, {"price": price}), feedback)


@pytest.fixture
def books() -> Books:
    keeper = Bookkeeper(catalog())
    keeper.add(day(), 2)
    return keeper.close()


def test_campaigns_are_added_up(books: Books) -> None:
    first, second = (books.campaigns.iloc[row] for row in (0, 1))
    assert (first["campaign"], second["campaign"]) == (1, 0)
    assert (first["paid"], first["value"], first["clicks"], first["conversions"], first["hides"]) == (
        20,
        60,
        2,
        2,
        1,
    )
    assert (second["paid"], second["value"], second["impressions"]) == (4.0, 6.0, 3)
    assert len(books.campaigns) == 2


def test_the_market_in_figures(books: Books) -> None:
    """Campaign 0 spends its 4.0, the last click for less. What has no price was given away, not unpaid."""
    found = books.to_metrics()
    assert found["budget_spent"] == pytest.approx(24 / 54)
    assert found["short_of_money"] == pytest.approx(1 / 2)
    assert found["filled"] == pytest.approx(5 / 6)
    assert found["price_of_bid"] == pytest.approx(24 / (2 + 30 + 2 + 2))
    assert found["unpaid"] == 0


def test_the_curve_is_of_those_who_ran_short(books: Books) -> None:
    assert books.n_short == 1
    assert books.curve[[0, 1, 2, 13, 14, 15, 24]].tolist() == pytest.approx(
        [0, 0, 1.5 / 4, 1.5 / 4, 3.5 / 4, 1, 1]
    )


def test_positions_from_the_top(books: Books) -> None:
    assert books.positions["shown"].tolist() == [3, 2]
    assert books.positions["paid"].tolist() == [4, 20]
    assert books.positions["pages"].tolist() == [3, 3]


def test_what_comes_when_no_money_is_left_is_unpaid() -> None:
    served = day()
    served.feedback[PAID][2, 0] = 0.0
    keeper = Bookkeeper(catalog())
    keeper.add(served, 2)
    assert keeper.close().to_metrics()["unpaid"] == pytest.approx(1 / 4)


def test_nothing_was_served() -> None:
    closed = Bookkeeper(catalog()).close()
    assert set(closed.to_metrics().values()) == {None}
    assert closed.campaigns.empty


def test_the_curve_of_a_campaign_is_of_the_days_on_which_it_ran_short(books: Books) -> None:
    """Campaign 0 has spent all it has, campaign 1 has not: it has no curve."""
    assert books.campaigns["n_short"].tolist() == [0, 1]
    assert books.campaigns["n_running"].tolist() == [1, 1]
    assert np.isnan(books.curves[0]).all()
    np.testing.assert_allclose(books.curves[1], books.curve)


def test_the_curve_of_all_is_the_mean_of_those_of_campaigns_by_their_days() -> None:
    """Another day on which campaign 1 runs short, too, and campaign 0 spends half as it did before."""
    keeper = Bookkeeper(catalog())
    keeper.add(day(), 2)
    served = day()
    served.feedback[PAID][:, 0] = [0.0, 4.0, 0.0]
    served.feedback[PAID][:, 1] = [20.0, 0.0, 30.0]
    later = replace(served, requests=replace(served.requests, time_days=served.requests.time_days + 1))
    keeper.add(later, 3)
    books = keeper.close()
    n_short = books.campaigns["n_short"].to_numpy()
    assert dict(zip(books.campaigns["campaign"], n_short, strict=True)) == {1: 1, 0: 2}
    np.testing.assert_allclose(books.curve, n_short @ books.curves / books.n_short)
    first = books.curves[books.campaigns["campaign"].tolist().index(0)]
    np.testing.assert_allclose(first[[2, 14, 15]], [1.5 / 8, (3.5 / 4 + 1) / 2, 1])
