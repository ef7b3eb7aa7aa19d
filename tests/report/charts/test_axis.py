from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.report.charts.axis import Axis, around, robust_limit, tick_labels

finite = st.floats(-1e9, 1e9)


@given(st.lists(finite | st.just(math.nan), max_size=8), st.floats(50, 800))
def test_every_value_stands_between_the_ends(values: list[float], width: float) -> None:
    axis = around(values, 0, width)
    assert axis.low < axis.high
    assert all(0 <= axis.at(value) <= width for value in values if math.isfinite(value))


@given(st.floats(1e-6, 1e6), st.floats(1.2, 1e6), st.floats(100, 800))
def test_logarithmic_ticks_lie_within_and_rise(low: float, ratio: float, width: float) -> None:
    axis = Axis(low, low * ratio, 0, width, logarithmic=True)
    ticks = axis.ticks()
    assert ticks == sorted(ticks)
    assert all(axis.low <= tick <= axis.high for tick in ticks)
    assert len(ticks) <= max(8, width / 55)


def test_equal_ratios_are_equally_far() -> None:
    axis = Axis(1, 100, 0, 200, logarithmic=True)
    assert axis.at(10) == pytest.approx(100)


def test_values_beyond_the_ends_stand_at_the_ends() -> None:
    axis = Axis(0, 10, 100, 200)
    assert (axis.at(-5), axis.at(15)) == (100, 200)


def test_one_wide_interval_does_not_flatten_the_others() -> None:
    assert robust_limit([1, 1, 1, 1, 50]) == 4
    assert robust_limit([math.nan]) == 1
    assert robust_limit([0, 0]) == 1


def test_labels_have_the_decimals_of_their_step() -> None:
    assert [text for _, text in tick_labels([0.0, 0.25, 0.5])] == ["0", "0.25", "0.50"]
    assert [text for _, text in tick_labels([-5.0, 0.0, 5.0], "%", signed=True)] == ["−5%", "0%", "+5%"]  # noqa: RUF001
