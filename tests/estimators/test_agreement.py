"""Alpha beside published examples, a slow reference and what must hold of it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.errors import InvalidValueError
from mlsd.estimators.agreement import (
    DISTANCES,
    Distance,
    alpha_statistic,
    coincidences,
    krippendorff_alpha,
    why_undefined,
)
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.estimators.ratings import Ratings
from mlsd.types import Floats

NAN = np.nan

BINARY = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)
"""Krippendorff (2011), example A: two observers, binary data."""

NOMINAL = np.array([[0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0], [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]], float)
"""Example B: two observers, five categories."""

MISSING = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Example C: four observers who leave out units, in the version whose alphas are given for every metric."""


@pytest.mark.parametrize(
    ("matrix", "distance", "published"),
    [
        (BINARY, "nominal", 0.095),
        (NOMINAL, "nominal", 0.692),
        (MISSING, "nominal", 0.743),
        (MISSING, "ordinal", 0.815),
        (MISSING, "interval", 0.849),
    ],
)
def test_published_examples(matrix: Floats, distance: Distance, published: float) -> None:
    """To the three digits that are published."""
    alpha = krippendorff_alpha(Ratings.of_matrix(matrix, 6), distance)
    assert alpha == pytest.approx(published, abs=0.0005)


def test_coincidences_of_the_published_example() -> None:
    """Krippendorff (2011), C: the matrix printed there, values 1 to 5."""
    found = coincidences(Ratings.of_matrix(MISSING, 6)).sum(axis=0)
    printed = np.array(
        [
            [7, 4 / 3, 1 / 3, 1 / 3, 0],
            [4 / 3, 10, 4 / 3, 1 / 3, 0],
            [1 / 3, 4 / 3, 8, 1 / 3, 0],
            [1 / 3, 1 / 3, 1 / 3, 4, 0],
            [0, 0, 0, 0, 3],
        ]
    )
    np.testing.assert_allclose(found[1:, 1:], printed)
    assert not found[0].any()


def slow_alpha(matrix: Floats, distance: Distance) -> float:
    """Disagreement within units over that among all values that can be paired, by the definitions."""
    units = [column[~np.isnan(column)] for column in matrix.T]
    units = [unit for unit in units if len(unit) > 1]
    values = np.concatenate([*units, []])

    def squared(c: float, k: float) -> float:
        if distance == "nominal":
            return float(c != k)
        if distance == "interval":
            return (c - k) ** 2
        between = np.sum((values >= min(c, k)) & (values <= max(c, k)))
        ends = (np.sum(values == c) + np.sum(values == k)) / 2
        return float(between - ends) ** 2

    n = len(values)
    within = sum(sum(squared(c, k) for c, k in permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    among = sum(squared(c, k) for c, k in permutations(values, 2))
    return 1 - (within / n) / (among / (n * (n - 1))) if n and among else NAN


grades = st.one_of(st.just(NAN), st.integers(0, 4).map(float))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(grades, min_size=n, max_size=n), min_size=1, max_size=6)
    )
)
@pytest.mark.parametrize("distance", DISTANCES)
def test_against_a_slow_reference(distance: Distance, rows: list[list[float]]) -> None:
    matrix = np.array(rows)
    fast = krippendorff_alpha(Ratings.of_matrix(matrix, 5), distance)
    np.testing.assert_allclose(fast, slow_alpha(matrix, distance), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
def test_perfect_agreement_is_one_and_raters_do_not_count(distance: Distance) -> None:
    same = np.array([[0.0, 2, 4, 1], [0.0, 2, 4, 1], [0.0, NAN, 4, 1]])
    assert krippendorff_alpha(Ratings.of_matrix(same, 5), distance) == 1
    ratings = Ratings.of_matrix(MISSING, 6)
    shuffled = Ratings.of_matrix(MISSING[[2, 0, 3, 1]][:, ::-1], 6)
    assert krippendorff_alpha(ratings, distance) == pytest.approx(krippendorff_alpha(shuffled, distance))


def test_raters_who_always_differ_are_below_chance() -> None:
    """Two ratings, never the same: o_01 = o_10 = 4, so alpha = 1 - 7 x 8 / 32."""
    opposed = Ratings.of_matrix(np.array([[0.0, 1, 0, 1], [1.0, 0, 1, 0]]), 2)
    assert krippendorff_alpha(opposed, "nominal") == pytest.approx(-0.75)
    assert why_undefined(opposed) == ""


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.full((3, 4), 2.0), "all ratings are the same, so nothing varies"),
        (np.array([[1.0, NAN], [NAN, 3.0]]), "no pair was rated twice"),
        (np.full((2, 3), NAN), "no pair was rated twice"),
    ],
)
@pytest.mark.parametrize("distance", DISTANCES)
def test_where_nothing_varies_alpha_is_undefined_with_a_reason(
    matrix: Floats, reason: str, distance: Distance
) -> None:
    ratings = Ratings.of_matrix(matrix, 5)
    assert np.isnan(krippendorff_alpha(ratings, distance))
    assert why_undefined(ratings) == reason


def test_resampled_units_are_counted_with_all_their_pairs() -> None:
    """Counting a unit twice is having its pairs twice."""
    ratings = Ratings.of_matrix(MISSING, 6)
    unit = np.array([5, 5, 5, 5, 5, 5, 8, 8, 8, 8, 8, 8])
    doubled = Ratings.of_matrix(MISSING[:, [*range(6), *range(6), *range(6, 12)]], 6)
    resampled = alpha_statistic(ratings, unit=unit).resampled(np.array([[2, 1]]))
    expected = [krippendorff_alpha(doubled, distance) for distance in DISTANCES]
    np.testing.assert_allclose(resampled[0], expected)


def test_intervals_hold_the_agreement_of_the_population() -> None:
    """Ratings right with probability .8, else any other of three grades, three a pair, grades even: nominal
    alpha is .49, since two raters coincide with .8^2 + 2 x .1^2 = .66 and by chance with 1/3.

    Of 200 data sets of 120 pairs, 95% intervals hold it in 190 on average with a standard error of 3.1; 10
    less than that is over three standard errors away.
    """
    generator = np.random.default_rng(20)
    covered = 0
    for _ in range(200):
        true = generator.integers(0, 3, 120)
        wrong = generator.random((3, 120)) < 0.2
        matrix = (true + wrong * generator.integers(1, 3, (3, 120))) % 3
        statistic = alpha_statistic(Ratings.of_matrix(matrix.astype(float), 3), ("nominal",))
        ((interval,),) = Bootstrap(n_replicates=200).intervals([statistic], np.arange(120))
        covered += interval.low <= 0.49 <= interval.high
    assert covered >= 180


def test_an_unknown_distance() -> None:
    with pytest.raises(InvalidValueError, match=r"distance == 'ordinl', must be one of nominal, ordinal"):
        krippendorff_alpha(Ratings.of_matrix(BINARY, 2), "ordinl")  # type: ignore[arg-type]
