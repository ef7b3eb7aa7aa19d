"""Against tea-tasting, and against truths that the simulations know.

Simulations number 2,000 each; by the binomial distribution an honest 5% then lies within 3.45-6.65% and
an honest 95% within 93.35-96.55% in 99.9 of 100 cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

import numpy as np
import pandas as pd
import pytest
import tea_tasting
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.ab_test import (
    Comparison,
    PerUnit,
    compare_means,
    compare_ratios,
    sample_ratio_p_value,
)

SEED = 20261123
N_SIMULATIONS = 2000
N_USERS = 300
FALSE_POSITIVES = (0.0345, 0.0665)
COVERAGE = (0.9335, 0.9655)
CLICK_PROB = np.array([0.30, 0.10])
MEAN_IMPRESSIONS = np.array([5.0, 20.0])
CONTROL_CTR = 0.14
"""(5 x .30 + 20 x .10) / (5 + 20): half of the users are light, half heavy."""


def clustered_arms(n_arms: int, lift: float, seed: int) -> Iterator[PerUnit]:
    """Clicks and impressions of users who click more or less often, and with more or fewer impressions."""
    draws = np.random.default_rng(seed)
    for _ in range(n_arms):
        kind = draws.integers(2, size=N_USERS)
        impressions = draws.integers(1, 2 * MEAN_IMPRESSIONS[kind], size=N_USERS)
        taste = draws.beta(4, 4, size=N_USERS) * 2
        clicks = draws.binomial(impressions, CLICK_PROB[kind] * taste * lift)
        yield PerUnit(clicks, impressions)


def simulated(lift: float, seed: int) -> list[tuple[PerUnit, PerUnit]]:
    control = clustered_arms(N_SIMULATIONS, 1.0, seed)
    return list(zip(control, clustered_arms(N_SIMULATIONS, lift, seed + 1), strict=True))


@pytest.fixture(scope="module")
def same() -> list[tuple[PerUnit, PerUnit]]:
    return simulated(1.0, SEED)


@pytest.fixture(scope="module")
def better() -> list[tuple[PerUnit, PerUnit]]:
    return simulated(1.2, SEED + 2)


def impression_level(control: PerUnit, treatment: PerUnit) -> float:
    """The two-proportion z-test that takes impressions for independent."""
    clicks = np.array([control.numerator.sum(), treatment.numerator.sum()])
    impressions = np.array([control.denominator.sum(), treatment.denominator.sum()])
    pooled = clicks.sum() / impressions.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / impressions).sum())
    return float(2 * stats.norm.sf(abs(np.diff(clicks / impressions)[0]) / error))


class TestAgainstTeaTasting:
    @pytest.fixture
    def users(self) -> pd.DataFrame:
        control, treatment = next(clustered_arms(1, 1.0, 7)), next(clustered_arms(1, 1.3, 8))
        arms = [pd.DataFrame(arm._asdict()) for arm in (control, treatment)]
        return pd.concat(arms, keys=[0, 1], names=["variant"]).reset_index("variant")

    @staticmethod
    def arms(users: pd.DataFrame) -> tuple[PerUnit, PerUnit]:
        parts = [users[users["variant"] == variant] for variant in (0, 1)]
        control, treatment = (
            PerUnit(part["numerator"].to_numpy(), part["denominator"].to_numpy()) for part in parts
        )
        return control, treatment

    @staticmethod
    def assert_same(ours: Comparison, theirs: object) -> None:
        names = {
            "control": "control", "treatment": "treatment", "effect": "effect_size",
            "low": "effect_size_ci_lower", "high": "effect_size_ci_upper", "p_value": "pvalue",
            "relative": "rel_effect_size", "relative_low": "rel_effect_size_ci_lower",
            "relative_high": "rel_effect_size_ci_upper",
        }  # fmt: skip
        for name, theirs_name in names.items():
            assert getattr(ours, name) == pytest.approx(getattr(theirs, theirs_name), rel=1e-9), name

    @pytest.mark.parametrize("alpha", [0.05, 0.2])
    def test_ratios(self, users: pd.DataFrame, alpha: float) -> None:
        metric = tea_tasting.RatioOfMeans("numerator", "denominator", confidence_level=1 - alpha)
        theirs = tea_tasting.Experiment(ratio=metric).analyze(users)["ratio"]
        self.assert_same(compare_ratios(*self.arms(users), alpha), theirs)

    def test_means(self, users: pd.DataFrame) -> None:
        theirs = tea_tasting.Experiment(mean=tea_tasting.Mean("numerator")).analyze(users)["mean"]
        control, treatment = self.arms(users)
        self.assert_same(compare_means(control.numerator, treatment.numerator), theirs)

    def test_sample_ratio(self) -> None:
        users = pd.DataFrame({"variant": np.repeat([0, 1], [5000, 5200])})
        metric = tea_tasting.SampleRatio(method="norm", correction=False)
        theirs = tea_tasting.Experiment(ratio=metric).analyze(users)["ratio"]
        assert sample_ratio_p_value(5000, 5200) == pytest.approx(theirs.pvalue, rel=1e-9)


class TestErrorRates:
    def test_equal_arms_differ_in_five_of_a_hundred(self, same: list[tuple[PerUnit, PerUnit]]) -> None:
        p_values = np.array([compare_ratios(*arms).p_value for arms in same])
        assert FALSE_POSITIVES[0] <= (p_values < 0.05).mean() <= FALSE_POSITIVES[1]
        assert stats.kstest(p_values, "uniform").pvalue > 0.001

    def test_so_do_equal_means(self, same: list[tuple[PerUnit, PerUnit]]) -> None:
        found = [compare_means(control.numerator, treatment.numerator) for control, treatment in same]
        p_values = np.array([comparison.p_value for comparison in found])
        assert FALSE_POSITIVES[0] <= (p_values < 0.05).mean() <= FALSE_POSITIVES[1]
        assert stats.kstest(p_values, "uniform").pvalue > 0.001

    def test_impressions_taken_for_independent_cry_wolf(self, same: list[tuple[PerUnit, PerUnit]]) -> None:
        p_values = np.array([impression_level(*arms) for arms in same])
        assert (p_values < 0.05).mean() > 0.10

    def test_intervals_cover_the_true_effect(self, better: list[tuple[PerUnit, PerUnit]]) -> None:
        found = [compare_ratios(*arms) for arms in better]
        truth = 0.2 * CONTROL_CTR
        covered = [comparison.low <= truth <= comparison.high for comparison in found]
        assert COVERAGE[0] <= np.mean(covered) <= COVERAGE[1]

    def test_intervals_cover_the_true_relative_effect(self, better: list[tuple[PerUnit, PerUnit]]) -> None:
        found = [compare_ratios(*arms) for arms in better]
        covered = [comparison.relative_low <= 0.2 <= comparison.relative_high for comparison in found]
        assert COVERAGE[0] <= np.mean(covered) <= COVERAGE[1]

    def test_power_is_what_theory_says(self, better: list[tuple[PerUnit, PerUnit]]) -> None:
        """Within the 99.9% binomial band (+-3.7 points at most) and 2 points for the normal approximation."""
        found = [compare_ratios(*arms) for arms in better]
        error = np.std([comparison.effect for comparison in found])
        expected = stats.norm.sf(stats.norm.isf(0.025) - 0.2 * CONTROL_CTR / error)
        assert np.mean([comparison.p_value < 0.05 for comparison in found]) == pytest.approx(
            expected, abs=0.057
        )


class TestByHand:
    def test_ratio(self) -> None:
        """R = 3 / 25; residuals -.2, .8, -.6 have variance .52; / (3 x (25 / 3)^2) = .002496."""
        arm = PerUnit(np.array([1, 2, 0]), np.array([10, 10, 5]))
        found = compare_ratios(arm, arm)
        error = np.sqrt(2 * 0.52 / 3) / (25 / 3)
        assert (found.control, found.effect, found.p_value) == (0.12, 0, 1)
        assert found.high == pytest.approx(stats.t.ppf(0.975, 4) * error)
        assert found.low == pytest.approx(-found.high)

    def test_means_as_scipy(self) -> None:
        draws = np.random.default_rng(SEED)
        control, treatment = draws.normal(1, 1, 40), draws.normal(2, 3, 25)
        theirs = stats.ttest_ind(treatment, control, equal_var=False)
        interval = theirs.confidence_interval(0.9)
        found = compare_means(control, treatment, alpha=0.1)
        assert found.p_value == pytest.approx(theirs.pvalue)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high))

    def test_sample_ratio_as_scipy(self) -> None:
        theirs = stats.chisquare([310, 130], [440 * 0.7, 440 * 0.3]).pvalue
        assert sample_ratio_p_value(310, 130, treatment_share=0.3) == pytest.approx(theirs)
        assert sample_ratio_p_value(0, 0) == 1


class TestLittleToGoBy:
    def test_nobody(self) -> None:
        nobody = PerUnit(np.zeros(0), np.zeros(0))
        assert all(isnan(value) for value in compare_ratios(nobody, nobody))

    def test_nothing_to_divide_by(self) -> None:
        silent, some = PerUnit(np.zeros(3), np.zeros(3)), PerUnit(np.ones(3), np.ones(3))
        found = compare_ratios(silent, some)
        assert isnan(found.control)
        assert found.treatment == 1
        assert isnan(found.effect)
        assert isnan(found.p_value)

    def test_one_unit_has_an_effect_but_no_interval(self) -> None:
        found = compare_means(np.array([2.0]), np.array([3.0, 4.0]))
        assert found.effect == 1.5
        assert isnan(found.low)
        assert isnan(found.p_value)

    @pytest.mark.parametrize(("treatment", "p_value"), [(0.1, 1.0), (0.2, 0.0)])
    def test_no_variance_is_certainty(self, treatment: float, p_value: float) -> None:
        found = compare_means(np.full(3, 0.1), np.full(7, treatment))
        assert found.low == found.high == found.effect == pytest.approx(treatment - 0.1)
        assert found.p_value == p_value

    def test_no_relative_effect_on_nothing(self) -> None:
        found = compare_means(np.array([-1.0, 1.0]), np.array([1.0, 2.0]))
        assert isnan(found.relative)
        assert isnan(found.relative_low)
        assert found.low < found.effect < found.high

    def test_tiny_numbers_do_not_underflow(self) -> None:
        small = compare_means(np.array([1, 2, 3.0]) * 1e-90, np.array([3, 4, 5.0]) * 1e-90)
        assert small.p_value == pytest.approx(0.0705, abs=1e-4)

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=2, max_size=20))
    @settings(max_examples=60, deadline=None)
    def test_swapping_the_arms_turns_the_effect_around(self, units: list[tuple[int, int]]) -> None:
        values = np.array(units, float)
        one, other = PerUnit(values[:, 0], values[:, 1]), PerUnit(values[::-1, 1], values[::-1, 0])
        there, back = compare_ratios(one, other), compare_ratios(other, one)
        assert there.effect == pytest.approx(-back.effect, nan_ok=True)
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low), nan_ok=True)
        assert there.p_value == pytest.approx(back.p_value, nan_ok=True)


class TestBadInput:
    def test_not_finite(self) -> None:
        with pytest.raises(InputError, match="treatment: a unit's value is NaN or infinite, must be finite"):
            compare_means(np.ones(2), np.array([1.0, np.nan]))

    def test_negative_denominator(self) -> None:
        arm = PerUnit(np.ones(2), np.array([1.0, -2.0]))
        with pytest.raises(InputError, match=r"control: denominator == -2.0, must be at least 0"):
            compare_ratios(arm, arm)

    def test_lengths_differ(self) -> None:
        arm = PerUnit(np.ones(2), np.ones(3))
        with pytest.raises(
            InputError, match=r"numerator \(2,\) and denominator \(3,\) must be of one length"
        ):
            compare_ratios(arm, arm)

    @pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
    def test_alpha(self, alpha: float) -> None:
        with pytest.raises(InvalidValueError, match=r"alpha == .*, must be between 0 and 1, both left out"):
            compare_means(np.ones(2), np.ones(2), alpha)
