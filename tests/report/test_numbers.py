from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.report import numbers
from mlsd.report.estimate import Estimate

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
        (0.354, "[49.65, 50.35]"),
        (0.356, "[49.6, 50.4]"),
        (0.949, "[49.1, 50.9]"),
        (0.951, "[49.0, 51.0]"),
        (0.9996, "[49.0, 51.0]"),
    ],
)
def test_digits_follow_the_particle_data_group(half: float, shown: str) -> None:
    assert numbers.interval_text(Estimate(50.0, 50 - half, 50 + half)) == shown


@pytest.mark.parametrize(
    ("half", "shown"),
    [
        (0.045, "[0.641, 0.731]"),
        (0.0086, "[0.677, 0.695]"),
        (0.0028, "[0.6832, 0.6888]"),
        (0.15, "[0.54, 0.84]"),
        (0.0004, "[0.6856, 0.6864]"),
    ],
)
def test_metrics_of_rankings_have_three_decimals_unless_the_interval_says_otherwise(
    half: float, shown: str
) -> None:
    assert numbers.interval_text(Estimate(0.686, 0.686 - half, 0.686 + half)) == shown


def test_unknown_is_a_dash_and_never_nan() -> None:
    writers = (numbers.share, numbers.milliseconds, numbers.seconds, numbers.count, numbers.p_text)
    for value in (math.nan, math.inf, -math.inf):
        assert {write(value) for write in writers} == {numbers.UNKNOWN}
        assert numbers.significant(value) == numbers.UNKNOWN
        assert numbers.with_interval(Estimate(value, 0, 1)) == numbers.UNKNOWN


def test_an_interval_of_no_width_or_without_an_end_is_no_trouble() -> None:
    assert numbers.with_interval(Estimate(0.5, 0.5, 0.5)) == "0.500 [0.500, 0.500]"
    assert numbers.with_interval(Estimate(0.5, 0.4, math.nan)) == "0.500"
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
