"""Impressions by who made what was shown: sums against the pages, and how far intervals can be trusted."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from scipy import sparse, stats

from mlsd import rng
from mlsd.estimators.concentration import gini
from mlsd.online.exposure import Exposure, compare_gini
from mlsd.testing.small_feed import N_AUTHORS, N_USERS, SmallFeed
from mlsd.types import Array

FEED = SmallFeed()
MAKER = FEED.catalog["author"]


def test_sums_are_those_of_the_pages() -> None:
    exposure = Exposure.nothing(N_USERS, MAKER)
    for rows in np.array_split(np.arange(len(FEED.requests)), 5):
        exposure = exposure.with_shown(FEED.served.take(rows), MAKER)
    by_hand = np.zeros((N_USERS, N_AUTHORS))
    for user, page in zip(FEED.requests.user.tolist(), FEED.served.slates.items.tolist(), strict=True):
        for item in page:
            if item >= 0:
                by_hand[user, MAKER[item]] += 1
    assert exposure.makers.tolist() == list(range(N_AUTHORS))
    np.testing.assert_array_equal(exposure.shown.toarray(), by_hand)
    some = np.arange(N_USERS) % 2 == 0
    np.testing.assert_array_equal(exposure.of(some), by_hand[some].sum(axis=0))


def test_who_made_what_was_never_shown_counts_too() -> None:
    """Numbers of makers need not be consecutive."""
    maker = np.where(MAKER == 0, 1000, MAKER)
    exposure = Exposure.nothing(N_USERS, np.append(maker, 77))
    assert exposure.makers.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 77, 1000]
    shown = exposure.with_shown(FEED.served, maker).of(np.ones(N_USERS, bool))
    assert shown[exposure.makers == 77] == 0
    assert shown.sum() == FEED.served.slates.shown.sum()


def exposures(world: int, n_users: int, skew: float) -> tuple[Exposure, Exposure]:
    """Impressions of 30 makers under two systems, the second of which shows popular ones more with `skew`.

    A user's number of pages is exponential, and everybody has own tastes, so that users differ.
    """
    makers, users = np.arange(30), np.arange(n_users)[:, None]
    popularity = np.exp(rng.normal(0, "popularity", makers))
    pages = 20 * rng.exponential(world, "pages", users)
    taste = np.exp(0.5 * rng.normal(world, "tastes", users, makers))
    luck = rng.uniform(world, "shown", users, makers)

    def shown(power: float) -> Exposure:
        weight = popularity**power * taste
        mean = pages * weight / weight.sum(axis=1, keepdims=True)
        return Exposure(sparse.csr_array(stats.poisson.ppf(luck, mean)), makers)

    return shown(1.0), shown(skew)


def halves(world: int, n_users: int) -> Array:
    return rng.uniform(world, "assignment", np.arange(n_users)) < 0.5


def of_all(exposure: Exposure) -> float:
    return float(gini(exposure.of(np.ones(exposure.shown.shape[0], bool))))


def test_an_effect_is_the_difference_of_what_each_arm_was_shown() -> None:
    control, treatment = exposures(0, 300, 1.4)
    treated = halves(0, 300)
    found = compare_gini(control, treatment, treated, 0.05, seed=3)
    assert found.control == float(gini(control.shown.toarray()[~treated].sum(axis=0)))
    assert found.treatment == float(gini(treatment.shown.toarray()[treated].sum(axis=0)))
    assert found.effect == found.treatment - found.control
    assert found.relative == found.treatment / found.control - 1
    assert found.low < found.effect < found.high
    assert found.relative_low < found.relative < found.relative_high
    assert isnan(found.p_value)
    again = compare_gini(control, treatment, treated, 0.05, seed=3)
    assert again[:5] + again[6:] == found[:5] + found[6:]
    wider = compare_gini(control, treatment, treated, 0.01, seed=3)
    assert wider.low < found.low < found.high < wider.high
    assert wider.relative_low < found.relative_low < found.relative_high < wider.relative_high


@pytest.mark.parametrize(("skew", "least"), [(1.0, 0.88), (1.3, 0.88)])
def test_intervals_cover_about_as_often_as_they_say(skew: float, least: float) -> None:
    """300 worlds of 400 users, seeds 0 to 299; truth is that of 20,000 users of one more world.

    At .95 each, 99.9% of such shares lie above .90. The interval of a sample is centred a little off, as
    `compare_gini` says, and promises .92 to .94: that 300 of them cover less than .88 has a chance below 1 in
    100 then. Both were set before the first run.
    """
    control, treatment = exposures(10**6, 20_000, skew)
    before, after = of_all(control), of_all(treatment)
    covered = []
    for world in range(300):
        found = compare_gini(*exposures(world, 400, skew), halves(world, 400), 0.05, world)
        absolute = found.low <= after - before <= found.high
        covered.append((absolute, found.relative_low <= after / before - 1 <= found.relative_high))
    shares = np.mean(covered, axis=0)
    assert np.all((shares >= least) & (shares <= 0.99)), shares


def test_arms_that_show_the_same_to_everybody() -> None:
    """All alike: the coefficient is 0, and what is relative to it is unknown."""
    alike = Exposure(sparse.csr_array(np.ones((40, 5))), np.arange(5))
    found = compare_gini(alike, alike, halves(1, 40), 0.05, 0)
    assert found[:5] == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert all(isnan(value) for value in (found.relative, found.relative_low, found.relative_high))


@pytest.mark.parametrize("treated", [np.zeros(12, bool), np.ones(12, bool)])
def test_an_arm_that_was_shown_nothing_has_no_figure(treated: Array) -> None:
    exposure = Exposure.nothing(N_USERS, MAKER).with_shown(FEED.served, MAKER)
    found = compare_gini(exposure, exposure, treated, 0.05, 0)
    assert all(isnan(value) for value in (found.effect, found.low, found.high, found.relative))
