"""Tests of paired differences, against SciPy, all signs there are, and differences that are nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlsd.errors import InputError
from mlsd.estimators.paired import outcomes, t_test, unit_totals, wilcoxon
from mlsd.estimators.sign_flip import SignFlip
from mlsd.types import Floats

TENTHS = st.integers(-20, 20).map(lambda n: n / 10)
TOTALS = st.lists(TENTHS, min_size=2, max_size=30).map(lambda values: np.array(values)[:, None])


def drawn(n: int, seed: int = 5) -> tuple[Floats, Floats]:
    """A metric of two systems, on a grid, so that ties and zeros occur."""
    draws = np.random.default_rng(seed)
    first = draws.integers(0, 11, (n, 3)) / 10
    return first, np.clip(first + draws.integers(-3, 5, (n, 3)) / 10, 0, 1)


@pytest.mark.parametrize("n", [4, 7, 60, 500])
def test_t_is_scipys_on_queries_with_one_request_each(n: int) -> None:
    before, after = drawn(n)
    totals = unit_totals(after - before, np.arange(n))
    assert t_test(totals) == pytest.approx(stats.ttest_rel(after, before).pvalue, rel=1e-9)


@pytest.mark.parametrize("n", [60, 500])
def test_wilcoxon_is_scipys_with_pratts_zeros(n: int) -> None:
    """Rounded as totals are: on what is equal but for its last bit, SciPy sees no tie."""
    before, after = drawn(n)
    totals = unit_totals(after - before, np.arange(n))
    assert np.any(totals == 0)
    columns = [
        stats.wilcoxon(column, zero_method="pratt", method="approx", correction=False).pvalue
        for column in totals.T
    ]
    assert wilcoxon(totals) == pytest.approx(columns, rel=1e-9)


@pytest.mark.parametrize("totals", [[1.0, 2, 3, -4, 5, 6, 7, 8], [3.0, -1, 2, 2, -0.5, 1, 0, 4, 4, -2]])
def test_wilcoxon_is_near_the_share_of_all_signs_that_reach_as_far(totals: list[float]) -> None:
    """Every combination of signs of the mid-ranks; the normal approximation of ten units is off by some
    hundredths."""
    values = np.array(totals)
    ranks = stats.rankdata(np.abs(values)) * (values != 0)
    observed = abs(np.sum(np.sign(values) * ranks))
    sums = [abs(np.dot(signs, ranks)) for signs in product((-1, 1), repeat=len(values))]
    exact = np.mean(np.array(sums) >= observed - 1e-9)
    assert wilcoxon(values[:, None])[0] == pytest.approx(exact, abs=0.05)


@given(TOTALS)
def test_turning_the_sides_changes_no_p_value_and_swaps_wins_and_losses(totals: Floats) -> None:
    for test in (t_test, wilcoxon):
        (p_value,) = test(totals)
        assert 0 <= p_value <= 1
        assert test(-totals)[0] == p_value
    there, back = outcomes(totals), outcomes(-totals)
    assert (there.wins[0], there.ties[0], there.losses[0]) == (back.losses[0], back.ties[0], back.wins[0])
    assert there.wins[0] + there.ties[0] + there.losses[0] == len(totals)


@given(TOTALS, st.permutations(range(30)))
def test_the_order_of_units_changes_nothing(totals: Floats, order: list[int]) -> None:
    turned = totals[[place for place in order if place < len(totals)]]
    assert wilcoxon(turned) == pytest.approx(wilcoxon(totals))
    assert t_test(turned) == pytest.approx(t_test(totals))


@given(st.lists(st.tuples(TENTHS, st.integers(0, 4)), min_size=1, max_size=30))
def test_totals_are_sums_by_unit_in_any_order_of_rows(rows: list[tuple[float, int]]) -> None:
    values, units = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = unit_totals(values[:, None], units)[:, 0]
    assert found == pytest.approx([values[units == unit].sum() for unit in np.unique(units)])
    assert np.array_equal(found, unit_totals(values[::-1, None], units[::-1])[:, 0])


def test_what_adds_up_to_nothing_is_a_tie() -> None:
    """0.1 + 0.2 - 0.3 is 5.6e-17 in floating point."""
    totals = unit_totals(np.array([[0.1], [0.2], [-0.3], [0.5]]), np.array([1, 1, 1, 2]))
    assert [counts.item() for counts in outcomes(totals)] == [1, 1, 0]


def test_nothing_one_unit_and_no_difference() -> None:
    nothing = np.full((4, 1), np.nan)
    one = np.array([[0.5], [np.nan]])
    for test in (t_test, wilcoxon):
        assert np.isnan(test(nothing)).all()
        assert np.isnan(test(one)).all()
        assert test(np.zeros((5, 1))).tolist() == [1.0]
        assert test(np.array([[1.0], [-1.0], [np.nan]])).tolist() == [1.0]
    assert t_test(np.full((3, 1), 0.5)).tolist() == [0.0], "all gain the same: t is infinite"


def test_a_segment_is_what_is_known() -> None:
    totals = np.array([[1.0, 1.0], [2.0, np.nan], [0.5, 0.5], [-1.0, -1.0]])
    for test in (t_test, wilcoxon):
        assert test(totals)[1] == test(totals[[0, 2, 3], 1:])[0]


def test_p_values_hold_their_level_where_nothing_differs() -> None:
    """2,000 pairs of exchangeable systems, skewed, requests of a user alike: 5% +- 4 standard errors of 0.5%.

    Seed 23 and tolerance chosen before the first run. t and Wilcoxon are approximate, and held all the same.
    """
    draws = np.random.default_rng(23)
    n_units, n_cases = 80, 2000
    gains = draws.choice([-1.0, 1.0], (n_units, n_cases)) * draws.exponential(size=(n_units, n_cases))
    n_rows = draws.integers(1, 5, n_units)
    rows, units = np.repeat(gains, n_rows, axis=0), np.repeat(np.arange(n_units), n_rows)
    totals = unit_totals(rows, units)
    for p_values in (SignFlip(1000, seed=4).p_values(rows, units), t_test(totals), wilcoxon(totals)):
        assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.02)
        assert np.mean(p_values < 0.5) == pytest.approx(0.5, abs=0.045)


def test_rows_that_are_taken_for_independent_find_what_is_not_there() -> None:
    """Why units are tested and not requests: ten requests of each user, all alike. Same seed as above."""
    draws = np.random.default_rng(23)
    rows = np.repeat(draws.normal(size=(80, 500)), 10, axis=0)
    assert np.mean(t_test(unit_totals(rows, np.repeat(np.arange(80), 10))) < 0.05) < 0.1
    assert np.mean(t_test(rows) < 0.05) > 0.4


def test_faults() -> None:
    with pytest.raises(InputError, match=r"shape \(3,\), must be \(3, n_figures\)"):
        unit_totals(np.zeros(3), np.arange(3))
