"""EM beside the model that drew the data, a slow reference, and its limits."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.dawid_skene import dawid_skene
from mlsd.estimators.ratings import Ratings
from mlsd.types import Floats, Ints

PRIOR = np.array([0.5, 0.3, 0.2])
CONFUSION = np.array(
    [
        [[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]],
        [[0.6, 0.3, 0.1], [0.05, 0.7, 0.25], [0.02, 0.08, 0.9]],
        [[0.85, 0.1, 0.05], [0.3, 0.6, 0.1], [0.2, 0.3, 0.5]],
        [[0.7, 0.2, 0.1], [0.15, 0.7, 0.15], [0.1, 0.2, 0.7]],
        [[0.95, 0.04, 0.01], [0.02, 0.95, 0.03], [0.01, 0.04, 0.95]],
    ]
)


def drawn(n_pairs: int, seed: int, rated_share: float = 1.0) -> tuple[Ratings, Ints]:
    """Ratings from the model, and the true grades."""
    generator = np.random.default_rng(seed)
    true = generator.choice(3, n_pairs, p=PRIOR)
    cumulative = np.cumsum(CONFUSION, axis=-1)[:, true]
    matrix = (generator.random((5, n_pairs, 1)) > cumulative).sum(axis=-1).astype(float)
    matrix[generator.random(matrix.shape) > rated_share] = np.nan
    return Ratings.of_matrix(matrix, 3), true


def test_recovers_how_raters_err() -> None:
    """4,000 pairs, 800 of the rarest grade: a cell's standard error is sqrt(.25 / 800) = .018 at most, were
    the truth known; of 45 cells the largest error stays within four of them, .07."""
    ratings, true = drawn(4000, seed=1)
    fit = dawid_skene(ratings, smoothing=0.0)
    assert fit.converged
    np.testing.assert_allclose(fit.confusion, CONFUSION, atol=0.07)
    np.testing.assert_allclose(fit.prior, PRIOR, atol=0.03)
    votes = ratings.counts().argmax(axis=1)
    assert np.mean(fit.posterior.argmax(axis=1) == true) > np.mean(votes == true)


def slow(ratings: Ratings, smoothing: float, n_iterations: int) -> tuple[Floats, Floats, Floats]:
    """The equations of Dawid and Skene (1979), 2.3 to 2.5, one rating at a time."""
    n_grades = ratings.n_grades
    rows = list(zip(ratings.pair, ratings.rater, ratings.grade, strict=True))
    posterior = np.zeros((ratings.n_pairs, n_grades))
    for pair, _, grade in rows:
        posterior[pair, grade] += 1
    posterior /= posterior.sum(axis=1, keepdims=True)
    for _ in range(n_iterations):
        prior = posterior.sum(axis=0) + smoothing
        prior /= prior.sum()
        confusion = np.full((ratings.n_raters, n_grades, n_grades), smoothing)
        for pair, rater, grade in rows:
            for k in range(n_grades):
                confusion[rater, k, grade] += posterior[pair, k]
        confusion /= confusion.sum(axis=-1, keepdims=True)
        posterior = np.tile(prior, (ratings.n_pairs, 1))
        for pair, rater, grade in rows:
            posterior[pair] *= confusion[rater, :, grade]
        posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior, prior, confusion


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("n_iterations", [1, 7])
def test_against_a_slow_reference(smoothing: float, n_iterations: int) -> None:
    ratings, _ = drawn(60, seed=2, rated_share=0.8)
    kept = np.unique(ratings.pair, return_inverse=True)[1]
    ratings = Ratings(kept, ratings.rater, ratings.grade, int(kept.max()) + 1, 5, 3)
    fit = dawid_skene(ratings, smoothing, tolerance=1e-300, max_iterations=n_iterations)
    posterior, prior, confusion = slow(ratings, smoothing, n_iterations)
    np.testing.assert_allclose(fit.posterior, posterior, atol=1e-12)
    np.testing.assert_allclose(fit.prior, prior, atol=1e-12)
    np.testing.assert_allclose(fit.confusion, confusion, atol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_the_objective_never_falls_and_probabilities_are_such(smoothing: float) -> None:
    fit = dawid_skene(drawn(300, seed=3, rated_share=0.6)[0], smoothing)
    assert np.all(np.diff(fit.objective) >= -1e-9)
    for probabilities in (fit.posterior, fit.prior, fit.confusion):
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1)


def test_who_all_agree_are_taken_at_their_word() -> None:
    """A grade that nobody gave leaves no trace of how it is rated: even."""
    same = np.tile([0.0, 2, 2, 0, 0], (3, 1))
    fit = dawid_skene(Ratings.of_matrix(same, 3), smoothing=0.0)
    np.testing.assert_array_equal(fit.posterior.argmax(axis=1), same[0])
    np.testing.assert_allclose(fit.posterior.max(axis=1), 1)
    np.testing.assert_allclose(fit.confusion[:, 1], 1 / 3)
    np.testing.assert_allclose(fit.prior, [0.6, 0, 0.4])


def test_who_all_agree_on_one_grade() -> None:
    fit = dawid_skene(Ratings.of_matrix(np.full((2, 4), 1.0), 5))
    assert fit.converged
    assert fit.posterior.argmax(axis=1).tolist() == [1, 1, 1, 1]


def test_who_always_disagree_leave_it_even() -> None:
    """Rater j says j whatever it is: nothing tells the grades apart."""
    constant = np.tile(np.arange(3.0)[:, None], (1, 6))
    fit = dawid_skene(Ratings.of_matrix(constant, 3), smoothing=0.0)
    assert fit.converged
    np.testing.assert_allclose(fit.posterior, 1 / 3)


def test_a_rater_who_is_always_wrong_tells_as_much_as_one_who_is_right() -> None:
    """Three who see it rightly at 90%, one who says the opposite: the model learns to read the fourth."""
    generator = np.random.default_rng(4)
    true = generator.integers(0, 2, 400)
    right = np.where(generator.random((3, 400)) < 0.9, true, 1 - true)
    fit = dawid_skene(Ratings.of_matrix(np.vstack([right, 1 - true]).astype(float), 2))
    assert np.trace(fit.confusion[3]) < 0.1
    assert np.mean(fit.posterior.argmax(axis=1) == true) > 0.99


def test_a_pair_that_nobody_rated_has_the_prior() -> None:
    matrix = np.array([[0.0, np.nan, 1, 1], [0.0, np.nan, 1, 1]])
    fit = dawid_skene(Ratings.of_matrix(matrix, 2), smoothing=0.0)
    np.testing.assert_allclose(fit.posterior[1], fit.prior)
    np.testing.assert_allclose(fit.prior, [1 / 3, 2 / 3])


def test_rounds_are_limited() -> None:
    fit = dawid_skene(drawn(100, seed=5)[0], max_iterations=1)
    assert not fit.converged
    assert len(fit.objective) == 1


def test_bad_input() -> None:
    for votes in (np.full((2, 2), np.nan), np.array([[1.0, np.nan], [np.nan, 0.0]]), np.zeros((2, 0))):
        with pytest.raises(InputError, match="no pair was rated twice: nothing tells how raters err"):
            dawid_skene(Ratings.of_matrix(votes, 3))
    with pytest.raises(InvalidValueError, match=r"smoothing == -1, must be at least 0"):
        dawid_skene(drawn(10, 1)[0], smoothing=-1)
    with pytest.raises(InvalidValueError, match=r"tolerance == 0, must be above 0"):
        dawid_skene(drawn(10, 1)[0], tolerance=0)
