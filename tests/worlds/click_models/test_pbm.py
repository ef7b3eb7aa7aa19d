from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.worlds.click_models.pbm import EYE_TRACKED, PositionBased


def test_the_listed_positions_are_examined_as_listed() -> None:
    assert PositionBased().examination_prob(10).tolist() == list(EYE_TRACKED)


def test_eta_is_an_exponent_and_zero_makes_every_position_certain() -> None:
    np.testing.assert_allclose(
        PositionBased(eta=2.0).examination_prob(3), [0.68**2, 0.61**2, 0.48**2], rtol=1e-15
    )
    assert PositionBased(eta=0.0).examination_prob(12).tolist() == [1.0] * 12


def test_beyond_the_listed_positions_examination_falls_with_the_position() -> None:
    prob = PositionBased().examination_prob(20)
    np.testing.assert_allclose(prob[10], 0.06 * 10 / 11, rtol=1e-15)
    np.testing.assert_allclose(prob[19], 0.06 * 10 / 20, rtol=1e-15)
    assert np.all(np.diff(prob) < 0)


def test_fewer_positions_than_listed() -> None:
    assert PositionBased().examination_prob(0).tolist() == []
    assert PositionBased().examination_prob(1).tolist() == [0.68]


def test_examination_does_not_ask_what_is_shown() -> None:
    luck = rng.uniform(0, "examination", np.arange(50)[:, None], np.arange(10))
    nothing, everything = np.zeros(luck.shape, bool), np.ones(luck.shape, bool)
    seen = PositionBased().examined(luck, nothing, nothing)
    np.testing.assert_array_equal(seen, PositionBased().examined(luck, everything, everything))


def test_examined_positions_come_in_their_proportions() -> None:
    # 40,000 slates: the standard error of a share is at most .0025, so .0125 is five of them.
    luck = rng.uniform(11, "examination", np.arange(40_000)[:, None], np.arange(10))
    shares = PositionBased().examined(luck, luck > 0, luck > 0).mean(axis=0)
    np.testing.assert_allclose(shares, EYE_TRACKED, atol=0.0125)


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 8))
def test_what_is_seen_lower_is_seen_higher(luck: float, position: int) -> None:
    seen = PositionBased().examined(np.full((1, 10), luck), np.ones((1, 10), bool), np.ones((1, 10), bool))
    assert seen[0, position] >= seen[0, position + 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"examination": []}, "examination == [], must not be empty"),
        ({"examination": [0.5, 0.0]}, "examination[1] == 0.0, must be a probability in (0, 1]"),
        ({"examination": [1.5]}, "examination[0] == 1.5, must be a probability in (0, 1]"),
        ({"eta": -1.0}, "eta == -1.0, must be at least 0"),
        ({"eta": float("nan")}, "eta == nan, must be at least 0"),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        PositionBased(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_what_it_comes_to_is_the_same_whatever_is_shown() -> None:
    model = PositionBased()
    for prob in (np.zeros((3, 4)), np.full((3, 4), 0.7)):
        expected = np.broadcast_to(model.examination_prob(4), (3, 4))
        np.testing.assert_array_equal(model.marginal_examination(prob, 1 - prob), expected)
