"""The true grades of pairs and how each rater errs, estimated together.

Rater j gives grade l to a pair of true grade k with probability confusion[j, k, l]; a pair has true grade k
with probability prior[k]; ratings are independent given the true grade. EM alternates

    E   log posterior[p, k] = log prior[k] + sum over ratings (j, l) of p:  log confusion[j, k, l]  + const
    M   prior[k] ~ smoothing + sum_p posterior[p, k]
        confusion[j, k, l] ~ smoothing + sum over ratings (p, l) of j:  posterior[p, k]

from each pair's shares of votes, until the objective, log likelihood plus smoothing times the logarithm of
every probability, rises by less than `tolerance` per rating. Smoothing is the pseudo-count of a symmetric
Dirichlet prior: with few ratings of a grade it keeps a rater from being certain.

Source: Dawid and Skene (1979), "Maximum likelihood estimation of observer error-rates using the EM
algorithm", Applied Statistics 28(1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.ratings import Ratings
from mlsd.types import Array, Floats


class DawidSkeneFit(NamedTuple):
    """What EM settled on."""

    posterior: Floats
    """(n_pairs, n_grades) P(true grade | ratings); that of the prior for a pair that nobody rated."""
    prior: Floats
    """(n_grades,) P(true grade)."""
    confusion: Floats
    """(n_raters, n_grades, n_grades) P(rating | true grade); even where nothing is known of it."""
    objective: Floats
    """(n_iterations,) log likelihood plus the prior's, which never falls."""
    converged: bool
    """Whether it settled before `max_iterations`."""


def dawid_skene(
    ratings: Ratings, smoothing: float = 0.1, tolerance: float = 1e-6, max_iterations: int = 500
) -> DawidSkeneFit:
    """Fit the model to ratings.

    Raters who all agree are taken at their word. Where votes are even and no rater is told from another, so
    that nothing breaks the tie, the posterior stays even.

    Args:
        ratings: some pairs with two or more.
        smoothing: pseudo-count of every cell, 0 or more; 0 is maximum likelihood.
        tolerance: least rise of the objective, per rating, that is worth another round.
        max_iterations: rounds at most.

    Raises:
        InputError: no pair was rated twice, so that nothing tells how raters err.

    Example:
        Two careful raters outvote a careless one on what they both saw.

        >>> votes = np.array([[0.0, 1, 0, 1, 1], [0.0, 1, 0, 1, 1], [1.0, 0, 0, 1, 0]])
        >>> dawid_skene(Ratings.of_matrix(votes, 2)).posterior.argmax(axis=1).tolist()
        [0, 1, 0, 1, 1]
    """
    checks.at_least("smoothing", smoothing, 0)
    checks.above("tolerance", tolerance, 0)
    checks.at_least("max_iterations", max_iterations, 1)
    counts = ratings.counts().astype(np.float64)
    votes = counts.sum(axis=1, keepdims=True)
    if votes.max(initial=0) < 2:
        raise InputError("no pair was rated twice: nothing tells how raters err")
    posterior = np.where(votes > 0, counts / np.maximum(votes, 1), 1 / ratings.n_grades)
    objective: list[float] = []
    converged = False
    while not converged and len(objective) < max_iterations:
        prior, confusion = _maximised(posterior, ratings, smoothing)
        posterior, reached = _expected(prior, confusion, ratings, smoothing)
        converged = bool(objective) and reached - objective[-1] < tolerance * len(ratings)
        objective.append(reached)
    return DawidSkeneFit(posterior, prior, confusion, np.array(objective), converged)


def _maximised(posterior: Floats, ratings: Ratings, smoothing: float) -> tuple[Floats, Floats]:
    """Prior and confusion given the posterior."""
    rated = np.bincount(ratings.pair, minlength=ratings.n_pairs) > 0
    prior = _shares(posterior[rated].sum(axis=0) + smoothing)
    cells = ratings.rater * ratings.n_grades + ratings.grade
    size = ratings.n_raters * ratings.n_grades
    given = [np.bincount(cells, of_grade, size) for of_grade in posterior[ratings.pair].T]
    mass = np.stack(given).reshape(-1, ratings.n_raters, ratings.n_grades)
    return prior, _shares(mass.transpose(1, 0, 2) + smoothing)


def _expected(prior: Floats, confusion: Floats, ratings: Ratings, smoothing: float) -> tuple[Floats, float]:
    """The posterior given prior and confusion, and the objective there."""
    with np.errstate(divide="ignore"):
        log_prior, log_confusion = np.log(prior), np.log(confusion)
    of_ratings = log_confusion[ratings.rater, :, ratings.grade]
    evidence = [np.bincount(ratings.pair, of_grade, ratings.n_pairs) for of_grade in of_ratings.T]
    joint = log_prior + np.stack(evidence, axis=1)
    total = logsumexp(joint, axis=1, keepdims=True)
    smooth = smoothing * (log_prior.sum() + log_confusion.sum()) if smoothing else 0.0
    return np.exp(joint - total), float(total.sum() + smooth)


def _shares(mass: Array) -> Floats:
    """Each last axis scaled to sum to 1; even where there is no mass."""
    total = mass.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(total > 0, mass / np.where(total > 0, total, 1), 1 / mass.shape[-1]))
