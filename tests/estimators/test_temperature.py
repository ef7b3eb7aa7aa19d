"""Temperature scaling: by hand, against a general optimiser, and on logits whose temperature is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from mlsd import rng
from mlsd.errors import InputError
from mlsd.estimators.temperature import COLDEST, HOTTEST, temperature_of
from mlsd.types import Floats


def loss(temperature: float, logits: Floats, target: Floats, weight: Floats) -> float:
    return float(-np.sum(weight[:, None] * target * log_softmax(logits / temperature, axis=1)))


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_no_other_temperature_fits_better(seed: int, n_classes: int) -> None:
    rows, classes = np.arange(40)[:, None], np.arange(n_classes)
    logits = 3 * rng.normal(seed, "logits", rows, classes)
    target = softmax(rng.normal(seed, "target", rows, classes), axis=1)
    weight = rng.uniform(seed, "weight", np.arange(40)) + 0.1
    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = minimize_scalar(lambda t: loss(np.exp(t), logits, target, weight), bounds=bounds, method="bounded")
    found = temperature_of(logits, target, weight)
    assert loss(found, logits, target, weight) <= best.fun + 1e-9


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found(true: float) -> None:
    """20,000 outcomes drawn from softmax(logits / T), seed 3: a standard error is about 1% of T."""
    rows, classes = np.arange(20_000)[:, None], np.arange(4)
    logits = 2 * rng.normal(3, "logits", rows, classes)
    cumulative = np.cumsum(softmax(logits / true, axis=1), axis=1)
    drawn = (rng.uniform(3, "outcome", rows) > cumulative[:, :-1]).sum(axis=1)
    found = temperature_of(logits, np.eye(4)[drawn], np.ones(len(drawn)))
    assert found == pytest.approx(true, rel=0.04)


def test_a_weight_counts_as_so_many_rows() -> None:
    logits, target = np.array([[2.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    twice = np.array([0, 0, 0, 1])
    assert temperature_of(logits, target, np.array([3.0, 1.0])) == pytest.approx(
        temperature_of(logits[twice], target[twice], np.ones(4))
    )


def test_the_ends_of_what_is_looked_at() -> None:
    logits, ones = np.array([[2.0, 0.0], [0.0, 1.0]]), np.ones(2)
    assert temperature_of(logits, np.eye(2), ones) == COLDEST
    assert temperature_of(logits, np.eye(2)[::-1], ones) == HOTTEST
    assert temperature_of(np.zeros((2, 2)), np.eye(2), ones) == 1.0


def test_bad_input_is_named() -> None:
    logits, target = np.zeros((2, 2)), np.eye(2)
    with pytest.raises(InputError, match="no rows to be learnt from"):
        temperature_of(logits, target, np.zeros(2))
    with pytest.raises(InputError, match="1 of 4 logits are not finite"):
        temperature_of(np.array([[np.inf, 0], [0, 0]]), target, np.ones(2))
