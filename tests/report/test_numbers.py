from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.report import numbers
from mlsd.report.base import Estimate

finite = st.floats(-1e6, 1e6)
widths = st.floats(1e-5, 1e5)


def parsed(text: str) -> float:
    return float(text.replace(numbers.MINUS, "-").replace(",", "").replace("+", ""))


@given(finite, widths)
def test_rounding_is_fine_beside_the_interval(value: float, half: float) -> None:
    estimate = Estimate(value, value - half, value + half)
    shown = parsed(numbers.value_text(estimate))
    # One digit of a half-width above 35 units: a rounding error of half a unit is at most 1/7 of it.
    assert abs(shown - value) <= half / 7 + 5e-7


@given(finite, widths)
def test_the_shown_interval_is_on_the_side_of_zero_where_it_is(value: float, half: float) -> None:
    estimate = Estimate(value, value - half, value + half)
    low, high = (parsed(end) for end in numbers.interval_text(estimate)[1:-1].split(", "))
    assert low <= estimate.low + half
    if min(abs(estimate.low), abs(estimate.high)) > half / 50 + 1e-5:
        assert (low > 0, high < 0) == (estimate.low > 0, estimate.high < 0)


@pytest.mark.parametrize(
    ("half", "shown"),
    [
        (0.0354, "[0.465, 0.535]"),
        (0.0356, "[0.46, 0.54]"),
        (0.0949, "[0.41, 0.59]"),
        (0.0951, "[0.40, 0.60]"),
    ],
)
def test_digits_follow_the_particle_data_group(half: float, shown: str) -> None:
    assert numbers.interval_text(Estimate(0.5, 0.5 - half, 0.5 + half)) == shown


def test_unknown_is_a_dash_and_never_nan() -> None:
    writers = (numbers.share, numbers.milliseconds, numbers.seconds, numbers.count, numbers.p_text)
    for value in (math.nan, math.inf, -math.inf):
        assert {write(value) for write in writers} == {numbers.UNKNOWN}
        assert numbers.significant(value) == numbers.UNKNOWN
        assert numbers.with_interval(Estimate(value, 0, 1)) == numbers.UNKNOWN


def test_an_interval_of_no_width_or_without_an_end_is_no_trouble() -> None:
    assert numbers.with_interval(Estimate(0.5, 0.5, 0.5)) == "0.5000 [0.5000, 0.5000]"
    assert numbers.with_interval(Estimate(0.5, 0.4, math.nan)) == "0.5000"
    assert numbers.with_interval(Estimate(0.0, 0.0, 0.0)) == "0 [0, 0]"


def test_percent_and_percentage_points() -> None:
    estimate = Estimate(0.0183, 0.0081, 0.0285)
    assert numbers.with_interval(estimate, "%", signed=True) == "+1.8 pp [+0.8, +2.9]"
    assert numbers.value_text(Estimate(0.412, 0.40, 0.424), "%") == "41.2%"
    assert numbers.value_text(Estimate(3.2, 3.0, 3.4), "s") == "3.20 s"


@given(st.text(), st.floats(1, 500))
def test_shortened_text_fits(text: str, width: float) -> None:
    short = numbers.shorten(text, width)
    assert numbers.text_width(short) <= width or short == "…"


@given(st.text(st.characters()))
def test_clean_text_can_be_written_anywhere(text: str) -> None:
    cleaned = numbers.clean(text)
    cleaned.encode("utf-8")
    assert numbers.clean(cleaned) == cleaned
    assert all(
        character.isprintable() or character.isspace() or ord(character) > 126 for character in cleaned
    )
