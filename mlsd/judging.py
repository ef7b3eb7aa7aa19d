"""Evaluation by what raters said of a sample of requests, and how well they said it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlsd import ragged
from mlsd.aggregations.base import Consensus
from mlsd.aggregations.dawid_skene import DawidSkene
from mlsd.aggregations.majority import Majority
from mlsd.estimators.agreement import DISTANCES, alpha_statistic, why_undefined
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.evaluation import ALL, Figures
from mlsd.metrics.base import RankedGrades, RankingMetric, ratio
from mlsd.ratings.programme import Rated, RatingProgramme
from mlsd.types import Array, Candidates, Floats, Ints, Judgements, RankingBatch

BY_RATINGS, CONDENSED, BY_TRUTH = " by ratings", " by ratings, condensed", " by truth"
"""What the names of a metric's figures end in."""


def rated_figures(
    ranked: Mapping[str, RankingBatch],
    metric: RankingMetric,
    n_looked_at: int,
    said: Judgements,
    truth: Judgements,
    bootstrap: Bootstrap,
) -> dict[str, Figures]:
    """System -> its figures over the rated requests, with intervals over users.

    `judged@k` is the share of the first k candidates that was rated. The metric by ratings counts what was
    not rated as 0, and its ideal is the best of what was; condensed, it is that of the list without what was
    not rated (Sakai, SIGIR 2007). By truth it is what the same requests have in every other table.

    Args:
        ranked: system -> what it passes on for the rated requests.
        metric: of an order.
        n_looked_at: k.
        said: what raters said, grades of 0 included.
        truth: of the same requests.
        bootstrap: of the intervals.
    """
    figures = {}
    for name, batch in ranked.items():
        seen = is_rated(batch.candidates, said)
        values = {
            f"judged@{n_looked_at}": _shares(seen, batch.candidates, n_looked_at),
            metric.name + BY_RATINGS: metric(RankedGrades.of(batch.candidates, said)),
            metric.name + CONDENSED: metric(RankedGrades.of(batch.keep(seen).candidates, said)),
            metric.name + BY_TRUTH: metric(RankedGrades.of(batch.candidates, truth)),
        }
        intervals = bootstrap.means(np.stack(list(values.values()), axis=1), batch.requests.user)
        figures[name] = {
            figure: {ALL: interval._asdict()} for figure, interval in zip(values, intervals, strict=True)
        }
    return figures


def is_rated(candidates: Candidates, said: Judgements) -> Array:
    """(n_candidates,) whether each was rated."""
    found, _ = ragged.find_pairs(
        (candidates.request_rows, candidates.items), (ragged.segment_ids(said.offsets), said.items)
    )
    return found


def _shares(seen: Array, candidates: Candidates, n: int) -> Floats:
    """(n_requests,) share of the first n candidates; NaN where there are none."""
    rows, offsets = ragged.first(candidates.offsets, n)
    return ratio(ragged.sums(seen[rows], offsets), np.diff(offsets))


def rating_facts(
    programme: RatingProgramme,
    rated: Rated,
    consensus: Consensus,
    truth: Ints,
    unit: Ints,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """How much was rated, for how much, and how far raters agree with each other and with the truth.

    Args:
        programme: that was carried out.
        rated: what raters said.
        consensus: of the ratings, as used.
        truth: (n_pairs,) the true grade of each pair.
        unit: (n_pairs,) whose request it is: the unit that intervals resample.
        bootstrap: of the intervals.
    """
    ratings = rated.ratings
    return {
        "budget": programme.budget,
        "n_ratings": len(ratings),
        "cost_per_rating": programme.cost_per_rating,
        "cost": len(ratings) * programme.cost_per_rating,
        "n_requests": len(rated.requests),
        "n_pairs": ratings.n_pairs,
        "n_random_pairs": int(rated.random.sum()),
        "n_raters": ratings.n_raters,
        "overlap": programme.overlap,
        "alpha": _alphas(rated, unit, bootstrap),
        "alpha_undefined": why_undefined(ratings),
        "aggregation": type(programme.aggregation).__name__,
        "accuracy": _accuracies(programme, rated, truth, unit, bootstrap),
        "by_grade": _by_grade(rated, consensus, truth),
        "raters": _raters(rated, consensus, truth),
    }


def _alphas(rated: Rated, unit: Ints, bootstrap: Bootstrap) -> Figures:
    statistic = alpha_statistic(rated.ratings, unit=unit)
    (intervals,) = bootstrap.intervals([statistic], np.unique(unit))
    return {name: interval._asdict() for name, interval in zip(DISTANCES, intervals, strict=True)}


def _accuracies(
    programme: RatingProgramme, rated: Rated, truth: Ints, unit: Ints, bootstrap: Bootstrap
) -> Figures:
    """Aggregation -> share of pairs whose grade it gets right: the one that is used, beside the usual two."""
    usual = (Majority(), DawidSkene(), programme.aggregation)
    ways = {type(way).__name__: way for way in usual if way.least_overlap <= programme.overlap}
    right = np.stack([way(rated.ratings).grade == truth for way in ways.values()], axis=1).astype(float)
    intervals = bootstrap.means(right, unit)
    return {name: interval._asdict() for name, interval in zip(ways, intervals, strict=True)}


def _by_grade(rated: Rated, consensus: Consensus, truth: Ints) -> dict[str, dict[str, float]]:
    """Grade -> its share of single ratings, of aggregated grades and of the truth."""
    kinds = {"ratings": rated.ratings.grade, "aggregated": consensus.grade, "truth": truth}
    shares = {kind: np.bincount(of, minlength=rated.ratings.n_grades) / len(of) for kind, of in kinds.items()}
    return {
        str(grade): {kind: float(share[grade]) for kind, share in shares.items()}
        for grade in range(rated.ratings.n_grades)
    }


def _raters(rated: Rated, consensus: Consensus, truth: Ints) -> list[dict[str, float]]:
    """Of each rater: ratings, and which share is right by the consensus and by the truth."""
    ratings = rated.ratings
    n = np.bincount(ratings.rater, minlength=ratings.n_raters)
    right = np.bincount(ratings.rater, ratings.grade == truth[ratings.pair], ratings.n_raters)
    columns = (n.tolist(), consensus.accuracy(ratings).tolist(), ratio(right, n).tolist())
    return [
        {"n_ratings": count, "estimated": estimated, "true": true}
        for count, estimated, true in zip(*columns, strict=True)
    ]
