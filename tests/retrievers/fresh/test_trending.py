"""What many cared for lately: against a loop over the log, in pieces, and what does not count."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError
from mlsd.logs import Log, served_of
from mlsd.retrievers.fresh.trending import Trending
from mlsd.testing.retriever_kit import FEED, FITTING, FreshRetrieverKit, every_pair
from mlsd.testing.small_feed import rows_of
from mlsd.types import Requests

WEIGHTS = {"like": 0.1, "click": 0.7, "follow": 1.3}
MAX_AGE, WINDOW, HALF_LIFE = 60.0, 24, 5.0


def trending() -> Trending:
    return Trending(WEIGHTS, HALF_LIFE, WINDOW, MAX_AGE)


def fitted_on(log: Log | None) -> Trending:
    source = trending()
    source.fit(FEED.catalog, log, FITTING)
    return source


class TestTrending(FreshRetrieverKit):
    def make(self) -> Trending:
        return trending()


@pytest.mark.parametrize("window", [12, 10_000])
def test_scores_are_those_of_a_loop_over_the_log(window: int) -> None:
    """With fewer things done in the window than there are items, and with more."""
    log, catalog, requests = FEED.log, FEED.catalog, FEED.asked
    source = Trending(WEIGHTS, HALF_LIFE, window, MAX_AGE)
    source.fit(catalog, log, FITTING)
    rows = log.impressions.to_dict("records")
    shown_in = log.requests.hour[log.request_rows].tolist()
    scores = source.score(requests, every_pair(len(requests), len(catalog)))
    for row, hour in enumerate(requests.hour.tolist()):
        worth = np.zeros(len(catalog))
        for shown, in_hour in zip(rows, shown_in, strict=True):
            if hour - window <= in_hour < hour:
                done = sum(weight * bool(shown[action]) for action, weight in WEIGHTS.items())
                worth[shown["item"]] += done * 0.5 ** ((hour - in_hour) / HALF_LIFE)
        time = requests.time_days[row]
        days = catalog["published_days"]
        fresh = (days >= time - MAX_AGE / 24) & (days < time)
        mine = scores[row * len(catalog) : (row + 1) * len(catalog)]
        np.testing.assert_allclose(mine, np.where(fresh, worth, 0), rtol=1e-6)
    assert np.count_nonzero(scores) > 300


@given(st.lists(st.integers(0, len(FEED.requests)), max_size=8))
def test_pieces_change_no_bit_though_weights_are_fractions(cuts: list[int]) -> None:
    """Hours may be told in several parts, as those of a served day are."""
    whole, edges = fitted_on(FEED.log), [*sorted(cuts), len(FEED.requests)]
    later = fitted_on(rows_of(FEED.log, 0, edges[0]))
    for start, end in pairwise(edges):
        later = later.observed(served_of(rows_of(FEED.log, start, end)))
    every = every_pair(len(FEED.asked), len(FEED.catalog))
    assert later.score(FEED.asked, every).tobytes() == whole.score(FEED.asked, every).tobytes()


def test_nothing_done_is_nothing_found() -> None:
    nobody = fitted_on(None)
    assert nobody.retrieve(FEED.asked, 9).counts.max() == 0
    calm = FEED.log.impressions.assign(like=False, click=False, follow=False)
    assert fitted_on(replace(FEED.log, impressions=calm)).retrieve(FEED.asked, 9).counts.max() == 0


def test_what_is_done_within_the_hour_and_out_of_the_window_does_not_count() -> None:
    """One like in hour 50: half of it counts `HALF_LIFE` hours later, nothing after `WINDOW` hours."""
    item = int(np.argmax((FEED.catalog["published_days"] > 1.9) & (FEED.catalog["published_days"] < 2.08)))
    ids = np.arange(5)
    hours = np.array([50.9, 51.1, 55.2, 50 + WINDOW + 0.5, 51 + WINDOW])
    asked = Requests(ids, ids, ids, hours / 24)
    page = served_of(FEED.log).take(np.array([0]))
    page = replace(page, requests=replace(page.requests, time_days=np.array([50.1 / 24])))
    only = np.zeros(page.slates.items.shape, bool)
    only[0, 0] = True
    page = replace(
        page,
        slates=replace(page.slates, items=np.where(only, item, -1)),
        feedback={name: only & (name == "like") for name in page.feedback},
    )
    scores = fitted_on(None).observed(page).score(asked, every_pair(5, len(FEED.catalog)))
    expected = [0, 0.1 * 0.5**0.2, 0.05, 0.1 * 0.5 ** (WINDOW / HALF_LIFE), 0]
    np.testing.assert_allclose(scores.reshape(5, -1)[:, item], expected, rtol=1e-6)


def test_what_cannot_be_is_said() -> None:
    for changed, message in (
        ({"weights": {}}, "weights == {}, must not be empty"),
        ({"weights": {"like": 0.0}}, "weights.like == 0.0, must be above 0"),
        ({"half_life_hours": 0.0}, "half_life_hours == 0.0, must be above 0"),
        ({"window_hours": 0}, "window_hours == 0, must be at least 1"),
        ({"max_age_hours": -1.0}, "max_age_hours == -1.0, must be above 0"),
        ({"published": ""}, "published == '', must not be empty"),
    ):
        given_options = {"weights": WEIGHTS, "half_life_hours": 1.0, "window_hours": 2, "max_age_hours": 3.0}
        with pytest.raises(InvalidValueError, match=message):
            Trending(**{**given_options, **changed})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"no action 'lik'; users have .*; nearest is 'like'"):
        Trending({"lik": 1.0}, 1.0, 1, 1.0).fit(FEED.catalog, FEED.log, FITTING)
