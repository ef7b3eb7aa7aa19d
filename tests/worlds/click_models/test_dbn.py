from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.types import Floats
from mlsd.worlds.click_models.base import Mask
from mlsd.worlds.click_models.dbn import DynamicBayesian
from tests.worlds.click_models.outcomes import mean_examination


def one_user(gamma: float, luck: Floats, attractive: Mask, satisfying: Mask) -> list[bool]:
    """One user, one position at a time."""
    seen: list[bool] = []
    looking = True
    for position in range(len(luck)):
        looking = looking and (position == 0 or bool(luck[position] < gamma))
        seen.append(looking)
        if looking and attractive[position] and satisfying[position]:
            looking = False
    return seen


def test_by_hand() -> None:
    yes, no = True, False
    luck = np.array([[0.99, 0.5, 0.5, 0.95], [0.0, 0.0, 0.0, 0.0]])
    attractive = np.array([[yes, no, no, no], [yes, yes, yes, yes]])
    satisfying = np.array([[no, yes, yes, yes], [no, yes, yes, yes]])
    # The first is never satisfied and loses patience at the last; the second is satisfied at position 1.
    assert DynamicBayesian(0.9).examined(luck, attractive, satisfying).tolist() == [
        [yes, yes, yes, no],
        [yes, yes, no, no],
    ]


@given(st.integers(0, 10_000), st.sampled_from([0.2, 0.7, 0.9, 1.0]))
def test_it_agrees_with_one_user_at_a_time(key: int, gamma: float) -> None:
    keys = np.arange(6)[:, None], np.arange(7), np.array(key)
    luck = rng.uniform(0, "luck", *keys)
    attractive = rng.uniform(0, "attractive", *keys) < 0.4
    satisfying = rng.uniform(0, "satisfying", *keys) < 0.5
    expected = [
        one_user(gamma, *row) for row in zip(luck, attractive, satisfying, strict=True)
    ]  # fmt: skip
    assert DynamicBayesian(gamma).examined(luck, attractive, satisfying).tolist() == expected


def test_examination_is_that_of_the_formula() -> None:
    # P(examined at k) = (gamma (1 - a s)) ** k with a = .4, s = .5; 40,000 slates: errors at most .0025.
    keys = np.arange(40_000)[:, None], np.arange(6)
    attractive = rng.uniform(9, "attractive", *keys) < 0.4
    satisfying = rng.uniform(9, "satisfying", *keys) < 0.5
    seen = DynamicBayesian(0.9).examined(rng.uniform(9, "luck", *keys), attractive, satisfying)
    np.testing.assert_allclose(seen.mean(axis=0), (0.9 * 0.8) ** np.arange(6), atol=0.0125)
    unhindered = DynamicBayesian(0.9).examined(rng.uniform(9, "luck", *keys), attractive & False, satisfying)
    np.testing.assert_allclose(unhindered.mean(axis=0), DynamicBayesian(0.9).examination_prob(6), atol=0.0125)


def test_luck_is_left_as_it_was() -> None:
    luck = np.full((2, 3), 0.95)
    DynamicBayesian(0.9).examined(luck, luck < 0, luck < 0)
    assert np.all(luck == 0.95)


def test_no_position() -> None:
    none = np.zeros((3, 0))
    assert DynamicBayesian().examined(none, none > 0, none > 0).shape == (3, 0)


@pytest.mark.parametrize("gamma", [0.0, 1.1, float("nan")])
def test_bad_values(gamma: float) -> None:
    with pytest.raises(InvalidValueError, match=r"gamma == .*, must be a probability in \(0, 1\]"):
        DynamicBayesian(gamma)


def test_what_it_comes_to_is_the_mean_over_all_that_may_happen() -> None:
    model = DynamicBayesian(0.7)
    attractive, satisfying = np.array([0.3, 0.0, 0.8, 0.5]), np.array([0.9, 0.2, 0.1, 0.4])
    expected = mean_examination(model, np.full(4, 0.7), attractive, satisfying)
    np.testing.assert_allclose(model.marginal_examination(attractive[None], satisfying[None])[0], expected)
    nothing = np.zeros((1, 4))
    np.testing.assert_allclose(model.marginal_examination(nothing, nothing)[0], model.examination_prob(4))
