from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlsd import rng
from mlsd.worlds.click_models.base import Mask
from mlsd.worlds.click_models.cascade import Cascade
from mlsd.worlds.click_models.dbn import DynamicBayesian
from tests.worlds.click_models.outcomes import mean_examination

MASKS = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6)


def clicks(attractive: Mask) -> Mask:
    luck = rng.uniform(0, "luck", np.arange(attractive.size)).reshape(attractive.shape)
    return attractive & Cascade().examined(luck, attractive, attractive)


def test_by_hand() -> None:
    attractive = np.array([[False, True, False, True], [True, True, True, True], [False] * 4])
    seen = Cascade().examined(np.full((3, 4), 0.9), attractive, ~attractive)
    assert seen.tolist() == [[True, True, False, False], [True, False, False, False], [True] * 4]


def test_nothing_above_that_attracts_is_all_it_asks() -> None:
    assert Cascade().examination_prob(3).tolist() == [1.0, 1.0, 1.0]
    assert Cascade().examination_prob(0).tolist() == []


@given(MASKS)
def test_there_is_one_click_where_anything_attracts(rows: list[list[bool]]) -> None:
    attractive = np.array(rows)
    clicked = clicks(attractive)
    assert np.array_equal(clicked.sum(axis=1), attractive.any(axis=1))
    some = attractive.any(axis=1)
    assert np.array_equal(clicked.argmax(axis=1)[some], attractive.argmax(axis=1)[some])


@given(MASKS)
def test_it_is_the_impatient_limit_of_the_dynamic_bayesian_model(rows: list[list[bool]]) -> None:
    attractive = np.array(rows)
    luck = np.full(attractive.shape, np.nextafter(1.0, 0.0))
    other = DynamicBayesian(gamma=1.0).examined(luck, attractive, np.ones_like(attractive))
    assert np.array_equal(Cascade().examined(luck, attractive, ~attractive), other)


def test_click_through_is_that_of_the_formula() -> None:
    # P(click at k) = .3 * .7 ** k; 40,000 slates: the standard error of a share is at most .0023.
    attractive = rng.uniform(4, "attractive", np.arange(40_000)[:, None], np.arange(5)) < 0.3
    np.testing.assert_allclose(clicks(attractive).mean(axis=0), 0.3 * 0.7 ** np.arange(5), atol=0.0115)


def test_no_position() -> None:
    assert clicks(np.zeros((3, 0), bool)).shape == (3, 0)


def test_what_it_comes_to_is_the_mean_over_all_that_may_happen() -> None:
    attractive, satisfying = np.array([0.3, 0.0, 0.8, 0.5]), np.array([0.9, 0.2, 0.1, 0.4])
    expected = mean_examination(Cascade(), np.full(4, 0.5), attractive, satisfying)
    np.testing.assert_allclose(expected, [1, 0.7, 0.7, 0.14])
    np.testing.assert_allclose(
        Cascade().marginal_examination(attractive[None], satisfying[None])[0], expected
    )
