from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.types import Floats, Ints
from mlsd.worlds.click_models.pbm import EYE_TRACKED, PositionBased
from mlsd.worlds.search import responses as module
from mlsd.worlds.search.responses import ResponseModel, ResponseOptions, Responses

OPTIONS = ResponseOptions()


def answers(
    grades: Ints,
    odds: Floats | None = None,
    eta: float = 1.0,
    options: ResponseOptions = OPTIONS,
    seed: int = 5,
) -> Responses:
    items = rng.integers(seed, "items", 1 << 20, np.arange(len(grades))[:, None], np.arange(grades.shape[1]))
    model = ResponseModel(options, PositionBased(eta=eta), seed)
    return model(np.arange(len(grades)), items, grades, np.ones(grades.shape) if odds is None else odds)


def test_attraction_by_hand() -> None:
    np.testing.assert_allclose(
        ResponseOptions(noise=0.1).attraction,
        [0.1, 0.1 + 0.9 / 15, 0.1 + 0.9 * 3 / 15, 0.1 + 0.9 * 7 / 15, 1.0],
    )
    assert ResponseOptions(noise=0.0).attraction[0] == 0.0


def test_shuffled_slates_are_clicked_in_proportion_to_examination() -> None:
    # 60,000 slates of random grades, mean attraction .372: the standard error of a share is at most .0018.
    grades = rng.integers(5, "grades", 5, np.arange(60_000)[:, None], np.arange(10))
    click_through = answers(grades).clicked.mean(axis=0)
    np.testing.assert_allclose(click_through, np.array(EYE_TRACKED) * OPTIONS.attraction.mean(), atol=0.009)


@pytest.mark.parametrize("grade", range(5))
def test_clicks_and_satisfaction_by_grade(grade: int) -> None:
    # Every position is looked at; 20,000 items: standard errors below .0036 for clicks.
    done = answers(np.full((2000, 10), grade), eta=0.0)
    assert done.examined.all()
    attraction, satisfaction = OPTIONS.attraction[grade], OPTIONS.satisfaction_prob[grade]
    n_clicks = int(done.clicked.sum())
    assert abs(done.clicked.mean() - attraction) < 0.018
    error = np.sqrt(satisfaction * (1 - satisfaction) / n_clicks)
    assert abs(done.satisfied.sum() / n_clicks - satisfaction) < 4.5 * error


def test_interest_multiplies_the_odds_of_a_click() -> None:
    # Attraction .28 has odds .3889; twice these are .7778, a probability of .4375. Standard error .0035.
    done = answers(np.full((2000, 10), 2), odds=np.full((2000, 10), 2.0), eta=0.0)
    assert abs(done.clicked.mean() - 0.4375) < 0.0175


def test_whatever_the_interest_a_probability_stays_one() -> None:
    grades = np.tile(np.arange(5), (10, 2))
    for odds in (1e-300, 1e300):
        done = answers(grades, odds=np.full(grades.shape, odds), eta=0.0)
        assert done.clicked[grades == 4].all()
        assert done.clicked[grades == 0].all() == (odds > 1)


def test_dwell_is_log_normal_around_two_medians() -> None:
    done = answers(np.full((8000, 10), 3), eta=0.0)
    satisfied = np.log(done.dwell_s[done.satisfied].astype(np.float64))
    other = np.log(done.dwell_s[done.clicked & ~done.satisfied].astype(np.float64))
    # About 29,000 and 12,500 clicks: standard errors of the means .0059 and .009.
    assert abs(satisfied.mean() - np.log(75)) < 0.03
    assert abs(other.mean() - np.log(12)) < 0.045
    assert abs(satisfied.std() - 1.0) < 0.025
    assert not np.any(done.dwell_s[~done.clicked])


def test_only_what_is_seen_is_clicked_and_only_clicks_satisfy() -> None:
    done = answers(rng.integers(5, "grades", 5, np.arange(3000)[:, None], np.arange(10)))
    assert not np.any(done.clicked & ~done.examined)
    assert not np.any(done.satisfied & ~done.clicked)
    assert np.array_equal(done.dwell_s > 0, done.clicked)
    assert done.dwell_s.dtype == np.float32


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_blocks_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    grades = rng.integers(5, "grades", 5, np.arange(501)[:, None], np.arange(10))
    odds = np.exp(rng.normal(5, "odds", np.arange(501)[:, None], np.arange(10)))
    expected = answers(grades, odds)
    monkeypatch.setattr(module, "_BLOCK", block)
    for part, whole in zip(answers(grades, odds), expected, strict=True):
        np.testing.assert_array_equal(part, whole)


def test_luck_belongs_to_request_and_item_wherever_it_is_shown() -> None:
    items = np.arange(4000).reshape(400, 10)
    grades = rng.integers(5, "grades", 5, items)
    model = ResponseModel(OPTIONS, PositionBased(eta=0.0), 5)
    ids, odds = np.arange(400), np.ones(items.shape)
    straight = model(ids, items, grades, odds)
    reversed_ = model(ids, items[:, ::-1], grades[:, ::-1], odds)
    for part, whole in zip(reversed_, straight, strict=True):
        np.testing.assert_array_equal(part[:, ::-1], whole)


def test_an_item_moved_up_loses_no_click() -> None:
    items = np.arange(4000).reshape(400, 10)
    grades = np.full(items.shape, 3)
    model = ResponseModel(OPTIONS, PositionBased(), 5)
    ids, odds = np.arange(400), np.ones(items.shape)
    low = model(ids, items, grades, odds).clicked[:, 5]
    high = model(ids, np.roll(items, -5, axis=1), grades, odds).clicked[:, 0]
    assert np.all(high >= low)
    assert high.sum() > low.sum()


def test_the_draws_of_a_request_are_independent_of_each_other() -> None:
    # Correlations of 60,000 pairs have a standard error of .0041.
    done = answers(np.full((6000, 10), 2))
    attractive_if_seen = done.clicked[done.examined]
    assert abs(np.corrcoef(done.clicked[:-1].ravel(), done.clicked[1:].ravel())[0, 1] - self_corr()) < 0.02
    assert abs(attractive_if_seen.mean() - OPTIONS.attraction[2]) < 0.02


def self_corr() -> float:
    """Correlation of clicks at the same position of two slates: that of their common examination."""
    prob = np.array(EYE_TRACKED) * OPTIONS.attraction[2]
    mean = prob.mean()
    return float(prob.var() / (mean * (1 - mean)))


def test_no_request_and_no_position() -> None:
    for shape in ((0, 10), (3, 0)):
        done = answers(np.zeros(shape, np.int64))
        assert all(part.shape == shape for part in done)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": 1.5}, "noise == 1.5, must be between 0 and 1"),
        ({"interest_effect": -1.0}, "interest_effect == -1.0, must be between 0 and 5"),
        (
            {"satisfaction_prob": [0.5]},
            "satisfaction_prob == [0.5], must have 5 numbers, one for each grade from 0 to 4",
        ),
        (
            {"satisfaction_prob": [0.1, 0.2, 0.3, 0.4, 1.2]},
            "satisfaction_prob[4] == 1.2, must be between 0 and 1",
        ),
        ({"satisfied_dwell_s": 0.0}, "satisfied_dwell_s == 0.0, must be above 0"),
        ({"unsatisfied_dwell_s": 0.0}, "unsatisfied_dwell_s == 0.0, must be above 0"),
        ({"dwell_sigma": -1.0}, "dwell_sigma == -1.0, must be at least 0"),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        ResponseOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
